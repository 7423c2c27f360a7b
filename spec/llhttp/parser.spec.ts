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
      if (step === 'error') throw new Error(parser.describeError().name)
      for (let i = 0; i < parser.spanCount; i++) {
        const dataStart = parser.spanStart(i)
        data += segment.toString('latin1', dataStart, dataStart + parser.spanLength(i))
      }
      if (step === 'complete') return data
    }
  }
  return data
}

/** Takes flags away after one of the steps. */
function clearFlags(memory: DataView, state: number, step: number, at: number, flags: number): void {
  if (step === at) memory.setUint16(state + FLAGS, memory.getUint16(state + FLAGS, true) & ~flags, true)
}

interface Wasm {
  readonly Instance: new (module: object, imports?: object) => { readonly exports: Record<string, unknown> }
}

/** Where llhttp keeps what is read from its structure. */
const [ERROR_POSITION, CONTENT_LENGTH, FLAGS, STATUS] = [20, 32, 50, 52]

/** What llhttp exports, as far as it is changed here. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  llhttp_alloc(type: number): number
  llhttp_execute(state: number, at: number, length: number): number
}

/** Loads the module anew, with an llhttp of which something was changed. */
function loadWith(change: (exports: Exports) => void): typeof parser {
  const scope = globalThis as unknown as { WebAssembly: Wasm }
  const original = scope.WebAssembly
  class Instance extends original.Instance {
    constructor(module: object, imports?: object) {
      super(module, imports)
      const exports = { ...this.exports }
      if ('llhttp_execute' in exports) change(exports as unknown as Exports)
      return Object.create(null, { exports: { value: exports } }) as Instance
    }
  }
  let loaded: typeof parser | null = null
  scope.WebAssembly = Object.create(original, { Instance: { value: Instance } }) as Wasm
  try {
    jest.isolateModules(() => {
      loaded = jest.requireActual<typeof parser>(`${folder}/parser`)
    })
  } finally {
    scope.WebAssembly = original
  }
  return loaded!
}

/** What is done to llhttp's memory after a step; `state` is where the parser lies. A number is what the step returns. */
type Change = (memory: DataView, state: number, step: number) => number | undefined | void

describe('ResponseParser', () => {
  it.each([
    ['that does not stop behind a head', '(i32.const 21)', '(i32.const 0)'],
    [
      'that says other lengths of data',
      '(local.get $length))\n    (i32.store (i32.const 0)',
      '(local.get $at))\n    (i32.store (i32.const 0)',
    ],
    ['that notes two pieces of data for one', '$bytes) (i32.const 8)))', '$bytes) (i32.const 16)))'],
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

  it.each<[string, Change]>([
    [
      'the end of a head in another place',
      (memory, state, step) => {
        const at = state + ERROR_POSITION
        if (step === 0) memory.setUint32(at, memory.getUint32(at, true) - 1, true)
      },
    ],
    ['another status', (memory, state) => memory.setUint16(state + STATUS, 200, true)],
    ['no flags for a length and a close', (memory, state, step) => clearFlags(memory, state, step, 0, 0xff)],
    [
      'no flag for a close',
      (memory, state, step) => clearFlags(memory, state, step, 0, FLAG_CONNECTION_CLOSE),
    ],
    [
      'no flag for a length',
      (memory, state, step) => clearFlags(memory, state, step, 0, FLAG_CONTENT_LENGTH),
    ],
    ['no flag for chunks', (memory, state, step) => clearFlags(memory, state, step, 1, FLAG_CHUNKED)],
    [
      'no flag for a coding',
      (memory, state, step) => clearFlags(memory, state, step, 1, FLAG_TRANSFER_ENCODING),
    ],
    [
      'lengths of 32 bits',
      (memory, state, step) => {
        if (step === 0) memory.setUint32(state + CONTENT_LENGTH + 4, 0, true)
      },
    ],
    [
      'another length',
      (memory, state, step) => {
        if (step === 0) memory.setUint32(state + CONTENT_LENGTH, 5, true)
      },
    ],
    [
      'another rest of a chunk',
      (memory, state, step) => {
        if (step === 2) memory.setUint32(state + CONTENT_LENGTH, 5, true)
      },
    ],
    ['an error within data', (_memory, _state, step) => (step === 2 ? 5 : undefined)],
    ['no end of a chunked body', (_memory, _state, step) => (step === 3 ? 0 : undefined)],
  ])('refuses to be made from a binary that has %s, and from that alone', (_what, change) => {
    let isChanged = true
    const { ResponseParser } = loadWith(exports => {
      const { memory, llhttp_execute } = exports
      let step = 0
      exports.llhttp_execute = (state, at, length) => {
        const errno = llhttp_execute(state, at, length)
        return (isChanged ? change(new DataView(memory.buffer), state, step++) : undefined) ?? errno
      }
    })
    expect(() => new ResponseParser()).toThrow('does not have the expected layout')
    isChanged = false
    const made = new ResponseParser()
    expect(feed(made, Buffer.from(HEAD))).toBe('head')
    expect(made).toMatchObject({ status: 200, contentLength: 5, position: HEAD.length })
  })

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

  it('reads what lies between the indexes that it is given, and nothing else', () => {
    const parser = new ResponseParser()
    const segment = Buffer.from(`...${HEAD}...`)
    parser.begin()
    expect(parser.execute(segment, 3, 3 + HEAD.length - 1)).toBe('more')
    expect(parser.position).toBe(3 + HEAD.length - 1)
    expect(parser.execute(segment, parser.position, 3 + HEAD.length)).toBe('head')
    parser.reset()
    parser.begin()
    expect(parser.execute(segment, 3, 3 + HEAD.length)).toBe('head')
    parser.release()
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

  it('passes by more than 2^32 bytes of a chunk of which more are left', () => {
    const parser = new ResponseParser()
    feed(parser, Buffer.from(CHUNKED))
    parser.resume()
    feed(parser, Buffer.from('300000005\r\na'))
    parser.skipChunkData(2 ** 32 + 1)
    expect(parser.chunkRemaining()).toBe(2 ** 33 + 3)
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

  it('goes back within a segment, before the bytes that it was shown last', () => {
    const parser = new ResponseParser()
    const segment = Buffer.from(HEAD.replace('200', '404') + HEAD)
    parser.begin()
    expect(parser.execute(segment, HEAD.length, segment.length)).toBe('head')
    expect(parser.status).toBe(200)
    parser.reset()
    expect(parser.execute(segment, 0, HEAD.length)).toBe('head')
    expect(parser).toMatchObject({ status: 404, position: HEAD.length })
    parser.release()
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

  it('takes the place of one that was released before it asks for more memory', () => {
    let allocated = 0
    const { ResponseParser } = loadWith(exports => {
      const { llhttp_alloc } = exports
      exports.llhttp_alloc = type => {
        allocated++
        return llhttp_alloc(type)
      }
    })
    for (let round = 0; round < 10; round++) {
      const parsers = [new ResponseParser(), new ResponseParser(), new ResponseParser()]
      for (const parser of parsers) parser.release()
    }
    expect(allocated).toBe(3)
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
