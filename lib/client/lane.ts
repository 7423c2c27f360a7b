// Owns one connection of a client: how many requests it may be given now, and what becomes of it. It knows what has been learnt of the
// server, and neither the other connections nor what happens to a job that it lost.
import { HTTPConnection } from '../connection'
import type { ExchangeWatcher } from '../session'
import { ConnectionTimedOut } from '../errors'
import type { ExchangeRunner, WholeExchange } from '../exchange-runner'
import type { Link } from '../link'
import type { ConnectionOptions } from '../options'
import { afterPoll, soon } from '../turns'
import { JobExchange, type Job, type JobSender } from './job'
import type { OriginMemory } from './origin'

/** A job that was on a connection when that ended. */
export interface LostJob {
  readonly exchange: JobExchange
  readonly error: Error
}

export interface LaneHost {
  /** A response is complete. */
  onAnswered(exchange: JobExchange): void
  /** A job has failed for a reason of its own. */
  onFailed(exchange: JobExchange, reason: unknown): void
  /** The lane may have room now. */
  onRoom(lane: Lane): void
  /** The connection has ended, with these jobs on it, oldest first. */
  onEnd(lane: Lane, lost: readonly LostJob[]): void
}

export class Lane implements ExchangeWatcher, JobSender {
  readonly #connection: HTTPConnection
  readonly #origin: OriginMemory
  readonly #depth: number
  readonly #host: LaneHost
  #link: Link | null = null
  #runner: ExchangeRunner | null = null
  #isOver = false
  #closed: Promise<void> | null = null

  /** Responses that have arrived, and requests that were taken. */
  served = 0
  #taken = 0
  /** As many requests may be on the wire at once; it grows to the depth with the responses. */
  #capacity = 0
  /** Was it made when requests had been written in vain before? */
  wasWarned = false
  /** Did it begin with one request alone, to show that it answers? */
  #isOnProbation = false
  /** Nothing is taken before the loop has polled: it may have been closed. */
  #isHeld = false
  /** Is it to take one request beyond the limit, or has it? */
  #isOnTrial = false
  /** Is a request on it that must be alone? */
  #carriesAlone = false
  /** Nothing on it moved for too long. */
  #isStuck = false
  /** Is it to become empty, for a request that must be alone? */
  isDraining = false
  readonly #lost: LostJob[] = []

  constructor(
    hostname: string,
    options: ConnectionOptions,
    depth: number,
    origin: OriginMemory,
    host: LaneHost,
  ) {
    this.#connection = new HTTPConnection(hostname, options)
    this.#depth = depth
    this.#origin = origin
    this.#host = host
  }

  /** Dials. Rejects as `HTTPConnection.connect` does. */
  async open(): Promise<void> {
    const { link, runner } = await this.#connection.lend(this)
    this.#link = link
    this.#runner = runner
    this.#capacity = this.#origin.firstDepth
    this.wasWarned = this.#origin.isWarned
    if (this.#origin.isWary) this.mustProve()
  }

  /** If it has not answered yet, it has to show that it does. */
  mustProve(): void {
    if (this.served > 0) return
    this.#isOnProbation = true
    this.#capacity = 1
  }

  get isOpen(): boolean {
    return this.#link !== null && !this.#isOver
  }

  /** Is it not yet known whether the connection answers at all? */
  get isUnproven(): boolean {
    return this.#link === null || (this.#isOnProbation && this.served === 0)
  }

  /** Does it carry fewer requests at once than it might? */
  get isGrowing(): boolean {
    return this.#capacity < this.#depth
  }

  /** Requests without a complete response. */
  get inFlight(): number {
    return this.#link === null ? 0 : this.#link.queue.size
  }

  get link(): Link | null {
    return this.#link
  }

  /** May it take a request that needs not be alone? */
  get hasRoom(): boolean {
    const link = this.#link
    if (link === null || this.#isHeld || this.#carriesAlone || this.#isStuck || !link.takesRequests)
      return false
    const inFlight = link.queue.size
    if (inFlight + 1 > this.#capacity || (this.isDraining && inFlight > 0)) return false
    if (!this.#mayRisk) return false
    return this.#taken < this.#origin.limit || (this.#isOnTrial && inFlight === 0)
  }

  /** May it take a request that must be alone? Such a one is not used to try whether the connection takes one more. */
  get isEmpty(): boolean {
    return this.hasRoom && this.inFlight === 0 && this.#taken < this.#origin.limit
  }

  /** Is it empty, and takes nothing, since that could be lost? */
  get isBarred(): boolean {
    return this.isOpen && this.inFlight === 0 && !this.#mayRisk
  }

  /** May it be given one more? The first one is no risk: it has to be sent on some connection. */
  get #mayRisk(): boolean {
    return this.#taken === 0 || this.#origin.mayRisk(this.served > 0)
  }

  /** Is it empty, and would take nothing, or only a request to be tried with? */
  get isSpent(): boolean {
    return this.isBarred || (this.#isOnTrial && this.inFlight === 0)
  }

  /** Takes a job; there must be room. */
  take(job: Job): void {
    this.#taken++
    this.isDraining = false
    this.#carriesAlone = job.isAlone
    const exchange = new JobExchange(this.#runner!, job, this)
    job.exchange = exchange
    const { extras } = job
    this.#runner!.start(exchange, job.isLast, extras === null ? null : extras.prepared, extras?.signal)
  }

  /** Ends the connection now. */
  close(): Promise<void> {
    if (this.#closed !== null) return this.#closed
    let resolve: (closed: Promise<void>) => void
    this.#closed = new Promise(settle => (resolve = settle))
    // It comes back here when the link ends.
    resolve!(this.#connection.close())
    return this.#closed
  }

  // ---- ExchangeWatcher, JobSender

  onComplete(exchange: WholeExchange): void {
    const served = ++this.served
    this.#carriesAlone = false
    this.#host.onAnswered(exchange as JobExchange)
    if (this.#capacity < this.#depth || served >= this.#origin.limit) this.#judge(served)
    this.#host.onRoom(this)
  }

  #judge(served: number): void {
    if (served > this.#origin.limit) {
      this.#origin.refuteLimit()
      // The limit was reached with care, and is left with care.
      this.#capacity = 1
      this.#holdForPoll()
    } else if (served === 1 && this.#isOnProbation) {
      this.#holdForPoll()
    }
    this.#endTrial()
    this.#capacity = Math.min(this.#depth, this.#capacity + this.#origin.growth)
    const isAtDepth = this.#capacity === this.#depth
    if (isAtDepth || served === this.#origin.limit) this.#origin.proved(isAtDepth)
    this.review()
  }

  #endTrial(): void {
    if (this.#isOnTrial) this.#origin.tried()
    this.#isOnTrial = false
  }

  /** Has it reached the limit, as it is known now? Then it takes nothing before it is clear what is to become of it. */
  review(): void {
    if (this.#isOver || this.#isOnTrial || this.served < this.#origin.limit || this.inFlight > 0) return
    if (this.#origin.mayTry()) {
      this.#isOnTrial = true
      this.#holdForPoll()
    } else {
      void this.close()
    }
  }

  /** A server that closes without saying so has done it by then, as a rule. */
  #holdForPoll(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    afterPoll(() => {
      this.#isHeld = false
      if (!this.#isOver) this.#host.onRoom(this)
    })
  }

  onFailed(exchange: JobExchange, reason: unknown): void {
    if (!exchange.isWritten) this.#taken--
    if (reason instanceof ConnectionTimedOut) this.#isStuck = true
    this.#host.onFailed(exchange, reason)
    // Not from within: the exchange is still to be taken from the connection.
    soon(() => this.#afterFailure())
  }

  #afterFailure(): void {
    if (this.#isOver) return
    if (this.inFlight === 0) this.#carriesAlone = false
    if (this.#isStuck && !this.#carriesWanted()) void this.close()
    this.#host.onRoom(this)
  }

  #carriesWanted(): boolean {
    for (const exchange of this.#link!.queue) if ((exchange as WholeExchange).resolve !== null) return true
    return false
  }

  onLost(exchange: JobExchange, error: Error): void {
    this.#lost.push({ exchange, error })
  }

  onLinkEnd(): void {
    this.#isOver = true
    this.#endTrial()
    this.#host.onEnd(this, this.#lost)
    // After a response that is not understood the transport would stay open.
    void this.close()
  }
}
