// Over real sockets, plain, TLS and unix: every way in which a connection ends, and what a body that ends with it is worth.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { HTTPConnection, type ConnectionOptions } from '../../lib'
import { socketOf } from '../support/client-sockets'
import { Loopback } from '../support/loopback'
import { closedLater, failure, ok, text, turns } from '../support/reading'
import { ca, localhost } from '../support/tls'

type Kind = 'TCP' | 'TLS 1.2' | 'TLS 1.3' | 'a unix domain socket'
const kinds: Kind[] = ['TCP', 'TLS 1.2', 'TLS 1.3', 'a unix domain socket']
const CLOSED = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }

let server: Loopback
/** The TCP sockets below TLS, by the client's port. */
const below = new Map<number | undefined, Socket>()
afterEach(async () => {
  below.clear()
  await server.close()
})

interface Ends {
  readonly connection: HTTPConnection
  readonly peer: Socket
  /** Below TLS, where there is TLS. */
  readonly raw: Socket
  readonly received: () => string
}

/** A connection over a kind of socket, on which these requests have arrived. */
async function connected(kind: Kind, paths: readonly string[], more: ConnectionOptions = {}): Promise<Ends> {
  const isTLS = kind.startsWith('TLS')
  const version = kind === 'TLS 1.2' ? 'TLSv1.2' : 'TLSv1.3'
  if (isTLS)
    server = (await Loopback.tls({
      ...localhost,
      minVersion: version,
      maxVersion: version,
    })) as unknown as Loopback
  else server = kind === 'TCP' ? await Loopback.tcp() : await Loopback.unix()
  server.onConnection = socket => below.set(socket.remotePort, socket)
  const where = kind === 'a unix domain socket' ? { socketPath: server.socketPath } : { port: server.port }
  const connection = closedLater(
    new HTTPConnection('localhost', { ...where, ...(isTLS ? { tls: { ca } } : {}), ...more }),
  )
  for (const path of paths) await connection.sendRequest('GET', path)
  const peer: Socket = await server.next()
  let all = ''
  peer.on('data', (chunk: Buffer) => (all += chunk.toString('latin1')))
  while (!all.includes(paths[paths.length - 1])) await once(peer, 'data')
  return { connection, peer, raw: isTLS ? below.get(peer.remotePort)! : peer, received: () => all }
}

describe.each(kinds)('a connection over %s', kind => {
  it('that the server ends after its responses hands them out, then rejects', async () => {
    const { connection, peer } = await connected(kind, ['/a', '/b', '/c'])
    peer.end(ok('a') + ok('b'))
    for (const body of ['a', 'b']) {
      await connection.readResponse()
      expect(text(await connection.readAll())).toBe(body)
    }
    expect(await failure(connection.readResponse())).toMatchObject({
      ...CLOSED,
      unanswered: [{ method: 'GET', path: '/c', outcome: 'no-reply', processed: 'maybe' }],
    })
  })

  it('that the server ends while idle is found out before the next request, which is not lost', async () => {
    const { connection, peer, received } = await connected(kind, ['/a'])
    peer.write(ok('a'))
    await connection.readResponse()
    await connection.readAll()
    peer.end()
    await once(peer, 'close')
    expect(await failure(connection.sendRequest('POST', '/b', { body: Buffer.from('x') }))).toMatchObject({
      ...CLOSED,
      unanswered: [],
    })
    expect(received()).not.toContain('/b')
  })

  it('that vanishes in the middle of a body rejects the body, whose beginning can be read', async () => {
    const { connection, peer, raw } = await connected(kind, ['/a', '/b'])
    await new Promise(resolve => peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234', resolve))
    const response = await connection.readResponse()
    const body = failure(response.readAll())
    raw.destroy()
    expect(await body).toMatchObject({
      ...CLOSED,
      unanswered: [
        { path: '/a', outcome: 'partial-reply' },
        { path: '/b', outcome: 'no-reply' },
      ],
    })
    expect(text(await response.read())).toBe('01234')
    expect(await failure(response.read())).toMatchObject(CLOSED)
  })

  it('that is closed here lets the server know, and leaves nothing behind', async () => {
    const { connection, peer } = await connected(kind, ['/a'])
    const pending = failure(connection.readResponse())
    peer.resume()
    await connection.close()
    expect(await pending).toMatchObject(CLOSED)
    if (!peer.readableEnded && !peer.destroyed) {
      await new Promise<void>(resolve => peer.once('end', resolve).once('close', resolve))
    }
    expect(connection.connected).toBe(false)
  })

  it('that announced its close is ended from here as well', async () => {
    const { connection, peer } = await connected(kind, ['/a'])
    peer.write(ok('a', 'Connection: close\r\n'))
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('a')
    await once(peer, 'end')
    expect(await failure(connection.readResponse())).toMatchObject(CLOSED)
  })

  it('gives a body that ends with the connection only after a clean close', async () => {
    const { connection, peer } = await connected(kind, ['/a'], { closeDelimited: 'accept' })
    peer.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it')
    const response = await connection.readResponse()
    expect(text(await response.readAll())).toBe('all of it')
  })
})

// There is no reset of a unix domain socket.
describe.each(['TCP', 'TLS 1.2', 'TLS 1.3'] as const)('a connection over %s', kind => {
  it('that is reset while idle is found out before the next request, which is not lost', async () => {
    const { connection, peer, raw, received } = await connected(kind, ['/a'])
    peer.write(ok('a'))
    await connection.readResponse()
    await connection.readAll()
    const gone = new Promise(resolve => socketOf(connection).once('close', resolve))
    raw.resetAndDestroy()
    await gone
    expect(connection.connected).toBe(false)
    const error = await failure(connection.sendRequest('POST', '/b', { body: Buffer.from('x') }))
    expect(error).toMatchObject({ ...CLOSED, unanswered: [] })
    await connection.close()
    const again = connection.sendRequest('POST', '/b', { body: Buffer.from('x') })
    const [next] = await Promise.all([server.next(), again])
    next.destroy()
    expect(received()).not.toContain('/b')
  })
})

describe('a body that ends with the connection', () => {
  const BEGUN = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nnot all of it'
  const begun = async (kind: Kind): Promise<Ends & { body: Promise<unknown> }> => {
    const ends = await connected(kind, ['/a'], { closeDelimited: 'accept' })
    await new Promise(resolve => ends.peer.write(BEGUN, resolve))
    const response = await ends.connection.readResponse()
    return { ...ends, body: failure(response.readAll()) }
  }

  it.each(['TLS 1.2', 'TLS 1.3'] as const)('is ConnectionClosed over %s without close_notify', async kind => {
    const { raw, body } = await begun(kind)
    raw.end()
    expect(await body).toMatchObject({ ...CLOSED, unanswered: [{ path: '/a', outcome: 'partial-reply' }] })
  })

  it.each(['TCP', 'TLS 1.2', 'TLS 1.3'] as const)('is ConnectionClosed over %s after a reset', async kind => {
    const { raw, body } = await begun(kind)
    raw.resetAndDestroy()
    expect(await body).toMatchObject(CLOSED)
  })

  it('is ConnectionClosed also when the reset comes together with the data', async () => {
    for (let round = 0; round < 10; round++) {
      const { connection, peer } = await connected('TCP', ['/a'], { closeDelimited: 'accept' })
      const body = failure(connection.readResponse().then(response => response.readAll()))
      await new Promise(resolve => peer.write(BEGUN, resolve))
      peer.resetAndDestroy()
      expect(await body).toMatchObject(CLOSED)
      await connection.close()
      if (round < 9) await server.close()
    }
  })
})

describe('large bodies over a real socket', () => {
  const SIZE = 3_000_000
  const pattern = Buffer.from(Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 8)) & 0xff))

  /** The server's answer: the pattern in chunks of uneven sizes, or with a length. */
  function send(peer: Socket, isChunked: boolean): void {
    if (!isChunked) {
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`)
      peer.write(pattern)
      return
    }
    peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let at = 0, size = 1; at < SIZE; at += size, size = (size * 31) % 100_003) {
      const part = pattern.subarray(at, at + size)
      peer.write(`${part.length.toString(16)}\r\n`)
      peer.write(part)
      peer.write('\r\n')
    }
    peer.write('0\r\n\r\n')
  }

  const readers: [string, (connection: HTTPConnection) => Promise<Buffer>][] = [
    [
      'read',
      async connection => {
        const parts: Buffer[] = []
        for await (const part of await connection.readResponse()) parts.push(part)
        return Buffer.concat(parts)
      },
    ],
    [
      'read in small parts',
      async connection => {
        await connection.readResponse()
        const parts: Buffer[] = []
        for (;;) {
          const part = await connection.read(10_007)
          if (part.length === 0) return Buffer.concat(parts)
          parts.push(part)
        }
      },
    ],
    [
      'readInto',
      async connection => {
        await connection.readResponse()
        // One byte more than there is, so that there is room to be told the end.
        const target = Buffer.alloc(SIZE + 1)
        let filled = 0
        for (;;) {
          const got = await connection.readInto(target.subarray(filled, filled + 50_021))
          if (got === 0) return target.subarray(0, filled)
          filled += got
        }
      },
    ],
    ['readAll', async connection => (await connection.readResponse()).readAll()],
    [
      'read, then readAll',
      async connection => {
        const response = await connection.readResponse()
        return Buffer.concat([await response.read(), await response.read(5), await response.readAll()])
      },
    ],
  ]

  it.each(
    (['TCP', 'TLS 1.3'] as const).flatMap(kind =>
      [false, true].flatMap(isChunked =>
        readers.map(([name, read]) => [kind, isChunked ? 'chunked' : 'counted', name, read] as const),
      ),
    ),
  )('over %s, %s, come out of %s as they were, and what follows too', async (kind, how, _name, read) => {
    const { connection, peer } = await connected(kind, ['/a', '/b'], { maxBufferedBytes: 200_000 })
    send(peer, how === 'chunked')
    peer.write(ok('behind'))
    const body = await read(connection)
    expect(body.length).toBe(SIZE)
    expect(body.equals(pattern)).toBe(true)
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('behind')
  })

  it('are not overwritten while they are held, by what comes later', async () => {
    const { connection, peer } = await connected('TCP', ['/a', '/b'])
    send(peer, false)
    send(peer, true)
    const held: { readonly part: Buffer; readonly copy: Buffer }[] = []
    for (let i = 0; i < 2; i++) {
      for await (const part of await connection.readResponse()) held.push({ part, copy: Buffer.from(part) })
    }
    expect(held.every(({ part, copy }) => part.equals(copy))).toBe(true)
    expect(Buffer.concat(held.map(({ part }) => part)).equals(Buffer.concat([pattern, pattern]))).toBe(true)
  })

  it('stop at maxBufferedBytes when they are not read, and go on', async () => {
    const { connection, peer } = await connected('TCP', ['/a'], { maxBufferedBytes: 100_000 })
    const pieces = 40
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${pieces * 1_000_000}\r\n\r\n`)
    const response = await connection.readResponse()
    let written = 0
    let isStuck = false
    while (!isStuck && written < pieces) {
      written++
      const isTaken = new Promise<boolean>(resolve =>
        peer.write(Buffer.alloc(1_000_000, 'x'), () => resolve(true)),
      )
      // When the buffers of both kernels are full, too, nothing moves any more.
      isStuck = !(await Promise.race([isTaken, turns(200)]))
    }
    expect(isStuck).toBe(true)
    const rest = response.readAll()
    for (; written < pieces; written++) peer.write(Buffer.alloc(1_000_000, 'x'))
    expect((await rest).equals(Buffer.alloc(pieces * 1_000_000, 'x'))).toBe(true)
  })
})
