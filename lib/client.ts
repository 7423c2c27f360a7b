// Owns the public face of a client: it checks and prepares what it is given, and lets a pool of connections do the rest.
import { ClientPipeline } from './client/client-pipeline'
import { HeldBody } from './client/held-body'
import { Job, type Settle } from './client/job'
import {
  checkClientOptions,
  checkOrigin,
  type CheckedClientOptions,
  type ClientOptions,
  type ClientStats,
} from './client/options'
import { Pool } from './client/pool'
import { HTTPConnection } from './connection'
import { ConnectionClosed, StateError } from './errors'
import type { ExchangeOptions, PipelineRequest } from './options'
import type { RequestHeadWriter } from './protocol/request-head'
import { prepare } from './request-maker'
import type { HTTPResponse } from './response'

/**
 * One origin, several pipelined connections, lost work sent again where that is safe.
 *
 * Requests go out in the order of the calls as soon as a connection has a place; a request with a method outside `resend.methods` is
 * alone on its connection. When a connection is lost, a request that the server has certainly not acted upon goes out again, whatever its
 * method; one that it may have acted upon only if its method is in `resend.methods` and its body can be produced again (RFC 9110 section
 * 9.2.2). What the server does to its connections is remembered, so that it is not asked for more than it gives.
 *
 * Statuses mean nothing to a client: 503 and 429 are responses, and no redirect is followed. Connections stay open, and keep a process
 * alive, until `close()` or `destroy()`.
 */
export class HTTPClient implements AsyncDisposable {
  readonly #options: CheckedClientOptions
  readonly #pool: Pool
  readonly #writer: RequestHeadWriter
  #jobs = 0
  /** Why nothing new is accepted. */
  #refusal: string | null = null
  #closed: Promise<void> | null = null

  /**
   * Nothing is dialled yet.
   *
   * @param origin - scheme, host and port, such as `https://example.com:8443`
   * @throws TypeError or RangeError for an origin or options that cannot be meant
   */
  constructor(origin: string | URL, options: ClientOptions = {}) {
    const url = checkOrigin(origin)
    this.#options = checkClientOptions(url, options)
    // It checks the other options, and makes the heads. It is never dialled.
    this.#writer = new HTTPConnection(url.hostname, this.#options.connection).headWriter
    this.#pool = new Pool(url.hostname, this.#options)
  }

  /**
   * Sends a request as soon as there is a place for it, and reads the response to the end. Any number may run at once.
   *
   * @throws TypeError for what may not be sent; StateError after `close()` or `destroy()`; the signal's reason; BodyTooLong;
   * ConnectionTimedOut; UnsupportedResponse or InvalidResponse when this response is at fault
   * @throws ConnectionClosed when the connection was lost and the request may not be sent again, or was as often as it may: its only
   * `unanswered` is this request
   * @throws what dialling throws, once no further attempt is left; at once where another would end the same way
   */
  request(method: string, path: string, options?: ExchangeOptions): Promise<HTTPResponse> {
    return new Promise<HTTPResponse>(resolve => {
      this.#accept(method, path, options, resolve)
    })
  }

  /**
   * Sends requests as the source gives them, and yields the responses, their bodies in memory: in the order of the requests, or as they
   * come. At most `connections` × `depth` are under way or answered and not yet taken. A request that fails, and an error of the
   * source after what it gave before, ends the pipeline, as does leaving it early; what is under way then is given up without harm to
   * other requests. Nothing is sent before the first `next()`.
   *
   * @throws TypeError at the call for what is no iterable
   */
  pipeline(
    requests: Iterable<PipelineRequest> | AsyncIterable<PipelineRequest>,
    options: { ordered?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<HTTPResponse, void> {
    const { ordered = true, signal } = options
    const { connections, depth } = this.#options
    return new ClientPipeline(
      {
        accept: (request, settle) => this.#acceptForPipeline(request, settle),
        cancel: (job, reason) => this.#pool.cancel(job, reason),
      },
      requests,
      connections * depth,
      ordered,
      signal,
    )
  }

  /** What has been done so far. A new object each time. */
  get stats(): Readonly<ClientStats> {
    return this.#pool.stats()
  }

  /** Accepts nothing new, finishes what was accepted, then closes all connections. */
  close(): Promise<void> {
    this.#refusal ??= 'the client has been closed'
    this.#closed ??= this.#pool.close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Ends everything now: whatever is outstanding rejects with `reason`, by default a ConnectionClosed. */
  destroy(reason: Error = new ConnectionClosed('the client was destroyed')): void {
    this.#refusal = 'the client has been destroyed'
    this.#pool.destroy(reason)
  }

  #acceptForPipeline(request: PipelineRequest, settle: Settle): Job {
    if (typeof request === 'string') return this.#accept('GET', request, undefined, settle)
    if (typeof request !== 'object' || request === null) {
      throw new TypeError('a request must be a path or an object')
    }
    const { method = 'GET', path } = request
    return this.#accept(method, path, { ...request, signal: undefined }, settle)
  }

  /** @throws StateError, and TypeError or RangeError for what may not be sent */
  #accept(method: string, path: string, options: ExchangeOptions | undefined, settle: Settle): Job {
    if (this.#refusal !== null) throw new StateError(this.#refusal)
    const isSafe = this.#options.methods.has(method)
    const sequence = this.#jobs++
    let job: Job
    if (options === undefined) {
      const { text, isLast } = this.#writer.write(method, path)
      job = new Job(sequence, method, path, text, isLast, isSafe, null, settle)
    } else {
      let prepared = prepare(this.#writer, method, path, options)
      let heldBody: HeldBody | null = null
      const { following, text, isLast } = prepared
      if (following !== null && !following.repeatable) {
        heldBody = new HeldBody(following)
        prepared = { ...prepared, following: heldBody }
      }
      const extras = { prepared, signal: options.signal, heldBody }
      job = new Job(sequence, method, path, text, isLast, isSafe, extras, settle)
    }
    this.#pool.accept(job)
    return job
  }
}
