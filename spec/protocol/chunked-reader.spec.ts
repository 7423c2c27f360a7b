// Bodies of large chunks, whose data pass by llhttp: found wherever they are cut.
import { ResponseParser } from '../../lib/llhttp/parser'
import { ChunkedReader } from '../../lib/protocol/chunked-reader'
import { Exchange } from '../../lib/protocol/exchange'

const owner = {
  onInformational() {},
  onHeadWritten() {},
  onHead() {},
  onBody: () => true,
  onComplete() {},
}
const HEAD = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')

interface Read {
  readonly body: string
  readonly fault: string | null
  readonly isComplete: boolean
  /** Bytes of the last segment that were not taken. */
  readonly left: number
}

/** Reads segments to the end of the body, to a fault, or to their end. */
function read(segments: readonly string[]): Read {
  const parser = new ResponseParser()
  parser.begin()
  parser.execute(HEAD, 0, HEAD.length)
  parser.resume()
  const reader = new ChunkedReader(parser, 1000)
  const exchange = new Exchange(owner, 'GET', '/', '')
  let fault: string | null = null
  let left = 0
  let added = 0
  for (const text of segments) {
    const segment = Buffer.from(text, 'latin1')
    parser.begin()
    for (let at = 0; at < segment.length && fault === null && !reader.isComplete; at = reader.position) {
      const found = reader.step(exchange, segment, at, segment.length)
      if (found !== null) fault = found.kind === 'invalid' ? found.reason : found.kind
      else if (reader.position <= at) throw new Error('it does not get on')
      added += found === null ? reader.addedBytes : 0
    }
    left = segment.length - reader.position
    if (fault !== null || reader.isComplete) break
  }
  if (fault === null) expect(exchange.availableBytes).toBe(added)
  const body = Buffer.alloc(exchange.availableBytes)
  exchange.copyBody(body, 0)
  parser.release()
  return { body: body.toString('latin1'), fault, isComplete: reader.isComplete, left }
}

const pattern = (size: number, seed: number): string =>
  Array.from({ length: size }, (_, i) => String.fromCharCode((i * seed) & 0xff)).join('')
const chunk = (data: string, extension = ''): string =>
  `${data.length.toString(16)}${extension}\r\n${data}\r\n`
const END = '0\r\n\r\n'

describe('ChunkedReader', () => {
  const sizes = [1, 255, 256, 257, 4095, 4096, 4097, 16_383, 16_384, 16_385, 70_000]
  const parts = [...sizes, 300, 5000].map((size, i) => pattern(size, i + 3))
  const bytesOf = (some: readonly string[]): string => some.map(part => chunk(part)).join('') + END

  it.each([1, 2, 3, 255, 256, 257, 4096, 16_384, 16_385, 65_536, Infinity])(
    'reads chunks of all sizes in segments of %s bytes',
    size => {
      // A hundred thousand segments show no more than ten thousand.
      const some = size < 10 ? parts.slice(0, 6) : parts
      const bytes = bytesOf(some)
      const segments: string[] = []
      for (let at = 0; at < bytes.length; at += size) segments.push(bytes.slice(at, at + size))
      const { body, ...end } = read(segments)
      expect(body === some.join('')).toBe(true)
      expect(end).toEqual({ fault: null, isComplete: true, left: 0 })
    },
  )

  it('reads a large chunk and what is behind it, cut at every position near its edges', () => {
    const data = pattern(5000, 7)
    const whole = chunk(data, ';x=y') + chunk('small') + chunk(data) + END
    const edges = [0, 5000, 5030, whole.length - 30]
    for (const edge of edges) {
      for (let cut = Math.max(1, edge - 30); cut < Math.min(whole.length, edge + 60); cut++) {
        const { body, isComplete } = read([whole.slice(0, cut), whole.slice(cut)])
        if (!isComplete || body !== `${data}small${data}`) throw new Error(`cut at ${cut}`)
      }
    }
  })

  it('leaves what is behind the body', () => {
    expect(read([`${chunk(pattern(5000, 3))}${END}HTTP/1.1`])).toMatchObject({ isComplete: true, left: 8 })
  })

  it('refuses a size beyond 64 bits: as soon as it is too large, or as llhttp does that sees all of it at once', () => {
    expect(read([...'10000000000000000\r\n']).fault).toBe('CHUNK_SIZE_TOO_LARGE')
    expect(read(['10000000000000000\r\n']).fault).toBe('HPE_INVALID_CHUNK_SIZE')
    expect(read(['fffffffffffffffg\r\n']).fault).toBe('HPE_INVALID_CHUNK_SIZE')
  })

  it('does not go on beyond what is there of a chunk', () => {
    expect(read(['1ffffffff\r\n', pattern(5000, 3), pattern(5000, 5)])).toEqual({
      body: pattern(5000, 3) + pattern(5000, 5),
      fault: null,
      isComplete: false,
      left: 0,
    })
  })

  it.each([
    ['1fffffffffffff', null],
    ['20000000000000', 'CHUNK_SIZE_TOO_LARGE'],
    ['ffffffffffffffff', 'CHUNK_SIZE_TOO_LARGE'],
  ])('with a size of %s: %s, also when data come with it', (size, fault) => {
    for (const data of ['', 'x', 'x'.repeat(300)]) {
      expect(read([`${size}\r\n${data}`]).fault).toBe(fault)
      expect(read([...`${size}\r\n`, data]).fault).toBe(fault)
    }
    expect(read([chunk(pattern(5000, 3)), `${size}\r\n`, 'x'.repeat(300)]).fault).toBe(fault)
    expect(read([`${chunk('x'.repeat(300))}${size}\r\n`]).fault).toBe(fault)
    expect(read([`${chunk('x'.repeat(300))}${size}\r\n${'y'.repeat(300)}`]).fault).toBe(fault)
  })

  it('gives nothing of a chunk of impossible size', () => {
    expect(read([chunk('ab'), '20000000000000\r\ncd'])).toMatchObject({ body: 'ab' })
  })

  it('says in a sentence what is wrong with a size', () => {
    const parser = new ResponseParser()
    parser.begin()
    parser.execute(HEAD, 0, HEAD.length)
    parser.resume()
    const segment = Buffer.from('20000000000000\r\n')
    parser.begin()
    const reader = new ChunkedReader(parser, 1000)
    expect(reader.step(new Exchange(owner, 'GET', '/', ''), segment, 0, segment.length)).toEqual({
      kind: 'invalid',
      reason: 'CHUNK_SIZE_TOO_LARGE',
      message: 'a chunk size above 2^53 - 1',
    })
    parser.release()
  })

  it.each([
    ['a missing CRLF behind large data', `${chunk(pattern(5000, 3)).slice(0, -2)}0\r\n\r\n`, 'HPE_STRICT'],
    ['an LF alone behind large data', `${chunk(pattern(5000, 3)).slice(0, -2)}\n${END}`, 'CR_WITHOUT_LF'],
    ['an LF alone behind a size', `${chunk(pattern(5000, 3))}5\nhello\r\n${END}`, 'CR_WITHOUT_LF'],
    [
      'a DEL in an extension',
      `${chunk(pattern(5000, 3))}${chunk('hello', ';a="\x7f"')}`,
      'CONTROL_IN_CHUNK_FRAMING',
    ],
    [
      'a length among the trailers',
      `${chunk('a')}0\r\nContent-Length: 1\r\n\r\n`,
      /FRAMING_FIELD_IN_TRAILERS|HPE_INVALID_CONTENT_LENGTH/,
    ],
    ['too many extensions', chunk('a', `;${'x'.repeat(600)}`).repeat(2), 'CHUNK_FRAMING_TOO_LARGE'],
  ])('refuses %s, whole and cut anywhere', (_what, stream, reason) => {
    const { fault } = read([stream])
    expect(fault).toMatch(reason)
    for (let cut = 1; cut < stream.length; cut += cut < 20 || cut > stream.length - 60 ? 1 : 97) {
      expect(read([stream.slice(0, cut), stream.slice(cut)]).fault).toBe(fault)
    }
  })

  describe('shows llhttp', () => {
    class Watched extends ResponseParser {
      readonly shown: [number, number][] = []

      override execute(
        segment: Uint8Array,
        start: number,
        end: number,
      ): ReturnType<ResponseParser['execute']> {
        this.shown.push([start, end])
        return super.execute(segment, start, end)
      }
    }

    /** What is shown of each segment, and what is added of it to the body. */
    function watched(segments: readonly string[]): { shown: number[][][]; added: number[][][] } {
      const parser = new Watched()
      parser.begin()
      parser.execute(HEAD, 0, HEAD.length)
      parser.resume()
      const reader = new ChunkedReader(parser, 1000)
      const exchange = new Exchange(owner, 'GET', '/', '')
      const addBody = jest.spyOn(exchange, 'addBody')
      const shown: number[][][] = []
      const added: number[][][] = []
      for (const text of segments) {
        const segment = Buffer.from(text)
        parser.shown.length = 0
        addBody.mockClear()
        parser.begin()
        for (let at = 0; at < segment.length && !reader.isComplete; at = reader.position) {
          expect(reader.step(exchange, segment, at, segment.length)).toBeNull()
        }
        shown.push([...parser.shown])
        added.push(addBody.mock.calls.map(([, start, end]) => [start, end]))
      }
      expect(reader.isComplete).toBe(true)
      parser.release()
      return { shown, added }
    }

    it('small chunks whole, and adds nothing to the body where there is nothing', () => {
      expect(watched(['5\r\n', 'hello', '\r\n1\r\na\r\n', '0\r\n', '\r\n'])).toEqual({
        shown: [[[0, 3]], [[0, 5]], [[0, 8]], [[0, 3]], [[0, 2]]],
        added: [[], [[0, 5]], [[5, 6]], [], []],
      })
    })

    it('a large chunk that lies in one segment whole', () => {
      expect(watched([chunk('x'.repeat(10_000)) + END])).toEqual({
        shown: [[[0, 10_013]]],
        added: [[[6, 10_006]]],
      })
    })

    it('the beginning and the end of a chunk of which 4096 bytes are to come in other segments', () => {
      const large = chunk('x'.repeat(100 + 4096)) + END
      expect(watched([large.slice(0, 106), large.slice(106)])).toEqual({
        shown: [
          [[0, 106]],
          [
            [0, 256],
            [4096, 4103],
          ],
        ],
        added: [
          [[6, 106]],
          [
            [0, 256],
            [256, 4096],
          ],
        ],
      })
      const less = chunk('x'.repeat(100 + 4095)) + END
      expect(watched([less.slice(0, 106), less.slice(106)])).toEqual({
        shown: [[[0, 106]], [[0, 4102]]],
        added: [[[6, 106]], [[0, 4095]]],
      })
    })

    it('as little of the large chunk behind a large chunk', () => {
      const two = chunk('x'.repeat(10_000)).repeat(2) + END
      expect(watched([two.slice(0, 106), two.slice(106)]).shown).toEqual([
        [[0, 106]],
        [
          [0, 256],
          [9900, 10_156],
          [19_908, 19_915],
        ],
      ])
    })

    it('the size of a chunk in two pieces, where it is cut by the end of what is shown', () => {
      const data = pattern(5000, 7)
      const whole = chunk(data) + chunk(data) + END
      for (let left = 246; left <= 256; left++) {
        const cut = 6 + 5000 - left
        const { body, isComplete } = read([whole.slice(0, 106), whole.slice(106, cut), whole.slice(cut)])
        expect([left, isComplete, body === data + data]).toEqual([left, true, true])
      }
    })
  })
})
