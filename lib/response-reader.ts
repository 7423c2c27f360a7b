// Owns the reading of responses in order, by one reader: what may be read now, and what the pending read waits for. It serves the one-step
// calls and `pipeline`, and knows nothing of sending.
import { Collector } from './collector'
import { CurrentBody } from './current-body'
import { ConnectionTimedOut, StateError } from './errors'
import type { Continued, Link } from './link'
import type { Exchange, ExchangeOwner } from './protocol/exchange'
import { HTTPResponse, type StreamingBody } from './response'
import { sizeError, targetError } from './read-arguments'

type Settle = (value: never) => void
/** What the one pending read wants. */
interface PendingRead {
  readonly kind: 'response' | 'continue' | 'read' | 'into' | 'all' | 'discard' | 'raw'
  readonly resolve: Settle
  readonly reject: (reason: unknown) => void
  readonly since: number
  readonly maxBytes: number
  readonly target: Uint8Array | null
  readonly collector: Collector | null
  /** The one whose 100 is awaited. */
  readonly exchange: Exchange | null
}

const EMPTY = Buffer.alloc(0)
const AT_END = Promise.resolve(0)
const DONE = Promise.resolve()

export interface ReaderHooks {
  /** The time, where a timeout is set. */
  now(): number
  /** A read has begun to wait. */
  onWaiting(): void
  onInformational(exchange: Exchange, status: number, head: string): void
  /** A 100 that was asked for; true = it is not for the caller. */
  onContinue(exchange: Exchange): boolean
  /** The 100 has been handed to the caller. */
  onContinueTaken(exchange: Exchange): void
  /** The head of a request with a body to follow has been written. */
  onHeadWritten(exchange: Exchange): void
  /** A final response came. */
  onFinal(exchange: Exchange): void
}

export class ResponseReader implements ExchangeOwner, StreamingBody {
  readonly #link: Link
  readonly #hooks: ReaderHooks
  readonly #body: CurrentBody
  #pending: PendingRead | null = null
  /** A 100 that was asked for and not handed out yet. */
  #continued: Continued | null = null

  constructor(link: Link, hooks: ReaderHooks) {
    this.#link = link
    this.#hooks = hooks
    this.#body = new CurrentBody(link)
  }

  /** Gives up a read that has waited since `limit` or longer; says since when one waits that has not. */
  expire(limit: number): number | null {
    if (this.#pending === null) return null
    if (this.#pending.since > limit) return this.#pending.since
    this.fail(new ConnectionTimedOut('no byte moved while a read waited', { operation: 'receive' }))
    return null
  }

  /** The response that is being read, or was read last. */
  get current(): Exchange | null {
    return this.#body.exchange
  }

  /** Is the current body unread in part? */
  get isInBody(): boolean {
    return !this.#body.isFinished
  }

  // ---- responses

  readResponse(): Promise<HTTPResponse> {
    return this.#readResponse(false)
  }

  /** As `readResponse`, for whoever sends the bodies of requests meanwhile. */
  awaitResponse(): Promise<HTTPResponse> {
    return this.#readResponse(true)
  }

  #readResponse(mayBodyBeOpen: boolean): Promise<HTTPResponse> {
    if (this.#pending !== null) return this.#refuse('another read is pending')
    if (!this.#body.isFinished) {
      // What ended the link comes first where that body can never be read to its end.
      if (this.#link.error !== null && !this.#body.exchange!.isComplete)
        return Promise.reject(this.#link.error)
      return this.#refuse('the body of the previous response has not been read')
    }
    if (this.#link.isRaw) return this.#refuse('raw bytes have been read')
    if (this.closeError !== null) return Promise.reject(this.closeError)
    const ready = this.#takeResponse()
    if (ready !== null) return Promise.resolve(ready)
    if (this.#link.error !== null) return Promise.reject(this.#link.error)
    const { first } = this.#link.queue
    if (first === null) return this.#refuse('no response is outstanding')
    // A body that can no longer be finished is no reason to miss what the server had to say.
    if (first.isBodyOpen && !first.awaitsContinue && !mayBodyBeOpen && !this.#link.cannotSend) {
      return this.#refuse('the body of the request has not been sent, and no answer is there')
    }
    return this.#wait('response')
  }

  /** Says true when the 100 for `exchange` is there (it is taken), false when its final response is; null after a timeout. */
  awaitContinue(exchange: Exchange): Promise<boolean> {
    if (this.#pending !== null) return this.#refuse('another read is pending')
    const answer = this.#takeContinue(exchange)
    if (answer !== null) return Promise.resolve(answer)
    if (this.#link.error !== null) return Promise.reject(this.#link.error)
    return this.#wait('continue', 0, null, null, exchange)
  }

  /** The next response, if its head is there. For whoever sends requests without asking for a 100 on this reader. */
  takeReady(): HTTPResponse | null {
    return this.#pending === null && !this.#link.isClosed ? this.#takeResponse() : null
  }

  #takeContinue(exchange: Exchange): boolean | null {
    const isThere = this.#continued?.exchange === exchange
    if (isThere) this.#continued = null
    if (exchange.framing !== 'awaited') return false
    return isThere ? true : null
  }

  /** The time for a 100 has passed. */
  stopAwaitingContinue(value: boolean): void {
    if (this.#pending?.kind === 'continue') this.#settle(value)
  }

  #takeResponse(): HTTPResponse | null {
    const { first } = this.#link.queue
    if (first === null) return null
    if (first === this.#continued?.exchange) {
      const { head } = this.#continued
      this.#continued = null
      this.#hooks.onContinueTaken(first)
      return HTTPResponse.ofInterim(first, 100, head)
    }
    if (first.framing === 'awaited') return null
    this.#link.consumed(first.headLengthBytes)
    const response = new HTTPResponse(first, this)
    this.#body.begin(first)
    return response
  }

  // ---- bodies

  read(exchange: Exchange | null, maxBytes: number): Promise<Buffer> {
    const refusal = sizeError(maxBytes) ?? this.refusal(exchange)
    if (refusal !== null) return Promise.reject(refusal)
    const ready = this.#body.take(maxBytes)
    if (ready !== null) return Promise.resolve(ready)
    return this.#waitInBody('read', maxBytes)
  }

  readInto(exchange: Exchange | null, target: Uint8Array): Promise<number> {
    const refusal = targetError(target) ?? this.refusal(exchange)
    if (refusal !== null) return Promise.reject(refusal)
    const ready = this.#body.copy(target)
    if (ready !== null) return ready === 0 ? AT_END : Promise.resolve(ready)
    return this.#waitInBody('into', 0, target)
  }

  readAll(exchange: Exchange | null): Promise<Buffer> {
    const refusal = this.refusal(exchange)
    if (refusal !== null) return Promise.reject(refusal)
    const all = this.#body.takeAll()
    if (all !== null) return Promise.resolve(all)
    // The body will never be complete; what there is of it stays for `read`.
    if (this.#link.error !== null) return Promise.reject(this.#link.error)
    const collector = new Collector(this.#body.exchange!.lengthBytes)
    this.#body.collect(collector)
    return this.#waitInBody('all', 0, null, collector)
  }

  /** @param limitBytes - as much is dropped; if the body goes on beyond it, the link ends */
  discard(exchange: Exchange | null, limitBytes = Infinity): Promise<void> {
    const refusal = this.refusal(exchange)
    if (refusal !== null) return Promise.reject(refusal)
    if (this.#body.drop(limitBytes)) return DONE
    return this.#waitInBody('discard')
  }

  readRaw(maxBytes: number): Promise<Buffer> {
    const wrong = sizeError(maxBytes)
    if (wrong !== null) return Promise.reject(wrong)
    if (this.#pending !== null) return this.#refuse('another read is pending')
    this.#link.enterRaw(this.#body.isFinished ? null : this.#body.exchange, this.#continued)
    this.#body.isFinished = true
    this.#continued = null
    const ready = this.#link.takeRaw(maxBytes)
    if (ready !== null) return Promise.resolve(ready)
    if (this.#link.isDone) return Promise.resolve(EMPTY)
    return this.#wait('raw', maxBytes)
  }

  /** Raw bytes have arrived, or will not arrive any more. */
  onRaw(): void {
    if (this.#pending?.kind !== 'raw') return
    const raw = this.#link.takeRaw(this.#pending.maxBytes)
    if (raw !== null) this.#settle(raw)
    else if (this.#link.isDone) this.#settle(EMPTY)
  }

  /** Why the body of `exchange` (null: the current one) cannot be read; null if it can. */
  refusal(exchange: Exchange | null): Error | null {
    if (this.#pending !== null) return new StateError('another read is pending')
    if (this.#body.exchange === null) return new StateError('no response has been read')
    if (exchange !== null && exchange !== this.#body.exchange) {
      return new StateError('the body belongs to a response that is no longer the current one')
    }
    if (this.#link.isRaw) return new StateError('raw bytes have been read')
    return this.#body.isFinished ? null : this.closeError
  }

  /** Set once the caller has closed the connection: nothing is handed out any more. */
  get closeError(): Error | null {
    return this.#link.isClosed ? this.#link.error : null
  }

  /** Nobody waits any more for the read that is pending in the body of `exchange`. What it had collected is there for the next one. */
  giveUp(exchange: Exchange): void {
    if (exchange === this.#body.exchange && !this.#body.isFinished)
      this.fail(new StateError('the read was given up'))
  }

  // ---- waiting

  #refuse(message: string): Promise<never> {
    return Promise.reject(new StateError(message))
  }

  #waitInBody<T>(
    kind: PendingRead['kind'],
    maxBytes = 0,
    target: Uint8Array | null = null,
    collector: Collector | null = null,
  ): Promise<T> {
    if (this.#link.error !== null) return Promise.reject(this.#link.error)
    return this.#wait(kind, maxBytes, target, collector)
  }

  #wait<T>(
    kind: PendingRead['kind'],
    maxBytes = 0,
    target: Uint8Array | null = null,
    collector: Collector | null = null,
    exchange: Exchange | null = null,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const since = this.#hooks.now()
      this.#pending = {
        kind,
        resolve: resolve,
        reject,
        since,
        maxBytes,
        target,
        collector,
        exchange,
      }
      this.#hooks.onWaiting()
    })
  }

  #settle(value: unknown): void {
    const pending = this.#pending!
    this.#pending = null
    pending.resolve(value as never)
  }

  /** Rejects the pending read, if there is one. What it had collected of a body is there again for the next one. */
  fail(reason: unknown): void {
    const pending = this.#pending
    if (pending === null) return
    this.#pending = null
    if (pending.collector !== null && pending.collector.lengthBytes > 0) {
      this.#body.giveBack(pending.collector.toBuffer())
    }
    pending.reject(reason)
  }

  /** The link has ended: the pending read gets what there is, or the error. */
  onLinkEnd(error: Error): void {
    if (this.#pending?.kind === 'raw') return
    this.#advance()
    this.fail(error)
  }

  /** After something arrived: settles the pending read if it can be. */
  #advance(): void {
    const pending = this.#pending
    if (pending === null) return
    switch (pending.kind) {
      case 'response': {
        const response = this.#takeResponse()
        if (response !== null) this.#settle(response)
        return
      }
      case 'read': {
        const part = this.#body.take(pending.maxBytes)
        if (part !== null) this.#settle(part)
        return
      }
      case 'into': {
        const copied = this.#body.copy(pending.target!)
        if (copied !== null) this.#settle(copied)
        return
      }
      case 'all': {
        if (this.#body.collect(pending.collector!)) this.#settle(pending.collector!.toBuffer())
        return
      }
      case 'discard':
        if (this.#body.dropMore()) this.#settle(undefined)
        return
    }
  }

  // ---- ExchangeOwner

  onInformational(exchange: Exchange, status: number, head: string, isAwaited: boolean): void {
    if (!isAwaited) return this.#hooks.onInformational(exchange, status, head)
    if (this.#hooks.onContinue(exchange)) return
    this.#continued = { exchange, head }
    if (this.#pending?.exchange === exchange) {
      this.#continued = null
      this.#settle(true)
    } else if (exchange === this.#link.queue.first) {
      this.#advance()
    }
  }

  onHeadWritten(exchange: Exchange): void {
    this.#hooks.onHeadWritten(exchange)
  }

  onHead(exchange: Exchange): void {
    this.#link.kept(exchange.headLengthBytes)
    this.#hooks.onFinal(exchange)
    if (this.#pending?.kind === 'response') {
      if (exchange === this.#link.queue.first) this.#advance()
    } else if (this.#pending?.exchange === exchange) {
      this.#settle(false)
    }
  }

  onBody(exchange: Exchange, addedBytes: number): boolean {
    this.#link.kept(addedBytes)
    if (exchange !== this.#body.exchange) return true
    // `read` may hand out the segment itself.
    const isRead = this.#pending?.kind === 'read'
    this.#advance()
    if ((isRead && exchange.hasHandedOut) || exchange.availableBytes > 0) return true
    exchange.letGo()
    return false
  }

  onComplete(exchange: Exchange, addedBytes: number): void {
    this.#link.kept(addedBytes)
    if (exchange !== this.#body.exchange) return
    // Whoever waited for the head got it before this: a body of no length needs no read.
    if (exchange.lengthBytes === 0) this.#body.finish()
    else this.#advance()
  }
}
