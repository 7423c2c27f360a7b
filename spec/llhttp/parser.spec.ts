import { readFileSync } from 'node:fs'
import path from 'node:path'
import loadWabt from 'wabt'
import type * as binary from '../../lib/llhttp/binary.generated'
import type * as parser from '../../lib/llhttp/parser'
import {
  FLAG_CHUNKED,
  FLAG_CONNECTION_CLOSE,
  FLAG_CONTENT_LENGTH,
  FLAG_TRANSFER_ENCODING,
  ResponseParser,
} from '../../lib/llhttp/parser'

const folder = '../../lib/llhttp'

/** The callbacks with one piece of their source changed. */
async function changedCallbacks(from: string, to: string): Promise<string> {
  const wabt = await loadWabt()
  const source = readFileSync(path.join(__dirname, folder, 'callbacks.wat'), 'utf8').trimEnd()
  const changed = source.replaceAll(from, to)
  expect(changed).not.toBe(source)
  return Buffer.from(wabt.parseWat('callbacks.wat', changed).toBinary({}).buffer).toString('base64')
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const WINDOW_BYTES = 16_384

/** Feeds one segment from `start` on, until the parser stops or has taken all of it; says what stopped it. */
function feed(parser: ResponseParser, segment: Buffer, start = 0): string {
  if (start === 0) parser.begin()
  for (let at = start; ; at = parser.position) {
    const step = parser.execute(segment, at, segment.length)
    if (step !== 'more' || parser.position === segment.length) return step
  }
}

/** The data of a chunked body, fed segment by segment; the parser stands behind its head. */
function chunkData(parser: ResponseParser, segments: readonly Buffer[]): string {
  let data = ''
  for (const segment of segments) {
    parser.begin()
    for (let at = 0; at < segment.length; at = parser.position) {
      const step = parser.execute(segment, at, segment.length)
      expect(step).not.toBe('error')
      for (let i = 0; i < parser.spanCount; i++) {
        const dataStart = parser.spanStart(i)
        data += segment.toString('latin1', dataStart, dataStart + parser.spanLength(i))
      }
      if (step === 'complete') return data
    }
  }
  return data
}

describe('ResponseParser', () => {
  it.each([
    ['that does not stop behind a head', '(i32.const 21)', '(i32.const 0)'],
    [
      'that says other lengths of data',
      '(local.get $length))\n    (i32.store (i32.const 0)',
      '(local.get $at))\n    (i32.store (i32.const 0)',
    ],
    ['that traps', '(i32.const 21)', 'unreachable'],
  ])(
    'refuses, again and again, to be made from a binary %s: it has another layout',
    async (_what, from, to) => {
      const { LLHTTP_WASM_BASE64 } = jest.requireActual<typeof binary>(`${folder}/binary.generated`)
      const CALLBACKS_WASM_BASE64 = await changedCallbacks(from, to)
      jest.isolateModules(() => {
        jest.doMock(`${folder}/binary.generated`, () => ({ LLHTTP_WASM_BASE64, CALLBACKS_WASM_BASE64 }))
        const { ResponseParser } = jest.requireActual<typeof parser>(`${folder}/parser`)
        for (let i = 0; i < 2; i++) {
          expect(() => new ResponseParser()).toThrow(
            to === 'unreachable' ? 'unreachable' : 'does not have the expected layout',
          )
        }
      })
      jest.dontMock(`${folder}/binary.generated`)
    },
  )

  it.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200, FLAG_CONTENT_LENGTH, 5],
    ['HTTP/1.1 999 X\r\nTransfer-Encoding: chunked\r\n\r\n', 999, FLAG_TRANSFER_ENCODING | FLAG_CHUNKED, 0],
    ['HTTP/1.1 204 No\r\nConnection: close\r\n\r\n', 204, FLAG_CONNECTION_CLOSE, 0],
    ['HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n', 200, FLAG_CONTENT_LENGTH, 2 ** 32],
    ['HTTP/1.1 200 OK\r\nContent-Length: 9007199254740991\r\n\r\n', 200, FLAG_CONTENT_LENGTH, 2 ** 53 - 1],
    ['HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n', 200, FLAG_CONTENT_LENGTH, 2 ** 64],
  ])('stops right behind a head and says what is in it: %j', (head, status, flags, contentLength) => {
    for (const offset of [0, 3]) {
      const parser = new ResponseParser()
      const segment = Buffer.from(`${'.'.repeat(offset)}${head}more`)
      parser.begin()
      expect(parser.execute(segment, offset, segment.length)).toBe('head')
      expect(parser).toMatchObject({ position: offset + head.length, status, flags, contentLength })
      parser.release()
    }
  })

  it('reads a head in pieces, and the next one behind it after a reset', () => {
    const parser = new ResponseParser()
    for (let round = 0; round < 2; round++) {
      for (const byte of HEAD.slice(0, -1)) expect(feed(parser, Buffer.from(byte))).toBe('more')
      expect(feed(parser, Buffer.from('\n'))).toBe('head')
      expect(parser).toMatchObject({ status: 200, contentLength: 5 })
      parser.reset()
    }
    const segment = Buffer.from(HEAD + HEAD)
    expect(feed(parser, segment)).toBe('head')
    parser.reset()
    expect(feed(parser, segment, parser.position)).toBe('head')
    expect(parser.position).toBe(segment.length)
    parser.release()
  })

  it('notices values of length 0 until a reset', () => {
    const parser = new ResponseParser()
    expect(parser.hasEmptyValue).toBe(false)
    feed(parser, Buffer.from('HTTP/1.1 200 OK\r\nA: b\r\nTransfer-'))
    expect(parser.hasEmptyValue).toBe(false)
    feed(parser, Buffer.from('Encoding: \r\nB: c\r\n\r\n'))
    expect(parser.hasEmptyValue).toBe(true)
    parser.reset()
    expect(parser.hasEmptyValue).toBe(false)
    parser.release()
  })

  it.each([WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 3 * WINDOW_BYTES, 100_000])(
    'reads a head of %s bytes a window at a time',
    size => {
      const start = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: '
      const head = `${start}${'x'.repeat(size - start.length - 4)}\r\n\r\n`
      const parser = new ResponseParser()
      const segment = Buffer.from(`${head}hello`)
      parser.begin()
      const first = parser.execute(segment, 0, segment.length)
      expect(parser.position).toBe(Math.min(size, WINDOW_BYTES))
      expect(first).toBe(size <= WINDOW_BYTES ? 'head' : 'more')
      if (first === 'more') expect(feed(parser, segment, parser.position)).toBe('head')
      expect(parser).toMatchObject({ position: size, contentLength: 5 })
      parser.release()
    },
  )

  it('finds the data of chunks in segments of any size, whole chunks and parts of them', () => {
    const parts = Array.from({ length: 40 }, (_, i) =>
      String.fromCharCode(48 + i).repeat((i * i * 37) % 5000 || 1),
    )
    const bytes = Buffer.from(
      `${parts.map(part => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`,
    )
    for (const size of [1, 7, 1000, WINDOW_BYTES, WINDOW_BYTES + 1, bytes.length]) {
      const parser = new ResponseParser()
      expect(feed(parser, Buffer.from(CHUNKED))).toBe('head')
      parser.resume()
      const segments: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size) segments.push(bytes.subarray(at, at + size))
      expect(chunkData(parser, segments) === parts.join('')).toBe(true)
      parser.release()
    }
  })

  it('has room for as many pieces of data as fit into a window', () => {
    const parser = new ResponseParser()
    feed(parser, Buffer.from(CHUNKED))
    parser.resume()
    const count = Math.floor(WINDOW_BYTES / 6)
    const segment = Buffer.from('1\r\nx\r\n'.repeat(count))
    parser.begin()
    expect(parser.execute(segment, 0, segment.length)).toBe('more')
    expect(parser.spanCount).toBe(count)
    expect([parser.spanStart(count - 1), parser.spanLength(count - 1)]).toEqual([(count - 1) * 6 + 3, 1])
    parser.release()
  })

  it('says what is left of a chunk, and passes by data that it is not shown', () => {
    const parser = new ResponseParser()
    feed(parser, Buffer.from(CHUNKED))
    parser.resume()
    feed(parser, Buffer.from('1ffffffff\r\nab'))
    expect(parser.chunkRemaining()).toBe(2 ** 33 - 3)
    parser.skipChunkData(2 ** 32)
    expect(parser.chunkRemaining()).toBe(2 ** 32 - 3)
    parser.skipChunkData(2 ** 32 - 5)
    expect(chunkData(parser, [Buffer.from('cd\r\n1\r\ne\r\n0\r\n\r\n')])).toBe('cde')
    parser.release()
  })

  it('names the fault and says where it is', () => {
    const parser = new ResponseParser()
    const segment = Buffer.from('HTTP/1.1 200 OK\r\nA b: c\r\n\r\n')
    expect(feed(parser, segment)).toBe('error')
    expect(parser.describeError()).toEqual({
      name: 'HPE_INVALID_HEADER_TOKEN',
      message: 'Invalid header token',
    })
    expect(segment.toString('latin1', parser.position - 1, parser.position + 2)).toBe('A b')
    parser.release()
  })

  it('shares the window with any number of others, whose bytes come in turns', () => {
    const parsers = Array.from({ length: 50 }, () => new ResponseParser())
    const lengths = parsers.map((_, i) => i * 1000 + 7)
    const heads = lengths.map(length => Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`))
    for (let at = 0; at < 40; at += 3) {
      for (const [i, parser] of parsers.entries()) {
        const piece = heads[i].subarray(at, at + 3)
        if (piece.length > 0) feed(parser, piece)
      }
    }
    expect(parsers.map(({ contentLength }) => contentLength)).toEqual(lengths)
    for (const parser of parsers) parser.release()
  })

  it('goes on within a segment that another has read meanwhile', () => {
    const [one, other] = [new ResponseParser(), new ResponseParser()]
    const segment = Buffer.from(HEAD + HEAD)
    expect(feed(one, segment)).toBe('head')
    one.reset()
    expect(
      feed(
        other,
        Buffer.from(`HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\n`.padStart(segment.length, '\n').slice(-39)),
      ),
    ).toBe('head')
    expect(feed(one, segment, one.position)).toBe('head')
    expect(one).toMatchObject({ status: 200, contentLength: 5, position: segment.length })
    one.release()
    other.release()
  })

  it('does not take the bytes of the last segment for those of the next', () => {
    const parser = new ResponseParser()
    expect(feed(parser, Buffer.from(HEAD))).toBe('head')
    parser.reset()
    expect(feed(parser, Buffer.from(HEAD.replace('200', '404')))).toBe('head')
    expect(parser.status).toBe(404)
    parser.release()
  })

  it('is as new when it takes the place of one that was released, whatever state that was in', () => {
    const ends: ((parser: ResponseParser) => void)[] = [
      parser => feed(parser, Buffer.from('HTTP/1.1 200 OK\r\nContent-Le')),
      parser => feed(parser, Buffer.from('nonsense')),
      parser => feed(parser, Buffer.from('HTTP/1.1 200 OK\r\nA:\r\n\r\n')),
      parser => {
        feed(parser, Buffer.from(CHUNKED))
        parser.resume()
        feed(parser, Buffer.from('5\r\nab'))
      },
    ]
    for (const end of ends) {
      const before = new ResponseParser()
      end(before)
      before.release()
      const after = new ResponseParser()
      expect(after.hasEmptyValue).toBe(false)
      expect(feed(after, Buffer.from(HEAD))).toBe('head')
      expect(after).toMatchObject({ status: 200, flags: FLAG_CONTENT_LENGTH, contentLength: 5 })
      after.release()
    }
  })

  it('is refused to nobody, however many there are', () => {
    const parsers = Array.from({ length: 3000 }, () => new ResponseParser())
    for (const parser of [parsers[0], parsers[1500], parsers[2999]]) {
      expect(feed(parser, Buffer.from(HEAD))).toBe('head')
      expect(parser.contentLength).toBe(5)
    }
    for (const parser of parsers) parser.release()
  })
})
