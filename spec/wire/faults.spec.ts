// Responses that cannot be read on: what is still handed out before, what is thrown, and that it sticks until close().
import {
  BodyFollowing,
  HTTPConnection,
  InvalidResponse,
  UnsupportedResponse,
  type HTTPResponse,
} from '../../lib'
import { arrival, asked, dialler, failure, ok, text, turns, wire } from '../support/reading'

const UNSUPPORTED = 'ERR_HTTPIO_UNSUPPORTED_RESPONSE'
const INVALID = 'ERR_HTTPIO_INVALID_RESPONSE'

/** Every operation there is, in turn. */
const operations: [string, (connection: HTTPConnection) => Promise<unknown>][] = [
  ['connect', connection => connection.connect()],
  ['sendRequest', connection => connection.sendRequest('GET', '/z')],
  ['readResponse', connection => connection.readResponse()],
  ['request', connection => connection.request('GET', '/z')],
  ['pipeline', connection => connection.pipeline(['/z']).next()],
]

describe('UnsupportedResponse', () => {
  const unsupported: [string, string][] = [
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['HTTP/1.0 without framing', 'HTTP/1.0 200 OK\r\n\r\nhello'],
    ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['another transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello'],
    ['two transfer codings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nhello'],
    [
      'chunked twice',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no framing on a connection kept open', 'HTTP/1.1 200 OK\r\n\r\nhello'],
    ['no framing on one that is to be closed', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello'],
    ['an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello'],
  ]

  it.each(unsupported)(
    'gives the head of %s, and every operation after that rejects',
    async (_what, bytes) => {
      for (const isWaitedFor of [true, false]) {
        const { connection, peer, socket } = await asked(['/a', '/b'])
        const waiting = isWaitedFor ? connection.readResponse() : null
        peer.send(bytes)
        const response = await (waiting ?? connection.readResponse())
        expect(response.status).toBe(Number(bytes.slice(9, 12)))
        expect(response.path).toBe('/a')
        for (const read of [
          () => response.read(),
          () => response.readAll(),
          () => connection.readInto(Buffer.alloc(1)),
          () => connection.discard(),
        ]) {
          expect(await failure(read())).toMatchObject({
            code: UNSUPPORTED,
            response: { status: response.status },
          })
        }
        const error = await failure(connection.readResponse())
        expect(error).toBeInstanceOf(UnsupportedResponse)
        expect(error).not.toBeInstanceOf(InvalidResponse)
        for (const [name, operation] of operations) {
          const failed = await failure(operation(connection))
          expect([name, failed === error]).toEqual([name, true])
        }
        expect(connection.connected).toBe(false)
        expect(socket.destroyed).toBe(false)
        await turns()
        expect(text(await connection.readRaw(100))).toBe(bytes.slice(bytes.indexOf('\r\n\r\n') + 4))
      }
    },
  )

  it('has no head where none could be parsed', async () => {
    const { connection, peer } = await asked(['/a'])
    peer.send('HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n')
    const error = await failure(connection.readResponse())
    expect(error).toMatchObject({ code: UNSUPPORTED })
    expect(error.response).toBeUndefined()
  })

  it('gives its head in the error as well', async () => {
    const { connection, peer } = wire()
    const request = failure(connection.request('GET', '/a'))
    await arrival(peer, '/a')
    peer.send('HTTP/1.0 404 Not Found\r\nServer: old\r\n\r\nbody')
    const { response } = (await request) as unknown as { response: HTTPResponse }
    expect([response.status, response.reason, response.headers.get('server')]).toEqual([
      404,
      'Not Found',
      'old',
    ])
    expect(response.length).toBeNull()
    expect((await response.readAll()).length).toBe(0)
  })

  it('rejects the sending of a body that is under way', async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('PUT', '/a', { body: new BodyFollowing() })
    await connection.write(Buffer.from('abc'))
    await peer.waitFor('abc')
    peer.send('HTTP/1.0 200 OK\r\n\r\n')
    expect((await connection.readResponse()).status).toBe(200)
    for (const send of [connection.write(Buffer.from('d')), connection.sendBody([]), connection.endBody()]) {
      expect(await failure(send)).toMatchObject({ code: UNSUPPORTED })
    }
  })
})

describe('InvalidResponse', () => {
  const invalid: [string, string, string][] = [
    [
      'HPE_UNEXPECTED_CONTENT_LENGTH',
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    ],
    ['HPE_INVALID_CONTENT_LENGTH', 'a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n'],
    [
      'HPE_INVALID_TRANSFER_ENCODING',
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['HPE_INVALID_HEADER_TOKEN', 'a control in a value', 'HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n'],
    ['STATUS_BELOW_100', 'a status below 100', 'HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n'],
    [
      'BLANK_LINE_BEFORE_STATUS_LINE',
      'a blank line first',
      '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
    ['NOT_HTTP', 'another protocol', 'ICY 200 OK\r\n\r\n'],
    ['CONTROL_IN_REASON', 'a control in the reason', 'HTTP/1.1 200 O\x7fK\r\nContent-Length: 0\r\n\r\n'],
    [
      'CONTENT_LENGTH_TOO_LARGE',
      'a length above 2^53-1',
      'HTTP/1.1 200 OK\r\nContent-Length: 9007199254740992\r\n\r\n',
    ],
  ]

  it.each(invalid)(
    'is thrown (%s) for %s, and by every operation after that',
    async (reason, _what, bytes) => {
      const { connection, peer, socket } = await asked(['/a', '/b', '/c'])
      peer.send(ok('a') + bytes)
      expect((await connection.readResponse()).path).toBe('/a')
      expect(text(await connection.readAll())).toBe('a')
      const error = await failure(connection.readResponse())
      expect(error).toMatchObject({ code: INVALID, reason })
      expect(error).toBeInstanceOf(UnsupportedResponse)
      for (const [name, operation] of operations) {
        const failed = await failure(operation(connection))
        expect([name, failed === error]).toEqual([name, true])
      }
      await turns()
      expect(socket.destroyed).toBe(true)
    },
  )

  it('hands out what came of a body before its fault, and then rejects', async () => {
    const { connection, peer } = await asked(['/a'])
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n')
    const response = await connection.readResponse()
    expect(text(await response.read())).toBe('abc')
    const error = await failure(response.read())
    expect(error).toMatchObject({
      code: INVALID,
      reason: 'HPE_INVALID_CHUNK_SIZE',
      response: { status: 200, path: '/a' },
    })
    expect(await failure(response.readAll())).toBe(error)
  })

  it.each<[string, (response: HTTPResponse) => Promise<unknown>]>([
    ['readAll', response => response.readAll()],
    ['discard', response => response.discard()],
    ['text', response => response.text()],
  ])('rejects a %s that waits', async (_name, read) => {
    const { connection, peer } = await asked(['/a'])
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    const pending = failure(read(await connection.readResponse()))
    peer.send('0\r\nContent-Length: 3\r\n\r\n')
    expect(await pending).toMatchObject({ code: INVALID, reason: 'HPE_INVALID_CONTENT_LENGTH' })
  })

  it('sticks until close(), after which the next request dials anew', async () => {
    const { connection, peers } = dialler()
    const first = failure(connection.request('GET', '/a'))
    while (peers.length === 0) await turns(1)
    await arrival(peers[0], '/a')
    peers[0].send('nonsense\r\n\r\n')
    expect(await failure(connection.request('GET', '/b'))).toBe(await first)
    await connection.close()
    const second = connection.request('GET', '/b')
    while (peers.length === 1) await turns(1)
    await arrival(peers[1], '/b')
    peers[1].send(ok('b'))
    expect(await (await second).text()).toBe('b')
  })

  it('is kept to itself by the connection it happened on', async () => {
    const healthy = await asked(['/a'])
    healthy.peer.send('HTTP/1.1 200 OK\r\nContent-Le')
    const faulty = await asked(['/a'])
    faulty.peer.send('HTTP/1.1 200 OK\r\nContent-Le ngth')
    expect(await failure(faulty.connection.readResponse())).toMatchObject({ code: INVALID })
    healthy.peer.send('ngth: 2\r\n\r\nok')
    await healthy.connection.readResponse()
    expect(text(await healthy.connection.readAll())).toBe('ok')
  })
})
