// Owns the undoing of content codings (RFC 9110 section 8.4): gzip, deflate and br. It must not know responses or
// connections; what an error means for them is the caller's to say.
import type { Transform } from 'node:stream'

/** What is asked for where bodies are to be decoded: each coding that can be undone here. */
export const ACCEPT_ENCODING = 'gzip, deflate, br'

/** The data break the rules of their coding, stop short of its end, or go on behind it. */
export class CorruptBody extends Error {
  override readonly name = 'CorruptBody'
}

/** The decoded body is longer than it may be. */
export class DecodedTooLong extends Error {
  override readonly name = 'DecodedTooLong'
}

type Coding = 'gzip' | 'deflate' | 'br'

const CODINGS = new Map<string, Coding>([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
])

// Each coding costs memory and time of its own, and a header section has room for thousands.
const MOST_CODINGS = 5

// Each trip to zlib fills at most one of these.
const OUTPUT_CHUNK_BYTES = 32_768

const TRAILING = 'bytes behind its end'

/**
 * The codings to undo, in the order in which to undo them: none where there are none, and none where one of them is not
 * known or they are more than five, since then the body is left as it is.
 */
function codingsToUndo(contentEncoding: string | null): Coding[] {
  if (contentEncoding === null) return []
  const codings: Coding[] = []
  for (const item of contentEncoding.split(',')) {
    const name = item.trim().toLowerCase()
    if (name === '' || name === 'identity') continue
    const coding = CODINGS.get(name)
    if (coding === undefined || codings.length === MOST_CODINGS) return []
    // They are listed in the order in which they were applied.
    codings.unshift(coding)
  }
  return codings
}

/** Is there a content coding, and can all there are be undone? Otherwise a body is left as it is. */
export function isDecodable(contentEncoding: string | null): boolean {
  return codingsToUndo(contentEncoding).length > 0
}

/**
 * Decodes a body as its chunks come; a chunk is asked for only while output is awaited. An empty body stays empty. The
 * chunks are ended with the output, also when it is left early.
 * @throws CorruptBody, from the iteration, for data that are not whole and exact; chunks before may have been given.
 */
export function decodeChunks(
  chunks: AsyncIterable<Uint8Array>,
  contentEncoding: string | null,
): AsyncIterable<Uint8Array> {
  return codingsToUndo(contentEncoding).reduce(undo, chunks)
}

/**
 * Decodes a whole body. Output is dropped as soon as it is more than `maxBytes`.
 * @throws CorruptBody for data that are not whole and exact.
 * @throws DecodedTooLong for more than `maxBytes`, counted after decoding.
 */
export async function decodeBody(
  bytes: Uint8Array,
  contentEncoding: string | null,
  maxBytes = Infinity,
): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let lengthBytes = 0
  const take = (piece: Uint8Array): void => {
    lengthBytes += piece.length
    if (lengthBytes > maxBytes) throw new DecodedTooLong(`The decoded body is longer than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  const small = decodeSmall(bytes, codingsToUndo(contentEncoding))
  if (small !== null) take(small)
  else for await (const piece of decodeChunks(once(bytes), contentEncoding)) take(piece)
  return Buffer.concat(pieces, lengthBytes)
}

/**
 * Decodes at once, in this thread, at a tenth of the cost of a stream.
 * @returns null where more than one chunk would come out, which might then be any number.
 */
function decodeSmall(bytes: Uint8Array, codings: readonly Coding[]): Uint8Array | null {
  if (bytes.length > OUTPUT_CHUNK_BYTES) return null
  for (const coding of codings) {
    if (bytes.length === 0) break
    const zlib = loadZlib()
    const options = { chunkSize: OUTPUT_CHUNK_BYTES, maxOutputLength: OUTPUT_CHUNK_BYTES, info: true }
    let result
    try {
      if (coding === 'gzip') result = zlib.gunzipSync(bytes, options)
      else if (coding === 'br') result = zlib.brotliDecompressSync(bytes, options)
      else if (isZlibHeader(bytes[0])) result = zlib.inflateSync(bytes, options)
      else result = zlib.inflateRawSync(bytes, options)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null
      throw corrupt(coding, (error as Error).message, error)
    }
    // Node's types do not know what `info` does.
    const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
    if (engine.bytesWritten !== bytes.length) throw corrupt(coding, TRAILING)
    bytes = buffer
  }
  return bytes
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* undo(chunks: AsyncIterable<Uint8Array>, coding: Coding): AsyncGenerator<Uint8Array> {
  let decoder: Decoder | null = null
  try {
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue
      decoder ??= new Decoder(coding, chunk[0])
      yield* decoder.feed(chunk)
    }
    if (decoder !== null) yield* decoder.finish()
  } finally {
    decoder?.destroy()
  }
}

/** One of Node's zlib streams, driven by hand: a pipeline would read ahead of what is asked for. */
class Decoder {
  readonly #coding: Coding
  readonly #stream: Transform & { readonly bytesWritten: number }
  #fedBytes = 0
  #isChunkTaken = true
  #error: Error | null = null
  #wake: () => void = () => {}

  constructor(coding: Coding, firstByte: number) {
    this.#coding = coding
    this.#stream = createStream(coding, firstByte)
    const wake = (): void => this.#wake()
    this.#stream.on('readable', wake)
    this.#stream.on('end', wake)
    this.#stream.on('error', error => {
      this.#error = error
      wake()
    })
  }

  /** Gives what comes out of a chunk, and takes no other before. */
  async *feed(chunk: Uint8Array): AsyncGenerator<Buffer> {
    this.#fedBytes += chunk.length
    this.#isChunkTaken = false
    this.#stream.write(chunk, error => {
      this.#error ??= error ?? null
      this.#isChunkTaken = true
      this.#wake()
    })
    yield* this.#outputUntil(() => this.#isChunkTaken)
    // zlib takes no more at the end of its data, and says nothing of what is left.
    if (this.#stream.bytesWritten !== this.#fedBytes) throw corrupt(this.#coding, TRAILING)
  }

  /** Gives what is left. */
  async *finish(): AsyncGenerator<Buffer> {
    this.#stream.end()
    yield* this.#outputUntil(() => this.#stream.readableEnded)
  }

  destroy(): void {
    this.#stream.destroy()
  }

  async *#outputUntil(isDone: () => boolean): AsyncGenerator<Buffer> {
    for (;;) {
      const output = this.#stream.read() as Buffer | null
      if (this.#error !== null) throw corrupt(this.#coding, this.#error.message, this.#error)
      if (output !== null) yield output
      else if (isDone()) return
      else await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }
}

function corrupt(coding: Coding, why: string, cause?: unknown): CorruptBody {
  return new CorruptBody(
    `The body is not valid ${coding} data: ${why}`,
    cause === undefined ? undefined : { cause },
  )
}

/** Most programs never need it: loaded when it is needed, it is no part of the package's own load time. */
function loadZlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib')
}

function createStream(coding: Coding, firstByte: number): Transform & { readonly bytesWritten: number } {
  const zlib = loadZlib()
  const options = { chunkSize: OUTPUT_CHUNK_BYTES }
  if (coding === 'gzip') return zlib.createGunzip(options)
  if (coding === 'br') return zlib.createBrotliDecompress(options)
  return isZlibHeader(firstByte) ? zlib.createInflate(options) : zlib.createInflateRaw(options)
}

/**
 * `deflate` means the zlib format (RFC 9110 section 8.4.1.2), but some servers send the bare data. Method 8 with a window
 * of 32 KiB at most (RFC 1950 section 2.2) would be a strange start of those.
 */
function isZlibHeader(firstByte: number): boolean {
  return (firstByte & 0x0f) === 8 && firstByte >> 4 <= 7
}
