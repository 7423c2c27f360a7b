// Owns the response as callers hold it. The body comes from its connection as long as it is read there, or from memory.
import type { Readable } from 'node:stream'
import { sizeError, targetError } from './read-arguments'
import { HTTPHeaders } from './headers'
import type { Exchange } from './protocol/exchange'

/**
 * Where a body that is not in memory is read. `exchange` says whose it is, so that a response that is no longer the current one of
 * its connection cannot read another's.
 * @internal
 */
export interface StreamingBody {
  read(exchange: Exchange, maxBytes: number): Promise<Buffer>
  readInto(exchange: Exchange, target: Uint8Array): Promise<number>
  readAll(exchange: Exchange): Promise<Buffer>
  discard(exchange: Exchange): Promise<void>
  /** Nobody waits any more for the read that is pending. */
  giveUp(exchange: Exchange): void
}

interface Rare {
  /** The head of an interim response; others have theirs from the exchange. */
  head: string | null
  trailers: HTTPHeaders | null
  /** How far `read` has come in a body in memory. */
  position: number
}

const EMPTY = Buffer.alloc(0)
const NO_HEADERS = '\r\n'

function decodeText(body: Buffer, contentType: string | null): string {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'
  let decoder: InstanceType<typeof TextDecoder>
  try {
    decoder = new TextDecoder(charset)
  } catch {
    decoder = new TextDecoder()
  }
  return decoder.decode(body)
}

/**
 * A response: its head, and its body to be read.
 *
 * From `readResponse` and `pipeline` the body is read off the connection, once and in order; a body of known `length` ends with its last
 * byte, any other when a read has returned the end. From `request` it is in memory, and `readAll`, `text` and `json` may be called
 * again. A body is complete or the read rejects; what may be thrown is what the connection's own reads throw.
 */
export class HTTPResponse implements AsyncIterable<Buffer> {
  readonly #exchange: Exchange
  /** Null if the body is in memory. */
  #source: StreamingBody | null
  #headers: HTTPHeaders | null = null
  /** The body in memory, once it was asked for. */
  #body: Buffer | null = null
  /** What few responses need. */
  #rare: Rare | null = null
  /** The status code. */
  readonly status: number

  /** @internal */
  constructor(exchange: Exchange, source: StreamingBody | null) {
    this.#exchange = exchange
    this.#source = source
    this.status = exchange.status
  }

  /**
   * An interim response, which has no body.
   * @internal
   */
  static ofInterim(exchange: Exchange, status: number, head: string): HTTPResponse {
    const response = new HTTPResponse(exchange, null)
    ;(response as { status: number }).status = status
    response.#needRare().head = head
    response.#body = EMPTY
    return response
  }

  /**
   * The head of a response whose body cannot be read.
   * @internal
   */
  static ofHead(exchange: Exchange): HTTPResponse {
    const response = new HTTPResponse(exchange, null)
    response.#body = EMPTY
    return response
  }

  /**
   * The same response with its body read from elsewhere.
   * @internal
   */
  static withSource(response: HTTPResponse, source: StreamingBody): HTTPResponse {
    response.#source = source
    return response
  }

  /**
   * A response with a body in memory that replaces what arrived.
   * @internal
   */
  static ofBody(exchange: Exchange, body: Buffer): HTTPResponse {
    const response = new HTTPResponse(exchange, null)
    response.#body = body
    return response
  }

  /** The method of the request it answers, as the caller gave it. */
  get method(): string {
    return this.#exchange.method
  }

  /** The path of the request it answers, as the caller gave it. */
  get path(): string {
    return this.#exchange.path
  }

  /** The reason phrase; empty if there was none. It means nothing to a client (RFC 9112 section 4). */
  get reason(): string {
    const head = this.#headText
    return head.slice(13, head.indexOf('\r', 12))
  }

  /** The header fields. They are the caller's to change. */
  get headers(): HTTPHeaders {
    if (this.#headers !== null) return this.#headers
    const head = this.#headText
    return (this.#headers = HTTPHeaders.fromSection(head, head.indexOf('\n') + 1))
  }

  /** The trailer fields of a chunked body (RFC 9110 section 6.5); filled when the body has been read. */
  get trailers(): HTTPHeaders {
    const rare = this.#needRare()
    if (rare.trailers !== null) return rare.trailers
    const { trailers, isComplete } = this.#exchange
    const section = HTTPHeaders.fromSection(trailers === '' ? NO_HEADERS : trailers, 0)
    if (isComplete) rare.trailers = section
    return section
  }

  /** Bytes of the body as framed; 0 without a body, as after HEAD; null if the head does not tell. */
  get length(): number | null {
    return this.status < 200 ? 0 : this.#exchange.lengthBytes
  }

  /**
   * Reads what is there, at least one byte, at most `maxBytes`; an empty Buffer means the end. It belongs to the caller.
   *
   * @throws RangeError for a `maxBytes` of 0; StateError if the body is no longer the connection's current one
   */
  read(maxBytes = Infinity): Promise<Buffer> {
    if (this.#source !== null) return this.#source.read(this.#exchange, maxBytes)
    const wrong = sizeError(maxBytes)
    if (wrong !== null) return Promise.reject(wrong)
    const body = this.#bodyInMemory()
    const rare = this.#needRare()
    const part = body.subarray(rare.position, rare.position + Math.min(maxBytes, body.length))
    rare.position += part.length
    return Promise.resolve(part)
  }

  /**
   * Reads into `target` and says how many bytes; 0 means the end.
   *
   * @throws RangeError for an empty target; StateError as `read`
   */
  readInto(target: Uint8Array): Promise<number> {
    if (this.#source !== null) return this.#source.readInto(this.#exchange, target)
    const wrong = targetError(target)
    if (wrong !== null) return Promise.reject(wrong)
    const rare = this.#needRare()
    const copied = this.#bodyInMemory().copy(target, 0, rare.position)
    rare.position += copied
    return Promise.resolve(copied)
  }

  /** Reads all that is left of the body; all of it, again and again, if it is in memory. */
  readAll(): Promise<Buffer> {
    if (this.#source !== null) return this.#source.readAll(this.#exchange)
    return Promise.resolve(this.#bodyInMemory())
  }

  /** The body as text, by the charset of Content-Type, else UTF-8. */
  async text(): Promise<string> {
    return decodeText(await this.readAll(), this.headers.get('content-type'))
  }

  /**
   * The body as JSON, which is UTF-8 (RFC 8259 section 8.1).
   *
   * @throws SyntaxError if it is none
   */
  async json(): Promise<unknown> {
    return JSON.parse(decodeText(await this.readAll(), null)) as unknown
  }

  /** Reads the rest of the body and drops it. */
  discard(): Promise<void> {
    if (this.#source !== null) return this.#source.discard(this.#exchange)
    this.#needRare().position = this.#bodyInMemory().length
    return Promise.resolve()
  }

  /** The body in parts as they come. Leaving the loop early leaves the rest unread. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const part = await this.read()
      if (part.length === 0) return
      yield part
    }
  }

  /** The body as a Node stream, which reads nothing ahead. Destroying it leaves the rest unread. */
  toReadable(): Readable {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- `read` has the stream as its own `this`
    const response = this
    let isReading = false
    // Loaded when it is wanted: few programs need it, and it is half of what loading the package would cost.
    const { Readable } = process.getBuiltinModule('node:stream')
    return new Readable({
      highWaterMark: 0,
      read: function (this: Readable) {
        isReading = true
        response.read().then(
          part => {
            isReading = false
            this.push(part.length === 0 ? null : part)
          },
          (error: unknown) => {
            isReading = false
            this.destroy(error as Error)
          },
        )
      },
      destroy: (error, callback) => {
        if (isReading) this.#source?.giveUp(this.#exchange)
        callback(error)
      },
    })
  }

  /** The body as a web stream of bytes, which reads nothing ahead. Cancelling it leaves the rest unread. */
  toWeb(): ReadableStream<Uint8Array> {
    let isReading = false
    return new ReadableStream<Uint8Array>(
      {
        pull: async controller => {
          isReading = true
          const part = await this.read().finally(() => (isReading = false))
          if (part.length === 0) controller.close()
          else controller.enqueue(part)
        },
        cancel: () => {
          if (isReading) this.#source?.giveUp(this.#exchange)
        },
      },
      { highWaterMark: 0 },
    )
  }

  get #headText(): string {
    return this.#rare?.head ?? this.#exchange.head
  }

  #needRare(): Rare {
    return (this.#rare ??= { head: null, trailers: null, position: 0 })
  }

  #bodyInMemory(): Buffer {
    if (this.#body !== null) return this.#body
    const exchange = this.#exchange
    const { availableBytes } = exchange
    if (availableBytes === 0) return (this.#body = EMPTY)
    if (exchange.store === null) {
      this.#body = exchange.takeBody(availableBytes)
    } else {
      this.#body = Buffer.allocUnsafe(availableBytes)
      exchange.copyBody(this.#body, 0)
    }
    exchange.dropBody()
    return this.#body
  }
}
