// Owns the body of one whole exchange while it is sent from a source, or waits for a 100. It starts when the head has been written and
// ends with the body, a final response, or the connection.
import { iterateSource, type EncodedBody, type SourceIterator } from './body'
import { queueBytes } from './body-writer'
import { ExcessBodyData, StateError } from './errors'
import type { Link } from './link'
import type { Exchange } from './protocol/exchange'
import { lastChunk } from './protocol/request-head'

export interface UploadHooks {
  now(): number
  onWaiting(): void
  /** The body cannot be finished. The request is then of no use, and the connection neither. */
  onUploadFailed(exchange: Exchange, error: unknown): void
}

export class Upload {
  readonly #link: Link
  readonly #exchange: Exchange
  readonly #body: EncodedBody
  readonly #lengthBytes: number | null
  readonly #expectMs: number | null
  readonly #hooks: UploadHooks
  #source: SourceIterator | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #isBegun = false
  #isStopped = false

  /** @param expectMs - how long to wait for a 100, in milliseconds; null = not at all, Infinity = without limit */
  constructor(
    link: Link,
    exchange: Exchange,
    body: EncodedBody,
    lengthBytes: number | null,
    expectMs: number | null,
    hooks: UploadHooks,
  ) {
    this.#link = link
    this.#exchange = exchange
    this.#body = body
    this.#lengthBytes = lengthBytes
    this.#expectMs = expectMs
    this.#hooks = hooks
  }

  /** The head has been written. */
  start(): void {
    if (this.#expectMs === null) return this.go()
    if (this.#expectMs !== Infinity) this.#timer = setTimeout(() => this.go(), this.#expectMs)
  }

  /** The body may be sent: nothing was to be awaited, the 100 came, or its time has passed. */
  go(): void {
    this.#clearTimer()
    if (this.#isBegun || this.#isStopped) return
    this.#isBegun = true
    this.#exchange.awaitsContinue = false
    this.#send().catch((error: unknown) => {
      if (!this.#isStopped) this.#hooks.onUploadFailed(this.#exchange, error)
    })
  }

  /** Nobody wants the rest. */
  stop(): void {
    this.#clearTimer()
    if (this.#isStopped) return
    this.#isStopped = true
    void this.#source?.return()
    // A source that was never begun is ended as well: it may hold a file open.
    if (this.#source === null && this.#body.bytes === null) void this.#open().return()
  }

  #open(): SourceIterator {
    return iterateSource(this.#body.open())
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  async #send(): Promise<void> {
    const exchange = this.#exchange
    const lengthBytes = this.#lengthBytes
    const source = (this.#source = this.#open())
    let sentBytes = 0
    try {
      for (;;) {
        const step = source.isAsync ? await source.next() : source.next()
        if (this.#isStopped) return
        if (step.done === true) break
        if (step.value.length === 0) continue
        sentBytes += step.value.length
        if (lengthBytes !== null && sentBytes > lengthBytes) {
          throw new ExcessBodyData(`the source gave more than the ${lengthBytes} bytes announced`)
        }
        const queued = queueBytes(this.#link, exchange, step.value, lengthBytes === null, this.#hooks.now())
        this.#hooks.onWaiting()
        await queued
        if (this.#isStopped) return
      }
    } catch (error) {
      void source.return()
      throw error
    }
    if (lengthBytes === null) this.#link.outbox.append(exchange, lastChunk())
    else if (sentBytes < lengthBytes)
      throw new StateError(`the source gave ${sentBytes} of ${lengthBytes} bytes`)
    exchange.isBodyOpen = false
    this.#link.outbox.bodyEnded()
  }
}
