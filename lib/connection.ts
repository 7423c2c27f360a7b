// Owns the public face of a connection: it lets one kind of use at a time at the link, and keeps the idle limit. Everything else is done
// by the parts of a session, which lasts as long as one link.
import type { CipherNameAndProtocol, PeerCertificate } from 'node:tls'
import { types } from 'node:util'
import { BodyFollowing, type BodySource } from './body'
import { StateError } from './errors'
import type { ExchangeRunner } from './exchange-runner'
import type { HeadersInput } from './headers'
import { checkTimeout, IdleTimer } from './idle-timer'
import type { Link } from './link'
import { bareHostname, hostOf } from './net/hostname'
import { normaliseProxy, type Proxy } from './net/proxy'
import { checkConnectionOptions, type CheckedOptions } from './options'
import type {
  ConnectionOptions,
  ExchangeOptions,
  PipelineRequest,
  RequestLine,
  RequestOptions,
} from './options'
import { Pipeline } from './pipeline'
import { Exchange } from './protocol/exchange'
import { latin1 } from './protocol/latin1'
import { RequestHeadWriter, type RequestHead } from './protocol/request-head'
import type { HTTPResponse } from './response'
import { JOINED_BYTES, prepare, type PreparedRequest } from './request-maker'
import { Session, type ExchangeWatcher, type SessionHost } from './session'

const DEFAULT_DEPTH = 64
const DEFAULT_CONTINUE_MS = 1000

/** Who uses the connection: kinds of use do not mix. */
type Use = 'step' | 'request' | 'pipeline'

/**
 * One HTTP/1.1 connection: a raw socket, a queue of requests, a strict reader of responses (RFC 9112).
 *
 * Any number of requests may be sent before a response is read; responses come in the order of the requests. A body is complete or its
 * read rejects. Every way to lose the connection is one error, `ConnectionClosed`, which says what became of each request; it sticks
 * until `close()`, and the next request dials anew. One-step calls, `request`s and a `pipeline` do not mix at the same time: `StateError`.
 */
export class HTTPConnection implements AsyncDisposable {
  readonly hostname: string
  readonly port: number
  readonly #options: ConnectionOptions
  readonly #checked: CheckedOptions
  readonly #proxy: Proxy | null
  readonly #writer: RequestHeadWriter
  readonly #idle: IdleTimer
  readonly #sessionHost: SessionHost
  #session: Session | null = null
  #pipeline: Pipeline | null = null
  #watcher: ExchangeWatcher | null = null
  #use: Use | null = null
  /** Settled when the last transport that was closed here is gone. */
  #closed: Promise<void> = Promise.resolve()

  /**
   * Nothing is dialled yet.
   *
   * @param hostname - a name or an address; an IPv6 address with or without brackets
   * @throws TypeError or RangeError for options that cannot be meant
   */
  constructor(hostname: string, options: ConnectionOptions = {}) {
    const bare = bareHostname(hostname)
    this.hostname = hostname
    this.#options = { ...options }
    this.#checked = checkConnectionOptions(options)
    this.port = this.#checked.port
    this.#proxy = options.proxy === undefined ? null : normaliseProxy(options.proxy)
    const isAbsoluteForm = this.#proxy !== null && !options.tls
    this.#writer = new RequestHeadWriter({
      host: hostOf(bare, this.port, options.tls ? 443 : 80),
      isAbsoluteForm,
      headers: options.headers,
      proxyHeaders: isAbsoluteForm ? this.#proxy.headers : [],
    })
    const idle = new IdleTimer(
      { expire: limit => this.#session?.expire(limit) ?? null },
      this.#checked.timeoutMs,
    )
    this.#idle = idle
    this.#sessionHost = {
      connection: this,
      options: this.#options,
      checked: this.#checked,
      proxy: this.#proxy,
      idle,
      pipeline: () => this.#pipeline,
      watcher: () => this.#watcher,
      onDialFailed: session => {
        if (this.#session === session) this.#session = null
      },
    }
  }

  /** Idle limit on any pending operation, in milliseconds; 0 = none. What waits already waits from the change on. */
  get timeoutMs(): number {
    return this.#idle.timeoutMs
  }

  set timeoutMs(value: number) {
    this.#idle.timeoutMs = value
    if (this.#session === null || !this.#session.isWaiting) this.#idle.stop()
  }

  /** Is there a transport, and can it still be used? */
  get connected(): boolean {
    return this.#session !== null && this.#session.link.isOpen
  }

  /** Is any response not yet read completely? */
  get responsePending(): boolean {
    return this.#session !== null && this.#session.link.queue.first !== null
  }

  /** The requests whose responses have not been read completely, oldest first. A new array each time. */
  get pendingRequests(): readonly RequestLine[] {
    if (this.#session === null) return []
    return Array.from(this.#session.link.queue, ({ method, path }) => ({ method, path }))
  }

  // ---- one step at a time

  /**
   * Dials, unless there is a connection already. The first request does it by itself.
   *
   * @throws HostnameNotResolvable, DNSUnavailable, TunnelFailed, ConnectionTimedOut, or what Node gives; none of these sticks
   * @throws ConnectionClosed if the connection has ended and was not closed here
   */
  async connect(): Promise<void> {
    const { link, opened } = this.#ensureSession()
    await opened
    if (link.error !== null) throw link.error
  }

  /**
   * Queues a request. Resolves when its bytes are in the outgoing buffer and that is below its high-water mark; that says nothing of
   * the peer. Calls made without awaiting go out in their order.
   *
   * @throws TypeError for what may not be sent, before a byte is
   * @throws StateError while a body is unfinished, or while `request`s or a `pipeline` are under way
   * @throws ConnectionClosed, or another error that sticks, if the connection takes no further request
   */
  sendRequest(method: string, path: string, options?: RequestOptions): Promise<void> {
    try {
      return this.#sendRequest(method, path, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #sendRequest(method: string, path: string, options: RequestOptions | undefined): Promise<void> {
    const body = options?.body ?? null
    const following = body instanceof BodyFollowing ? body : null
    const bytes = following === null ? (body as Uint8Array | null) : null
    if (bytes !== null && !types.isUint8Array(bytes)) {
      throw new TypeError('the body of sendRequest must be a Uint8Array or a BodyFollowing')
    }
    const expect100 = options?.expect100 === true
    if (expect100 && following === null) throw new TypeError('expect100 needs a BodyFollowing')
    const lengthBytes = following === null ? (bytes?.length ?? 0) : following.lengthBytes
    const expects100 = expect100 && lengthBytes !== 0
    const announced = body === null ? null : { lengthBytes }
    const head = this.#writer.write(method, path, options?.headers, announced, expects100)
    const { link, reader, bodyWriter } = this.#enter('step')
    const sendError = link.sendError()
    if (sendError !== null) throw sendError
    if (bodyWriter.isOpen)
      throw new StateError('the body of the previous request has not been sent completely')
    const isJoined = bytes !== null && bytes.length <= JOINED_BYTES
    const text = isJoined ? head.text + latin1(bytes) : head.text
    const exchange = new Exchange(reader, method, path, text)
    // Written only where they say something: a million may wait, and every field of their own costs eight bytes.
    if ((bytes !== null && !isJoined) || (following !== null && lengthBytes !== 0)) exchange.isBodyOpen = true
    if (expects100) exchange.awaitsContinue = true
    bodyWriter.begin(exchange, following, expects100)
    link.submit(exchange, head.isLast)
    const now = this.#idle.now()
    let sent: Promise<void>
    if (bytes !== null && !isJoined) {
      sent = link.outbox.appendAndWait(exchange, bytes, now)
      exchange.isBodyOpen = false
      link.outbox.bodyEnded()
    } else {
      sent = link.outbox.whenRoom(now)
    }
    if (link.outbox.isWaitedFor) this.#idle.waiting()
    return sent
  }

  /**
   * Sends bytes of a body announced by `BodyFollowing`. Resolves with the number of bytes taken: all of them, or with `partial` as many
   * as fit right now, possibly 0. The chunk may be changed when the promise is settled.
   *
   * @throws StateError if no body is to be sent, or not yet; ExcessBodyData for more than was announced: then nothing is sent
   * @throws ConnectionClosed if the connection was lost; an answer that came before can still be read
   */
  write(chunk: Uint8Array, options?: { partial?: boolean }): Promise<number> {
    return this.#step(({ bodyWriter }) => bodyWriter.write(chunk, options?.partial === true))
  }

  /**
   * Sends the body from a source, and ends it if it is chunked.
   *
   * @throws StateError if the source gave fewer bytes than announced: the body stays open; what the source throws
   */
  sendBody(source: BodySource): Promise<void> {
    return this.#step(({ bodyWriter }) => bodyWriter.sendBody(source))
  }

  /**
   * Ends a chunked body, with a trailer section if wanted (RFC 9112 section 7.1.2).
   *
   * @throws TypeError for framing or routing fields among the trailers; StateError if the body is not chunked and unfinished
   */
  endBody(trailers?: HeadersInput): Promise<void> {
    return this.#step(({ bodyWriter }) => bodyWriter.endBody(trailers))
  }

  /**
   * After a request with `expect100`: may the body be sent? `true` after a 100 or when the time has passed, `false` when a final response
   * is waiting (RFC 9110 section 10.1.1). The time runs from when the request can be written.
   *
   * @throws StateError if no body waits for a 100; ConnectionClosed if the connection was lost
   */
  waitForContinue(timeoutMs = DEFAULT_CONTINUE_MS): Promise<boolean> {
    return this.#step(session => this.#waitForContinue(session, timeoutMs))
  }

  async #waitForContinue(session: Session, timeoutMs: number): Promise<boolean> {
    const { bodyWriter, link, opened, reader } = session
    const limitMs = checkTimeout('timeoutMs', timeoutMs)
    const held = bodyWriter.heldExchange()
    if (typeof held === 'boolean') return held
    let timer: ReturnType<typeof setTimeout> | null = null
    let isOver = false
    const isLimited = timeoutMs !== Infinity
    void opened.then(() => {
      if (isLimited && !isOver) timer = setTimeout(() => reader.stopAwaitingContinue(true), limitMs)
    })
    link.awaitsContinue(true)
    try {
      const maySend = await reader.awaitContinue(held)
      held.awaitsContinue = false
      if (maySend) bodyWriter.onContinue(held)
      else bodyWriter.refuse(held)
      return maySend
    } finally {
      isOver = true
      if (timer !== null) clearTimeout(timer)
      link.awaitsContinue(false)
    }
  }

  /**
   * Reads the head of the next response. Interim responses are skipped, except a 100 that was asked for.
   *
   * @throws StateError with nothing outstanding, with the previous body unread, with the request's own body unfinished and no answer
   * there, while another read is pending
   * @throws ConnectionClosed, UnsupportedResponse, InvalidResponse, ConnectionTimedOut
   */
  readResponse(): Promise<HTTPResponse> {
    return this.#step(({ reader }) => reader.readResponse())
  }

  /**
   * Reads what is there of the current body, at least one byte, at most `maxBytes`; an empty Buffer means the end. It belongs to the
   * caller.
   *
   * @throws RangeError for a `maxBytes` of 0; StateError before any response; ConnectionClosed if the body will never be complete
   */
  read(maxBytes = Infinity): Promise<Buffer> {
    return this.#step(({ reader }) => reader.read(null, maxBytes))
  }

  /** As `read`, into the caller's memory; resolves with the number of bytes, 0 at the end. */
  readInto(target: Uint8Array): Promise<number> {
    return this.#step(({ reader }) => reader.readInto(null, target))
  }

  /** Reads the rest of the current body. */
  readAll(): Promise<Buffer> {
    return this.#step(({ reader }) => reader.readAll(null))
  }

  /** Reads the rest of the current body and drops it. */
  discard(): Promise<void> {
    return this.#step(({ reader }) => reader.discard(null))
  }

  /**
   * For debugging: the unread bytes as they came, framing included; an empty Buffer at the end. Nothing can be read as a response
   * afterwards. Also after `UnsupportedResponse`.
   */
  readRaw(maxBytes: number): Promise<Buffer> {
    return this.#step(({ reader }) => reader.readRaw(maxBytes))
  }

  /**
   * Ends the connection now: unsent bytes are dropped, nothing more is handed out, and all that is pending rejects with
   * `ConnectionClosed`. Resolves when the transport is destroyed, a Duplex given as `socket` too. The next request dials anew.
   */
  async close(): Promise<void> {
    const { socket } = this.#options
    if (this.#session !== null) this.#detach(this.#session)
    else if (typeof socket === 'object') socket.destroy()
    await this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ---- whole exchanges

  /**
   * Sends a request, waits its turn, and reads the response to the end. Any number may run at once.
   *
   * @throws TypeError for what may not be sent; the signal's reason; BodyTooLong; ConnectionTimedOut
   * @throws ConnectionClosed when the connection was lost, or an earlier response could not be read: `unanswered` says what may be sent
   * again; UnsupportedResponse or InvalidResponse when this response is at fault
   */
  request(method: string, path: string, options?: ExchangeOptions): Promise<HTTPResponse> {
    let session: Session
    let prepared: PreparedRequest | null = null
    let head: RequestHead
    try {
      // What cannot be sent is no reason to dial.
      if (options === undefined) head = this.#writer.write(method, path)
      else head = prepared = prepare(this.#writer, method, path, options)
      options?.signal?.throwIfAborted()
      session = this.#enter('request')
    } catch (error) {
      return Promise.reject(error)
    }
    return session.runner.run(method, path, head, prepared, options?.signal)
  }

  /**
   * Makes the heads of its requests.
   * @internal
   */
  get headWriter(): RequestHeadWriter {
    return this.#writer
  }

  /**
   * Dials, and hands over what it takes to run whole exchanges, for as long as the link lasts. Rejects as `connect` does.
   * @internal
   */
  async lend(watcher: ExchangeWatcher): Promise<{ readonly link: Link; readonly runner: ExchangeRunner }> {
    await this.connect()
    this.#watcher = watcher
    return this.#enter('request')
  }

  /**
   * Sends requests as the source gives them, up to `depth` in flight, and yields the responses in order, their bodies unread; what is
   * unread is discarded when the next response is asked for. Nothing is sent before the first `next()`. Leaving early closes the
   * connection if responses are owed.
   *
   * @throws RangeError at the call for a `depth` that is no positive integer
   */
  pipeline(
    requests: Iterable<PipelineRequest> | AsyncIterable<PipelineRequest>,
    options: { depth?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<HTTPResponse, void> {
    const { depth = DEFAULT_DEPTH, signal } = options
    if (depth !== Infinity && !(Number.isSafeInteger(depth) && depth > 0)) {
      throw new RangeError(`depth must be a positive integer, not ${String(depth)}`)
    }
    return new Pipeline(this.#pipelineHost(), requests, depth, signal)
  }

  #pipelineHost(): ConstructorParameters<typeof Pipeline>[0] {
    return {
      enter: pipeline => {
        const session = this.#enter('pipeline')
        this.#pipeline = pipeline
        return session
      },
      leave: (pipeline, isOwed) => {
        // It may have lost the connection already, to close().
        if (this.#pipeline !== pipeline) return
        this.#pipeline = null
        if (isOwed && this.#session !== null) this.#detach(this.#session)
      },
      now: () => this.#idle.now(),
      onWaiting: () => this.#idle.waiting(),
      writer: this.#writer,
      maxDroppedBytes: this.#checked.maxBufferedBytes,
    }
  }

  // ---- TLS

  /** The cipher in use; null on a plain connection. Dials if needed. */
  async getCipher(): Promise<CipherNameAndProtocol | null> {
    return (await this.#tlsSocket())?.getCipher() ?? null
  }

  /** The peer's certificate; null on a plain connection. Dials if needed. */
  async getPeerCertificate(): Promise<PeerCertificate | null> {
    return (await this.#tlsSocket())?.getPeerCertificate() ?? null
  }

  async #tlsSocket(): Promise<Link['tls']> {
    if (!this.#options.tls && this.#options.socket === undefined) return null
    await this.connect()
    return this.#session?.link.tls ?? null
  }

  // ---- inside

  #step<T>(operation: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#session
    if (session === null) return Promise.reject(new StateError('no request has been sent'))
    try {
      this.#claim('step', session)
      return operation(session)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** @throws what ended the link, whoever used it; StateError if the connection is used in another way */
  #enter(use: Use): Session {
    const session = this.#ensureSession()
    const { error } = session.link
    if (error !== null) throw error
    this.#claim(use, session)
    return session
  }

  /** @throws StateError if the connection is used in another way */
  #claim(use: Use, { link, bodyWriter }: Session): void {
    if (this.#use === use && use !== 'pipeline') return
    if (this.#pipeline !== null) throw new StateError('a pipeline is under way on this connection')
    if (this.#use !== null && this.#use !== use && (link.queue.first !== null || bodyWriter.isOpen)) {
      throw new StateError(`a ${use} call while ${this.#use} calls are under way on this connection`)
    }
    this.#use = use
  }

  #ensureSession(): Session {
    return (this.#session ??= new Session(this.#sessionHost))
  }

  /** Lets go of the link at once. */
  #detach(session: Session): void {
    if (this.#session !== session) return
    this.#session = null
    this.#use = null
    session.close()
    this.#pipeline = null
    this.#closed = session.link.closed()
  }
}
