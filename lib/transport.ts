// Owns one Duplex: hands it bytes a slice at a time, pauses it, and tells how it ended. It knows nothing of HTTP.
import type { Duplex } from 'node:stream'
import { afterPoll } from './turns'
import { interceptWriteErrors } from './net/write-errors'
import type { Dialled } from './net/dial'
import type { Trace } from './trace'

/** As much is handed over at a time: a larger write would report no progress while it moves. */
export const SLICE_BYTES = 65_536

export interface TransportListener {
  /** Bytes came. True = something still refers to the segment, so that its memory may not be used again. */
  onData(segment: Buffer): boolean
  /** What was handed over has been taken; more may come. */
  onWritten(): void
  /** Nothing can be sent any more. Reading goes on until `onLost` or `onEnd`. */
  onWriteFailed(cause: Error): void
  /** The peer has ended its side; `onEnd` follows when it is known how. Nothing that is sent now will be answered. */
  onEnding(): void
  /** The peer's side has ended. `isClean`: by a FIN, under TLS by a close_notify. */
  onEnd(isClean: boolean): void
  /** The transport is gone. */
  onLost(cause: Error | null): void
}

export class Transport {
  readonly #stream: Duplex
  readonly #dialled: Dialled
  readonly #listener: TransportListener
  readonly #trace: Trace | null
  #isOver = false
  #writeError: Error | null = null
  #issued = 0
  #taken = 0
  #isWaiting = false
  /** Segments seen, so that a look after two turns of the loop can tell whether any came. */
  #received = 0
  #isPaused = false

  bytesSent = 0
  bytesReceived = 0

  constructor(dialled: Dialled, listener: TransportListener, trace: Trace | null) {
    this.#dialled = dialled
    this.#stream = dialled.stream
    this.#listener = listener
    this.#trace = trace
    // A failed write is reported here and not to the stream, which stays as it is, and is read to its end.
    interceptWriteErrors(this.#stream, this.#onWriteError)
    this.#stream.on('end', this.#onEnd)
    this.#stream.on('error', this.#onError)
    this.#stream.on('close', this.#onClose)
    if (dialled.reader === null) this.#stream.on('data', this.#onData)
    else dialled.reader.start(this.#onData)
    if (this.#stream.destroyed) afterPoll(this.#onClose)
  }

  /** Is something handed over that has not been taken? Nothing more may be written meanwhile. */
  get isBusy(): boolean {
    return this.#isWaiting || this.#writeError !== null
  }

  /** Are bytes still its own when they have been taken? */
  get mayKeepBytes(): boolean {
    return this.#dialled.isGiven
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /**
   * Hands over text (latin1) and what stands behind it, in one write where the stream can.
   *
   * @returns true if all was taken at once; otherwise `onWritten` says when
   */
  write(text: string, more: readonly (string | Uint8Array)[] | null): boolean {
    const stream = this.#stream
    this.#issued++
    this.#isWaiting = true
    if (more === null) {
      this.#count(text)
      stream.write(text, 'latin1', this.#onWritten)
    } else {
      const parts = text === '' ? more : [text, ...more]
      stream.cork()
      for (const [index, part] of parts.entries()) {
        this.#count(part)
        stream.write(part, 'latin1', index === parts.length - 1 ? this.#onWritten : undefined)
      }
      stream.uncork()
    }
    if (stream.writableLength === 0 && this.#writeError === null && !stream.destroyed) this.#isWaiting = false
    return !this.#isWaiting
  }

  #count(part: string | Uint8Array): void {
    this.bytesSent += part.length
    this.#trace?.sent(part)
  }

  pause(): void {
    if (this.#isPaused || this.#isOver) return
    this.#isPaused = true
    this.#stream.pause()
  }

  resume(): void {
    if (!this.#isPaused || this.#isOver) return
    this.#isPaused = false
    this.#stream.resume()
    if (this.#writeError !== null) this.#readOut()
  }

  /** Ends our side after all that was handed over, then lets go of the transport. */
  end(): void {
    if (this.#isOver) return
    if (this.isBusy || this.#stream.writableEnded) return this.destroy()
    this.#isOver = true
    const stream = this.#stream
    stream.resume()
    stream.end(() => stream.destroy())
  }

  /** Destroys the transport; nothing is reported any more. */
  destroy(): void {
    this.#isOver = true
    this.#stream.destroy()
  }

  /** Resolves when the transport has let go of its resources. */
  async closed(): Promise<void> {
    const stream = this.#stream
    if (stream.closed) return
    await new Promise<void>(resolve => {
      stream.once('close', resolve)
      // A stream need not say 'close'.
      if (stream.destroyed) afterPoll(() => afterPoll(resolve))
    })
  }

  readonly #onData = (segment: Buffer): boolean => {
    this.#received++
    this.bytesReceived += segment.length
    if (this.#isOver) return false
    this.#trace?.received(segment)
    return this.#listener.onData(segment)
  }

  readonly #onWritten = (error?: Error | null): void => {
    // What `_write` reports does not come here: the stream was destroyed or ended by somebody else.
    if (error) return this.#onWriteError(error)
    this.#taken++
    if (this.#taken !== this.#issued || !this.#isWaiting || this.#isOver) return
    this.#isWaiting = false
    this.#listener.onWritten()
  }

  readonly #onWriteError = (error: Error): void => {
    if (this.#isOver || this.#writeError !== null) return
    this.#writeError = error
    this.#trace?.note(`write failed: ${error.message}`)
    this.#listener.onWriteFailed(error)
    this.#readOut()
  }

  /** After a failed write: gives up when nothing came for two turns of the loop. While it is paused, nothing can come. */
  #readOut(): void {
    const before = this.#received
    afterPoll(() => {
      if (this.#isOver || this.#isPaused) return
      if (this.#received === before) this.#lose(this.#writeError)
      else this.#readOut()
    })
  }

  readonly #onEnd = (): void => {
    if (this.#isOver) return
    this.#trace?.note('end')
    this.#listener.onEnding()
    void this.#dialled.endedCleanly().then(isClean => {
      // What is left of a reset that a write has found out looks like a FIN.
      const isMeant = isClean && this.#writeError === null
      if (!isMeant) this.#trace?.note('error: the end was not clean')
      if (!this.#isOver) this.#listener.onEnd(isMeant)
    })
  }

  readonly #onError = (error: Error): void => {
    this.#trace?.note(`error: ${error.message}`)
    this.#lose(error)
  }

  readonly #onClose = (): void => {
    this.#trace?.close()
    this.#lose(this.#writeError)
  }

  #lose(cause: Error | null): void {
    if (this.#isOver) return
    this.destroy()
    this.#listener.onLost(cause)
  }
}
