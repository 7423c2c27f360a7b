// Owns the way of requests from the queue of exchanges into the transport: when they are written, how much at a time, and who waits
// for room. It knows no responses.
import { ConnectionTimedOut } from './errors'
import type { Exchange, ExchangeQueue, OutgoingChunk } from './protocol/exchange'
import { SLICE_BYTES, type Transport } from './transport'
import { afterPoll, afterTurn } from './turns'

/** A send waits while as many bytes are queued. */
export const HIGH_WATER_BYTES = 65_536
/**
 * After as many bytes the loop turns before more are handed over. A transport that takes everything at once, and a source that gives
 * everything at once, would otherwise keep answers and timers from being seen.
 */
const BYTES_BEFORE_REST = 1_048_576

export interface Waiter {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
  /** When it began to wait, in milliseconds of `performance.now`. */
  readonly since: number
  /** What it waits for to be taken; null if it waits for room. */
  readonly chunk: OutgoingChunk | null
  /** The one whose body it waits to go on with; null otherwise. */
  readonly exchange: Exchange | null
}

export interface OutboxListener {
  /** The first byte of the request was handed to the transport. */
  onWritten(exchange: Exchange): void
  /** The transport took bytes at once. */
  onMoved(): void
  /** Sends have begun to wait, or wait no more. */
  onWaitersChanged(): void
  /** May a send that waits be given up? */
  mayTimeOut(): boolean
}

const READY = Promise.resolve()

export class Outbox {
  readonly #queue: ExchangeQueue
  readonly #listener: OutboxListener
  #transport: Transport | null = null
  #isScheduled = false
  #isClosed = false
  /** Is a slice being put together? What an owner queues while it is told of that goes out behind it. */
  #isFlushing = false
  #bytesSinceRest = 0
  /** Bytes queued, and bytes handed over but not taken. */
  #queuedBytes = 0
  #inFlightBytes = 0
  /** The newest chunk; it is the last one of the body that is being queued, if any of that is unsent. */
  #tail: OutgoingChunk | null = null
  readonly #roomWaiters = new Set<Waiter>()
  /** In the order of their chunks. */
  readonly #takenWaiters = new Set<Waiter>()

  constructor(queue: ExchangeQueue, listener: OutboxListener) {
    this.#queue = queue
    this.#listener = listener
  }

  /** Bytes that may be queued before sends have to wait. */
  get roomBytes(): number {
    return Math.max(0, HIGH_WATER_BYTES - this.#queuedBytes - this.#inFlightBytes)
  }

  /** Is any send waiting? */
  get isWaitedFor(): boolean {
    return this.#roomWaiters.size + this.#takenWaiters.size > 0
  }

  open(transport: Transport): void {
    this.#transport = transport
    if (this.#queue.sending !== null) this.#schedule()
  }

  /** A request was pushed to the queue. */
  added(exchange: Exchange): void {
    this.#queuedBytes += exchange.unsentHead.length
    for (let chunk = exchange.unsentBody; chunk !== null; chunk = chunk.next)
      this.#queuedBytes += chunk.data.length
    if (!this.#isScheduled) this.#schedule()
  }

  /** A request that was not written is taken out of the queue. */
  removed(exchange: Exchange): void {
    this.#queuedBytes -= exchange.unsentHead.length
    this.#forgetBody(exchange)
    exchange.unsentHead = ''
    this.#releaseWaiters()
  }

  /** Queues body bytes as text (latin1). */
  append(exchange: Exchange, data: string): void {
    const tail = exchange.unsentBody === null ? null : this.#tail
    if (tail === null || typeof tail.data !== 'string' || tail.data.length >= SLICE_BYTES) {
      return this.#append(exchange, { data, next: null, isWaitedFor: false, isHandedOver: false })
    }
    tail.data += data
    this.#queued(exchange, data.length)
  }

  /** Queues body bytes and resolves when they have been taken: until then they are not copied. */
  appendAndWait(exchange: Exchange, data: Uint8Array, since: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const chunk: OutgoingChunk = { data, next: null, isWaitedFor: true, isHandedOver: false }
      this.#takenWaiters.add({ resolve, reject, since, chunk, exchange })
      this.#append(exchange, chunk)
      this.#listener.onWaitersChanged()
    })
  }

  #append(exchange: Exchange, chunk: OutgoingChunk): void {
    if (exchange.unsentBody === null) exchange.unsentBody = chunk
    else this.#tail!.next = chunk
    this.#tail = chunk
    this.#queued(exchange, chunk.data.length)
  }

  #queued(exchange: Exchange, bytes: number): void {
    this.#queuedBytes += bytes
    if (this.#queuedBytes >= SLICE_BYTES && exchange.isWritten) this.flush()
    else if (!this.#isScheduled) this.#schedule()
  }

  /** The body of a request is queued completely: what is behind it may go out. */
  bodyEnded(): void {
    if (!this.#isScheduled) this.#schedule()
  }

  /**
   * Resolves when there is room for more, for more of the body of `exchange` if one is named; rejects when the outbox fails first.
   */
  whenRoom(since: number, exchange: Exchange | null = null): Promise<void> {
    if (this.#transport !== null && !this.#isFull(exchange)) return READY
    return new Promise((resolve, reject) => {
      this.#roomWaiters.add({ resolve, reject, since, chunk: null, exchange })
      this.#listener.onWaitersChanged()
    })
  }

  /** What is queued behind a body is no reason to hold the body up: it would wait for it forever. */
  #isFull(exchange: Exchange | null): boolean {
    if (exchange === null || !exchange.isWritten)
      return this.#queuedBytes + this.#inFlightBytes >= HIGH_WATER_BYTES
    let bytes = this.#inFlightBytes
    for (let chunk = exchange.unsentBody; chunk !== null; chunk = chunk.next) bytes += chunk.data.length
    return bytes >= HIGH_WATER_BYTES
  }

  *#waiters(): Generator<Waiter, void, undefined> {
    yield* this.#roomWaiters
    yield* this.#takenWaiters
  }

  /** A send has waited long enough. What it queued is still sent, but its owner may change the bytes from now on. */
  #giveUp(waiter: Waiter, reason: unknown): void {
    this.#roomWaiters.delete(waiter)
    this.#takenWaiters.delete(waiter)
    if (waiter.chunk !== null) waiter.chunk.data = Buffer.from(waiter.chunk.data as Uint8Array)
    waiter.reject(reason)
  }

  /** Gives up what has waited since `limit` or longer; says since when the oldest of the rest has waited. */
  expire(limit: number): number | null {
    let oldest: number | null = null
    for (const waiter of Array.from(this.#waiters())) {
      if (waiter.since <= limit) {
        this.#giveUp(
          waiter,
          new ConnectionTimedOut('no byte moved while a send waited', { operation: 'send' }),
        )
      } else if (oldest === null || waiter.since < oldest) {
        oldest = waiter.since
      }
    }
    return oldest
  }

  /** Sends nothing any more; all that wait are rejected. */
  fail(reason: unknown): void {
    this.#isClosed = true
    for (const waiter of this.#waiters()) waiter.reject(reason)
    this.#roomWaiters.clear()
    this.#takenWaiters.clear()
  }

  /** The transport has taken what was in flight. */
  taken(): void {
    this.#landed()
    this.flush()
  }

  #landed(): void {
    this.#inFlightBytes = 0
    if (this.#takenWaiters.size === 0) return
    for (const waiter of this.#takenWaiters) {
      if (!waiter.chunk!.isHandedOver) break
      this.#takenWaiters.delete(waiter)
      waiter.resolve()
    }
    this.#listener.onWaitersChanged()
  }

  /** Hands over as much as the transport takes at once. */
  flush(): void {
    const transport = this.#transport
    if (transport === null || this.#isFlushing) return
    this.#isFlushing = true
    while (this.#maySend(transport) && this.#writeSlice(transport)) {
      // As long as the kernel takes it at once, there is more room.
    }
    this.#isFlushing = false
    this.#releaseWaiters()
  }

  #maySend(transport: Transport): boolean {
    return !this.#isClosed && !transport.isBusy && this.#bytesSinceRest < BYTES_BEFORE_REST
  }

  #rest(): void {
    afterTurn(() => {
      this.#bytesSinceRest = 0
      // A request that waits for a whole poll goes on doing so.
      if (!this.#isScheduled) this.flush()
    })
  }

  /**
   * Requests of one turn leave together. On an idle connection they wait for a whole poll of the transport: bytes that are there
   * already are nobody's answer and must be seen first.
   */
  #schedule(): void {
    if (this.#transport === null || this.#isClosed) return
    this.#isScheduled = true
    const flush = (): void => {
      this.#isScheduled = false
      this.flush()
    }
    if (this.#isIdle) afterPoll(flush)
    // Where the last answer came meanwhile, the poll is still to come.
    else afterTurn(() => (this.#isIdle ? afterTurn(flush) : flush()))
  }

  /** Is no written request without its answer? */
  get #isIdle(): boolean {
    const { answering } = this.#queue
    return answering === null || !answering.isWritten
  }

  #writeSlice(transport: Transport): boolean {
    let text = ''
    /** What stands behind `text`: body bytes that are too many to be made text, and all that follows them. */
    let more: (string | Uint8Array)[] | null = null
    let bytes = 0
    let exchange = this.#queue.sending
    while (exchange !== null && bytes < SLICE_BYTES) {
      if (!exchange.isWritten) {
        const head = exchange.unsentHead
        bytes += head.length
        if (more === null) text += head
        else more.push(head)
        exchange.unsentHead = ''
        exchange.isWritten = true
        this.#listener.onWritten(exchange)
      }
      for (
        let chunk = exchange.unsentBody;
        chunk !== null && bytes < SLICE_BYTES;
        chunk = exchange.unsentBody
      ) {
        const part = this.#takePart(exchange, chunk, SLICE_BYTES - bytes, transport.mayKeepBytes)
        bytes += part.length
        if (more !== null) more.push(part)
        else if (typeof part === 'string') text += part
        else more = [part]
      }
      if (exchange.unsentBody !== null || exchange.isBodyOpen) break
      exchange = this.#queue.sending = exchange.next
    }
    if (bytes === 0) return false
    this.#queuedBytes -= bytes
    this.#inFlightBytes = bytes
    this.#bytesSinceRest += bytes
    if (this.#bytesSinceRest >= BYTES_BEFORE_REST) this.#rest()
    if (!transport.write(text, more)) return false
    this.#listener.onMoved()
    this.#landed()
    return true
  }

  /** Takes `chunk`, the first of the unsent body, or as much of its bytes as there is room for. */
  #takePart(
    exchange: Exchange,
    chunk: OutgoingChunk,
    roomBytes: number,
    mayBeKept: boolean,
  ): string | Uint8Array {
    const { data } = chunk
    const isRest = typeof data === 'string' || data.length <= roomBytes
    if (isRest) {
      exchange.unsentBody = chunk.next
      chunk.isHandedOver = true
    } else {
      chunk.data = data.subarray(roomBytes)
    }
    if (typeof data === 'string') return data
    const part = isRest ? data : data.subarray(0, roomBytes)
    // Their owner may change them while they are in use, where nobody waits until they are taken, or may tire of it.
    const isSafe = chunk.isWaitedFor && !mayBeKept && !this.#listener.mayTimeOut()
    return isSafe ? part : Buffer.from(part)
  }

  #forgetBody(exchange: Exchange): void {
    for (let chunk = exchange.unsentBody; chunk !== null; chunk = chunk.next)
      this.#queuedBytes -= chunk.data.length
    exchange.unsentBody = null
  }

  #releaseWaiters(): void {
    if (this.#roomWaiters.size === 0 || this.#transport === null) return
    const released = Array.from(this.#roomWaiters).filter(({ exchange }) => !this.#isFull(exchange))
    if (released.length === 0) return
    for (const waiter of released) {
      this.#roomWaiters.delete(waiter)
      waiter.resolve()
    }
    this.#listener.onWaitersChanged()
  }
}
