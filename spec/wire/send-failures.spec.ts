import { BodyFollowing, ConnectionClosed, HTTPConnection, type BodySource } from '../../lib'
import { FakeSocket, type FakePeer } from '../../lib/testing'
import { head, received, turns, watch, watchAll, wired } from '../support/wire'

const post = (...fields: string[]) =>
  head('POST /a HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity', ...fields)
const REFUSED = head('HTTP/1.1 413 Content Too Large', 'Content-Length: 8') + 'too much'
const CLOSED = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }

/** A connection in the middle of a body of a million bytes, whose peer has stopped taking it. */
async function uploading(options: Parameters<typeof wired>[0] = {}) {
  const exchange = wired(options)
  await exchange.connection.sendRequest('POST', '/a', { body: new BodyFollowing(1_000_000) })
  await exchange.connection.write(Buffer.from('begun'))
  await exchange.peer.waitFor('begun')
  exchange.peer.stall()
  return exchange
}

/** Each ends with the peer taking again what comes, if anything does. */
const ends: [string, (peer: FakePeer) => Promise<void>][] = [
  [
    'ends its side',
    async peer => {
      peer.end()
      await turns()
      peer.unstall()
    },
  ],
  [
    'resets',
    async peer => {
      peer.reset()
      await turns()
      peer.unstall()
    },
  ],
  [
    'has reset, which a write finds out',
    async peer => {
      peer.end()
      peer.reset()
      peer.unstall()
    },
  ],
]

describe.each(ends)('when the server %s while a body is being sent', (_, end) => {
  it.each<[string, (connection: HTTPConnection) => Promise<unknown>]>([
    ['a write that waits', connection => connection.write(Buffer.alloc(200_000))],
    [
      'small writes that wait',
      connection => Promise.all(Array.from({ length: 20 }, () => connection.write(Buffer.alloc(10_000)))),
    ],
    ['sendBody', connection => connection.sendBody(Array(50).fill(Buffer.alloc(20_000)))],
    [
      'sendBody whose source never goes on',
      connection =>
        connection.sendBody(
          (async function* () {
            yield Buffer.alloc(1)
            await new Promise(() => {})
          })(),
        ),
    ],
  ])('rejects %s with ConnectionClosed, and what comes after', async (_, send) => {
    const { connection, peer } = await uploading()
    const sent = watch(send(connection))
    await turns()
    expect(sent.state).toBe('pending')
    await end(peer)
    await turns(12)
    expect(sent.error).toMatchObject({
      ...CLOSED,
      unanswered: [{ method: 'POST', path: '/a', outcome: 'no-reply', processed: 'maybe' }],
    })
    const after = watchAll([
      connection.write(Buffer.from('more')),
      connection.write(Buffer.from('more'), { partial: true }),
      connection.sendBody([Buffer.from('more')]),
      connection.endBody(),
      connection.sendRequest('GET', '/b'),
      connection.connect(),
      connection.readResponse(),
      connection.waitForContinue().then(() => connection.write(Buffer.from('more'))),
    ])
    await turns()
    expect(after.map(({ error }) => error)).toMatchObject(Array(8).fill(CLOSED))
  })

  it('returns the answer that it sent before', async () => {
    const { connection, peer } = await uploading()
    const sent = watch(connection.write(Buffer.alloc(200_000)))
    await turns()
    peer.send(REFUSED)
    await end(peer)
    await turns(12)
    expect(sent.error).toMatchObject(CLOSED)
    const response = await connection.readResponse()
    expect([response.status, await response.text()]).toEqual([413, 'too much'])
    await expect(connection.readResponse()).rejects.toMatchObject({ ...CLOSED, unanswered: [] })
  })

  it('ends the source of sendBody', async () => {
    const { connection, peer } = await uploading()
    let ended = false
    const sent = watch(
      connection.sendBody(
        (function* () {
          try {
            for (;;) yield Buffer.alloc(10_000)
          } finally {
            ended = true
          }
        })(),
      ),
    )
    await turns()
    await end(peer)
    await turns(12)
    expect([sent.state, ended]).toEqual(['rejected', true])
  })

  it.each<[string, () => BodySource | Uint8Array]>([
    ['bytes', () => Buffer.alloc(300_000)],
    ['a source', () => Array(30).fill(Buffer.alloc(10_000))],
  ])('resolves a request() whose answer is there, with %s', async (_, body) => {
    const { connection, peer } = wired()
    await connection.connect()
    peer.stall()
    const [first, behind] = watchAll([
      connection.request('POST', '/a', { body: body() }),
      connection.request('GET', '/b'),
    ])
    await turns()
    peer.send(REFUSED)
    await end(peer)
    await turns(12)
    expect(first.value).toMatchObject({ status: 413 })
    expect(behind.error).toMatchObject({
      ...CLOSED,
      unanswered: [{ method: 'GET', path: '/b', outcome: 'unsent', processed: 'no' }],
    })
  })
})

describe('a failed write', () => {
  it('does not end reading: responses that are there are returned in their order', async () => {
    const { connection, peer } = wired()
    for (const path of ['/1', '/2', '/3']) await connection.sendRequest('GET', path)
    await peer.waitFor('/3')
    peer.send(REFUSED.replace('413', '201') + REFUSED.replace('413', '202') + 'HTTP/1.1 203 Ha')
    peer.end()
    peer.reset()
    const sent = watch(connection.sendRequest('POST', '/4', { body: Buffer.alloc(100_000) }))
    await turns(12)
    expect(sent.error).toMatchObject(CLOSED)
    for (const status of [201, 202]) {
      expect((await connection.readResponse()).status).toBe(status)
      await connection.discard()
    }
    await expect(connection.readResponse()).rejects.toMatchObject({
      ...CLOSED,
      unanswered: [
        { method: 'GET', path: '/3', outcome: 'partial-reply' },
        { method: 'POST', path: '/4' },
      ],
    })
  })

  it('leaves what nobody has read yet, though it is more than is kept unread', async () => {
    // A transport that takes nothing, but has something to say.
    class Refusing extends FakeSocket {
      override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
        this.peer.send(head('HTTP/1.1 200 OK', 'Content-Length: 5000'))
        for (let i = 0; i < 3; i++) this.peer.send('x'.repeat(1_000))
        callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      }
    }
    const socket = new Refusing()
    const connection = new HTTPConnection('example.test', { socket, maxBufferedBytes: 1_000 })
    await connection.connect()
    await connection.sendRequest('GET', '/a')
    expect((await connection.readResponse()).status).toBe(200)
    await turns(20)
    expect([socket.isPaused(), socket.destroyed]).toEqual([true, false])
    const body = connection.readAll()
    for (let i = 0; i < 2; i++) socket.peer.send('x'.repeat(1_000))
    expect(String(await body)).toBe('x'.repeat(5_000))
    await turns(12)
    expect(socket.destroyed).toBe(true)
    await expect(connection.readResponse()).rejects.toMatchObject({ ...CLOSED, cause: { code: 'EPIPE' } })
  })

  it('tells the cause', async () => {
    const { connection, peer } = await uploading()
    const sent = watch(connection.write(Buffer.alloc(100_000)))
    await turns()
    peer.end()
    peer.reset()
    peer.unstall()
    await turns(12)
    expect(sent.error).toMatchObject({ ...CLOSED, cause: { code: 'EPIPE', syscall: 'write' } })
  })

  it('settles what waits on a stream that somebody else has destroyed without a word', async () => {
    const { connection, socket } = wired()
    await connection.connect()
    socket.removeAllListeners('close')
    socket.destroy()
    const sent = watch(connection.sendRequest('POST', '/a', { body: Buffer.alloc(100_000) }))
    const read = watch(connection.readResponse())
    await turns(12)
    expect([sent.error, read.error]).toMatchObject([CLOSED, CLOSED])
  })

  it('lets the next request dial anew after close()', async () => {
    const sockets: FakeSocket[] = []
    const connection = new HTTPConnection('example.test', {
      socket: () => {
        sockets.push(new FakeSocket())
        return sockets[sockets.length - 1]
      },
    })
    await connection.sendRequest('POST', '/a', { body: new BodyFollowing(10) })
    sockets[0].peer.reset()
    await turns(12)
    await expect(connection.write(Buffer.from('a'))).rejects.toBeInstanceOf(ConnectionClosed)
    await expect(connection.sendRequest('GET', '/a')).rejects.toBeInstanceOf(ConnectionClosed)
    await connection.close()
    await connection.sendRequest('POST', '/a', { body: Buffer.from('again') })
    await sockets[1].peer.waitFor('again')
    expect(received(sockets[1].peer)).toBe(`${post('Content-Length: 5')}again`)
  })
})

describe('a server that announces Connection: close while a body is being sent', () => {
  it('has its response read completely; the body can go on no further', async () => {
    const { connection, peer } = await uploading()
    const sent = watch(connection.write(Buffer.alloc(200_000)))
    await turns()
    peer.send(head('HTTP/1.1 413 Content Too Large', 'Connection: close', 'Content-Length: 8') + 'too ')
    await turns()
    await expect(connection.write(Buffer.from('more'))).rejects.toMatchObject(CLOSED)
    const response = await connection.readResponse()
    const text = response.text()
    peer.send('much')
    expect([response.status, await text]).toEqual([413, 'too much'])
    await turns()
    expect(sent.error).toMatchObject(CLOSED)
    expect(connection.connected).toBe(false)
  })
})
