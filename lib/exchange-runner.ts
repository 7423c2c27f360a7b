// Owns whole exchanges (`request`): each is sent in its turn, its response read to the end, and its promise settled. It knows a link,
// and nothing of the one-step calls.
import { AbortRegistry } from './abort-registry'
import { Collector } from './collector'
import { codingOf, decodeResponse } from './content-coding'
import { BodyTooLong, ConnectionClosed, ConnectionTimedOut, UnsupportedResponse } from './errors'
import type { Link } from './link'
import { Exchange, type ExchangeOwner } from './protocol/exchange'
import type { RequestHead } from './protocol/request-head'
import { attachBody, type PreparedRequest } from './request-maker'
import { HTTPResponse } from './response'
import { Upload, type UploadHooks } from './upload'

/** What few exchanges have. */
class Extras {
  prepared: PreparedRequest | null = null
  signal: AbortSignal | null = null
  upload: Upload | null = null
  /** The part of the body that came with earlier segments. */
  collector: Collector | null = null
  /** A body of more bytes, as they arrive, is too long. */
  mostBytes = Infinity
  /** Bytes read and dropped since nobody wants the response. */
  droppedBytes = 0
}

export class WholeExchange extends Exchange {
  /** Settles the promise; null once that is done, and the response is then dropped. */
  resolve: ((value: HTTPResponse | Promise<never>) => void) | null = null
  since = 0
  extras: Extras | null = null

  /** There will be no response. */
  fail(reason: unknown): void {
    const { resolve } = this
    this.resolve = null
    // Only `resolve` is kept: a waiting request costs one closure less, and a rejected promise rejects through it.
    const rejected = Promise.reject(reason)
    rejected.catch(() => undefined)
    resolve!(rejected)
  }

  /** There will be no response, since the link has ended. */
  lose(error: Error): void {
    this.fail(error)
  }
}

export interface RunnerHooks {
  now(): number
  onWaiting(): void
  onInformational(exchange: Exchange, status: number, head: string): void
  /** A response has arrived completely, wanted or not. */
  onComplete(exchange: WholeExchange): void
}

export class ExchangeRunner implements ExchangeOwner, UploadHooks {
  readonly #link: Link
  readonly #maxDroppedBytes: number
  readonly #hooks: RunnerHooks
  readonly #aborts = new AbortRegistry<WholeExchange>((exchange, reason) => this.giveUp(exchange, reason))

  constructor(link: Link, maxDroppedBytes: number, hooks: RunnerHooks) {
    this.#link = link
    this.#maxDroppedBytes = maxDroppedBytes
    this.#hooks = hooks
  }

  now(): number {
    return this.#hooks.now()
  }

  onWaiting(): void {
    this.#hooks.onWaiting()
  }

  /** Sends a request and resolves with its response, the body in memory. `prepared` is there for one that has options. */
  run(
    method: string,
    path: string,
    head: RequestHead,
    prepared: PreparedRequest | null,
    signal: AbortSignal | undefined,
  ): Promise<HTTPResponse> {
    const refusal = this.#link.sendError()
    if (refusal !== null) return Promise.reject(refusal)
    const exchange = new WholeExchange(this, method, path, head.text)
    const promise = new Promise<HTTPResponse>(resolve => {
      exchange.resolve = resolve
    })
    this.start(exchange, head.isLast, prepared, signal)
    return promise
  }

  /** Queues an exchange; the link must take requests, and the signal must not have been aborted. */
  start(
    exchange: WholeExchange,
    isLast: boolean,
    prepared: PreparedRequest | null,
    signal: AbortSignal | undefined,
  ): void {
    if (prepared !== null) this.#equip(exchange, prepared, signal)
    exchange.since = this.#hooks.now()
    this.#link.submit(exchange, isLast)
    this.#hooks.onWaiting()
  }

  #equip(exchange: WholeExchange, prepared: PreparedRequest, signal: AbortSignal | undefined): void {
    const { following, maxBodyBytes, decompress } = prepared
    attachBody(exchange, prepared)
    if (signal === undefined && following === null && maxBodyBytes === Infinity && !decompress) return
    const extras = (exchange.extras = new Extras())
    extras.prepared = prepared
    if (following !== null) {
      extras.upload = new Upload(
        this.#link,
        exchange,
        following,
        prepared.lengthBytes,
        prepared.expectMs,
        this,
      )
    }
    if (signal !== undefined) {
      extras.signal = signal
      this.#aborts.add(signal, exchange)
    }
  }

  /** The exchanges that have not been settled, oldest first. */
  *#unsettled(): Generator<WholeExchange, void, undefined> {
    for (const exchange of this.#link.queue) {
      if (exchange instanceof WholeExchange && exchange.resolve !== null) yield exchange
    }
  }

  /** Gives up what has waited since `limit` or longer; says since when the oldest of the rest has waited. */
  expire(limit: number): number | null {
    let oldest: number | null = null
    for (const exchange of Array.from(this.#unsettled())) {
      if (exchange.since <= limit) {
        const operation = exchange.isWritten && !hasUnsentBody(exchange) ? 'receive' : 'send'
        this.giveUp(exchange, new ConnectionTimedOut('no byte moved while a request waited', { operation }))
      } else if (oldest === null || exchange.since < oldest) {
        oldest = exchange.since
      }
    }
    return oldest
  }

  #settle(exchange: WholeExchange, response: HTTPResponse): void {
    const { resolve } = exchange
    if (resolve === null) return
    this.#forgetSignal(exchange)
    exchange.resolve = null
    resolve(response)
  }

  #reject(exchange: WholeExchange, reason: unknown): void {
    if (exchange.resolve === null) return
    this.#forgetSignal(exchange)
    exchange.fail(reason)
  }

  #forgetSignal(exchange: WholeExchange): void {
    const signal = exchange.extras?.signal
    if (signal) this.#aborts.remove(signal, exchange)
  }

  /** Aborted, or timed out. */
  giveUp(exchange: WholeExchange, reason: unknown): void {
    if (exchange.resolve === null) return
    this.#reject(exchange, reason)
    exchange.extras?.upload?.stop()
    if (!exchange.isWritten) {
      this.#link.withdraw(exchange)
    } else if (hasUnsentBody(exchange)) {
      this.#link.abandon(`the body of ${exchange.method} ${exchange.path} was given up half written`, reason)
    } else {
      this.#drop(exchange)
    }
  }

  onUploadFailed(exchange: Exchange, error: unknown): void {
    this.#reject(exchange as WholeExchange, error)
    this.#link.abandon(`the body of ${exchange.method} ${exchange.path} could not be sent`, error)
  }

  /** No transport, or no more of it. */
  onLinkEnd(error: Error): void {
    const { queue } = this.#link
    const isFault = error instanceof UnsupportedResponse && this.#link.wasOpened
    const behind = isFault
      ? new ConnectionClosed(`an earlier response could not be read: ${error.message}`, {
          cause: error,
          unanswered: this.#link.unanswered(false),
        })
      : error
    for (const exchange of Array.from(this.#unsettled())) {
      this.#forgetSignal(exchange)
      if (exchange === this.#link.faulty) exchange.fail(error)
      else exchange.lose(behind)
      exchange.extras?.upload?.stop()
    }
    while (queue.first instanceof WholeExchange) queue.shift()
  }

  /** Nothing more can be sent: what has been sent may still be answered. */
  onSendsEnd(): void {
    for (const exchange of this.#unsettled()) exchange.extras?.upload?.stop()
  }

  // ---- ExchangeOwner

  onInformational(exchange: Exchange, status: number, head: string, isAwaited: boolean): void {
    if (isAwaited) (exchange as WholeExchange).extras?.upload?.go()
    else this.#hooks.onInformational(exchange, status, head)
  }

  onHeadWritten(exchange: Exchange): void {
    ;(exchange as WholeExchange).extras?.upload?.start()
  }

  onHead(exchange: Exchange): void {
    const whole = exchange as WholeExchange
    if (whole.isBodyOpen) this.#stopUpload(whole)
    const { extras } = whole
    if (extras === null || extras.prepared === null) return
    extras.mostBytes = mostBytes(whole, extras.prepared)
    if ((whole.lengthBytes ?? 0) > extras.mostBytes) this.#rejectTooLong(whole, extras.prepared)
  }

  /** A final answer came before the body was sent: nothing can follow a body that ends in the middle. */
  #stopUpload(exchange: WholeExchange): void {
    exchange.extras?.upload?.stop()
    const { method, path } = exchange
    this.#link.endAfter(exchange, `${method} ${path} was answered before its body had been sent`)
  }

  onBody(exchange: Exchange): boolean {
    const whole = exchange as WholeExchange
    if (whole.resolve === null) {
      this.#drop(whole)
    } else {
      const extras = (whole.extras ??= new Extras())
      extras.collector ??= new Collector(whole.lengthBytes)
      extras.collector.take(whole)
      this.#checkLength(whole, extras)
    }
    return false
  }

  #checkLength(exchange: WholeExchange, { prepared, collector, mostBytes }: Extras): void {
    const arrived = (collector?.lengthBytes ?? 0) + exchange.availableBytes
    if (prepared !== null && arrived > mostBytes) this.#rejectTooLong(exchange, prepared)
  }

  #rejectTooLong(exchange: WholeExchange, { maxBodyBytes }: PreparedRequest): void {
    const message = `the response to ${exchange.method} ${exchange.path} is longer than ${maxBodyBytes} bytes`
    this.#reject(exchange, new BodyTooLong(message, { response: HTTPResponse.ofHead(exchange) }))
    if (!exchange.isComplete) this.#drop(exchange)
  }

  /** Nobody wants the response: reads it away, unless it is too much. */
  #drop(exchange: WholeExchange): void {
    const extras = (exchange.extras ??= new Extras())
    extras.collector = null
    extras.droppedBytes += exchange.dropBody()
    if (extras.droppedBytes > this.#maxDroppedBytes) {
      this.#link.abandon(`a response that nobody wants is longer than ${this.#maxDroppedBytes} bytes`)
    }
  }

  onComplete(exchange: Exchange): void {
    const whole = exchange as WholeExchange
    const { extras } = whole
    if (whole.unsentBody !== null) secureBody(whole)
    this.#link.queue.shift()
    if (whole.resolve === null) {
      whole.dropBody()
    } else if (extras === null) {
      const { resolve } = whole
      whole.resolve = null
      resolve(new HTTPResponse(whole, null))
    } else {
      this.#completeWith(whole, extras)
    }
    this.#hooks.onComplete(whole)
  }

  #completeWith(exchange: WholeExchange, extras: Extras): void {
    this.#checkLength(exchange, extras)
    const { collector, prepared } = extras
    if (collector !== null) {
      collector.take(exchange)
      exchange.dropBody()
    }
    const response =
      collector === null
        ? new HTTPResponse(exchange, null)
        : HTTPResponse.ofBody(exchange, collector.toBuffer())
    const coding = prepared?.decompress === true ? codingOf(response.headers) : null
    if (coding === null) return this.#settle(exchange, response)
    decodeResponse(response, coding, prepared!.maxBodyBytes).then(
      body => this.#settle(exchange, HTTPResponse.ofBody(exchange, body)),
      (error: unknown) => this.#reject(exchange, error),
    )
  }
}

/** As many bytes may arrive of a body. No coding makes one this much longer: then more has been sent than was agreed to. */
function mostBytes(exchange: Exchange, { decompress, maxBodyBytes }: PreparedRequest): number {
  const isCoded = decompress && codingOf(HTTPResponse.ofHead(exchange).headers) !== null
  return isCoded ? maxBodyBytes * 1.01 + 65_536 : maxBodyBytes
}

function hasUnsentBody(exchange: Exchange): boolean {
  return exchange.isBodyOpen || exchange.unsentBody !== null
}

/** The promise is about to be settled: from then on the caller may change what has not been sent yet. */
function secureBody(exchange: Exchange): void {
  for (let chunk = exchange.unsentBody; chunk !== null; chunk = chunk.next) {
    if (typeof chunk.data !== 'string') chunk.data = Buffer.from(chunk.data)
  }
}
