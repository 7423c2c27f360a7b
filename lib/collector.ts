// Owns a body that is put together while it arrives, in one Buffer.
import type { Exchange } from './protocol/exchange'

/** As much is set aside at once at most on the word of a server; beyond it the Buffer grows with what really came. */
const MOST_SET_ASIDE_BYTES = 16 * 1024 * 1024
const LEAST_SET_ASIDE_BYTES = 16 * 1024

export class Collector {
  #buffer: Buffer
  #filled = 0

  /** @param expectedBytes - the length that was announced; null if none was */
  constructor(expectedBytes: number | null) {
    this.#buffer = Buffer.allocUnsafeSlow(
      Math.min(expectedBytes ?? LEAST_SET_ASIDE_BYTES, MOST_SET_ASIDE_BYTES),
    )
  }

  get lengthBytes(): number {
    return this.#filled
  }

  /** Moves here what has arrived of the body; says how much that was. */
  take(exchange: Exchange): number {
    const available = exchange.availableBytes
    const needed = this.#filled + available
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, this.#filled)
      this.#buffer = grown
    }
    exchange.copyBody(this.#buffer, this.#filled)
    this.#filled = needed
    return available
  }

  /** The body so far. Memory that was set aside in vain is given back if it is much. */
  toBuffer(): Buffer {
    const body = this.#buffer.subarray(0, this.#filled)
    return this.#filled * 2 < this.#buffer.length ? Buffer.from(body) : body
  }
}
