// Owns the life of one transport from dialling to its end: the exchanges on it, the one error that ends it, and how much is kept
// unread. After `close()` a connection makes a new one. It knows bytes and exchanges, but not who calls.
import { ConnectionClosed, InvalidResponse, UnsupportedResponse } from './errors'
import type { Dialled } from './net/dial'
import { Outbox } from './outbox'
import { ExchangeQueue, type Exchange } from './protocol/exchange'
import type { Fault } from './protocol/fault'
import { ResponseDecoder, type DecoderSink } from './protocol/response-decoder'
import { HTTPResponse } from './response'
import { Transport, type TransportListener } from './transport'
import type { Trace } from './trace'
import * as diagnostics from './diagnostics'

export interface LinkOptions {
  readonly maxHeaderBytes: number
  readonly maxBufferedBytes: number
  readonly acceptCloseDelimited: boolean
}

/** A 100 that was asked for and not handed out yet. */
export interface Continued {
  readonly exchange: Exchange
  readonly head: string
}

/** Whoever uses a link. */
export interface LinkListener {
  /** Bytes moved. */
  onMoved(): void
  /** The link has ended: whatever waits for more must be settled. Called once. */
  onLinkEnd(error: Error): void
  /** Nothing can be sent any more, while responses may still come. */
  onSendsEnd(): void
  /** Raw bytes have arrived behind the end of what can be read. */
  onRaw(): void
  /** May something that waits be given up? */
  mayTimeOut(): boolean
  /** What subscribers of diagnostics are told as the connection. */
  readonly connection: object
}

export class Link implements DecoderSink, TransportListener {
  readonly queue = new ExchangeQueue()
  readonly outbox: Outbox
  readonly #options: LinkOptions
  readonly #listener: LinkListener
  readonly #decoder: ResponseDecoder
  #transport: Transport | null = null
  tls: Dialled['tls'] = null

  /** Why nothing can be received any more. */
  error: Error | null = null
  /** The exchange whose response was at fault. */
  faulty: Exchange | null = null
  /** Why no further request is taken, while responses may still come. */
  #refusal: string | null = null
  #refusalCause: unknown = undefined
  /** Did the server say that it closes the connection? */
  closeAnnounced = false
  /** Has the link ended by what this side did or asked for? */
  isEndedHere = false
  /** Not even the rest of a request that was begun can be sent. */
  cannotSend = false
  /** Why the link ends with the last exchange. */
  #lastMessage = 'the last request announced Connection: close'
  /** The caller announced that no request follows this one. */
  #lastExchange: Exchange | null = null
  #awaitsContinue = false
  /** Head and body bytes that have arrived and were not read. */
  #unreadBytes = 0
  /** Bytes that are not to be read as responses; null while the decoder reads. */
  #raw: Buffer[] | null = null
  /** May anything refer to the segment that is being read, once it has been? Only mid-body, where all is copied, the answer is no. */
  #isSegmentKept = false
  /** Has the caller turned to the raw bytes? */
  isRaw = false
  /** Is the transport gone, so that no more raw bytes come? */
  isDone = false
  /** Did the caller end it? Nothing that has arrived is handed out then. */
  isClosed = false

  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options
    this.#listener = listener
    this.#decoder = new ResponseDecoder(this, options)
    this.outbox = new Outbox(this.queue, {
      onWritten: exchange => this.#onWritten(exchange),
      onMoved: () => listener.onMoved(),
      onWaitersChanged: () => this.balance(),
      mayTimeOut: () => listener.mayTimeOut(),
    })
  }

  get isOpen(): boolean {
    return this.#transport !== null && this.error === null
  }

  get bytesSent(): number {
    return this.#transport?.bytesSent ?? 0
  }

  get bytesReceived(): number {
    return this.#transport?.bytesReceived ?? 0
  }

  /** The transport is there. */
  open(dialled: Dialled, trace: Trace | null): void {
    this.tls = dialled.tls
    this.#transport = new Transport(dialled, this, trace)
    this.outbox.open(this.#transport)
  }

  /** Was there ever a transport? Otherwise what ended the link is an error of dialling. */
  get wasOpened(): boolean {
    return this.#transport !== null
  }

  /** Would a request be taken? */
  get takesRequests(): boolean {
    return this.error === null && this.#refusal === null
  }

  /** Why a send must be rejected; null if it need not. */
  sendError(): Error | null {
    if (this.error !== null) return this.error
    if (this.#refusal === null) return null
    return new ConnectionClosed(this.#refusal, {
      cause: this.#refusalCause,
      unanswered: this.queue.unanswered(false, this.closeAnnounced),
    })
  }

  /** Takes a request; `sendError` must have been asked. */
  submit(exchange: Exchange, isLast: boolean): void {
    this.queue.push(exchange)
    if (isLast) {
      this.#lastExchange = exchange
      this.refuse('a request that announced Connection: close was the last one')
    }
    this.outbox.added(exchange)
  }

  /** Takes no further request. */
  refuse(reason: string, cause?: unknown): void {
    if (this.#refusal !== null) return
    this.#refusal = reason
    this.#refusalCause = cause
  }

  /** Ends the link when the response of `exchange` is complete: its request was not sent to the end. */
  endAfter(exchange: Exchange, reason: string): void {
    this.#lastExchange = exchange
    this.#lastMessage = reason
    this.refuse(reason)
  }

  /** Takes back a request of which nothing was written. */
  withdraw(exchange: Exchange): void {
    this.queue.withdraw(exchange)
    this.outbox.removed(exchange)
    if (this.#lastExchange === exchange) {
      // The server never saw its `Connection: close`.
      this.#lastExchange = null
      if (!this.cannotSend) this.#refusal = null
    }
    if (this.queue.sending !== null) this.outbox.bodyEnded()
  }

  /** `bytes` have been read, or are dropped. */
  consumed(bytes: number): void {
    this.#unreadBytes -= bytes
    if (this.#transport !== null && this.#transport.isPaused) this.balance()
  }

  /** `bytes` of a head or body are kept for the caller. */
  kept(bytes: number): void {
    this.#unreadBytes += bytes
  }

  /** Pauses the transport when too much is unread, unless a send waits: then reading on is what keeps it from a deadlock. */
  balance(): void {
    const transport = this.#transport
    if (transport === null) return
    const mustRead = this.outbox.isWaitedFor || this.#awaitsContinue
    if (this.#unreadBytes >= this.#options.maxBufferedBytes && !mustRead) transport.pause()
    else transport.resume()
  }

  /** Does somebody wait for a 100? It may be behind responses that nobody reads. */
  awaitsContinue(isAwaited: boolean): void {
    this.#awaitsContinue = isAwaited
    this.balance()
  }

  /** Ends the link by the caller's wish, whether or not it has ended already. */
  close(error: ConnectionClosed): void {
    this.isClosed = true
    this.isEndedHere ||= this.error === null
    this.#raw = []
    this.#finish(error)
    this.#transport?.destroy()
  }

  /** No transport could be had. */
  failDial(error: Error): void {
    this.isDone = true
    this.#finish(error)
  }

  /** Resolves when the transport is gone. */
  async closed(): Promise<void> {
    await this.#transport?.closed()
  }

  /** Ends the link for a reason of ours. What has arrived can still be read. */
  abandon(message: string, cause?: unknown): void {
    this.isEndedHere ||= this.error === null
    this.#endWith(message, cause)
  }

  unanswered(alsoUnread: boolean): ReturnType<ExchangeQueue['unanswered']> {
    return this.queue.unanswered(alsoUnread, this.closeAnnounced)
  }

  // ---- raw bytes, for debugging

  /**
   * Turns everything unread into raw bytes. Nothing is read as a response from now on.
   *
   * @param current - the one whose head has been read
   * @param continued - a 100 that has not been read
   */
  enterRaw(current: Exchange | null, continued: Continued | null): void {
    if (this.isRaw) return
    this.isRaw = true
    const raw: Buffer[] = []
    for (const exchange of this.queue) {
      if (exchange === continued?.exchange) raw.push(Buffer.from(continued.head, 'latin1'))
      raw.push(...exchange.takeRaw(exchange === current))
    }
    raw.push(Buffer.from(this.#decoder.takePartialHead(), 'latin1'), ...(this.#raw ?? []))
    this.#decoder.stop()
    this.#raw = raw.filter(piece => piece.length > 0)
    this.#unreadBytes = this.#raw.reduce((sum, piece) => sum + piece.length, 0)
    this.balance()
  }

  /** At most `maxBytes` of raw bytes; null if there are none. */
  takeRaw(maxBytes: number): Buffer | null {
    const raw = this.#raw
    if (raw === null || raw.length === 0) return null
    const first = raw[0]
    if (first.length > maxBytes) {
      raw[0] = first.subarray(maxBytes)
    } else {
      raw.shift()
    }
    const taken = first.subarray(0, maxBytes)
    this.consumed(taken.length)
    return taken
  }

  // ---- DecoderSink

  expectedExchange(): Exchange | null {
    const { answering } = this.queue
    return answering !== null && answering.isWritten ? answering : null
  }

  onInformational(exchange: Exchange, status: number, head: string): void {
    const isAwaited = status === 100 && exchange.awaitsContinue
    if (isAwaited) exchange.awaitsContinue = false
    exchange.owner.onInformational(exchange, status, head, isAwaited)
  }

  onHead(exchange: Exchange, announcesClose: boolean): void {
    this.#isSegmentKept = true
    if (announcesClose) {
      this.closeAnnounced = true
      this.cannotSend = true
      this.refuse('the server announced Connection: close')
    }
    if (diagnostics.responseHead.hasSubscribers) this.#publishHead(exchange)
    exchange.owner.onHead(exchange)
  }

  onBody(exchange: Exchange, addedBytes: number): void {
    if (exchange.owner.onBody(exchange, addedBytes)) this.#isSegmentKept = true
  }

  onComplete(exchange: Exchange, addedBytes: number): void {
    this.#isSegmentKept = true
    this.queue.answering = exchange.next
    if (diagnostics.responseComplete.hasSubscribers) this.#publishComplete(exchange)
    const isLast = this.#lastExchange === exchange
    exchange.owner.onComplete(exchange, addedBytes)
    if (this.error !== null) return
    if (this.closeAnnounced) this.#endWith('the server announced Connection: close')
    else if (isLast) this.abandon(this.#lastMessage)
  }

  onFault(fault: Fault, exchange: Exchange | null, rest: Buffer): void {
    this.#isSegmentKept = true
    this.#raw = [Buffer.from(this.#decoder.takePartialHead(), 'latin1'), rest].filter(
      piece => piece.length > 0,
    )
    this.kept(rest.length)
    this.faulty = exchange
    if (fault.kind === 'invalid') {
      const response =
        exchange !== null && exchange.framing !== 'awaited' ? HTTPResponse.ofHead(exchange) : undefined
      this.#finish(new InvalidResponse(fault.message, { reason: fault.reason, response }))
      this.#letGo()
      return
    }
    const response = fault.hasHead ? HTTPResponse.ofHead(exchange!) : undefined
    if (fault.hasHead) exchange!.owner.onHead(exchange!)
    // The transport stays open for readRaw.
    if (this.error === null) this.#finish(new UnsupportedResponse(fault.message, { response }))
  }

  // ---- TransportListener

  onData(segment: Buffer): boolean {
    this.#listener.onMoved()
    this.#isSegmentKept = false
    if (this.#raw === null) {
      this.#decoder.push(segment)
    } else {
      this.#isSegmentKept = true
      this.#raw.push(segment)
      this.kept(segment.length)
      this.#listener.onRaw()
    }
    if (this.#unreadBytes >= this.#options.maxBufferedBytes) this.balance()
    return this.#isSegmentKept
  }

  onWritten(): void {
    this.#listener.onMoved()
    this.outbox.taken()
  }

  onWriteFailed(cause: Error): void {
    this.#stopSending(`the connection was lost while sending: ${cause.message}`, cause)
  }

  /** What was not sent yet will not be, while responses may still come. */
  #stopSending(reason: string, cause?: unknown): void {
    if (this.error !== null) return
    this.refuse(reason, cause)
    this.cannotSend = true
    this.outbox.fail(this.sendError()!)
    this.#listener.onSendsEnd()
  }

  onEnding(): void {
    this.#stopSending('the server closed the connection')
  }

  onEnd(isClean: boolean): void {
    if (isClean) this.#decoder.finish()
    this.#lost(isClean ? 'the server closed the connection' : 'the connection was cut off', null)
  }

  onLost(cause: Error | null): void {
    this.#lost(
      cause === null ? 'the connection was closed' : `the connection was lost: ${cause.message}`,
      cause,
    )
  }

  // ---- the end

  #lost(what: string, cause: Error | null): void {
    this.#endWith(what + this.#progress(), cause ?? undefined)
    this.isDone = true
    this.#transport?.destroy()
    if (this.#raw !== null) this.#listener.onRaw()
  }

  /** How far the response had come that was being received. */
  #progress(): string {
    const { answering } = this.queue
    if (answering === null || !answering.isAnswering) return ''
    const { method, path } = answering
    if (answering.framing === 'awaited')
      return ` within the header section of the response to ${method} ${path}`
    return ` within the body of the response to ${method} ${path}`
  }

  #endWith(message: string, cause?: unknown): void {
    if (this.error !== null) return
    this.#finish(
      new ConnectionClosed(message, {
        cause,
        unanswered: this.queue.unanswered(false, this.closeAnnounced),
      }),
    )
    this.#letGo()
  }

  #letGo(): void {
    this.isDone = true
    this.#transport?.end()
  }

  /** The first fatal error sticks. */
  #finish(error: Error): void {
    if (this.error !== null) return
    this.error = error
    this.#decoder.stop()
    this.outbox.fail(error)
    if (this.#transport !== null && diagnostics.close.hasSubscribers) {
      diagnostics.close.publish({ connection: this.#listener.connection, error })
    }
    this.#listener.onLinkEnd(error)
  }

  #onWritten(exchange: Exchange): void {
    if (diagnostics.requestSent.hasSubscribers) this.#publishSent(exchange)
    if (exchange.isBodyOpen) exchange.owner.onHeadWritten(exchange)
  }

  #publishSent(exchange: Exchange): void {
    const { connection } = this.#listener
    diagnostics.requestSent.publish({ connection, request: diagnostics.requestOf(exchange) })
  }

  #publishHead(exchange: Exchange): void {
    const { connection } = this.#listener
    const request = diagnostics.requestOf(exchange)
    const { headers } = HTTPResponse.ofHead(exchange)
    diagnostics.responseHead.publish({ connection, request, status: exchange.status, headers })
  }

  #publishComplete(exchange: Exchange): void {
    const { connection } = this.#listener
    const request = diagnostics.requestOf(exchange)
    diagnostics.responseComplete.publish({ connection, request, status: exchange.status })
  }
}
