// What request bodies may be, what is made of each, and how sources are read and ended.
import { PassThrough, Readable } from 'node:stream'
import { Blob as NodeBlob } from 'node:buffer'
import { BodyFollowing, encodeBody, iterateSource, type BodySource, type ExchangeBody } from '../lib/body'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** All that a source gives, through the reader under test. */
async function readOut(source: BodySource): Promise<string> {
  const iterator = iterateSource(source)
  const chunks: Uint8Array[] = []
  for (;;) {
    const chunk = await iterator.next()
    if (chunk.done === true) break
    chunks.push(chunk.value)
  }
  return Buffer.concat(chunks).toString('latin1')
}

const webStream = (...chunks: unknown[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk as Uint8Array)
      controller.close()
    },
  })

function* generate(...chunks: unknown[]): Generator<Uint8Array> {
  for (const chunk of chunks) yield chunk as Uint8Array
}

async function* generateAsync(...chunks: unknown[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk as Uint8Array
}

const notBodies: [value: unknown, why: string][] = [
  [1, 'number'],
  [true, 'boolean'],
  [1n, 'bigint'],
  [Symbol('a'), 'symbol'],
  [() => {}, 'function'],
  [{}, 'plain object'],
  [Object.create(null), 'object without prototype'],
  [{ next: () => ({ done: true }) }, 'iterator that is not iterable'],
  [{ [Symbol.iterator]: 1 }, 'object with a number for a method'],
  [new ArrayBuffer(1), 'ArrayBuffer'],
  [new DataView(new ArrayBuffer(1)), 'DataView'],
  [new Uint16Array(1), 'Uint16Array'],
  [new Int8Array(1), 'Int8Array'],
  [new Uint8ClampedArray(1), 'Uint8ClampedArray'],
  [Promise.resolve(bytes('a')), 'promise'],
  [{ [Symbol.toStringTag]: 'Blob' }, 'object tagged Blob'],
  [{ [Symbol.toStringTag]: 'FormData' }, 'object tagged FormData'],
].map(([value, why]) => [value, why as string])

describe('BodyFollowing', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('takes a length of %p', lengthBytes => {
    expect(new BodyFollowing(lengthBytes).lengthBytes).toBe(lengthBytes)
  })

  it('has no length where none was given', () => {
    expect(new BodyFollowing().lengthBytes).toBeNull()
    expect(new BodyFollowing(undefined).lengthBytes).toBeNull()
  })

  it.each<unknown>([-1, 1.5, NaN, Infinity, 2 ** 53, '1', null, 1n, [1], { valueOf: () => 1 }])(
    'refuses a length of %p',
    lengthBytes => {
      expect(() => new BodyFollowing(lengthBytes as number)).toThrow(RangeError)
    },
  )
})

describe('encodeBody', () => {
  it.each([null, undefined])('makes no body of %p', body => expect(encodeBody(body)).toBeNull())

  it.each(notBodies)('refuses %p (%s)', body => {
    expect(() => encodeBody(body as ExchangeBody)).toThrow(TypeError)
  })

  it.each<[kind: string, body: ExchangeBody, content: string, contentType: string | null]>([
    ['a Buffer', bytes('a\xff'), 'a\xff', null],
    ['a Uint8Array', new Uint8Array([0, 1]), '\0\x01', null],
    ['a view into a larger buffer', bytes('abcdef').subarray(2, 4), 'cd', null],
    ['an empty Uint8Array', new Uint8Array(0), '', null],
    ['a string', 'aä€', 'a\xc3\xa4\xe2\x82\xac', 'text/plain;charset=UTF-8'],
    ['an empty string', '', '', 'text/plain;charset=UTF-8'],
    ['a string with half a character', 'a\ud800', 'a\xef\xbf\xbd', 'text/plain;charset=UTF-8'],
    ['URLSearchParams', new URLSearchParams([['a', 'b c'], ['d', 'ä&']]), 'a=b+c&d=%C3%A4%26', 'application/x-www-form-urlencoded;charset=UTF-8'], // prettier-ignore
    ['empty URLSearchParams', new URLSearchParams(), '', 'application/x-www-form-urlencoded;charset=UTF-8'],
  ])('has the bytes of %s at hand', async (_kind, body, content, contentType) => {
    const encoded = encodeBody(body)!
    expect(Buffer.from(encoded.bytes!).toString('latin1')).toBe(content)
    expect(encoded).toMatchObject({ lengthBytes: content.length, contentType, repeatable: true })
    for (const _time of [1, 2]) expect(await readOut(encoded.open())).toBe(content)
  })

  it('does not copy bytes', () => {
    const body = bytes('a')
    expect(encodeBody(body)!.bytes).toBe(body)
  })

  it.each<[kind: string, body: Blob, content: string, contentType: string | null]>([
    ['a Blob', new Blob(['aä', bytes('\xff')], { type: 'Text/Plain' }), 'a\xc3\xa4\xff', 'text/plain'],
    ['a Blob without type', new Blob(['ab']), 'ab', null],
    ['an empty Blob', new Blob([]), '', null],
    ['a File', new File(['abc'], 'n.txt', { type: 'text/css' }), 'abc', 'text/css'],
    ['a slice of a Blob', new Blob(['abcdef']).slice(1, 3), 'bc', null],
    ['a Blob of node:buffer', new NodeBlob(['ab']), 'ab', null],
  ])('streams %s, its length known, again and again', async (_kind, body, content, contentType) => {
    const encoded = encodeBody(body)!
    expect(encoded).toMatchObject({ bytes: null, lengthBytes: content.length, contentType, repeatable: true })
    for (const _time of [1, 2]) expect(await readOut(encoded.open())).toBe(content)
  })

  it.each<[kind: string, source: () => BodySource, repeatable: boolean]>([
    ['an array', () => [bytes('a'), bytes('bc')], true],
    ['a Set', () => new Set([bytes('a'), bytes('bc')]), false],
    ['a generator', () => generate(bytes('a'), bytes('bc')), false],
    ['an async generator', () => generateAsync(bytes('a'), bytes('bc')), false],
    ['an async iterable', () => ({ [Symbol.asyncIterator]: () => generateAsync(bytes('abc')) }), false],
    ['a Readable', () => Readable.from([bytes('a'), bytes('bc')]), false],
    ['a ReadableStream', () => webStream(bytes('a'), bytes('bc')), false],
  ])('hands on %s as a source of unknown length', async (_kind, make, repeatable) => {
    const source = make()
    const encoded = encodeBody(source)!
    expect(encoded).toMatchObject({ bytes: null, lengthBytes: null, contentType: null, repeatable })
    expect(encoded.open()).toBe(source)
    expect(await readOut(source)).toBe('abc')
  })

  it('reads nothing from a source', () => {
    const source = { [Symbol.iterator]: jest.fn(), [Symbol.asyncIterator]: jest.fn() }
    encodeBody(source)
    expect([source[Symbol.iterator], source[Symbol.asyncIterator]].map(f => f.mock.calls.length)).toEqual([
      0, 0,
    ])
  })

  describe('of a FormData', () => {
    /** The content with its boundary written as BOUNDARY. */
    async function encode(form: FormData): Promise<{ content: string; isAtHand: boolean }> {
      const encoded = encodeBody(form)!
      const [, boundary] = /^multipart\/form-data; boundary=([-0-9a-z]{30,70})$/.exec(encoded.contentType!)!
      const content = await readOut(encoded.open())
      expect(await readOut(encoded.open())).toBe(content)
      expect(encoded).toMatchObject({ lengthBytes: content.length, repeatable: true })
      if (encoded.bytes !== null) expect(Buffer.from(encoded.bytes).toString('latin1')).toBe(content)
      return { content: content.replaceAll(boundary, 'BOUNDARY'), isAtHand: encoded.bytes !== null }
    }

    const field = (name: string, value: string): string =>
      `--BOUNDARY\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`

    it.each<[why: string, name: string, value: string, wireName: string, wireValue: string]>([
      ['plain', 'a', 'b', 'a', 'b'],
      ['empty', '', '', '', ''],
      ['outside ASCII', 'ä', '€', '\xc3\xa4', '\xe2\x82\xac'],
      ['with quotes and backslash', 'a"b\\', 'a"b\\', 'a%22b\\', 'a"b\\'],
      ['with per cent', 'a%22', '%0A', 'a%22', '%0A'],
      ['with LF', 'a\nb', 'a\nb', 'a%0D%0Ab', 'a\r\nb'],
      ['with CR', 'a\rb', 'a\rb', 'a%0D%0Ab', 'a\r\nb'],
      ['with CR LF', 'a\r\nb', 'a\r\nb', 'a%0D%0Ab', 'a\r\nb'],
      ['with LF CR', 'a\n\rb', 'a\n\rb', 'a%0D%0A%0D%0Ab', 'a\r\n\r\nb'],
    ])('encodes a field %s', async (_why, name, value, wireName, wireValue) => {
      const form = new FormData()
      form.append(name, value)
      expect(await encode(form)).toEqual({
        content: `${field(wireName, wireValue)}--BOUNDARY--\r\n`,
        isAtHand: true,
      })
    })

    it('encodes an empty form', async () => {
      expect(await encode(new FormData())).toEqual({ content: '--BOUNDARY--\r\n', isAtHand: true })
    })

    it('encodes fields and files in order, the content of files as it is', async () => {
      const form = new FormData()
      form.append('a', '1')
      form.append('f', new File([bytes('x\ny\xff')], 'n"\r\n.txt', { type: 'text/plain' }))
      form.append('a', '2')
      form.append('b', new Blob([]))
      expect(await encode(form)).toEqual({
        content:
          field('a', '1') +
          '--BOUNDARY\r\nContent-Disposition: form-data; name="f"; filename="n%22%0D%0A.txt"\r\n' +
          'Content-Type: text/plain\r\n\r\nx\ny\xff\r\n' +
          field('a', '2') +
          '--BOUNDARY\r\nContent-Disposition: form-data; name="b"; filename="blob"\r\n' +
          'Content-Type: application/octet-stream\r\n\r\n\r\n' +
          '--BOUNDARY--\r\n',
        isAtHand: false,
      })
    })

    it('keeps lone line ends of file names apart', async () => {
      const form = new FormData()
      form.append('f', new File([], 'a\nb\rc'))
      expect((await encode(form)).content).toContain('filename="a%0Ab%0Dc"')
    })

    it('takes forms and files that only look like the platform’s, but no header lines from their types', async () => {
      const file = {
        [Symbol.toStringTag]: 'File',
        name: 'n',
        type: 'a/b\r\nX: y',
        size: 2,
        stream: () => webStream(bytes('hi')),
      }
      const form = {
        [Symbol.toStringTag]: 'FormData',
        getAll: () => [],
        *[Symbol.iterator]() {
          yield ['f', file]
        },
      }
      expect((await encode(form as unknown as FormData)).content).toBe(
        '--BOUNDARY\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n' +
          'Content-Type: application/octet-stream\r\n\r\nhi\r\n--BOUNDARY--\r\n',
      )
    })

    it('is read back by a parser of its own kind', async () => {
      const form = new FormData()
      form.append('a"b', 'line\nline')
      form.append('file', new File(['content'], 'näme "x".txt', { type: 'text/plain' }))
      const { contentType, open } = encodeBody(form)!
      const body = bytes(await readOut(open()))
      const back = await new Response(body, { headers: { 'content-type': contentType! } }).formData()
      const file = back.get('file') as File
      expect(back.get('a"b')).toBe('line\r\nline')
      expect([file.name, file.type, await file.text()]).toEqual(['näme "x".txt', 'text/plain', 'content'])
    })

    it('has another boundary each time', () => {
      const form = new FormData()
      expect(encodeBody(form)!.contentType).not.toBe(encodeBody(form)!.contentType)
    })
  })
})

describe('iterateSource', () => {
  it.each([
    ...notBodies,
    ['text', 'string'],
    [bytes('a'), 'Buffer'],
    [null, 'null'],
    [undefined, 'undefined'],
    [new Blob([]), 'Blob'],
  ])('refuses %p (%s)', source => {
    // prettier-ignore
    expect(() => iterateSource(source as BodySource)).toThrow(TypeError)
  })

  it.each<[kind: string, source: BodySource, isAsync: boolean]>([
    ['an array', [bytes('a'), bytes(''), bytes('b')], false],
    ['an empty array', [], false],
    ['a generator', generate(bytes('a')), false],
    ['an async generator', generateAsync(bytes('a')), true],
    ['a Readable', Readable.from([bytes('a')]), true],
    ['a ReadableStream', webStream(bytes('a')), true],
    ['what is both', { [Symbol.iterator]: () => generate(), [Symbol.asyncIterator]: () => generateAsync() }, true], // prettier-ignore
  ])('reads %s, and stays at the end', async (_kind, source, isAsync) => {
    const iterator = iterateSource(source)
    expect(iterator.isAsync).toBe(isAsync)
    expect(iterator.next() instanceof Promise).toBe(isAsync)
    while ((await iterator.next()).done !== true);
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(await iterator.return()).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('hands on the very chunks', async () => {
    const chunk = bytes('a')
    for (const source of [[chunk], generateAsync(chunk), webStream(chunk)]) {
      expect((await iterateSource(source).next()).value).toBe(chunk)
    }
  })

  it('unlocks a ReadableStream at its end', async () => {
    const stream = webStream(bytes('a'))
    await readOut(stream)
    expect(stream.locked).toBe(false)
  })

  it('refuses a ReadableStream that is in use', () => {
    const stream = webStream()
    stream.getReader()
    expect(() => iterateSource(stream)).toThrow('locked')
  })

  const notChunks: [chunk: unknown, text: string][] = [
    ['text', 'a string'],
    [1, 'a number'],
    [undefined, 'undefined'],
    [{}, 'an instance of Object'],
    [new ArrayBuffer(1), 'an instance of ArrayBuffer'],
    [new Uint16Array(1), 'an instance of Uint16Array'],
    [Object.create(null), 'an object'],
  ]
  describe.each<[kind: string, make: (onEnd: () => void, ...chunks: unknown[]) => BodySource]>([
    ['a generator', function* (onEnd, ...chunks) { try { yield* generate(...chunks) } finally { onEnd() } }], // prettier-ignore
    ['an async generator', async function* (onEnd, ...chunks) { try { yield* generateAsync(...chunks) } finally { onEnd() } }], // prettier-ignore
    [
      'a ReadableStream',
      (onEnd, ...chunks) => {
        let i = 0
        return new ReadableStream({
        pull: controller => { controller.enqueue(chunks[i++] as Uint8Array) },
        cancel: onEnd,
      }) // prettier-ignore
      },
    ],
    [
      'a Readable',
      (onEnd, ...chunks) => {
        let i = 0
        return new Readable({
        objectMode: true,
        read() { this.push(i < chunks.length ? chunks[i++] : null) },
        destroy(_error, callback) { onEnd(); callback(null) },
      }) // prettier-ignore
      },
    ],
  ])('over %s', (_kind, make) => {
    it.each(notChunks)('rejects %p for a chunk and ends the source', async (chunk, text) => {
      const onEnd = jest.fn()
      // A Readable cannot give undefined: it has none to give.
      const iterator = iterateSource(make(onEnd, bytes('a'), chunk ?? 'text', bytes('b')))
      await iterator.next()
      const wanted = `A body source must give Uint8Arrays, not ${chunk === undefined ? 'a string' : text}`
      await expect(async () => iterator.next()).rejects.toThrow(new TypeError(wanted))
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
      expect(onEnd).toHaveBeenCalledTimes(1)
    })

    it('ends it when stopped between chunks, once', async () => {
      const onEnd = jest.fn()
      const iterator = iterateSource(make(onEnd, bytes('a'), bytes('b')))
      await iterator.next()
      await iterator.return()
      await iterator.return()
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
      expect(onEnd).toHaveBeenCalledTimes(1)
    })
  })

  it.each([null, undefined])('names a chunk that is %p', chunk => {
    const wanted = `A body source must give Uint8Arrays, not ${String(chunk)}`
    expect(() => iterateSource(generate(chunk)).next()).toThrow(new TypeError(wanted))
  })

  it('ends a source once, whatever it does', async () => {
    const next = jest.fn(() => ({ done: false, value: bytes('a') }))
    const end = jest.fn(() => ({ done: false, value: bytes('b') }))
    for (const key of [Symbol.iterator, Symbol.asyncIterator]) {
      const iterator = iterateSource({ [key]: () => ({ next, return: end }) } as unknown as BodySource)
      await iterator.return()
      await iterator.return()
    }
    expect([next.mock.calls.length, end.mock.calls.length]).toEqual([0, 2])
  })

  it('passes on what a source throws, and neither ends nor asks it again', async () => {
    const error = new Error('of the source')
    const fails = (): never => {
      throw error
    }
    const ended = jest.fn(() => ({ done: true as const, value: undefined }))
    const syncIterator = { next: jest.fn(fails), return: ended }
    const asyncIterator = { next: jest.fn(async () => fails()), return: ended }
    const rudeIterator = { next: jest.fn(fails), return: ended }
    for (const source of [
      { [Symbol.iterator]: () => syncIterator },
      { [Symbol.asyncIterator]: () => asyncIterator },
      { [Symbol.asyncIterator]: () => rudeIterator },
    ] as unknown as BodySource[]) {
      const iterator = iterateSource(source)
      await expect(async () => iterator.next()).rejects.toBe(error)
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
      await iterator.return()
    }
    expect([syncIterator, asyncIterator, rudeIterator].map(i => i.next.mock.calls.length)).toEqual([1, 1, 1])
    expect(ended).not.toHaveBeenCalled()
  })

  it('passes on the error of a ReadableStream and of a Readable', async () => {
    const error = new Error('of the source')
    const stream = new ReadableStream<Uint8Array>({ start: controller => controller.error(error) })
    await expect(async () => iterateSource(stream).next()).rejects.toBe(error)
    const readable = new Readable({ read() { this.destroy(error) } }) // prettier-ignore
    await expect(async () => iterateSource(readable).next()).rejects.toBe(error)
  })

  it.each<[kind: string, result: unknown]>([
    ['nothing', undefined],
    ['a number', 1],
  ])('rejects a source whose next gives %s', async (_kind, result) => {
    for (const key of [Symbol.iterator, Symbol.asyncIterator]) {
      const iterator = iterateSource({ [key]: () => ({ next: () => result }) } as unknown as BodySource)
      await expect(async () => iterator.next()).rejects.toThrow(TypeError)
      expect((await iterator.next()).done).toBe(true)
    }
  })

  describe('stopped while a chunk is awaited', () => {
    it('settles next as the end and ends a ReadableStream', async () => {
      const cancel = jest.fn()
      const iterator = iterateSource(new ReadableStream({ cancel }))
      const next = iterator.next()
      void iterator.return()
      expect(await next).toEqual({ done: true, value: undefined })
      expect(cancel).toHaveBeenCalledTimes(1)
    })

    it('settles next as the end and destroys a Readable', async () => {
      const stream = new PassThrough()
      const iterator = iterateSource(stream)
      const next = iterator.next()
      void iterator.return()
      expect(await next).toEqual({ done: true, value: undefined })
      expect(stream.destroyed).toBe(true)
    })

    it('settles next as the end where the source never answers', async () => {
      const iterator = iterateSource({
        [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
      })
      const next = iterator.next()
      void iterator.return()
      expect(await next).toEqual({ done: true, value: undefined })
    })

    it('drops the chunk that comes after all', async () => {
      let give!: (result: IteratorResult<Uint8Array>) => void
      const iterator = iterateSource({
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(resolve => (give = resolve)) }),
      } as AsyncIterable<Uint8Array>)
      const next = iterator.next()
      void iterator.return()
      give({ done: false, value: bytes('a') })
      expect(await next).toEqual({ done: true, value: undefined })
    })
  })

  it('keeps to itself how a source fails that is stopped', async () => {
    const fails = (): never => {
      throw new Error('of the end')
    }
    const next = (): IteratorResult<Uint8Array> => ({ done: false, value: bytes('a') })
    for (const source of [
      { [Symbol.iterator]: () => ({ next, return: fails }) },
      { [Symbol.asyncIterator]: () => ({ next, return: fails }) },
      { [Symbol.asyncIterator]: () => ({ next, return: async () => fails() }) },
      new ReadableStream({ cancel: fails }),
      new Readable({ read: () => {}, destroy: (_error, callback) => callback(new Error('of the end')) }),
    ] as unknown as BodySource[]) {
      expect((await iterateSource(source).return()).done).toBe(true)
    }
    await new Promise(setImmediate)
  })

  it('destroys a Readable that was not read yet', async () => {
    const stream = Readable.from([bytes('a')])
    await iterateSource(stream).return()
    expect(stream.destroyed).toBe(true)
  })
})
