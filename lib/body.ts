// Owns what request bodies may be given as, and turns each into bytes or a source of chunks with its length and type.
// It must not know connections, framing or header fields other than the Content-Type a body asks for.
import { types } from 'node:util'
import { encodeFormData } from './multipart'

/** Chunks of a body, in order. Node's `Readable`s qualify. It is ended (`return`, `cancel`) when no more is wanted. */
export type BodySource = Iterable<Uint8Array> | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>

/** Whatever the body of a whole exchange may be given as. */
export type ExchangeBody =
  Uint8Array | string | URLSearchParams | Blob | FormData | BodySource | null | undefined

/** Says that the body of a request is given after its head: by `write`, `sendBody` or `endBody`. */
export class BodyFollowing {
  readonly #lengthBytes: number | null

  /** @throws RangeError if the length is neither left out nor a safe integer from 0 on. */
  constructor(lengthBytes?: number) {
    if (lengthBytes !== undefined && !(Number.isSafeInteger(lengthBytes) && lengthBytes >= 0)) {
      throw new RangeError(`lengthBytes must be an integer from 0 to 2^53-1, not ${String(lengthBytes)}`)
    }
    this.#lengthBytes = lengthBytes ?? null
  }

  /** The length announced, in bytes; null if it is not known, and the body goes out in the chunked transfer coding. */
  get lengthBytes(): number | null {
    return this.#lengthBytes
  }
}

/**
 * A body made ready for sending.
 * @internal
 */
export interface EncodedBody {
  /** The whole body where it is at hand, else null. They may be the caller's own. */
  readonly bytes: Uint8Array | null
  /** Null if not known. A source may still give more or less than its length says. */
  readonly lengthBytes: number | null
  /** The `Content-Type` to send unless the caller sets one; null for none. */
  readonly contentType: string | null
  /** May `open` be called more than once? */
  readonly repeatable: boolean
  /** The chunks from the first one on. */
  open(): BodySource
}

/**
 * Turns a body into bytes or a source, with the length, and the type that `fetch` would give it (Fetch standard,
 * section 5.2). Nothing is read from a source, and nothing that is already in memory is copied but text.
 * @returns null for no body.
 * @throws TypeError for anything that is no body.
 * @internal
 */
export function encodeBody(body: ExchangeBody): EncodedBody | null {
  if (body === null || body === undefined) return null
  if (types.isUint8Array(body)) return fromBytes(body, null)
  if (typeof body === 'string') return fromBytes(Buffer.from(body), 'text/plain;charset=UTF-8')
  if (body instanceof URLSearchParams) {
    return fromBytes(Buffer.from(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8')
  }
  if (isBlob(body)) {
    return {
      bytes: null,
      lengthBytes: body.size,
      contentType: body.type === '' ? null : body.type,
      repeatable: true,
      open: () => body.stream() as ReadableStream<Uint8Array>,
    }
  }
  if (isFormData(body)) {
    const form = encodeFormData(body)
    if (form.bytes !== null) return fromBytes(form.bytes, form.contentType)
    return {
      bytes: null,
      lengthBytes: form.lengthBytes,
      contentType: form.contentType,
      repeatable: true,
      open: () => form.open(),
    }
  }
  const source: BodySource = body
  if (!isSource(source)) throw notASource(source)
  return {
    bytes: null,
    lengthBytes: null,
    contentType: null,
    // Of other iterables nobody can tell: a response, for one, is read only once.
    repeatable: Array.isArray(source),
    open: () => source,
  }
}

function fromBytes(bytes: Uint8Array, contentType: string | null): EncodedBody {
  return { bytes, lengthBytes: bytes.byteLength, contentType, repeatable: true, open: () => [bytes] }
}

// Told by their shape: to name the global FormData loads all of Node's fetch, and there are others of the same shape.
function isBlob(value: object): value is Blob {
  const tag = tagOf(value)
  return (tag === 'Blob' || tag === 'File') && typeof (value as Blob).stream === 'function'
}

function isFormData(value: object): value is FormData {
  return tagOf(value) === 'FormData' && typeof (value as FormData).getAll === 'function'
}

function tagOf(value: object): unknown {
  return (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
}

type Chunk = IteratorResult<Uint8Array, undefined>

/**
 * A source under way, one `next` at a time. What is no Uint8Array ends the source and is a `TypeError`; an error of the
 * source itself comes as it is. `return` ends the source early: it waits for nothing, reports no error, and settles a
 * `next` that is pending as the end. After the end, of whatever kind, `next` says again that this is the end.
 * @internal
 */
export type SourceIterator =
  | { readonly isAsync: false; next(): Chunk; return(): Chunk }
  | { readonly isAsync: true; next(): Promise<Chunk>; return(): Promise<Chunk> }

const END: Chunk = { done: true, value: undefined }

const ignore = (): void => {}

/**
 * Begins to read a source. That of a synchronous iterable is synchronous.
 * @throws TypeError for what is no source, strings and typed arrays among it, and for a stream that is in use already.
 * @internal
 */
export function iterateSource(source: BodySource): SourceIterator {
  if (!isSource(source)) throw notASource(source)
  // A reader can be cancelled while a read is pending; the stream's own async iterator would wait for that read.
  if ('getReader' in source) return new AsyncSource(readerOf(source))
  if (Symbol.asyncIterator in source) {
    const iterator = source[Symbol.asyncIterator]()
    return new AsyncSource(isNodeReadable(source) ? destroyedAtReturn(source, iterator) : iterator)
  }
  return new SyncSource(source[Symbol.iterator]())
}

class SyncSource {
  readonly isAsync = false
  readonly #iterator: Iterator<Uint8Array>
  #isOver = false

  constructor(iterator: Iterator<Uint8Array>) {
    this.#iterator = iterator
  }

  next(): Chunk {
    if (this.#isOver) return END
    // Whatever is thrown from here to the end of the check, the source is over.
    this.#isOver = true
    const result = this.#iterator.next()
    if (result.done === true) return END
    this.#isOver = false
    if (types.isUint8Array(result.value)) return { done: false, value: result.value }
    this.return()
    throw notAChunk(result.value)
  }

  return(): Chunk {
    if (!this.#isOver) {
      this.#isOver = true
      try {
        this.#iterator.return?.()
      } catch {
        // Nobody wants to know how a source fails that was given up.
      }
    }
    return END
  }
}

class AsyncSource {
  readonly isAsync = true
  readonly #iterator: AsyncIterator<Uint8Array>
  #isOver = false
  #settlePending: (chunk: Chunk) => void = ignore

  constructor(iterator: AsyncIterator<Uint8Array>) {
    this.#iterator = iterator
  }

  next(): Promise<Chunk> {
    if (this.#isOver) return Promise.resolve(END)
    return new Promise((resolve, reject) => {
      this.#settlePending = resolve
      const onFailure = (error: unknown): void => {
        this.#isOver = true
        reject(error)
      }
      const onResult = (result: IteratorResult<Uint8Array>): void => {
        if (result.done === true) {
          this.#isOver = true
          resolve(END)
        } else if (types.isUint8Array(result.value)) {
          resolve({ done: false, value: result.value })
        } else {
          reject(notAChunk(result.value))
          void this.return()
        }
      }
      try {
        Promise.resolve(this.#iterator.next()).then(onResult).catch(onFailure)
      } catch (error) {
        onFailure(error)
      }
    })
  }

  return(): Promise<Chunk> {
    if (!this.#isOver) {
      this.#isOver = true
      this.#settlePending(END)
      try {
        Promise.resolve(this.#iterator.return?.()).catch(ignore)
      } catch {
        // As above: a source that was given up may fail as it likes.
      }
    }
    return Promise.resolve(END)
  }
}

function readerOf(stream: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  const reader = stream.getReader()
  return {
    next: async () => {
      const result = await reader.read()
      if (result.done) reader.releaseLock()
      return result as IteratorResult<Uint8Array>
    },
    return: async () => {
      await reader.cancel()
      return END
    },
  }
}

interface NodeReadable extends AsyncIterable<Uint8Array> {
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

function isNodeReadable(source: object): source is NodeReadable {
  const shape = source as { pipe?: unknown; destroy?: unknown }
  return typeof shape.pipe === 'function' && typeof shape.destroy === 'function'
}

/** A stream's own iterator destroys it only once the pending read is over, which may be never. */
function destroyedAtReturn(
  stream: NodeReadable,
  iterator: AsyncIterator<Uint8Array>,
): AsyncIterator<Uint8Array> {
  return {
    next: () => iterator.next(),
    return: async () => {
      stream.on('error', ignore)
      stream.destroy()
      await iterator.return?.()
      return END
    },
  }
}

function isSource(source: unknown): source is BodySource {
  if (typeof source !== 'object' || source === null || ArrayBuffer.isView(source)) return false
  const shape = source as Record<PropertyKey, unknown>
  return (
    typeof shape.getReader === 'function' ||
    typeof shape[Symbol.asyncIterator] === 'function' ||
    typeof shape[Symbol.iterator] === 'function'
  )
}

function notASource(source: unknown): TypeError {
  return new TypeError(`Not a body or a source of one: ${describe(source)}`)
}

function notAChunk(chunk: unknown): TypeError {
  return new TypeError(`A body source must give Uint8Arrays, not ${describe(chunk)}`)
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value !== 'object') return `a ${typeof value}`
  const { constructor } = value as { constructor?: { name?: unknown } }
  return typeof constructor?.name === 'string' ? `an instance of ${constructor.name}` : 'an object'
}
