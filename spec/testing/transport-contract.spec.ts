// What a connection relies on in a transport, shown of a real loopback socket and of FakeSocket alike: a behaviour that
// only one of the two had would make every spec over the fake worthless.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { FakeSocket } from '../../lib/testing'
import type { FakePeer } from '../../lib/testing'
import { Received } from '../../lib/testing/received'

/** What both kinds of far end can do. */
interface Peer extends Pick<
  FakePeer,
  'received' | 'waitFor' | 'send' | 'end' | 'reset' | 'stall' | 'unstall'
> {
  /** Resolves once the connection's side has ended. */
  ended(): Promise<unknown>
}
interface Pair {
  socket: Duplex
  peer: Peer
  close(): void
}

async function fakePair(): Promise<Pair> {
  const socket = new FakeSocket()
  const far = socket.peer
  const ended = new Promise<void>(resolve => socket.once('finish', resolve).once('close', resolve))
  const peer: Peer = {
    get received() {
      return far.received
    },
    waitFor: what => far.waitFor(what),
    send: data => far.send(data),
    end: () => far.end(),
    reset: () => far.reset(),
    stall: () => far.stall(),
    unstall: () => far.unstall(),
    ended: () => ended.then(() => expect(far.ended).toBe(true)),
  }
  return { socket, peer, close: () => socket.destroy() }
}

async function loopbackPair(): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const [[far]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [
    [Socket],
    unknown,
  ]
  server.close()
  const received = new Received()
  const ended = new Promise<void>(resolve => far.once('end', resolve).once('close', resolve))
  far.on('data', (chunk: Buffer) => received.append([chunk])).on('error', () => undefined)
  const peer: Peer = {
    get received() {
      return received.all
    },
    waitFor: what => received.waitFor(what),
    send: data => void far.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data),
    end: () => void far.end(),
    reset: () => void far.resetAndDestroy(),
    stall: () => void far.pause(),
    unstall: () => void far.resume(),
    ended: () => ended,
  }
  const close = () => {
    socket.destroy()
    far.destroy()
  }
  return { socket, peer, close }
}

/** Lets what is under way in this process and in the loopback device arrive. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

describe.each([
  ['FakeSocket', fakePair],
  ['net.Socket', loopbackPair],
])('A transport, as %s', (_, makePair) => {
  let socket: Duplex
  let peer: Peer
  let close: () => void
  /** Events of the socket other than 'data', and callbacks of writes, in order. */
  let events: string[]
  let bytes: Buffer[]
  let closed: Promise<unknown>

  beforeEach(async () => {
    ;({ socket, peer, close } = await makePair())
    const log: string[] = []
    events = log
    bytes = []
    closed = new Promise(resolve => socket.once('close', resolve))
    for (const name of ['end', 'finish', 'drain']) socket.on(name, () => log.push(name))
    socket.on('error', (error: NodeJS.ErrnoException) => log.push(`error ${error.message}`))
    socket.on('close', (hadError: boolean) => log.push(`close ${hadError}`))
  })

  afterEach(() => close())

  const read = () => socket.on('data', (chunk: Buffer) => bytes.push(chunk))
  const text = () => Buffer.concat(bytes).toString('latin1')
  const callback = (name: string) => (error?: Error | null) =>
    void events.push(
      `${name} ${error ? ((error as NodeJS.ErrnoException).code ?? error.message) : 'written'}`,
    )
  /** Since Node 22 a write under way is cancelled by name when a socket is destroyed; before, it was called back without an error. */
  const asInNode20 = (all: string[]): string[] =>
    all.map(event =>
      event
        .replace('chunk ECANCELED', 'chunk written')
        .replace('behind ECANCELED', 'behind ERR_STREAM_DESTROYED'),
    )
  /** Writes until the peer has stopped taking for good, and says how much that was. */
  async function fill(): Promise<number> {
    const chunk = Buffer.alloc(65_536, 'x')
    let written = 0
    do {
      written += chunk.length
      if (!socket.write(chunk, callback('chunk'))) await settle()
    } while (!socket.writableNeedDrain)
    return written
  }

  describe('reading', () => {
    it('brings the bytes unchanged and in order', async () => {
      const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 5))
      read()
      for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 3 + 1) % 9973) {
        peer.send(sent.subarray(at, at + size))
      }
      peer.end()
      await once(socket, 'end')
      expect(Buffer.concat(bytes).equals(sent)).toBe(true)
    })

    it('brings nothing while paused, and everything in order afterwards', async () => {
      read()
      peer.send('a')
      await once(socket, 'data')
      socket.pause()
      peer.send('b')
      peer.send('c')
      await settle()
      expect(text()).toBe('a')
      peer.send('d')
      peer.end()
      socket.resume()
      await once(socket, 'end')
      expect(text()).toBe('abcd')
    })

    it('holds no more than a read beyond its high-water mark while nobody reads', async () => {
      const sent = Buffer.alloc(4_000_000, 'y')
      socket.once('data', () => socket.pause())
      for (let at = 0; at < sent.length; at += 50_000) peer.send(sent.subarray(at, at + 50_000))
      await settle()
      expect(socket.readableLength).toBeLessThanOrEqual(socket.readableHighWaterMark + 65_536)
      expect(socket.readableLength).toBeGreaterThan(0)
      socket.destroy()
    })
  })

  describe('a FIN of the peer', () => {
    it('shows as end after all data', async () => {
      read()
      peer.send('last words')
      peer.end()
      await once(socket, 'end')
      expect(text()).toBe('last words')
    })

    it('does not show before the data was read', async () => {
      socket.pause()
      peer.send('unread')
      peer.end()
      await settle()
      expect(events).toEqual([])
      read().resume()
      await once(socket, 'end')
      expect(text()).toBe('unread')
    })

    it('shows to a paused reader that has read everything', async () => {
      read()
      peer.send('x')
      await once(socket, 'data')
      socket.pause()
      peer.end()
      await once(socket, 'end')
    })

    it('leaves the other direction open, and closes when that has ended too', async () => {
      read()
      peer.end()
      await once(socket, 'end')
      socket.write('still ')
      socket.end('here')
      await peer.ended()
      await closed
      expect(peer.received.toString()).toBe('still here')
      expect(events).toEqual(['end', 'finish', 'close false'])
    })

    it('lets an empty write succeed, which puts nothing on the wire', async () => {
      read()
      peer.end()
      await once(socket, 'end')
      await new Promise<void>(resolve => socket.write('', error => resolve(callback('empty')(error))))
      socket.end()
      await peer.ended()
      expect(events.slice(0, 2)).toEqual(['end', 'empty written'])
      expect(peer.received.length).toBe(0)
    })
  })

  describe('a reset by the peer', () => {
    it('shows as ECONNRESET after the data that was read, without end', async () => {
      read()
      peer.send('data')
      await once(socket, 'data')
      peer.reset()
      const error = await new Promise(resolve => socket.once('error', resolve))
      await closed
      expect(error).toMatchObject({
        message: 'read ECONNRESET',
        code: 'ECONNRESET',
        errno: -constants.errno.ECONNRESET,
        syscall: 'read',
      })
      expect(text()).toBe('data')
      expect(socket.destroyed).toBe(true)
      expect(events).toEqual(['error read ECONNRESET', 'close true'])
    })

    it('fails later writes', async () => {
      read()
      peer.reset()
      await closed
      await new Promise<void>(resolve => socket.write('late', error => resolve(callback('late')(error))))
      expect(events).toEqual(['error read ECONNRESET', 'close true', 'late ERR_STREAM_DESTROYED'])
    })

    it('after a FIN fails the next write with EPIPE, even an empty one, and shows in no other way', async () => {
      read()
      peer.send('answer')
      peer.end()
      await once(socket, 'end')
      peer.reset()
      await settle()
      expect(events).toEqual(['end'])
      socket.write('', callback('empty'))
      await closed
      expect(events).toEqual(['end', 'empty EPIPE', 'error write EPIPE', 'close true'])
    })

    it('calls back a write under way, and those behind it with ECONNRESET', async () => {
      read()
      peer.stall()
      await fill()
      socket.write('behind', callback('behind'))
      events.length = 0
      peer.reset()
      await closed
      expect(asInNode20(events)).toEqual([
        'error read ECONNRESET',
        'chunk written',
        'behind ECONNRESET',
        'close true',
      ])
    })
  })

  describe('writing', () => {
    it('brings the bytes unchanged and in order, and end after them', async () => {
      const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 104_729) >> 7))
      for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 3 + 1) % 9973) {
        socket.write(sent.subarray(at, at + size))
      }
      socket.end()
      await peer.ended()
      expect(peer.received.equals(sent)).toBe(true)
    })

    it('still reads after it has ended', async () => {
      read()
      socket.end('request')
      await peer.ended()
      peer.send('answer')
      peer.end()
      await closed
      expect(text()).toBe('answer')
      expect(events).toEqual(['finish', 'end', 'close false'])
    })

    it('returns false and keeps what a stalled peer does not take, and drains when that goes on', async () => {
      peer.stall()
      const written = await fill()
      expect(socket.write('last', callback('last'))).toBe(false)
      const kept = socket.writableLength
      expect(kept).toBeGreaterThanOrEqual(65_536 + 4)
      socket.write('more', callback('more'))
      await settle()
      expect(socket.writableLength).toBe(kept + 4)
      expect(events).not.toContain('last written')
      events.length = 0
      const drained = once(socket, 'drain')
      peer.unstall()
      await drained
      await peer.waitFor(written + 8)
      await settle()
      expect(events.filter(event => event !== 'drain')).toEqual([
        'chunk written',
        'last written',
        'more written',
      ])
      expect(socket.writableLength).toBe(0)
      expect(peer.received.subarray(written).toString()).toBe('lastmore')
    })

    it('fails after end', async () => {
      socket.end()
      socket.write('late', callback('late'))
      await closed
      expect(events.filter(event => event !== 'finish')).toEqual([
        'late ERR_STREAM_WRITE_AFTER_END',
        'error write after end',
        'close true',
      ])
    })
  })

  describe('destroy', () => {
    it('ends it without an error, and fails later writes', async () => {
      read()
      socket.destroy()
      socket.write('late', callback('late'))
      await closed
      await peer.ended()
      expect(events).toEqual(['late ERR_STREAM_DESTROYED', 'close false'])
      expect(peer.received.length).toBe(0)
    })

    it('with an error shows that error before close', async () => {
      socket.destroy(new Error('boom'))
      await closed
      expect(events).toEqual(['error boom', 'close true'])
    })

    it('calls back a write under way, and fails those behind it', async () => {
      peer.stall()
      await fill()
      socket.write('behind', callback('behind'))
      events.length = 0
      socket.destroy()
      await closed
      expect(asInNode20(events)).toEqual(['chunk written', 'behind ERR_STREAM_DESTROYED', 'close false'])
    })

    it('brings nothing that was not read before', async () => {
      socket.pause()
      peer.send('unread')
      await settle()
      read()
      socket.destroy()
      await closed
      expect(bytes).toEqual([])
    })
  })
})
