// How long header sections, and apart from them the framing of chunked bodies, may be.
import { HTTPConnection } from '../../lib'
import { asked, chunked, failure, text } from '../support/reading'

const INVALID = 'ERR_HTTPIO_INVALID_RESPONSE'

describe('maxHeaderBytes', () => {
  const head = (size: number): string => {
    const start = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: '
    return `${start}${'x'.repeat(size - start.length - 4)}\r\n\r\n`
  }
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

  it.each([
    [65_535, {}],
    [300, { maxHeaderBytes: 300 }],
  ])('lets a header section of %s bytes through and no more, however it arrives', async (size, options) => {
    for (const piece of [1, 1000, Infinity]) {
      for (const excess of [0, 1]) {
        const { connection, peer } = await asked(['/a'], options)
        const bytes = head(size + excess)
        for (let at = 0; at < bytes.length; at += piece) peer.send(bytes.slice(at, at + piece))
        const reading = connection.readResponse()
        if (excess === 0) expect((await reading).headers.get('a')).toMatch(/^x+$/)
        else
          expect(await failure(reading)).toMatchObject({ code: INVALID, reason: 'HEADER_SECTION_TOO_LARGE' })
      }
    }
  })

  it('does not wait for the end of a header section that is too large already', async () => {
    const { connection, peer } = await asked(['/a'], { maxHeaderBytes: 100 })
    peer.send(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(200)}`)
    expect(await failure(connection.readResponse())).toMatchObject({ reason: 'HEADER_SECTION_TOO_LARGE' })
  })

  it('counts interim responses each for itself', async () => {
    const { connection, peer } = await asked(['/a'], { maxHeaderBytes: 100 })
    peer.send(`HTTP/1.1 103 Early Hints\r\nA: ${'x'.repeat(60)}\r\n\r\n`.repeat(3) + head(100))
    expect((await connection.readResponse()).status).toBe(200)
  })

  it('lets as much again through in chunk extensions and trailers, however they arrive', async () => {
    const extension = `;${'e'.repeat(99)}`
    const trailers = `A: ${'x'.repeat(100)}\r\n`
    for (const piece of [1, 7, Infinity]) {
      const { connection, peer } = await asked(['/a'], { maxHeaderBytes: 300 })
      const bytes = `${CHUNKED}1${extension}\r\na\r\n1\r\nb\r\n0\r\n${trailers}\r\n`
      for (let at = 0; at < bytes.length; at += piece) peer.send(bytes.slice(at, at + piece))
      const response = await connection.readResponse()
      expect(text(await response.readAll())).toBe('ab')
      expect(response.trailers.get('a')).toHaveLength(100)
    }
  })

  it.each([
    ['one extension', `1;${'e'.repeat(400)}\r\na\r\n`],
    ['extensions one after the other', `1;${'e'.repeat(50)}\r\na\r\n`.repeat(10)],
    ['trailers', `0\r\n${'A: b\r\n'.repeat(100)}\r\n`],
    ['an extension that never ends', `1;${'e'.repeat(400)}`],
    ['zeros before a size', `${'0'.repeat(400)}1\r\na\r\n`],
  ])('refuses more of it: %s', async (_what, bytes) => {
    for (const piece of [1, Infinity]) {
      const { connection, peer } = await asked(['/a'], { maxHeaderBytes: 300 })
      peer.send(CHUNKED)
      for (let at = 0; at < bytes.length; at += piece) peer.send(bytes.slice(at, at + piece))
      await connection.readResponse()
      expect(await failure(connection.readAll())).toMatchObject({
        code: INVALID,
        reason: 'CHUNK_FRAMING_TOO_LARGE',
      })
    }
  })

  it('does not limit the number of chunks', async () => {
    const { connection, peer } = await asked(['/a'], { maxHeaderBytes: 300 })
    const parts = Array.from({ length: 1000 }, (_, i) => String(i % 10))
    peer.send(chunked(parts))
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe(parts.join(''))
  })

  it.each([0, -1, 1.5, NaN])('refuses %p as an option, and so does maxBufferedBytes', value => {
    expect(() => new HTTPConnection('example.test', { maxHeaderBytes: value })).toThrow(RangeError)
    expect(() => new HTTPConnection('example.test', { maxBufferedBytes: value })).toThrow(RangeError)
  })
})
