// Over real sockets: every fault in docs/errors.md happens here once, as its user meets it: what is rejected with what, what of it is handed
// out before, and how the connection goes on. How connections end is in endings.spec.ts and cut-anywhere.spec.ts.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import path from 'node:path'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { BodyFollowing, HTTPConnection, isTemporaryNetworkError, type ConnectionOptions } from '../../lib'
import { Loopback } from '../support/loopback'
import { closedLater, failure, ok, text, turns } from '../support/reading'
import { ca, localhost } from '../support/tls'

type Server = Loopback | Loopback<TLSSocket>

const servers: Server[] = []

afterEach(async () => {
  jest.useRealTimers()
  for (const server of servers.splice(0)) await server.close()
})

async function listening<S extends Server>(starting: Promise<S>): Promise<S> {
  const server = await starting
  servers.push(server)
  return server
}

function connectionTo(server: { port: number }, options: ConnectionOptions = {}): HTTPConnection {
  return closedLater(new HTTPConnection('127.0.0.1', { port: server.port, ...options }))
}

/** Whatever dials is told why there is no connection, and none of it sticks. */
const dials: readonly (readonly [string, (connection: HTTPConnection) => Promise<unknown>])[] = [
  ['connect', connection => connection.connect()],
  ['sendRequest', connection => connection.sendRequest('GET', '/')],
  ['request', connection => connection.request('GET', '/')],
  ['pipeline', connection => connection.pipeline(['/']).next()],
]

/** The server's side of the next connection, when that has sent this. */
async function received(server: Loopback, wanted: string): Promise<Socket> {
  const peer = await server.next()
  let all = ''
  peer.on('data', (chunk: Buffer) => (all += chunk.toString('latin1')))
  while (!all.includes(wanted)) await once(peer, 'data')
  return peer
}

const UNANSWERED = { outcome: 'no-reply', processed: 'maybe' }
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

/** `GET /before`, `/fault` and `/behind` have been sent, and the first and the second of them answered, the latter with these bytes. */
async function answered(bytes: string, options: ConnectionOptions = {}) {
  const server = await listening(Loopback.tcp())
  const connection = connectionTo(server, options)
  for (const path of ['/before', '/fault', '/behind']) await connection.sendRequest('GET', path)
  const peer = await received(server, '/behind')
  peer.write(ok('before') + bytes, 'latin1')
  expect(await (await connection.readResponse()).text()).toBe('before')
  return { connection, server }
}

/** The connection takes nothing until it is closed, and then dials anew. */
async function expectAnew(connection: HTTPConnection, server: Loopback, code: string): Promise<void> {
  expect(connection.connected).toBe(false)
  expect(await failure(connection.sendRequest('GET', '/again'))).toMatchObject({ code })
  await connection.close()
  const again = connection.request('GET', '/again')
  const peer = await received(server, '/again')
  peer.write(ok('again'))
  expect(await (await again).text()).toBe('again')
}

/** Jest takes an argument that a row does not give for a callback. */
const withOptions = <T>(rows: readonly (readonly [string, T, ConnectionOptions?])[]) =>
  rows.map(([name, given, options = {}]) => [name, given, options] as const)

describe('ERR_HTTPIO_UNSUPPORTED_RESPONSE', () => {
  const CODE = 'ERR_HTTPIO_UNSUPPORTED_RESPONSE'
  const rows: readonly (readonly [string, readonly [string, number], ConnectionOptions?])[] = [
    ['HTTP/1.0', ['HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nno', 404]],
    ['HTTP/2.0', ['HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 200]],
    ['a transfer coding', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 200]],
    ['a body that ends with the connection', ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody', 200]],
    [
      'a body without framing, though those that end with the connection are accepted',
      ['HTTP/1.1 200 OK\r\n\r\nbody', 200],
      { closeDelimited: 'accept' },
    ],
    ['an upgrade', ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nPRI', 101]],
  ]

  it.each(withOptions(rows))(
    'is met by %s: its head is handed out, and what follows can be read raw',
    async (_, [bytes, status], options) => {
      const { connection, server } = await answered(bytes, options)
      const response = await connection.readResponse()
      expect(response).toMatchObject({ status, path: '/fault' })
      expect(await failure(response.read())).toMatchObject({ code: CODE, response: { status } })
      expect(await failure(connection.readResponse())).toMatchObject({ code: CODE })
      expect(bytes.endsWith(text(await connection.readRaw(1000)))).toBe(true)
      await expectAnew(connection, server, CODE)
    },
  )

  it('is met by another protocol chosen by ALPN', async () => {
    const server = await listening(Loopback.tls({ ...localhost, ALPNProtocols: ['h2'] }))
    const connection = connectionTo(server, { tls: { ca, ALPNProtocols: ['h2', 'http/1.1'] } })
    for (const [, dial] of dials) expect(await failure(dial(connection))).toMatchObject({ code: CODE })
    expect(server.accepted).toBe(dials.length)
  })
})

describe('ERR_HTTPIO_INVALID_RESPONSE', () => {
  const CODE = 'ERR_HTTPIO_INVALID_RESPONSE'
  const HEAD = 'HTTP/1.1 200 OK\r\n'
  const LONG = 'x'.repeat(2000)
  const rows: readonly (readonly [string, string, ConnectionOptions?])[] = [
    ['HPE_INVALID_CONSTANT', 'HTTX/1.1 200 OK\r\n\r\n'],
    ['HPE_INVALID_VERSION', 'HTTP/1x1 200 OK\r\n\r\n'],
    ['HPE_INVALID_STATUS', 'HTTP/1.1 2x0 OK\r\n\r\n'],
    ['HPE_INVALID_HEADER_TOKEN', `${HEAD}A: b\r\n folded\r\n\r\n`],
    ['HPE_UNEXPECTED_SPACE', `${HEAD} A: b\r\n\r\n`],
    ['HPE_INVALID_CONTENT_LENGTH', `${HEAD}Content-Length: 5x\r\n\r\nhello`],
    ['HPE_INVALID_CONTENT_LENGTH', `${CHUNKED}0\r\nContent-Length: 0\r\n\r\n`],
    ['HPE_UNEXPECTED_CONTENT_LENGTH', `${HEAD}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
    ['HPE_INVALID_TRANSFER_ENCODING', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello`],
    ['HPE_INVALID_CHUNK_SIZE', `${CHUNKED}x\r\n`],
    ['HPE_STRICT', `${CHUNKED}5\r\nhello, world\r\n`],
    ['HPE_CR_EXPECTED', `${HEAD}A: b\n\r\n`],
    ['HPE_LF_EXPECTED', `${HEAD}A: b\rc\r\n\r\n`],
    ['NOT_HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['BLANK_LINE_BEFORE_STATUS_LINE', `\r\n${HEAD}\r\n`],
    ['STATUS_BELOW_100', 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n'],
    ['CONTROL_IN_REASON', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n'],
    ['CR_WITHOUT_LF', `${CHUNKED}5\nhello\r\n`],
    ['HEADER_SECTION_TOO_LARGE', `${HEAD}A: ${LONG}\r\n\r\n`, { maxHeaderBytes: 1000 }],
    ['CONTENT_LENGTH_TOO_LARGE', `${HEAD}Content-Length: 9007199254740992\r\n\r\n`],
    ['CHUNK_SIZE_TOO_LARGE', `${CHUNKED}20000000000000\r\n`],
    ['CHUNK_FRAMING_TOO_LARGE', `${CHUNKED}5;${LONG}\r\nhello\r\n`, { maxHeaderBytes: 1000 }],
    ['CONTROL_IN_CHUNK_FRAMING', `${CHUNKED}5;a="\x7f"\r\nhello\r\n`],
    ['FRAMING_FIELD_IN_TRAILERS', `${CHUNKED}0\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['TOO_MANY_INTERIM_RESPONSES', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(33)],
  ]
  const tunnelRows: readonly (readonly [string, string])[] = [
    ['TUNNEL_STATUS_LINE', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['TUNNEL_HEADER_FIELD', `${HEAD}A : b\r\n\r\n`],
    ['TUNNEL_BARE_CR_OR_LF', `${HEAD}A: b\n\r\n`],
    ['TUNNEL_HEAD_TOO_LONG', `${HEAD}A: ${'x'.repeat(65_536)}`],
    ['TUNNEL_TOO_MANY_INTERIM', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(33)],
  ]

  it('has a row here for each reason that the page explains', () => {
    const page = readFileSync(path.join(__dirname, '../../docs/errors.md'), 'utf8')
    const [, tables] = page.split('## Reasons of ERR_HTTPIO_INVALID_RESPONSE')
    const explained = Array.from(tables.matchAll(/^\|([^|]*)\|/gm), ([, cell]) => cell).join()
    const reasons = Array.from(explained.matchAll(/`(\w+)`/g), ([, reason]) => reason)
    const shown = [...rows, ...tunnelRows].map(([reason]) => reason)
    expect(new Set(reasons)).toEqual(new Set([...shown, 'UNEXPECTED_DATA', 'CORRUPT_CONTENT_CODING']))
  })

  it.each(withOptions(rows))(
    '%s: what came before is handed out, and nothing behind is answered',
    async (reason, bytes, options) => {
      const { connection, server } = await answered(bytes, options)
      const read = async (): Promise<unknown> => (await connection.readResponse()).readAll()
      expect(await failure(read())).toMatchObject({ code: CODE, reason })
      expect(await failure(connection.readResponse())).toMatchObject({ code: CODE, reason })
      await expectAnew(connection, server, CODE)
    },
  )

  it('rejects the request at fault, and those behind it as unanswered', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server)
    const [before, fault, behind] = ['/before', '/fault', '/behind'].map(path =>
      connection.request('GET', path),
    )
    const peer = await received(server, '/behind')
    peer.write(`${ok('before')}HTTP/1.1 200 OK\nContent-Length: 0\n\n`)
    expect(await (await before).text()).toBe('before')
    expect(await failure(fault)).toMatchObject({ code: CODE, reason: 'HPE_CR_EXPECTED' })
    const error = await failure(behind)
    expect(error).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      cause: { code: CODE },
      unanswered: [
        { path: '/fault', outcome: 'partial-reply', processed: 'maybe' },
        { path: '/behind', ...UNANSWERED },
      ],
    })
  })

  it('UNEXPECTED_DATA: a surplus response answers nothing', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server)
    const asking = connection.request('GET', '/a')
    const peer = await received(server, '/a')
    peer.write(ok('a') + ok('surplus'))
    expect(await (await asking).text()).toBe('a')
    await once(peer, 'end')
    peer.end()
    expect(await failure(connection.request('GET', '/b'))).toMatchObject({
      code: CODE,
      reason: 'UNEXPECTED_DATA',
    })
    await expectAnew(connection, server, CODE)
  })

  it('CORRUPT_CONTENT_CODING: the connection goes on', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server)
    const cut = gzipSync('data').subarray(0, -1)
    const asking = connection.request('GET', '/a', { decompress: true })
    const behind = connection.request('GET', '/b')
    const peer = await received(server, '/b')
    peer.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${cut.length}\r\n\r\n`)
    peer.write(cut)
    peer.write(ok('b'))
    expect(await failure(asking)).toMatchObject({
      code: CODE,
      reason: 'CORRUPT_CONTENT_CODING',
      response: { status: 200 },
    })
    expect(await (await behind).text()).toBe('b')
    expect(connection.connected).toBe(true)
  })

  it.each(tunnelRows)('%s: the proxy gives no tunnel, and is asked again', async (reason, bytes) => {
    const proxy = await listening(Loopback.tcp())
    const connection = closedLater(
      new HTTPConnection('example.test', { proxy: `http://127.0.0.1:${proxy.port}`, tls: { ca } }),
    )
    for (const [, dial] of dials) {
      const asking = failure(dial(connection))
      const peer = await received(proxy, 'CONNECT example.test:443 ')
      peer.write(bytes, 'latin1')
      expect(await asking).toMatchObject({ code: CODE, reason })
    }
  })
})

describe('ERR_HTTPIO_TUNNEL_FAILED', () => {
  it.each(
    dials.flatMap(([name, dial]) =>
      [403, 407, 502, 503, 504].map(status => [name, status, status > 500, dial] as const),
    ),
  )(
    'tells %s that the proxy answered %i, and whether that is temporary',
    async (_, status, isTemporary, dial) => {
      const proxy = await listening(Loopback.tcp())
      const connection = closedLater(
        new HTTPConnection('example.test', { proxy: `http://127.0.0.1:${proxy.port}`, tls: { ca } }),
      )
      const asking = failure(dial(connection))
      const peer = await received(proxy, 'CONNECT ')
      peer.write(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
      const error = await asking
      expect(error).toMatchObject({ code: 'ERR_HTTPIO_TUNNEL_FAILED', status })
      expect(isTemporaryNetworkError(error)).toBe(isTemporary)
    },
  )

  it('is ConnectionClosed where the proxy says nothing and goes', async () => {
    const proxy = await listening(Loopback.tcp())
    const connection = closedLater(
      new HTTPConnection('example.test', { proxy: `http://127.0.0.1:${proxy.port}`, tls: { ca } }),
    )
    const asking = failure(connection.request('GET', '/'))
    const peer = await received(proxy, 'CONNECT ')
    peer.end('HTTP/1.1 200')
    expect(await asking).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })
})

describe('ERR_HTTPIO_TIMED_OUT', () => {
  const CODE = 'ERR_HTTPIO_TIMED_OUT'
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  })

  it('receive: the response that comes late is still read', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server, { timeoutMs: 1000 })
    await connection.sendRequest('GET', '/a')
    const peer = await received(server, '/a')
    const response = failure(connection.readResponse())
    jest.advanceTimersByTime(1000)
    expect(await response).toMatchObject({ code: CODE, operation: 'receive' })
    const late = connection.readResponse()
    peer.write(ok('late'))
    expect(await (await late).text()).toBe('late')
  })

  it('send: what was queued is still sent', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server, { timeoutMs: 1000 })
    await connection.connect()
    const peer = await server.next()
    const SIZE = 16_000_000
    const sending = connection.sendRequest('PUT', '/a', { body: Buffer.alloc(SIZE, 'x') })
    const failing = failure(sending)
    await turns(50)
    jest.advanceTimersByTime(1000)
    expect(await failing).toMatchObject({ code: CODE, operation: 'send' })
    expect(connection.connected).toBe(true)
    let size = 0
    peer.on('data', (chunk: Buffer) => (size += chunk.length))
    while (size < SIZE) await once(peer, 'data')
    peer.write(ok('stored'))
    expect(await (await connection.readResponse()).text()).toBe('stored')
  })

  it('connect: a server that accepts and says nothing', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server, { tls: { ca }, connectTimeoutMs: 1000 })
    const connecting = failure(connection.connect())
    await once(await server.next(), 'data')
    jest.advanceTimersByTime(1000)
    expect(await connecting).toMatchObject({ code: CODE, operation: 'connect' })
  })
})

describe('ERR_HTTPIO_BODY_TOO_LONG', () => {
  const CODE = 'ERR_HTTPIO_BODY_TOO_LONG'

  it.each([
    ['Content-Length', ok('x'.repeat(1000))],
    ['chunks', `${CHUNKED}3e8\r\n${'x'.repeat(1000)}\r\n0\r\n\r\n`],
  ])('with %s: the connection goes on', async (_, bytes) => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server)
    const long = connection.request('GET', '/a', { maxBodyBytes: 999 })
    const behind = connection.request('GET', '/b')
    const peer = await received(server, '/b')
    peer.write(bytes + ok('b'))
    expect(await failure(long)).toMatchObject({ code: CODE, response: { status: 200 } })
    expect(await (await behind).text()).toBe('b')
  })

  it('ends the connection where the rest is longer than maxBufferedBytes', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server, { maxBufferedBytes: 100_000 })
    const long = connection.request('GET', '/a', { maxBodyBytes: 999 })
    const behind = connection.request('GET', '/b')
    const peer = await received(server, '/b')
    peer.write(ok('x'.repeat(1_000_000)) + ok('b'))
    expect(await failure(long)).toMatchObject({ code: CODE })
    expect(await failure(behind)).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [{ path: '/a' }, { path: '/b', ...UNANSWERED }],
    })
  })
})

describe('ERR_HTTPIO_STATE and ERR_HTTPIO_EXCESS_BODY_DATA', () => {
  const STATE = { code: 'ERR_HTTPIO_STATE' }

  it('change nothing: what fits then goes on as if they had not been', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server)
    expect(await failure(connection.readResponse())).toMatchObject(STATE)

    await connection.sendRequest('PUT', '/a', { body: new BodyFollowing(5) })
    expect(await failure(connection.sendRequest('GET', '/b'))).toMatchObject(STATE)
    expect(await failure(connection.readResponse())).toMatchObject(STATE)
    expect(await failure(connection.request('GET', '/b'))).toMatchObject(STATE)
    expect(await failure(connection.write(Buffer.from('too much')))).toMatchObject({
      code: 'ERR_HTTPIO_EXCESS_BODY_DATA',
    })
    expect(await failure(connection.sendBody([Buffer.from('he')]))).toMatchObject(STATE)
    await connection.write(Buffer.from('llo'))
    expect(await failure(connection.read())).toMatchObject(STATE)

    const peer = await received(server, 'hello')
    const head = connection.readResponse()
    expect(await failure(connection.readResponse())).toMatchObject(STATE)
    peer.write(ok('first'))
    const first = await head
    expect(await failure(connection.readResponse())).toMatchObject(STATE)
    expect(await first.text()).toBe('first')
    expect(await failure(connection.readResponse())).toMatchObject(STATE)

    await connection.sendRequest('PUT', '/c', { body: new BodyFollowing(5), expect100: true })
    expect(await failure(connection.write(Buffer.from('early')))).toMatchObject(STATE)
    await once(peer, 'data')
    peer.write('HTTP/1.1 100 Continue\r\n\r\n')
    expect(await connection.waitForContinue()).toBe(true)
    await connection.write(Buffer.from('on it'))
    await once(peer, 'data')
    peer.write(ok('second'))
    const second = await connection.readResponse()
    expect(await failure(first.read())).toMatchObject(STATE)
    expect(await second.text()).toBe('second')
  })
})

describe('an argument that cannot be meant', () => {
  it('is TypeError or RangeError, and sends nothing', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server)
    await connection.connect()
    const bad: readonly (readonly [Promise<unknown>, new () => Error])[] = [
      [connection.sendRequest('get', '/'), TypeError],
      [connection.sendRequest('GET', '/a b'), TypeError],
      [connection.sendRequest('GET', '/', { headers: { A: 'b\r\nC: d' } }), TypeError],
      [connection.sendRequest('GET', '/', { headers: { 'Transfer-Encoding': 'chunked' } }), TypeError],
      [connection.request('GET', '/', { maxBodyBytes: -1 }), RangeError],
      [connection.read(0), RangeError],
    ]
    for (const [promise, kind] of bad) expect(await failure(promise)).toBeInstanceOf(kind)
    await connection.sendRequest('GET', '/good')
    const peer = await server.next()
    const [chunk] = (await once(peer, 'data')) as [Buffer]
    expect(chunk.toString('latin1')).toMatch(/^GET \/good HTTP\/1\.1\r\n/)
  })
})

describe('errors that pass through', () => {
  it('ECONNREFUSED, which is temporary and does not stick', async () => {
    const server = await Loopback.tcp()
    const { port } = server
    await server.close()
    const connection = connectionTo({ port })
    for (const [, dial] of dials) {
      const error = await failure(dial(connection))
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
      expect(isTemporaryNetworkError(error)).toBe(true)
    }
  })

  it('that of the source of a body, which ends the connection of a request', async () => {
    const server = await listening(Loopback.tcp())
    const connection = connectionTo(server)
    const mine = new Error('mine')
    const body = (function* () {
      yield Buffer.from('some')
      throw mine
    })()
    const [putting, behind] = [
      connection.request('PUT', '/a', { body }),
      connection.request('GET', '/b'),
    ].map(failure)
    expect(await putting).toBe(mine)
    expect(await behind).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [
        { path: '/a', outcome: expect.stringMatching(/^(unsent|no-reply)$/) as string },
        { path: '/b', outcome: 'unsent', processed: 'no' },
      ],
    })
  })

  it("that of the function given as socket, and a signal's reason", async () => {
    const mine = new Error('mine')
    const connection = closedLater(
      new HTTPConnection('example.test', {
        socket: () => {
          throw mine
        },
      }),
    )
    expect(await failure(connection.request('GET', '/'))).toBe(mine)
    const server = await listening(Loopback.tcp())
    const aborting = new AbortController()
    const other = connectionTo(server)
    const aborted = failure(other.request('GET', '/a', { signal: aborting.signal }))
    const behind = other.request('GET', '/b')
    const peer = await received(server, '/b')
    aborting.abort(mine)
    expect(await aborted).toBe(mine)
    peer.write(ok('a') + ok('b'))
    expect(await (await behind).text()).toBe('b')
  })
})
