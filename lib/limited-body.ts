// Owns bodies that are decoded or counted while they are read off the connection.
import { decodeChunks } from './decompress'
import { sizeError, targetError } from './read-arguments'
import { BodyTooLong, StateError } from './errors'
import { codingOf, decodingError } from './content-coding'
import type { Exchange } from './protocol/exchange'
import { HTTPResponse, type StreamingBody } from './response'
import type { ResponseReader } from './response-reader'

const EMPTY = Buffer.alloc(0)
const END: IteratorResult<Buffer, undefined> = { done: true, value: undefined }

/**
 * The parts of a body as they come. To whoever decodes them it never fails: a read that did, after a timeout for one, is made again when
 * the caller asks again, and nothing is lost.
 */
class ReceivedParts implements AsyncIterable<Buffer> {
  readonly #source: ResponseReader
  readonly #exchange: Exchange
  #readAgain: (() => void) | null = null
  /** Is told why nothing comes for now. */
  onFailure: (error: unknown) => void = () => undefined

  constructor(source: ResponseReader, exchange: Exchange) {
    this.#source = source
    this.#exchange = exchange
  }

  resume(): void {
    this.#readAgain?.()
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return { next: () => new Promise(resolve => this.#read(resolve)) }
  }

  #read(resolve: (step: IteratorResult<Buffer, undefined>) => void): void {
    this.#readAgain = null
    this.#source.read(this.#exchange, Infinity).then(
      part => resolve(part.length === 0 ? END : { done: false, value: part }),
      (error: unknown) => {
        this.#readAgain = () => this.#read(resolve)
        this.onFailure(error)
      },
    )
  }
}

class LimitedBody implements StreamingBody {
  readonly #response: HTTPResponse
  readonly #source: ResponseReader
  readonly #exchange: Exchange
  readonly #maxBytes: number
  readonly #onTooLong: () => void
  readonly #received: ReceivedParts
  readonly #parts: AsyncIterator<Uint8Array, unknown>
  /** The step that is under way, or was when a read failed. */
  #step: Promise<IteratorResult<Uint8Array, unknown>> | null = null
  #rest: Buffer = EMPTY
  #readBytes = 0
  /** Why nothing more can be made of the body. */
  #error: { readonly error: unknown } | null = null
  /** Has its end been seen? */
  #isOver = false
  #isBusy = false

  constructor(
    response: HTTPResponse,
    source: ResponseReader,
    exchange: Exchange,
    coding: string | null,
    maxBytes: number,
    onTooLong: () => void,
  ) {
    this.#response = response
    this.#source = source
    this.#exchange = exchange
    this.#maxBytes = maxBytes
    this.#onTooLong = onTooLong
    this.#received = new ReceivedParts(source, exchange)
    const parts = coding === null ? this.#received : decodeChunks(this.#received, coding)
    this.#parts = parts[Symbol.asyncIterator]()
    if (coding === null && (exchange.lengthBytes ?? 0) > maxBytes) this.#setTooLong()
  }

  async read(_exchange: Exchange, maxBytes: number): Promise<Buffer> {
    const wrong = sizeError(maxBytes)
    if (wrong !== null) throw wrong
    return this.#alone(async () => {
      await this.#fetch()
      return this.#take(maxBytes)
    })
  }

  async readInto(_exchange: Exchange, target: Uint8Array): Promise<number> {
    const wrong = targetError(target)
    if (wrong !== null) throw wrong
    return this.#alone(async () => {
      await this.#fetch()
      return this.#take(target.length).copy(target)
    })
  }

  async readAll(): Promise<Buffer> {
    return this.#alone(async () => {
      const parts: Buffer[] = []
      try {
        while (await this.#fetch()) parts.push(this.#take(Infinity))
      } catch (error) {
        this.#rest = Buffer.concat(parts)
        throw error
      }
      return Buffer.concat(parts)
    })
  }

  /** What is dropped is neither decoded nor counted. */
  async discard(): Promise<void> {
    return this.#alone(async () => {
      await this.#source.discard(this.#exchange)
      this.#isOver = true
      this.#rest = EMPTY
    })
  }

  giveUp(): void {
    this.#source.giveUp(this.#exchange)
  }

  async #alone<T>(read: () => Promise<T>): Promise<T> {
    if (this.#isBusy) throw new StateError('another read is pending')
    this.#isBusy = true
    try {
      return await read()
    } finally {
      this.#isBusy = false
    }
  }

  #take(maxBytes: number): Buffer {
    const part = this.#rest.subarray(0, Math.min(maxBytes, this.#rest.length))
    this.#rest = this.#rest.subarray(part.length)
    return part
  }

  /** Makes sure that there are bytes to be taken; false at the end. */
  async #fetch(): Promise<boolean> {
    const refusal = this.#source.refusal(this.#exchange)
    if (refusal !== null) throw refusal
    if (this.#isOver) return false
    if (this.#source.closeError !== null) throw this.#source.closeError
    if (this.#error !== null) throw this.#error.error
    while (this.#rest.length === 0) {
      const step = await this.#next()
      if (step.done === true) {
        this.#isOver = true
        return false
      }
      const part = step.value
      this.#readBytes += part.length
      if (this.#readBytes > this.#maxBytes) throw this.#setTooLong()
      this.#rest = Buffer.from(part.buffer, part.byteOffset, part.length)
    }
    return true
  }

  #next(): Promise<IteratorResult<Uint8Array, unknown>> {
    return new Promise((resolve, reject) => {
      this.#received.onFailure = reject
      this.#step ??= this.#parts.next()
      this.#step.then(
        step => {
          this.#step = null
          resolve(step)
        },
        (error: unknown) => {
          // Once a coding has been found corrupt, there is nothing behind it that could be trusted.
          this.#error = { error: decodingError(error, this.#response) }
          reject(this.#error.error)
        },
      )
      this.#received.resume()
    })
  }

  #setTooLong(): Error {
    const { method, path } = this.#response
    const message = `the response to ${method} ${path} is longer than ${this.#maxBytes} bytes`
    const error = new BodyTooLong(message, { response: this.#response })
    this.#error = { error }
    this.#onTooLong()
    return error
  }
}

/**
 * The same response, its body decoded if it says how and `decompress` is set, and held against a limit.
 *
 * @param onTooLong - called when the limit is passed
 */
export function limitedBody(
  response: HTTPResponse,
  source: ResponseReader,
  exchange: Exchange,
  limits: { readonly maxBodyBytes: number; readonly decompress: boolean },
  onTooLong: () => void,
): HTTPResponse {
  const coding = limits.decompress ? codingOf(response.headers) : null
  if (coding === null && limits.maxBodyBytes === Infinity) return response
  const body = new LimitedBody(response, source, exchange, coding, limits.maxBodyBytes, onTooLong)
  return HTTPResponse.withSource(response, body)
}
