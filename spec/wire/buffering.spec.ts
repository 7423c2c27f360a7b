// maxBufferedBytes: when the socket is paused, when it goes on, and what is never held up by it.
import { arrival, asked, chunked, failure, follow, ok, text, turns, wire } from '../support/reading'

const big = (size: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`

describe('maxBufferedBytes', () => {
  it('pauses the socket when as much is unread, and lets it go on when less is', async () => {
    const { connection, peer, socket } = await asked(['/a'], { maxBufferedBytes: 1000 })
    peer.send(big(3000))
    const response = await connection.readResponse()
    peer.send('a'.repeat(999))
    expect(socket.isPaused()).toBe(false)
    peer.send('b')
    expect(socket.isPaused()).toBe(true)
    for (let i = 0; i < 20; i++) peer.send('c'.repeat(100))
    await turns()
    expect(socket.isPaused()).toBe(true)
    expect(socket.readableLength).toBe(2000)

    expect(text(await response.read(1))).toBe('a')
    await turns()
    // One byte was read, so the next segments came, and no more than needed to reach the limit.
    expect(socket.isPaused()).toBe(true)
    const rest = text(await response.readAll())
    expect(rest).toBe('a'.repeat(998) + 'b' + 'c'.repeat(2000))
    expect(socket.isPaused()).toBe(false)
  })

  it('is 1 MiB by default', async () => {
    const { connection, peer, socket } = await asked(['/a'])
    peer.send(big(2 ** 21))
    await connection.readResponse()
    for (let i = 0; i < 1023; i++) peer.send(Buffer.alloc(1024))
    await turns()
    expect(socket.isPaused()).toBe(false)
    peer.send(Buffer.alloc(1024))
    expect(socket.isPaused()).toBe(true)
  })

  it('counts the unread heads and bodies of all responses together', async () => {
    const { connection, peer, socket } = await asked(['/a', '/b', '/c', '/d'], { maxBufferedBytes: 200 })
    const response = ok('x'.repeat(20))
    peer.send(response + chunked(['y'.repeat(50)]))
    expect(socket.isPaused()).toBe(false)
    peer.send(response)
    expect(socket.isPaused()).toBe(true)
    peer.send(response)
    for (const path of ['/a', '/b', '/c', '/d']) {
      expect((await connection.readResponse()).path).toBe(path)
      await connection.discard()
    }
    expect(socket.isPaused()).toBe(false)
  })

  it.each(['read', 'readInto', 'readAll', 'discard', 'toReadable', 'toWeb'] as const)(
    'never stops %s from reading a body of any size',
    async how => {
      const { connection, peer, socket } = await asked(['/a'], { maxBufferedBytes: 100 })
      const size = 100_000
      peer.send(big(size))
      const response = await connection.readResponse()
      let got = 0
      const reading = (async () => {
        if (how === 'readAll') got = (await response.readAll()).length
        else if (how === 'discard') await response.discard()
        else if (how === 'read') for await (const part of response) got += part.length
        else if (how === 'readInto') {
          const target = Buffer.alloc(77)
          for (let read = -1; read !== 0; got += read) read = await response.readInto(target)
        } else for await (const part of response[how]()) got += (part as Buffer).length
      })()
      for (let sent = 0; sent < size; sent += 1000) {
        peer.send(Buffer.alloc(1000))
        if (sent % 10_000 === 0) await turns(1)
      }
      await reading
      if (how !== 'discard') expect(got).toBe(size)
      expect(socket.isPaused()).toBe(false)
      expect(connection.responsePending).toBe(false)
    },
  )

  it('takes a head larger than itself', async () => {
    const { connection, peer, socket } = await asked(['/a', '/b'], { maxBufferedBytes: 10 })
    peer.send(ok('a'))
    expect(socket.isPaused()).toBe(true)
    peer.send(ok('b'))
    for (const body of ['a', 'b']) {
      await connection.readResponse()
      expect(text(await connection.readAll())).toBe(body)
    }
  })

  it('stops nothing of whole exchanges: none blocks another by not being read', async () => {
    const { connection, peer, socket } = wire({ maxBufferedBytes: 100 })
    const requests = Array.from({ length: 20 }, (_, i) => connection.request('GET', `/${i}`))
    await arrival(peer, '/19')
    for (let i = 0; i < 20; i++) {
      for (const piece of [big(5000), 'x'.repeat(2000), 'y'.repeat(3000)]) peer.send(piece)
    }
    expect(socket.isPaused()).toBe(false)
    for (const request of requests) expect((await (await request).readAll()).length).toBe(5000)
  })

  it('goes on when the caller who left a body unread discards it', async () => {
    const { connection, peer, socket } = await asked(['/a', '/b'], { maxBufferedBytes: 100 })
    peer.send(big(1000) + 'x'.repeat(500))
    const response = await connection.readResponse()
    for await (const part of response) {
      expect(part.length).toBe(500)
      break
    }
    peer.send('x'.repeat(200))
    expect(socket.isPaused()).toBe(true)
    peer.send('x'.repeat(300) + ok('b'))
    await turns()
    expect(socket.isPaused()).toBe(true)
    await connection.discard()
    expect((await connection.readResponse()).path).toBe('/b')
    expect(text(await connection.readAll())).toBe('b')
  })

  it('hides the end of the connection until what came before it is read', async () => {
    const { connection, peer, socket } = await asked(['/a', '/b'], { maxBufferedBytes: 100 })
    peer.send(big(300) + 'x'.repeat(200))
    peer.send('x'.repeat(100))
    peer.end()
    await turns()
    expect(socket.isPaused()).toBe(true)
    await connection.readResponse()
    expect((await connection.readAll()).length).toBe(300)
    expect(await failure(connection.readResponse())).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [{ path: '/b', outcome: 'no-reply' }],
    })
  })

  it('is exceeded while a send waits, and holds again when it goes on', async () => {
    const { connection, peer, socket } = await asked(['/a'], { maxBufferedBytes: 1000 })
    peer.send(big(1_000_000))
    await connection.readResponse()
    peer.send('x'.repeat(2000))
    expect(socket.isPaused()).toBe(true)
    peer.stall()
    const sending = connection.sendRequest('PUT', '/b', { body: Buffer.alloc(200_000) })
    const state = follow(sending)
    await turns()
    expect(state.is).toBe('pending')
    expect(socket.isPaused()).toBe(false)
    for (let i = 0; i < 100; i++) peer.send('x'.repeat(1000))
    await turns()
    expect(socket.isPaused()).toBe(false)
    peer.unstall()
    await sending
    await turns()
    expect(socket.isPaused()).toBe(true)
  })
})
