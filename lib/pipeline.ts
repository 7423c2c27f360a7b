// Owns a pipeline: which requests of its source are on the wire, and the responses in order. It is a hand-written iterator, since an
// `async function*` costs a quarter of a microsecond for each response.
import { iterateRequests, type RequestIterator } from './request-source'
import { ConnectionClosed } from './errors'
import type { Link } from './link'
import type { PipelineRequest } from './options'
import { Exchange } from './protocol/exchange'
import type { RequestHeadWriter } from './protocol/request-head'
import { attachBody, prepare } from './request-maker'
import { limitedBody } from './limited-body'
import type { ResponseReader } from './response-reader'
import type { HTTPResponse } from './response'
import { DONE, ResponseGenerator, type Step } from './response-generator'
import { Upload, type UploadHooks } from './upload'

/** What a pipeline needs of its connection. */
export interface PipelineHost {
  /** Begins: dials if needed. Throws StateError if the connection is otherwise in use. */
  enter(pipeline: Pipeline): { link: Link; reader: ResponseReader }
  /** The pipeline has ended. `isOwed`: responses are outstanding that nobody will read. */
  leave(pipeline: Pipeline, isOwed: boolean): void
  now(): number
  onWaiting(): void
  readonly writer: RequestHeadWriter
  readonly maxDroppedBytes: number
}

export class Pipeline extends ResponseGenerator implements UploadHooks {
  readonly #host: PipelineHost
  readonly #requests: RequestIterator
  readonly #depth: number
  readonly #signal: AbortSignal | undefined
  #link: Link | null = null
  #reader: ResponseReader | null = null
  #state: 'new' | 'running' | 'over' = 'new'
  /** Has the source given all its requests? */
  #isExhausted = false
  /** Thrown when the responses owed before it have been handed out. */
  #sourceError: { readonly error: unknown } | null = null
  /** A request of the source that the connection did not take. */
  #refused: PipelineRequest | null = null
  /** Is an asynchronous source being asked for a request. */
  #isPulling = false
  /** Wakes a `next` that waits for a request or a response, whichever comes first. */
  #wake: (() => void) | null = null
  /** The last `next`, while it is under way. */
  #busy: Promise<unknown> | null = null
  /** What the next `next` rejects with, if the pipeline ended between two. */
  #lateError: { readonly error: unknown } | null = null
  /** As much of the current body is dropped at most: it was too long for the caller. */
  #dropLimitBytes = Infinity
  /** What few of the exchanges have. */
  readonly #uploads = new Map<Exchange, Upload>()
  readonly #limits = new Map<Exchange, { readonly maxBodyBytes: number; readonly decompress: boolean }>()

  constructor(
    host: PipelineHost,
    requests: Iterable<PipelineRequest> | AsyncIterable<PipelineRequest>,
    depth: number,
    signal: AbortSignal | undefined,
  ) {
    super()
    this.#host = host
    this.#requests = iterateRequests(requests)
    this.#depth = depth
    this.#signal = signal
  }

  now(): number {
    return this.#host.now()
  }

  onWaiting(): void {
    this.#host.onWaiting()
  }

  next(): Promise<Step> {
    if (this.#busy === null) {
      const ready = this.#nextNow()
      if (!(ready instanceof Promise)) return Promise.resolve(ready)
      return this.#track(ready)
    }
    // As with any generator, calls are served one after the other.
    return this.#track(this.#busy.then(noop, noop).then(() => this.#nextNow()))
  }

  #track<T>(step: Promise<T>): Promise<T> {
    this.#busy = step
    const over = (): void => {
      if (this.#busy === step) this.#busy = null
    }
    step.then(over, over)
    return step
  }

  /** One step; at once, where the response is there already. */
  #nextNow(): Step | Promise<Step> {
    if (this.#state === 'over') return this.#over()
    try {
      if (this.#state === 'new') this.#begin()
      else this.#signal?.throwIfAborted()
      const reader = this.#reader!
      if (!reader.isInBody) {
        this.#fill()
        const response = reader.takeReady()
        if (response !== null) return { done: false, value: this.#limit(response) }
      }
    } catch (error) {
      return this.#fail(error)
    }
    return this.#nextLater()
  }

  #over(): Step | Promise<Step> {
    const late = this.#lateError
    this.#lateError = null
    return late === null ? DONE : Promise.reject(late.error)
  }

  #begin(): void {
    this.#signal?.throwIfAborted()
    const { link, reader } = this.#host.enter(this)
    this.#link = link
    this.#reader = reader
    this.#state = 'running'
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  async #nextLater(): Promise<Step> {
    const reader = this.#reader!
    try {
      if (reader.isInBody) await reader.discard(null, this.#dropLimitBytes)
      this.#dropLimitBytes = Infinity
      for (;;) {
        if (this.#isOver) return DONE
        this.#signal?.throwIfAborted()
        this.#fill()
        if (this.#link!.queue.first !== null) {
          return { done: false, value: this.#limit(await reader.awaitResponse()) }
        }
        if (this.#sourceError !== null) throw this.#sourceError.error
        if (this.#refused !== null) throw this.#link!.sendError()!
        if (this.#isExhausted) break
        if (this.#link!.error !== null) throw this.#link!.error
        await new Promise<void>(resolve => (this.#wake = resolve))
        this.#wake = null
      }
    } catch (error) {
      return this.#isOver ? DONE : this.#fail(error)
    }
    this.end()
    return DONE
  }

  get #isOver(): boolean {
    return this.#state === 'over'
  }

  /** Puts requests on the wire up to the depth. */
  #fill(): void {
    const { queue } = this.#link!
    while (
      queue.size < this.#depth &&
      !this.#isExhausted &&
      this.#sourceError === null &&
      this.#refused === null
    ) {
      if (this.#requests.isAsync) {
        if (!this.#isPulling) void this.#pullOne()
        return
      }
      try {
        const step = this.#requests.next()
        if (step.done === true) this.#isExhausted = true
        else if (!this.#send(step.value)) return
      } catch (error) {
        this.#sourceError = { error }
      }
    }
  }

  async #pullOne(): Promise<void> {
    this.#isPulling = true
    try {
      const step = await this.#requests.next()
      this.#isPulling = false
      if (this.#isOver) return
      if (step.done === true) this.#isExhausted = true
      else if (this.#send(step.value)) this.#fill()
    } catch (error) {
      this.#isPulling = false
      this.#sourceError = { error }
    }
    this.#wake?.()
  }

  /** @returns false if the connection takes no more requests */
  #send(request: PipelineRequest): boolean {
    const link = this.#link!
    if (link.sendError() !== null) {
      this.#refused = request
      return false
    }
    const reader = this.#reader!
    if (typeof request === 'string') {
      const head = this.#host.writer.write('GET', request)
      link.submit(new Exchange(reader, 'GET', request, head.text), head.isLast)
      return true
    }
    if (typeof request !== 'object' || request === null)
      throw new TypeError('a request must be a path or an object')
    const { method = 'GET', path } = request
    const prepared = prepare(this.#host.writer, method, path, request)
    const exchange = new Exchange(reader, method, path, prepared.text)
    attachBody(exchange, prepared)
    const { following, lengthBytes, expectMs, maxBodyBytes, decompress } = prepared
    if (following !== null) {
      this.#uploads.set(exchange, new Upload(link, exchange, following, lengthBytes, expectMs, this))
    }
    if (maxBodyBytes !== Infinity || decompress) this.#limits.set(exchange, { maxBodyBytes, decompress })
    link.submit(exchange, prepared.isLast)
    return true
  }

  #limit(response: HTTPResponse): HTTPResponse {
    if (this.#limits.size === 0) return response
    const exchange = this.#reader!.current!
    const limits = this.#limits.get(exchange)
    if (limits === undefined) return response
    this.#limits.delete(exchange)
    return limitedBody(response, this.#reader!, exchange, limits, () => {
      this.#dropLimitBytes = this.#host.maxDroppedBytes
    })
  }

  // ---- uploads

  onHeadWritten(exchange: Exchange): void {
    this.#uploads.get(exchange)?.start()
  }

  onContinue(exchange: Exchange): void {
    this.#uploads.get(exchange)?.go()
  }

  onFinal(exchange: Exchange): void {
    const upload = this.#uploads.get(exchange)
    if (upload === undefined) return
    this.#uploads.delete(exchange)
    if (!exchange.isBodyOpen) return
    upload.stop()
    const { method, path } = exchange
    this.#link!.endAfter(exchange, `${method} ${path} was answered before its body had been sent`)
  }

  onUploadFailed(exchange: Exchange, error: unknown): void {
    this.#sourceError = { error }
    this.#link!.abandon(`the body of ${exchange.method} ${exchange.path} could not be sent`, error)
  }

  // ---- the end

  readonly #onAbort = (): void => {
    const reason = this.#signal!.reason as unknown
    if (this.#busy === null) {
      this.#lateError = { error: reason }
      this.end()
    } else {
      this.#reader!.fail(reason)
      this.#wake?.()
    }
  }

  /** The link has ended; what has arrived is still handed out. */
  onLinkEnd(): void {
    this.#stopUploads()
    this.#wake?.()
  }

  onSendsEnd(): void {
    this.#stopUploads()
  }

  #stopUploads(): void {
    for (const upload of this.#uploads.values()) upload.stop()
  }

  #fail(error: unknown): Promise<never> {
    this.end()
    return Promise.reject(this.#withRefused(error))
  }

  /** What the source gave and the connection did not take is unanswered as well: it is for the caller to send again. */
  #withRefused(error: unknown): unknown {
    const refused = this.#refused
    if (refused === null || !(error instanceof ConnectionClosed)) return error
    const { method = 'GET', path } = typeof refused === 'string' ? { path: refused } : refused
    return new ConnectionClosed(error.message, {
      cause: error.cause,
      unanswered: [...error.unanswered, { method, path, outcome: 'unsent', processed: 'no' }],
    })
  }

  /** Ends the source as well; a connection that still owes responses is closed. */
  protected override end(): void {
    if (this.#isOver) return
    const wasRunning = this.#state === 'running'
    this.#state = 'over'
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#stopUploads()
    if (!this.#isExhausted) this.#requests.return()
    this.#wake?.()
    if (wasRunning) this.#host.leave(this, this.#link!.queue.first !== null)
  }
}

function noop(): void {}
