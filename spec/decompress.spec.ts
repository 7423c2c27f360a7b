// What content codings are undone, that only whole and exact data pass, and that no more is read than is asked for.
import zlib from 'node:zlib'
import {
  ACCEPT_ENCODING,
  CorruptBody,
  DecodedTooLong,
  decodeBody,
  decodeChunks,
  isDecodable,
} from '../lib/decompress'

const TEXT = 'Nothing partial, nothing misattributed. '.repeat(5)
const gzip = (data: string | Uint8Array): Buffer => zlib.gzipSync(data)
const wrapped = (data: string | Uint8Array): Buffer => zlib.deflateSync(data)
const raw = (data: string | Uint8Array): Buffer => zlib.deflateRawSync(data)
const br = (data: string | Uint8Array): Buffer => zlib.brotliCompressSync(data)

/** A source that notes how often it was asked and whether it was ended. */
class Chunks implements AsyncIterable<Uint8Array> {
  asked = 0
  isEnded = false
  readonly #chunks: Iterable<Uint8Array>

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      this.asked++
      for (const chunk of this.#chunks) {
        yield chunk
        this.asked++
      }
    } finally {
      this.isEnded = true
    }
  }
}

async function readOut(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of chunks) pieces.push(piece)
  return Buffer.concat(pieces)
}

const byteByByte = (data: Uint8Array): Uint8Array[] => Array.from(data, byte => Uint8Array.of(byte))

/** What became of data that came whole, byte by byte, and cut at every position: one outcome, or they differ. */
async function outcomes(data: Buffer, contentEncoding: string): Promise<string[]> {
  const ways: Uint8Array[][] = [[data], byteByByte(data)]
  for (let at = 0; at <= data.length; at++) ways.push([data.subarray(0, at), data.subarray(at)])
  const seen = new Set<string>()
  for (const way of ways) {
    const source = new Chunks(way)
    seen.add(
      await readOut(decodeChunks(source, contentEncoding)).then(
        body => `body ${body.toString()}`,
        (error: unknown) => (error instanceof CorruptBody ? 'CorruptBody' : String(error)),
      ),
    )
    if (!source.isEnded) seen.add('source left open')
  }
  seen.add(
    await decodeBody(data, contentEncoding).then(
      body => `body ${body.toString()}`,
      (error: unknown) => (error instanceof CorruptBody ? 'CorruptBody' : String(error)),
    ),
  )
  return [...seen]
}

const flipped = (data: Buffer, at: number): Buffer => {
  const copy = Buffer.from(data)
  copy[at < 0 ? copy.length + at : at] ^= 0x40
  return copy
}

describe('ACCEPT_ENCODING', () => {
  it('names codings that can all be undone', () => {
    expect(ACCEPT_ENCODING).toBe('gzip, deflate, br')
    expect(isDecodable(ACCEPT_ENCODING)).toBe(true)
  })
})

describe('isDecodable', () => {
  it.each<[contentEncoding: string | null, decodable: boolean]>([
    [null, false],
    ['', false],
    [' , ', false],
    ['identity', false],
    ['gzip', true],
    ['x-gzip', true],
    ['GZip', true],
    ['deflate', true],
    ['br', true],
    [' gzip ,\tbr ', true],
    [',gzip,', true],
    ['identity, gzip', true],
    ['compress', false],
    ['zstd', false],
    ['gzip;q=1', false],
    ['gzip br', false],
    ['gzip, zstd', false],
    ['zstd, gzip', false],
    ['__proto__', false],
    ['gzip, gzip, gzip, gzip, gzip', true],
    ['gzip, gzip, gzip, gzip, gzip, gzip', false],
  ])('says of %j: %p', (contentEncoding, decodable) => {
    expect(isDecodable(contentEncoding)).toBe(decodable)
  })
})

describe.each([
  ['decodeChunks', (data: Buffer, coding: string) => readOut(decodeChunks(new Chunks([data]), coding))],
  ['decodeBody', (data: Buffer, coding: string) => decodeBody(data, coding)],
])('%s', (_name, decode) => {
  it.each<[contentEncoding: string, data: Buffer]>([
    ['gzip', gzip(TEXT)],
    ['x-gzip', gzip(TEXT)],
    ['GZIP', gzip(TEXT)],
    ['deflate', wrapped(TEXT)],
    ['deflate', raw(TEXT)],
    ['deflate', zlib.deflateSync(TEXT, { windowBits: 9 })],
    ['deflate', zlib.deflateSync(TEXT, { level: 0 })],
    ['deflate', zlib.deflateRawSync(TEXT, { level: 0 })],
    ['br', br(TEXT)],
    ['gzip, br', br(gzip(TEXT))],
    ['br,gzip', gzip(br(TEXT))],
    ['deflate, identity, gzip, br', br(gzip(raw(TEXT)))],
    ['gzip, gzip, gzip, gzip, gzip', gzip(gzip(gzip(gzip(gzip(TEXT)))))],
    ['', Buffer.from(TEXT)],
    ['identity', Buffer.from(TEXT)],
    ['zstd', Buffer.from(TEXT)],
    ['zstd, gzip', Buffer.from(TEXT)],
  ])('undoes %j', async (contentEncoding, data) => {
    expect((await decode(data, contentEncoding)).toString()).toBe(TEXT)
  })

  it.each(['gzip', 'deflate', 'br', 'gzip, br'])('leaves an empty body empty under %s', async coding => {
    expect(await decode(Buffer.alloc(0), coding)).toEqual(Buffer.alloc(0))
  })

  it.each<[contentEncoding: string, data: Buffer]>([
    ['gzip', gzip('')],
    ['deflate', wrapped('')],
    ['deflate', raw('')],
    ['br', br('')],
  ])('decodes an empty text in %s', async (contentEncoding, data) => {
    expect(await decode(data, contentEncoding)).toEqual(Buffer.alloc(0))
  })

  it.each([
    ['that shrink much', Buffer.alloc(3_000_000, 'abcdefg')],
    [
      'that do not shrink',
      Buffer.from(Array.from({ length: 100_000 }, (_, i) => Math.imul(i, i * 40_503) >>> 13)),
    ],
  ])('decodes large bodies %s', async (_why, body) => {
    for (const [coding, encode] of [
      ['gzip', gzip],
      ['deflate', raw],
      ['br', br],
    ] as const)
      // prettier-ignore
      expect((await decode(encode(body), coding)).equals(body)).toBe(true)
  })
})

describe('however the data are cut', () => {
  it.each<[why: string, contentEncoding: string, data: Buffer, text: string]>([
    ['gzip', 'gzip', gzip('text'), 'text'],
    ['two members of gzip', 'gzip', Buffer.concat([gzip('te'), gzip('xt')]), 'text'],
    ['an empty member between others', 'gzip', Buffer.concat([gzip('te'), gzip(''), gzip('xt')]), 'text'],
    ['zlib', 'deflate', wrapped('text'), 'text'],
    ['raw deflate', 'deflate', raw('text'), 'text'],
    ['brotli', 'br', br('text'), 'text'],
    ['gzip in brotli', 'gzip, br', br(gzip('text')), 'text'],
  ])('decodes %s', async (_why, contentEncoding, data, text) => {
    expect(await outcomes(data, contentEncoding)).toEqual([`body ${text}`])
  })

  it.each<[why: string, contentEncoding: string, data: Buffer]>([
    ['no gzip at all', 'gzip', Buffer.from('text')],
    ['zlib for gzip', 'gzip', wrapped('text')],
    ['no brotli at all', 'br', Buffer.from('text text')],
    ['gzip for deflate', 'deflate', gzip('text')],
    ['brotli for deflate', 'deflate', br('text')],
    ['gzip with a wrong checksum', 'gzip', flipped(gzip('text'), -8)],
    ['gzip with a wrong length', 'gzip', flipped(gzip('text'), -1)],
    ['gzip with a wrong method', 'gzip', flipped(gzip('text'), 2)],
    ['zlib with a wrong checksum', 'deflate', flipped(wrapped('text'), -1)],
    ['a text behind gzip', 'gzip', Buffer.concat([gzip('text'), Buffer.from('more')])],
    ['one byte behind gzip', 'gzip', Buffer.concat([gzip('text'), Buffer.from('m')])],
    ['zeros behind gzip', 'gzip', Buffer.concat([gzip('text'), Buffer.alloc(9)])],
    ['the start of a member behind gzip', 'gzip', Buffer.concat([gzip('text'), gzip('x').subarray(0, 9)])],
    ['half a member behind gzip', 'gzip', Buffer.concat([gzip('text'), gzip('x').subarray(0, -1)])],
    ['a text behind zlib', 'deflate', Buffer.concat([wrapped('text'), Buffer.from('more')])],
    ['a zero behind zlib', 'deflate', Buffer.concat([wrapped('text'), Buffer.alloc(1)])],
    ['another zlib behind zlib', 'deflate', Buffer.concat([wrapped('text'), wrapped('x')])],
    ['a text behind raw deflate', 'deflate', Buffer.concat([raw('text'), Buffer.from('more')])],
    ['a zero behind brotli', 'br', Buffer.concat([br('text'), Buffer.alloc(1)])],
    ['another brotli behind brotli', 'br', Buffer.concat([br('text'), br('x')])],
    ['a text behind gzip in brotli', 'gzip, br', br(Buffer.concat([gzip('text'), Buffer.from('more')]))],
    ['a text behind brotli over gzip', 'gzip, br', Buffer.concat([br(gzip('text')), Buffer.from('more')])],
    ['codings in the wrong order', 'br, gzip', br(gzip('text'))],
  ])('refuses %s', async (_why, contentEncoding, data) => {
    expect(await outcomes(data, contentEncoding)).toEqual(['CorruptBody'])
  })

  it.each<[contentEncoding: string, data: Buffer]>([
    ['gzip', gzip(TEXT)],
    ['deflate', wrapped(TEXT)],
    ['deflate', raw(TEXT)],
    ['br', br(TEXT)],
    ['gzip, br', br(gzip(TEXT))],
    ['br, gzip', gzip(br(TEXT))],
  ])('refuses %s that stops anywhere before its end', async (contentEncoding, data) => {
    for (let length = 1; length < data.length; length++) {
      for (const chunks of [[data.subarray(0, length)], byteByByte(data.subarray(0, length))]) {
        await expect(readOut(decodeChunks(new Chunks(chunks), contentEncoding))).rejects.toThrow(CorruptBody)
      }
    }
  })
})

describe('decodeChunks', () => {
  it('gives what is not to be decoded as it is', () => {
    const chunks = new Chunks([])
    expect(decodeChunks(chunks, 'zstd')).toBe(chunks)
    expect(decodeChunks(chunks, null)).toBe(chunks)
  })

  it('says what is wrong and keeps the cause', async () => {
    await expect(readOut(decodeChunks(new Chunks([Buffer.from('text')]), 'gzip'))).rejects.toMatchObject({
      name: 'CorruptBody',
      message: 'The body is not valid gzip data: incorrect header check',
      cause: { code: 'Z_DATA_ERROR' },
    })
    await expect(readOut(decodeChunks(new Chunks([br('x'), br('y')]), 'br'))).rejects.toThrow(
      new CorruptBody('The body is not valid br data: bytes behind its end'),
    )
    await expect(readOut(decodeChunks(new Chunks([gzip(TEXT).subarray(0, -1)]), 'gzip'))).rejects.toThrow(
      'The body is not valid gzip data: unexpected end of file',
    )
  })

  it('passes over chunks of no bytes', async () => {
    const none = Buffer.alloc(0)
    const [first, ...rest] = byteByByte(gzip('text'))
    const chunks = new Chunks([none, first, none, ...rest, none])
    expect((await readOut(decodeChunks(chunks, 'gzip'))).toString()).toBe('text')
    expect(await readOut(decodeChunks(new Chunks([none, none]), 'gzip'))).toEqual(none)
  })

  it('asks for no chunk before output is asked for, and for none while there is output', async () => {
    const half = zlib.gzipSync(Buffer.alloc(500_000, 'a'))
    const chunks = new Chunks([half, half])
    const output = decodeChunks(chunks, 'gzip')[Symbol.asyncIterator]()
    expect(chunks.asked).toBe(0)
    let lengthBytes = 0
    while (lengthBytes < 500_000) {
      lengthBytes += ((await output.next()).value as Buffer).length
      if (lengthBytes <= 500_000) expect(chunks.asked).toBe(1)
    }
    while ((await output.next()).done !== true);
    expect(chunks.asked).toBe(3)
  })

  it('gives pieces of bounded size', async () => {
    for await (const piece of decodeChunks(new Chunks([gzip(Buffer.alloc(5_000_000))]), 'gzip')) {
      expect(piece.length).toBeLessThanOrEqual(65_536)
    }
  })

  it('ends its source and asks no more when it is left early', async () => {
    const chunks = new Chunks([br(gzip('te')), Buffer.from('never asked for')])
    for await (const piece of decodeChunks(chunks, 'gzip, br')) {
      expect(piece.toString()).toBe('te')
      break
    }
    expect([chunks.asked, chunks.isEnded]).toEqual([1, true])
  })

  it('asks for nothing behind a fault', async () => {
    const chunks = new Chunks([Buffer.from('text'), gzip('text')])
    await expect(readOut(decodeChunks(chunks, 'gzip'))).rejects.toThrow(CorruptBody)
    expect([chunks.asked, chunks.isEnded]).toEqual([1, true])
  })

  it('passes on an error of its source', async () => {
    const error = new Error('connection lost')
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield gzip(wrapped(TEXT)).subarray(0, 20)
      throw error
    }
    await expect(readOut(decodeChunks(failing(), 'gzip'))).rejects.toBe(error)
    await expect(readOut(decodeChunks(failing(), 'deflate, gzip'))).rejects.toBe(error)
  })

  it('gives pieces that nothing overwrites', async () => {
    const body = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) >> 7))
    const pieces: Uint8Array[] = []
    const copies: Uint8Array[] = []
    for await (const piece of decodeChunks(
      new Chunks(byteByByte(gzip(body).subarray(0, 100)).concat(gzip(body).subarray(100))),
      'gzip',
    )) {
      // prettier-ignore
      pieces.push(piece)
      copies.push(Buffer.from(piece))
    }
    expect(Buffer.concat(pieces).equals(body)).toBe(true)
    expect(Buffer.concat(copies).equals(body)).toBe(true)
  })
})

describe('decodeBody', () => {
  it.each<[contentEncoding: string, data: Buffer]>([
    ['gzip', gzip(TEXT)],
    ['br', br(TEXT)],
    ['gzip, deflate', wrapped(gzip(TEXT))],
    ['zstd', Buffer.from(TEXT)],
  ])('takes %s of exactly maxBytes and refuses one more', async (contentEncoding, data) => {
    expect((await decodeBody(data, contentEncoding, TEXT.length)).toString()).toBe(TEXT)
    await expect(decodeBody(data, contentEncoding, TEXT.length - 1)).rejects.toThrow(DecodedTooLong)
    await expect(decodeBody(data, contentEncoding, 0)).rejects.toThrow(DecodedTooLong)
  })

  it('takes an empty body with maxBytes 0', async () => {
    expect(await decodeBody(gzip(''), 'gzip', 0)).toEqual(Buffer.alloc(0))
  })

  it('counts the last output alone, not what lies between codings', async () => {
    expect((await decodeBody(gzip(br('a'.repeat(9000)).subarray()), 'br, gzip', 9000)).length).toBe(9000)
    expect((await decodeBody(gzip(gzip('')), 'gzip, gzip', 0)).length).toBe(0)
  })

  it('does not unpack the rest of what is too long', async () => {
    const streams: zlib.Gunzip[] = []
    const createGunzip = (options: zlib.ZlibOptions): zlib.Gunzip => {
      streams.push(zlib.createGunzip(options))
      return streams[streams.length - 1]
    }
    const load = jest.spyOn(process, 'getBuiltinModule').mockReturnValue({ ...zlib, createGunzip })
    const bomb = gzip(gzip(Buffer.alloc(50_000_000)))
    await expect(decodeBody(bomb, 'gzip, gzip', 1000)).rejects.toThrow(
      new DecodedTooLong('The decoded body is longer than 1000 bytes'),
    )
    load.mockRestore()
    expect(streams.map(stream => stream.destroyed)).toEqual([true, true])
    expect(streams[1].bytesWritten).toBeLessThan(1000)
  })
})
