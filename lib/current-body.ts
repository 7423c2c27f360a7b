// Owns the body of the response that is being read: what is there of it, in the form that is wanted, and when it has been read to its end.
// It must not know who waits for more.
import type { Collector } from './collector'
import type { Link } from './link'
import type { Exchange } from './protocol/exchange'

const EMPTY = Buffer.alloc(0)

export class CurrentBody {
  readonly #link: Link
  /** The last response handed out. */
  exchange: Exchange | null = null
  /** Has its body been read to the end? */
  isFinished = true
  /** What may still be dropped of it. */
  #droppableBytes = Infinity

  constructor(link: Link) {
    this.#link = link
  }

  /** The body of `exchange` comes next; the one before has been read. */
  begin(exchange: Exchange): void {
    this.exchange = exchange
    this.isFinished = false
    if (exchange.isComplete && exchange.lengthBytes === 0) this.finish()
  }

  /** A part of it, nothing at its end, or null if nothing is there yet. */
  take(maxBytes: number): Buffer | null {
    const exchange = this.exchange!
    if (this.isFinished) return EMPTY
    if (exchange.availableBytes === 0) {
      if (!exchange.isComplete) return null
      this.finish()
      return EMPTY
    }
    const isRest = exchange.isComplete
    const part = exchange.takeBody(maxBytes)
    this.#link.consumed(part.length)
    if (isRest && exchange.lengthBytes !== null && exchange.availableBytes === 0) this.finish()
    return part
  }

  /** As `take`, into the caller's memory; says how much. */
  copy(target: Uint8Array): number | null {
    const exchange = this.exchange!
    if (this.isFinished) return 0
    if (exchange.availableBytes === 0) {
      if (!exchange.isComplete) return null
      this.finish()
      return 0
    }
    const copied = exchange.copyBody(target, 0)
    this.#link.consumed(copied)
    if (exchange.isComplete && exchange.lengthBytes !== null && exchange.availableBytes === 0) this.finish()
    return copied
  }

  /** What is left of it, or null if not all of that is there. */
  takeAll(): Buffer | null {
    if (this.isFinished) return EMPTY
    const exchange = this.exchange!
    if (!exchange.isComplete) return null
    const available = exchange.availableBytes
    let body: Buffer
    if (exchange.store === null) {
      body = available === 0 ? EMPTY : exchange.takeBody(available)
    } else {
      body = Buffer.allocUnsafe(available)
      exchange.copyBody(body, 0)
    }
    this.#link.consumed(available)
    this.finish()
    return body
  }

  /** Puts what is there with what came before; says whether that was the rest. */
  collect(collector: Collector): boolean {
    const exchange = this.exchange!
    this.#link.consumed(collector.take(exchange))
    if (exchange.isComplete) this.finish()
    return exchange.isComplete
  }

  /** What was collected is unread again. */
  giveBack(collected: Buffer): void {
    this.exchange!.addBody(collected, 0, collected.length)
    this.#link.kept(collected.length)
  }

  /**
   * Drops what is there; says whether that was the rest.
   *
   * @param limitBytes - as much is dropped in all; if the body goes on beyond it, the link ends
   */
  drop(limitBytes: number): boolean {
    this.#droppableBytes = limitBytes
    return this.isFinished || this.dropMore()
  }

  dropMore(): boolean {
    const exchange = this.exchange!
    const dropped = exchange.dropBody()
    this.#link.consumed(dropped)
    if (exchange.isComplete) {
      this.finish()
      return true
    }
    this.#droppableBytes -= dropped
    if (this.#droppableBytes < 0)
      this.#link.abandon('the rest of a body that was too long is too long to be dropped')
    return false
  }

  finish(): void {
    this.isFinished = true
    this.exchange!.dropBody()
    this.#link.queue.shift()
  }
}
