// Owns a pipeline over several connections: how many requests of its source are under way, and in which order the responses are handed
// out. It is a hand-written iterator, as that of one connection. It knows no connections.
import type { PipelineRequest } from '../options'
import { iterateRequests, type RequestIterator } from '../request-source'
import type { HTTPResponse } from '../response'
import { DONE, ResponseGenerator, type Step } from '../response-generator'
import type { Job, Settle } from './job'

/** What a pipeline needs of its client. */
export interface ClientPipelineHost {
  /** Throws what makes the request impossible. */
  accept(request: PipelineRequest, settle: Settle): Job
  cancel(job: Job, reason: unknown): void
}

/** Settles a `next` that waits. */
type Take = (result: Step | Promise<Step>) => void

/** A request that was taken from the source, until its response has been handed out. */
interface Slot {
  job: Job | null
  value: HTTPResponse | Promise<never> | null
}

export class ClientPipeline extends ResponseGenerator {
  readonly #host: ClientPipelineHost
  readonly #requests: RequestIterator
  readonly #most: number
  readonly #isOrdered: boolean
  readonly #signal: AbortSignal | undefined
  #state: 'new' | 'running' | 'over' = 'new'
  #isExhausted = false
  #isPulling = false
  /** Thrown when all that was asked for before has been handed out. */
  #failure: { readonly reason: unknown } | null = null
  /** Of those under way; in order, so that a Set serves both ways. */
  readonly #slots = new Set<Slot>()
  /** Settled, in the order in which they were; only where that matters. */
  readonly #settled: Slot[] = []
  readonly #takers: Take[] = []

  /** @param most - as many requests are under way at most, or answered and not handed out */
  constructor(
    host: ClientPipelineHost,
    requests: Iterable<PipelineRequest> | AsyncIterable<PipelineRequest>,
    most: number,
    isOrdered: boolean,
    signal: AbortSignal | undefined,
  ) {
    super()
    this.#host = host
    this.#requests = iterateRequests(requests)
    this.#most = most
    this.#isOrdered = isOrdered
    this.#signal = signal
  }

  next(): Promise<Step> {
    if (this.#state === 'new') this.#begin()
    if (this.#state === 'over') return this.#over()
    return new Promise<Step>(resolve => {
      this.#takers.push(resolve)
      this.#goOn()
    })
  }

  #over(): Promise<Step> {
    const failure = this.#failure
    this.#failure = null
    return failure === null ? Promise.resolve(DONE) : Promise.reject(failure.reason)
  }

  #begin(): void {
    this.#state = 'running'
    const signal = this.#signal
    if (signal === undefined) return
    if (signal.aborted) this.#fail(signal.reason)
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  readonly #onAbort = (): void => this.#fail(this.#signal!.reason)

  /** Takes requests from the source, as many as may be under way. */
  #fill(): void {
    while (this.#state === 'running' && !this.#isExhausted && this.#slots.size < this.#most) {
      if (this.#requests.isAsync) {
        if (!this.#isPulling) void this.#pullOne(this.#requests)
        return
      }
      try {
        this.#took(this.#requests.next())
      } catch (error) {
        this.#sourceFailed(error)
      }
    }
  }

  async #pullOne(requests: RequestIterator): Promise<void> {
    this.#isPulling = true
    try {
      const step = await requests.next()
      this.#isPulling = false
      if (this.#state === 'running') this.#took(step)
    } catch (error) {
      this.#isPulling = false
      this.#sourceFailed(error)
    }
    this.#goOn()
  }

  /** @throws what makes the request impossible; the source is ended then */
  #took(step: IteratorResult<PipelineRequest, unknown>): void {
    if (step.done === true) {
      this.#isExhausted = true
      return
    }
    const slot: Slot = { job: null, value: null }
    this.#slots.add(slot)
    try {
      slot.job = this.#host.accept(step.value, value => this.#onSettled(slot, value))
    } catch (error) {
      this.#slots.delete(slot)
      this.#requests.return()
      throw error
    }
  }

  /** Nothing more comes from the source. What it gave before is still handed out. */
  #sourceFailed(reason: unknown): void {
    this.#isExhausted = true
    this.#failure ??= { reason }
  }

  #onSettled(slot: Slot, value: HTTPResponse | Promise<never>): void {
    if (this.#state === 'over') return
    slot.value = value
    slot.job = null
    if (!this.#isOrdered) this.#settled.push(slot)
    this.#handOut()
    // Those that wait still may need requests that were not taken from the source. It is not asked from within here.
    if (this.#takers.length > 0) void Promise.resolve().then(() => this.#goOn())
  }

  #goOn(): void {
    this.#fill()
    this.#handOut()
  }

  /** The next response to be handed out; null if it is not there yet. */
  #takeSettled(): HTTPResponse | Promise<never> | null {
    let slot: Slot | undefined
    if (this.#isOrdered) {
      slot = this.#slots.values().next().value
      if (slot === undefined || slot.value === null) return null
    } else {
      slot = this.#settled.shift()
      if (slot === undefined) return null
    }
    this.#slots.delete(slot)
    return slot.value
  }

  #handOut(): void {
    while (this.#takers.length > 0 && this.#state === 'running') {
      const value = this.#takeSettled()
      if (value === null) {
        if (this.#isExhausted && this.#slots.size === 0) this.end()
        return
      }
      const take = this.#takers.shift()!
      if (value instanceof Promise) {
        take(value)
        return this.end()
      }
      take({ done: false, value })
    }
  }

  /** Ends at once: nothing that is under way is handed out any more. */
  #fail(reason: unknown): void {
    this.#failure = { reason }
    this.end(reason)
  }

  protected override end(reason: unknown = new Error('the pipeline has ended')): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#signal?.removeEventListener('abort', this.#onAbort)
    if (!this.#isExhausted) this.#requests.return()
    for (const { job } of this.#slots) if (job !== null) this.#host.cancel(job, reason)
    this.#slots.clear()
    this.#settled.length = 0
    for (const take of this.#takers.splice(0)) take(this.#over())
  }
}
