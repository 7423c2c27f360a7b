// Owns one accepted request from the call to its end, however often it is sent. It decides nothing.
import { WholeExchange, type ExchangeRunner } from '../exchange-runner'
import type { PreparedRequest } from '../request-maker'
import type { HTTPResponse } from '../response'
import type { HeldBody } from './held-body'
import type { JobQueue } from './job-queue'

/** Settles the promise of a request; a failure comes as a rejected promise. */
export type Settle = (value: HTTPResponse | Promise<never>) => void

/** What few jobs have. */
export interface JobExtras {
  readonly prepared: PreparedRequest
  readonly signal: AbortSignal | undefined
  /** A body that can be sent only once. */
  readonly heldBody: HeldBody | null
}

export class Job {
  /** The one behind it in the queue. */
  next: Job | null = null
  /** Has it been answered or given up? */
  isOver = false
  /** Must nothing be in front of it or behind it on its connection? */
  isAlone: boolean
  /** Sendings that failed and may have been acted upon, and failed attempts to connect. */
  failures = 0
  wasWritten = false
  /** While it waits for a place. */
  queue: JobQueue | null = null
  /** While it is on a connection. */
  exchange: JobExchange | null = null

  constructor(
    /** Jobs are taken in the order in which they were accepted. */
    readonly sequence: number,
    readonly method: string,
    readonly path: string,
    /** The head is written once, and the body encoded once, however often they are sent. */
    readonly head: string,
    /** Did the caller announce `Connection: close`? */
    readonly isLast: boolean,
    /** May it be sent again when the server may have acted on it? Others are alone on their connection, too. */
    readonly isSafe: boolean,
    readonly extras: JobExtras | null,
    readonly resolve: Settle,
  ) {
    this.isAlone = !isSafe
  }

  get signal(): AbortSignal | undefined {
    return this.extras?.signal
  }

  /** Can all of it be sent once more? */
  get isRepeatable(): boolean {
    const held = this.extras?.heldBody ?? null
    return held === null || held.repeatable
  }

  /** Once. */
  reject(reason: unknown): void {
    this.isOver = true
    this.extras?.heldBody?.end()
    const rejected = Promise.reject(reason)
    rejected.catch(() => undefined)
    this.resolve(rejected)
  }
}

/** Whoever sends a job is told how that ended, other than by a response. */
export interface JobSender {
  onFailed(exchange: JobExchange, reason: unknown): void
  /** The connection has ended. */
  onLost(exchange: JobExchange, error: Error): void
}

/** A job on its connection. */
export class JobExchange extends WholeExchange {
  readonly #runner: ExchangeRunner
  readonly #sender: JobSender
  readonly job: Job
  /** Is it in the numbers of written requests? */
  isCounted = false

  constructor(runner: ExchangeRunner, job: Job, sender: JobSender) {
    super(runner, job.method, job.path, job.head)
    this.#runner = runner
    this.job = job
    this.#sender = sender
    this.resolve = job.resolve
  }

  /** Nobody wants it any more. */
  giveUp(reason: unknown): void {
    this.#runner.giveUp(this, reason)
  }

  override fail(reason: unknown): void {
    this.resolve = null
    this.#sender.onFailed(this, reason)
  }

  override lose(error: Error): void {
    this.resolve = null
    this.#sender.onLost(this, error)
  }
}
