// Owns bodies that are decoded or counted while they are read off the connection.
import { decodeChunks } from './decompress'
import { sizeError, targetError } from './read-arguments'
import { BodyTooLong, StateError } from './errors'
import { codingOf, decodingError } from './exchange-runner'
import type { Exchange } from './protocol/exchange'
import { HTTPResponse, type StreamingBody } from './response'

const EMPTY = Buffer.alloc(0)

class LimitedBody implements StreamingBody {
  readonly #response: HTTPResponse
  readonly #maxBytes: number
  readonly #onTooLong: () => void
  readonly #parts: AsyncIterator<Uint8Array>
  #rest: Buffer = EMPTY
  #readBytes = 0
  #error: { readonly error: unknown } | null = null
  #isBusy = false

  constructor(
    response: HTTPResponse,
    parts: AsyncIterable<Uint8Array>,
    maxBytes: number,
    onTooLong: () => void,
  ) {
    this.#response = response
    this.#parts = parts[Symbol.asyncIterator]()
    this.#maxBytes = maxBytes
    this.#onTooLong = onTooLong
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
      while (await this.#fetch()) parts.push(this.#take(Infinity))
      return Buffer.concat(parts)
    })
  }

  async discard(): Promise<void> {
    return this.#alone(async () => {
      while (await this.#fetch()) this.#rest = EMPTY
    })
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
    if (this.#error !== null) throw this.#error.error
    while (this.#rest.length === 0) {
      let step: IteratorResult<Uint8Array, unknown>
      try {
        step = await this.#parts.next()
      } catch (error) {
        // Once a coding has been found corrupt, there is nothing behind it that could be trusted.
        this.#error = { error: decodingError(error, this.#response) }
        throw this.#error.error
      }
      if (step.done === true) return false
      const part = step.value
      this.#readBytes += part.length
      if (this.#readBytes > this.#maxBytes) {
        this.#onTooLong()
        const { method, path } = this.#response
        const message = `the response to ${method} ${path} is longer than ${this.#maxBytes} bytes`
        this.#error = { error: new BodyTooLong(message, { response: this.#response }) }
        throw this.#error.error
      }
      this.#rest = Buffer.from(part.buffer, part.byteOffset, part.length)
    }
    return true
  }
}

/**
 * The same response, its body decoded if it says how and `decompress` is set, and held against a limit.
 *
 * @param onTooLong - called when the limit is passed
 */
export function limitedBody(
  response: HTTPResponse,
  source: StreamingBody,
  exchange: Exchange,
  limits: { readonly maxBodyBytes: number; readonly decompress: boolean },
  onTooLong: () => void,
): HTTPResponse {
  const coding = limits.decompress ? codingOf(response.headers) : null
  if (coding === null && limits.maxBodyBytes === Infinity) return response
  async function* received(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const part = await source.read(exchange, Infinity)
      if (part.length === 0) return
      yield part
    }
  }
  const parts = coding === null ? received() : decodeChunks(received(), coding)
  return HTTPResponse.withSource(response, new LimitedBody(response, parts, limits.maxBodyBytes, onTooLong))
}
