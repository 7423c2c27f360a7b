// readRaw: the unread bytes as they came, framing included, whatever had become of them.
import { BodyFollowing, ConnectionClosed, StateError, type HTTPConnection } from '../../lib'
import { arrival, asked, chunked, failure, follow, ok, text, turns, wire } from '../support/reading'

/** All raw bytes until the end. */
async function rest(connection: HTTPConnection, maxBytes = 1000): Promise<string> {
  let all = ''
  for (;;) {
    const raw = await connection.readRaw(maxBytes)
    if (raw.length === 0) return all
    expect(raw.length).toBeLessThanOrEqual(maxBytes)
    all += text(raw)
  }
}

/** What two requests got, in pieces of `size` bytes, before or while the raw bytes were asked for. */
async function raw(bytes: string, size: number, isLater: boolean): Promise<string> {
  const { connection, peer } = await asked(['/a', '/b'])
  const send = (): void => {
    for (let at = 0; at < bytes.length; at += size) peer.send(bytes.slice(at, at + size))
    peer.end()
  }
  if (!isLater) send()
  const reading = rest(connection, 11)
  if (isLater) send()
  return reading
}

const IN_CHUNKS = chunked(['hello', ' world', '!'], 'X-Sum: 1\r\n')
const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

describe('readRaw', () => {
  it.each([
    ['a response with a length', ok('hello')],
    ['one in chunks with trailers', IN_CHUNKS],
    ['one without a body, and another', ok() + ok('b')],
    ['a response and part of the head of the next', `${ok('a')}HTTP/1.1 200 O`],
    ['part of a chunked body', HEAD + '5;a=b\r\nhello\r\n6\r\n wo'],
    ['part of a chunk size', HEAD + '5\r\nhello\r\n0'],
    ['another version', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['an unknown version', 'HTTP/3.0 200 OK\r\n\r\nhello'],
    ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello'],
  ])('gives %s as it came, however it arrived', async (_what, bytes) => {
    for (const size of [bytes.length, 1, 7]) {
      for (const isLater of [false, true]) expect(await raw(bytes, size, isLater)).toBe(bytes)
    }
  })

  it.each([
    ['a status below 100', 'HTTP/1.1 099 x\r\nA: b\r\n\r\nhello'],
    ['a head that llhttp refuses', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello'],
    ['no HTTP', 'SSH-2.0-x\r\n'],
    ['a blank line', `\r\n${ok()}`],
    ['a length too large', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\nhello'],
    ['a bad chunk size', `${HEAD}5\r\nhello\r\nZ\r\n`],
    ['a chunk size too large', `${HEAD}5\r\nhello\r\nfffffffffffffff\r\nmore`],
    ['a bad chunk terminator', `${HEAD}5\r\nhello!\r\n0\r\n\r\n`],
    ['a bare LF in chunk framing', `${HEAD}5\nhello\r\n0\r\n\r\n`],
    ['framing fields among the trailers', `${HEAD}0\r\nContent-Length: 1\r\n\r\n`],
    ['an unasked third response', ok('a') + ok('b') + ok('c')],
  ])('gives %s as it came, up to the segment that showed the fault', async (_what, bytes) => {
    expect(await raw(bytes, bytes.length, false)).toBe(bytes)
    for (const size of [1, 7]) {
      const shown = await raw(bytes, size, false)
      expect([shown.length > 0, bytes.startsWith(shown)]).toEqual([true, true])
      // What is read raw from the start is never looked at.
      expect(await raw(bytes, size, true)).toBe(bytes)
    }
  })

  it.each([1, 5, 1000])(
    'gives what is left when part of a chunked body has been read, %s bytes at a time',
    async size => {
      const end = '0\r\nX-Sum: 1\r\n\r\n'
      for (const [read, left] of [
        ['h', `ello\r\n6\r\n world\r\n1\r\n!\r\n${end}`],
        ['hello', `\r\n6\r\n world\r\n1\r\n!\r\n${end}`],
        ['hello w', `orld\r\n1\r\n!\r\n${end}`],
        ['hello world!', `\r\n${end}`],
      ]) {
        const { connection, peer } = await asked(['/a'])
        for (let at = 0; at < IN_CHUNKS.length; at += size) peer.send(IN_CHUNKS.slice(at, at + size))
        peer.end()
        await connection.readResponse()
        const target = Buffer.alloc(read.length)
        for (let got = 0; got < read.length;) got += await connection.readInto(target.subarray(got))
        expect(target.toString()).toBe(read)
        expect(await rest(connection)).toBe(left)
      }
    },
  )

  it('gives the body after an UnsupportedResponse that was read, and all that comes later', async () => {
    const { connection, peer, socket } = await asked(['/a'])
    peer.send('HTTP/1.0 200 OK\r\n\r\nold')
    expect((await connection.readResponse()).status).toBe(200)
    expect(await failure(connection.read())).toMatchObject({ code: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE' })
    expect(socket.destroyed).toBe(false)
    expect(text(await connection.readRaw(2))).toBe('ol')
    expect(text(await connection.readRaw(2))).toBe('d')
    const later = connection.readRaw(100)
    const state = follow(later)
    await turns()
    expect(state.is).toBe('pending')
    peer.send('and more')
    expect(text(await later)).toBe('and more')
    const end = connection.readRaw(100)
    peer.end()
    expect((await end).length).toBe(0)
    expect((await connection.readRaw(100)).length).toBe(0)
  })

  it('gives it as well when the head came in a request', async () => {
    const { connection, peer } = wire()
    const request = failure(connection.request('GET', '/a'))
    await arrival(peer, '/a')
    peer.send('HTTP/1.1 101 Switching Protocols\r\n\r\nhello')
    expect(await request).toMatchObject({ response: { status: 101 } })
    expect(text(await connection.readRaw(100))).toBe('hello')
  })

  it('gives a 100 that nobody has taken, in its place', async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('GET', '/a')
    await connection.sendRequest('PUT', '/b', { body: new BodyFollowing(4), expect100: true })
    await peer.waitFor('100-continue\r\n\r\n')
    const bytes = `${ok('a')}HTTP/1.1 100 Continue\r\nX: y\r\n\r\n`
    peer.send(bytes)
    peer.end()
    expect(await rest(connection)).toBe(bytes)
  })

  it('leaves interim responses out that were skipped', async () => {
    const { connection, peer } = await asked(['/a', '/b'])
    peer.send(`HTTP/1.1 103 Early Hints\r\n\r\n${ok('a')}HTTP/1.1 103 Early Hints\r\n\r\n`)
    peer.end()
    expect(await rest(connection)).toBe(ok('a'))
  })

  it('ends with the bytes that were there when the connection was reset', async () => {
    const { connection, peer } = await asked(['/a'])
    peer.send('HTTP/1.1 200')
    peer.reset()
    await turns()
    expect(await rest(connection)).toBe('HTTP/1.1 200')
  })

  it('is no way back: everything else is refused from then on', async () => {
    const { connection, peer } = await asked(['/a', '/b'])
    peer.send(ok('a') + ok('b'))
    await connection.readResponse()
    await connection.readRaw(1000)
    expect(await failure(connection.read())).toBeInstanceOf(StateError)
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    expect(await failure(connection.readRaw(0))).toBeInstanceOf(RangeError)
    await connection.close()
    expect(await failure(connection.sendRequest('GET', '/c'))).toBeInstanceOf(ConnectionClosed)
  })

  it('stops at maxBufferedBytes like any reading', async () => {
    const { connection, peer, socket } = await asked(['/a'], { maxBufferedBytes: 100 })
    peer.send('HTTP/1.0 200 OK\r\n\r\n')
    await connection.readResponse()
    for (let i = 0; i < 10; i++) peer.send('x'.repeat(50))
    await turns()
    expect(socket.isPaused()).toBe(true)
    expect(socket.readableLength).toBeGreaterThan(300)
    peer.end()
    expect(await rest(connection)).toBe('x'.repeat(500))
  })
})
