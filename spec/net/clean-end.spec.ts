// Over real sockets: what the peer meant by the end of its bytes. Nothing but the peer's own FIN or close_notify may count.
import { once } from 'node:events'
import { dial } from '../../lib/net/dial'
import { ca, localhost } from '../support/tls'
import { Loopback, readAll } from '../support/loopback'
import type { DialOptions } from '../../lib/net/dial'
import type { Duplex } from 'node:stream'
import type net from 'node:net'
import type { TLSSocket } from 'node:tls'

let server: Loopback | Loopback<TLSSocket>

afterEach(async () => server.close())

const options = (more: Partial<DialOptions> = {}): DialOptions => ({
  hostname: '127.0.0.1',
  port: server.port,
  wantsCleanEnd: true,
  timeoutMs: 0,
  ...more,
})

async function connected(more: Partial<DialOptions> = {}) {
  const [dialled, peer] = await Promise.all([dial(options(more)), server.next()])
  return { ...dialled, peer }
}

/** What the connection's user sees: the bytes, and whether they ended, and how. */
async function outcome({ stream, endedCleanly }: { stream: Duplex; endedCleanly(): Promise<boolean> }) {
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  stream.on('error', () => {})
  const end = new Promise<string>(resolve => {
    stream.on('end', () => void endedCleanly().then(isClean => resolve(isClean ? 'clean' : 'broken')))
    stream.on('close', () => resolve('broken'))
  })
  const how = await end
  stream.destroy()
  return { text, how }
}

describe('endedCleanly of plain TCP', () => {
  beforeEach(async () => {
    server = await Loopback.tcp()
  })

  it('is true after a FIN, with and without data before it', async () => {
    const first = await connected()
    first.peer.end('body')
    expect(await outcome(first)).toEqual({ text: 'body', how: 'clean' })

    const second = await connected()
    second.peer.end()
    expect(await outcome(second)).toEqual({ text: '', how: 'clean' })
  })

  it('is true when the peer has closed both directions', async () => {
    const { stream, peer, endedCleanly } = await connected()
    peer.write('body', () => peer.destroy())
    await once(peer, 'close')
    expect(await outcome({ stream, endedCleanly })).toEqual({ text: 'body', how: 'clean' })
  })

  it('is false after a reset, also one that comes together with data', async () => {
    for (let run = 0; run < 20; run++) {
      const { stream, peer, endedCleanly } = await connected()
      await new Promise<void>(resolve => peer.write('body', () => resolve()))
      peer.resetAndDestroy()
      await once(peer, 'close')
      expect(await outcome({ stream, endedCleanly })).toMatchObject({ how: 'broken' })
    }
  })

  it('is false when the peer closed with our bytes unread, which resets', async () => {
    const { stream, peer, endedCleanly } = await connected()
    stream.write('GET / HTTP/1.1\r\n\r\n')
    await once(peer, 'readable')
    stream.write('GET / HTTP/1.1\r\n\r\n')
    await new Promise<void>(resolve => peer.write('body', () => resolve()))
    peer.destroy()
    await once(peer, 'close')
    expect(await outcome({ stream, endedCleanly })).toMatchObject({ how: 'broken' })
  })

  it('is true after a FIN while more is to be sent than the peer takes', async () => {
    const { stream, peer, endedCleanly } = await connected()
    peer.pause()
    stream.write(Buffer.alloc(32 << 20))
    peer.end('body')
    expect(await outcome({ stream, endedCleanly })).toEqual({ text: 'body', how: 'clean' })
  })

  it('is false after a reset while more is to be sent than the peer takes', async () => {
    const { stream, peer, endedCleanly } = await connected()
    peer.pause()
    stream.write(Buffer.alloc(32 << 20))
    await new Promise<void>(resolve => peer.write('body', () => resolve()))
    peer.resetAndDestroy()
    await once(peer, 'close')
    expect(await outcome({ stream, endedCleanly })).toMatchObject({ how: 'broken' })
  })

  it('is false once our side has ended, or the stream is gone: it is too late to tell', async () => {
    const { stream, peer, endedCleanly } = await connected()
    stream.end()
    peer.end()
    await readAll(stream)
    expect(await endedCleanly()).toBe(false)
  })

  it('puts nothing on the wire', async () => {
    const { stream, peer, endedCleanly } = await connected()
    peer.end('body')
    const ended = once(stream, 'end')
    stream.resume()
    await ended
    expect(await endedCleanly()).toBe(true)
    stream.end('after')
    expect(await readAll(peer)).toBe('after')
  })
})

describe('endedCleanly of a unix domain socket', () => {
  it('is true after every end, for nothing that was written is lost there', async () => {
    server = await Loopback.unix()
    const { peer, ...dialled } = await connected({ socketPath: server.socketPath })
    peer.write('body', () => peer.destroy())
    await once(peer, 'close')
    expect(await outcome(dialled)).toEqual({ text: 'body', how: 'clean' })
  })
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('endedCleanly of %s', version => {
  /** Connected, and a request has come: a server that ends before it is done with the handshake sends no close_notify. */
  const secured = async (more: Partial<DialOptions> = {}) => {
    const tls = { ca, minVersion: version, maxVersion: version }
    const { peer, ...dialled } = await connected({ tls, ...more })
    dialled.stream.write('GET / HTTP/1.1\r\n\r\n')
    await once(peer, 'data')
    return { peer, ...dialled }
  }

  /** The TCP socket below a TLS socket of the server. */
  const below = (peer: net.Socket): net.Socket => sockets.get(peer.remotePort) as net.Socket
  const sockets = new Map<number | undefined, net.Socket>()

  beforeEach(async () => {
    server = await Loopback.tls(localhost)
    server.onConnection = socket => sockets.set(socket.remotePort, socket)
  })

  it('is true after close_notify, with and without data before it', async () => {
    const first = await secured()
    first.peer.end('body')
    expect(await outcome(first)).toEqual({ text: 'body', how: 'clean' })

    const second = await secured()
    second.peer.end()
    expect(await outcome(second)).toEqual({ text: '', how: 'clean' })
  })

  it('is true when all is there before it is read, and it is read with pauses', async () => {
    const { stream, peer, endedCleanly } = await secured()
    const body = 'x'.repeat(300_000)
    peer.end(body)
    await once(peer, 'finish')
    stream.on('data', () => {
      stream.pause()
      setImmediate(() => stream.resume())
    })
    expect(await outcome({ stream, endedCleanly })).toEqual({ text: body, how: 'clean' })
  })

  it('is false after a bare FIN', async () => {
    const { peer, ...dialled } = await secured()
    await new Promise<void>(resolve => peer.write('body', () => resolve()))
    below(peer).end()
    expect(await outcome(dialled)).toEqual({ text: 'body', how: 'broken' })
  })

  it('is false when the peer vanished', async () => {
    const { peer, ...dialled } = await secured()
    await new Promise<void>(resolve => peer.write('body', () => resolve()))
    below(peer).destroy()
    await once(peer, 'close')
    expect(await outcome(dialled)).toMatchObject({ how: 'broken' })
  })

  it('is false after a reset', async () => {
    const { peer, ...dialled } = await secured()
    await new Promise<void>(resolve => peer.write('body', () => resolve()))
    below(peer).resetAndDestroy()
    await once(peer, 'close')
    expect(await outcome(dialled)).toMatchObject({ how: 'broken' })
  })

  it('is false after a reset that a write finds out before all has been read, and nothing that came is lost', async () => {
    const { peer, ...dialled } = await secured()
    // All of it in one turn of the loop, so that our side writes before it reads. What the peer writes goes out at once
    // only if nothing of it is on its way.
    below(peer).setNoDelay(true)
    peer.write('HTTP/1.1 413 Content Too Large\r\n\r\n')
    below(peer).resetAndDestroy()
    dialled.stream.write('body')
    expect(await outcome(dialled)).toEqual({ text: 'HTTP/1.1 413 Content Too Large\r\n\r\n', how: 'broken' })
  })

  it('is false where nobody watched for close_notify', async () => {
    const { peer, ...dialled } = await secured({ wantsCleanEnd: false })
    peer.end('body')
    expect(await outcome(dialled)).toEqual({ text: 'body', how: 'broken' })
  })
})
