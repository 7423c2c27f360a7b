// Owns the memory that a plain socket is read into (`onread` of `net.connect`), and when it may be read into again. It must not know
// what the bytes mean.

/** As much is read at a time. */
const BUFFER_BYTES = 65_536
/** As much of a read is copied, so that a small part of the memory does not keep all of it from being used again. */
const COPIED_BYTES = 32_768

/** Takes a segment; true = something still refers to it, so that its memory may not be used again. */
export type SegmentTaker = (segment: Buffer) => boolean

export class SocketReader {
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #taker: SegmentTaker | null = null
  /** What came before there was anybody to take it. */
  #early: Buffer[] = []

  /** For `net.connect`. */
  readonly onread = {
    buffer: (): Buffer => this.#buffer,
    callback: (bytes: number): boolean => {
      this.#onRead(bytes)
      return true
    },
  }

  /** Hands over all that comes, and has come. */
  start(taker: SegmentTaker): void {
    this.#taker = taker
    const early = this.#early
    this.#early = []
    for (const segment of early) taker(segment)
  }

  #onRead(bytes: number): void {
    const part = this.#buffer.subarray(0, bytes)
    if (this.#taker === null) {
      this.#early.push(Buffer.from(part))
    } else if (bytes <= COPIED_BYTES) {
      this.#taker(copyOf(part))
    } else if (this.#taker(part)) {
      this.#buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    }
  }
}

/** In memory of its own: a part of the pool would keep the pool alive. */
function copyOf(part: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(part.length)
  part.copy(copy)
  return copy
}
