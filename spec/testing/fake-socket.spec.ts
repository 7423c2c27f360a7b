// What FakeSocket promises beyond the behaviour of a real socket, which transport-contract.spec.ts shows it to share.
import { once } from 'node:events'
import { FakeSocket } from '../../lib/testing'

/** Collects the 'data' events of a socket. */
function reading(socket: FakeSocket): string[] {
  const chunks: string[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString('latin1')))
  return chunks
}

/** The error that a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => Promise.reject(new Error('resolved')),
    (error: Error) => error,
  )
}

describe('FakeSocket', () => {
  it('hands a write to the peer before write() returns', () => {
    const socket = new FakeSocket()
    socket.write('GET / HTTP/1.1\r\n')
    socket.write('Host: example.test\r\n\r\n')
    expect(socket.peer.received.toString()).toBe('GET / HTTP/1.1\r\nHost: example.test\r\n\r\n')
  })

  it('shows each write apart, and corked ones as one', () => {
    const socket = new FakeSocket()
    socket.write('one')
    socket.write('')
    socket.cork()
    socket.write('t')
    socket.write('wo')
    socket.uncork()
    expect(socket.peer.writes.map(String)).toEqual(['one', 'two'])
  })

  it('copies what is written, so that the writer may use its buffer again', () => {
    const socket = new FakeSocket()
    const buffer = Buffer.from('first')
    socket.write(buffer)
    buffer.fill('x')
    expect(socket.peer.received.toString()).toBe('first')
  })

  it('delivers each send as one data event, before send() returns, once the socket is being read', async () => {
    const socket = new FakeSocket()
    const chunks = reading(socket)
    socket.peer.send('before')
    await once(socket, 'data')
    socket.peer.send('a')
    socket.peer.send('bc')
    expect(chunks).toEqual(['before', 'a', 'bc'])
  })

  it('delivers in order what is sent from within a data listener', async () => {
    const socket = new FakeSocket()
    const chunks = reading(socket)
    socket.resume()
    await new Promise(setImmediate)
    socket.once('data', () => {
      socket.peer.send('second')
      socket.peer.send('third')
    })
    socket.peer.send('first')
    expect(chunks).toEqual(['first', 'second', 'third'])
  })

  it('keeps data, FIN and reset until somebody reads', async () => {
    const ended = new FakeSocket()
    ended.peer.send('bytes')
    ended.peer.end()
    const reset = new FakeSocket()
    reset.peer.send('bytes')
    reset.peer.reset()
    await new Promise(setImmediate)
    expect([ended.readableEnded, reset.destroyed]).toEqual([false, false])
    const chunks = [reading(ended), reading(reset)]
    const error = new Promise(resolve => reset.on('error', resolve))
    await once(ended, 'end')
    expect(await error).toMatchObject({ message: 'read ECONNRESET', code: 'ECONNRESET', syscall: 'read' })
    expect(chunks).toEqual([['bytes'], ['bytes']])
  })

  it('takes the high-water mark of both directions', () => {
    const socket = new FakeSocket({ highWaterMark: 5 })
    expect([socket.readableHighWaterMark, socket.writableHighWaterMark]).toEqual([5, 5])
  })

  it('needs no clock', async () => {
    jest.useFakeTimers()
    try {
      const socket = new FakeSocket()
      const chunks = reading(socket)
      socket.peer.send('x')
      const ended = once(socket, 'end')
      socket.peer.end()
      socket.end('y')
      await socket.peer.waitFor('y')
      await ended
      expect(chunks).toEqual(['x'])
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })
})

describe('FakePeer', () => {
  describe('received', () => {
    it('keeps views given out earlier as they were', () => {
      const socket = new FakeSocket()
      socket.write('one')
      const before = socket.peer.received
      socket.write('two')
      expect(before.toString()).toBe('one')
      expect(socket.peer.received.toString()).toBe('onetwo')
    })

    it('accumulates 200,000 writes in linear time', () => {
      const socket = new FakeSocket()
      const chunk = Buffer.from('0123456789')
      void socket.peer.waitFor('never').catch(() => undefined)
      for (let i = 0; i < 200_000; i++) socket.write(chunk)
      expect(socket.peer.received.length).toBe(2_000_000)
      socket.destroy()
    })
  })

  describe('takeReceived', () => {
    it('returns what was received and forgets it, with the writes', () => {
      const socket = new FakeSocket()
      socket.write('one')
      expect(socket.peer.takeReceived().toString()).toBe('one')
      expect(socket.peer.received.length).toBe(0)
      socket.write('two')
      expect(socket.peer.received.toString()).toBe('two')
      expect(socket.peer.writes.map(String)).toEqual(['two'])
    })
  })

  describe('waitFor', () => {
    it('resolves with all received when the text has come, however it was cut', async () => {
      const socket = new FakeSocket()
      const waiting = socket.peer.waitFor('\r\n\r\n')
      for (const char of 'GET /\r\n\r\nab') socket.write(char)
      expect((await waiting).toString()).toBe('GET /\r\n\r\n')
      expect((await socket.peer.waitFor('GET')).toString()).toBe('GET /\r\n\r\nab')
    })

    it('matches text as latin1', async () => {
      const socket = new FakeSocket()
      socket.write(Buffer.from([0x41, 0xe9, 0xff]))
      expect([...(await socket.peer.waitFor('\xe9\xff'))]).toEqual([0x41, 0xe9, 0xff])
      await expect(socket.peer.waitFor('€')).rejects.toThrow(TypeError)
    })

    it('resolves when that many bytes have come', async () => {
      const socket = new FakeSocket()
      const waiting = socket.peer.waitFor(5)
      socket.write('1234')
      socket.write('56')
      expect((await waiting).toString()).toBe('123456')
      expect((await socket.peer.waitFor(0)).toString()).toBe('123456')
    })

    it('counts only what came after takeReceived', async () => {
      const socket = new FakeSocket()
      socket.write('abc')
      const waiting = socket.peer.waitFor('cd')
      const behind = socket.peer.waitFor('dcd')
      socket.peer.takeReceived()
      socket.write('d')
      socket.write('cd')
      expect((await waiting).toString()).toBe('dcd')
      expect((await behind).toString()).toBe('dcd')
      const again = socket.peer.waitFor('xy')
      socket.peer.takeReceived()
      socket.write('xy')
      expect((await again).toString()).toBe('xy')
    })

    const ends: [string, string, (socket: FakeSocket) => void][] = [
      ['ends its side', 'The connection ended its side', socket => socket.end()],
      ['is destroyed', 'The connection was destroyed', socket => socket.destroy()],
      [
        'is destroyed with an error',
        'The connection was destroyed (boom)',
        socket => socket.on('error', () => undefined).destroy(new Error('boom')),
      ],
      [
        'learns of a reset',
        'The connection was destroyed (read ECONNRESET)',
        socket => {
          socket.on('error', () => undefined).resume()
          socket.peer.reset()
        },
      ],
    ]
    it.each(ends)('rejects when the connection %s first, and says what had come', async (_, why, end) => {
      const socket = new FakeSocket()
      const early = rejection(socket.peer.waitFor('POST'))
      socket.write('GET /\r\n')
      end(socket)
      const message = `${why} before the peer had received "POST"; it received 7 bytes: "GET /\\r\\n"`
      expect((await early).message).toBe(message)
      expect((await rejection(socket.peer.waitFor('POST'))).message).toBe(message)
      expect((await socket.peer.waitFor('GET')).toString()).toBe('GET /\r\n')
    })

    it('shows the line of the caller in the stack of its rejection', async () => {
      const socket = new FakeSocket()
      const error = rejection(socket.peer.waitFor(3))
      socket.destroy()
      expect((await error).stack).toMatch(
        /^Error: The connection was destroyed before .*nothing\n(.*\n)*.*fake-socket\.spec/,
      )
    })

    it('abridges what had come', async () => {
      const socket = new FakeSocket()
      socket.write(`first${'-'.repeat(10_000)}last`)
      socket.destroy()
      const { message } = await rejection(socket.peer.waitFor('x'))
      expect(message).toMatch(/10009 bytes: "first-+" … "-+last"$/)
      expect(message.length).toBeLessThan(600)
    })
  })

  describe('ended', () => {
    it('tells that the connection ended its side, after what it wrote', async () => {
      const socket = new FakeSocket()
      expect(socket.peer.ended).toBe(false)
      socket.peer.stall()
      socket.end('bye')
      expect(socket.peer.ended).toBe(false)
      socket.peer.unstall()
      expect(socket.peer.received.toString()).toBe('bye')
      await once(socket, 'finish')
      expect(socket.peer.ended).toBe(true)
    })

    it('tells that the connection destroyed its side', () => {
      const socket = new FakeSocket()
      socket.destroy()
      expect(socket.peer.ended).toBe(true)
    })
  })

  describe('send', () => {
    it('takes a string as latin1 and refuses what is not', async () => {
      const socket = new FakeSocket()
      socket.peer.send('\xe9\xff')
      expect([...((await once(socket, 'data')) as [Buffer])[0]]).toEqual([0xe9, 0xff])
      expect(() => socket.peer.send('ok €')).toThrow(
        new TypeError('"€" at 3 is not latin1: give bytes (Buffer.from(text)) instead'),
      )
    })

    it('copies the bytes it is given', () => {
      const socket = new FakeSocket()
      const bytes = Buffer.from('first')
      socket.peer.send(bytes)
      bytes.fill('x')
      const chunks = reading(socket)
      return once(socket, 'data').then(() => expect(chunks).toEqual(['first']))
    })

    it('is an error after end() and after reset(), and goes nowhere when the connection is gone', () => {
      const ended = new FakeSocket()
      ended.peer.end()
      expect(() => ended.peer.send('x')).toThrow('it has ended its side')
      const reset = new FakeSocket()
      reset.peer.reset()
      expect(() => reset.peer.send('x')).toThrow('it has reset the connection')
      const gone = new FakeSocket()
      gone.destroy()
      gone.peer.send('x')
      gone.peer.end()
      gone.peer.reset()
      expect(gone.destroyed).toBe(true)
    })
  })

  describe('reset', () => {
    it('waits until what lies in the read buffer has been read', async () => {
      const socket = new FakeSocket()
      const chunks = reading(socket)
      socket.peer.send('a')
      await once(socket, 'data')
      socket.pause()
      socket.peer.send('b')
      socket.peer.send('c')
      socket.peer.reset()
      await new Promise(setImmediate)
      expect([socket.readableLength, socket.destroyed]).toEqual([2, false])
      const shown = new Promise(resolve => socket.on('error', resolve))
      socket.resume()
      expect(await shown).toMatchObject({ message: 'read ECONNRESET' })
      expect(chunks).toEqual(['a', 'b', 'c'])
    })

    it('waits for the reader, but fails a write at once, which loses what was unread', async () => {
      const socket = new FakeSocket()
      const chunks = reading(socket.pause())
      socket.peer.send('unread')
      socket.peer.reset()
      await new Promise(setImmediate)
      expect(socket.destroyed).toBe(false)
      const shown = new Promise(resolve => socket.on('error', resolve))
      socket.write('x')
      expect(await shown).toMatchObject({ message: 'write ECONNRESET', code: 'ECONNRESET', syscall: 'write' })
      socket.resume()
      await new Promise(setImmediate)
      expect(chunks).toEqual([])
      expect(socket.peer.received.length).toBe(0)
    })
  })

  describe('stall', () => {
    it('may be undone before anything was written', () => {
      const socket = new FakeSocket()
      socket.peer.stall()
      socket.peer.unstall()
      socket.write('a')
      expect(socket.peer.received.toString()).toBe('a')
    })

    it('withholds writes until unstall()', async () => {
      const socket = new FakeSocket({ highWaterMark: 4 })
      socket.peer.stall()
      const callbacks: string[] = []
      expect(socket.write('ab', () => callbacks.push('ab'))).toBe(true)
      expect(socket.write('cd', () => callbacks.push('cd'))).toBe(false)
      expect(socket.writableLength).toBe(4)
      expect(socket.peer.received.length).toBe(0)
      await new Promise(setImmediate)
      expect(callbacks).toEqual([])
      const drained = once(socket, 'drain')
      socket.peer.unstall()
      await drained
      await new Promise(setImmediate)
      expect(socket.peer.writes.map(String)).toEqual(['ab', 'cd'])
      expect(socket.writableLength).toBe(0)
      expect(callbacks).toEqual(['ab', 'cd'])
    })
  })
})
