// Owns which request goes out on which connection and when, and how many connections there are. It knows no callers; what has been
// learnt of the server, and what may be sent again, is decided elsewhere.
import { AbortRegistry } from '../abort-registry'
import { isTemporaryNetworkError } from '../net/temporary'
import { Backoff } from './backoff'
import { Counters } from './counters'
import type { Job, JobExchange } from './job'
import { JobQueue } from './job-queue'
import { Lane, type LaneHost, type LostJob } from './lane'
import type { CheckedClientOptions, ClientStats } from './options'
import { OriginMemory } from './origin'
import { ResendRules } from './resend-rules'
import { WasteBudget } from './waste-budget'

export class Pool implements LaneHost {
  readonly #hostname: string
  readonly #options: CheckedClientOptions
  readonly #budget: WasteBudget
  readonly #origin: OriginMemory
  readonly #rules: ResendRules
  readonly #backoff: Backoff
  readonly #counters = new Counters()
  /** Being dialled, or open. */
  readonly #lanes: Lane[] = []
  #dialling = 0
  /** Waiting for a place: those that may be among others, and those that must be alone. */
  readonly #shared = new JobQueue()
  readonly #alone = new JobQueue()
  /** Waiting before they are tried again. */
  readonly #later = new Set<Job>()
  /** For those that are not on a connection. */
  readonly #aborts = new AbortRegistry<Job>((job, reason) => this.cancel(job, reason))
  readonly #closings = new Set<Promise<void>>()
  /** While it is not zero, nothing is dialled. */
  #gates = 0
  /** In a row. */
  #failedDials = 0
  #outstanding = 0
  #onIdle: (() => void) | null = null
  #destroyed: { readonly reason: unknown } | null = null

  constructor(hostname: string, options: CheckedClientOptions) {
    this.#hostname = hostname
    this.#options = options
    this.#budget = new WasteBudget(options.connections * options.depth, () => this.#onWire())
    this.#origin = new OriginMemory(options.depth, this.#budget)
    this.#rules = new ResendRules(options.attempts)
    this.#backoff = new Backoff(options.delayMs)
  }

  /** Accepts a job: from now on it will be settled, in one way or the other. */
  accept(job: Job): void {
    const { signal } = job
    this.#outstanding++
    if (signal?.aborted === true) return this.#reject(job, signal.reason)
    this.#budget.asked++
    if (job.isAlone || this.#alone.size > 0 || this.#shared.size > 0) return this.#enqueue(job, signal)
    const lane = this.#roomiest()
    if (lane === null) return this.#enqueue(job, signal)
    lane.take(job)
    // The next one need not wait behind this one.
    if (lane.inFlight > 1) this.#dialFor(1)
  }

  /** Gives up a job. Its neighbours on the wire are not concerned. */
  cancel(job: Job, reason: unknown): void {
    if (job.isOver) return
    if (job.exchange !== null) return job.exchange.giveUp(reason)
    this.#later.delete(job)
    job.queue?.drop(job)
    this.#reject(job, reason)
  }

  stats(): ClientStats {
    const open = this.#lanes.map(({ link }) => link).filter(link => link !== null)
    return this.#counters.stats(open, this.#origin.firstDepth)
  }

  /** Waits until nothing is outstanding, then ends all connections. Nothing may be accepted any more. */
  async close(): Promise<void> {
    if (this.#outstanding > 0) await new Promise<void>(resolve => (this.#onIdle = resolve))
    for (const lane of Array.from(this.#lanes)) this.#remove(lane)
    await Promise.all(this.#closings)
  }

  /** Ends everything now. */
  destroy(reason: unknown): void {
    this.#destroyed ??= { reason }
    this.#backoff.stop()
    const waiting = [...this.#shared.takeAll(), ...this.#alone.takeAll(), ...this.#later]
    this.#later.clear()
    for (const job of waiting) this.#reject(job, reason)
    for (const lane of Array.from(this.#lanes)) this.#remove(lane)
  }

  // ---- jobs

  #enqueue(job: Job, signal: AbortSignal | undefined): void {
    if (signal !== undefined) this.#aborts.add(signal, job)
    const queue = job.isAlone ? this.#alone : this.#shared
    queue.push(job)
    if (this.#alone.size > 0) this.#pump()
    else this.#dialForWaiting()
  }

  #putBack(jobs: readonly Job[]): void {
    this.#shared.putBack(jobs.filter(job => !job.isOver && !job.isAlone))
    this.#alone.putBack(jobs.filter(job => !job.isOver && job.isAlone))
  }

  #giveTo(lane: Lane, queue: JobQueue): void {
    const job = queue.shift()!
    if (job.signal !== undefined) this.#aborts.remove(job.signal, job)
    lane.take(job)
  }

  #reject(job: Job, reason: unknown): void {
    if (job.signal !== undefined) this.#aborts.remove(job.signal, job)
    job.exchange = null
    job.reject(reason)
    this.#settled()
  }

  #settled(): void {
    if (--this.#outstanding === 0) this.#onIdle?.()
  }

  // ---- places

  #pump(): void {
    for (;;) {
      const { first: alone } = this.#alone
      const { first: shared } = this.#shared
      if (alone === null && shared === null) break
      if (alone !== null && (shared === null || alone.sequence < shared.sequence)) {
        const empty = this.#lanes.find(lane => lane.isEmpty)
        if (empty !== undefined) {
          this.#giveTo(empty, this.#alone)
          continue
        }
        const spent = this.#lanes.find(lane => lane.isSpent)
        // Its end leads back here.
        if (spent !== undefined) return this.#remove(spent)
        this.#makeEmpty()
        if (shared === null) break
      }
      const lane = this.#roomiest()
      if (lane === null) break
      this.#giveTo(lane, this.#shared)
    }
    this.#dialForWaiting()
  }

  /** The open connection with the fewest requests on it that takes one more. */
  #roomiest(): Lane | null {
    let best: Lane | null = null
    let fewest = Infinity
    for (const lane of this.#lanes) {
      if (lane.inFlight >= fewest || !this.#mayTake(lane)) continue
      best = lane
      fewest = lane.inFlight
      if (fewest === 0) break
    }
    return best
  }

  /** While others are being dialled, a connection leaves them their share. */
  #mayTake(lane: Lane): boolean {
    if (!lane.hasRoom) return false
    if (this.#dialling === 0) return true
    return lane.inFlight < (this.#onWire() + this.#shared.size) / this.#lanes.length
  }

  #onWire(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.inFlight, 0)
  }

  /** Sees to it that a connection becomes empty, unless another can be had. */
  #makeEmpty(): void {
    const isComing = this.#lanes.length < this.#options.connections || this.#dialling > 0
    if (isComing || this.#lanes.some(lane => lane.isDraining)) return
    const [first, ...others] = this.#lanes
    const busiestLast = others.reduce((least, lane) => (lane.inFlight < least.inFlight ? lane : least), first)
    busiestLast.isDraining = true
  }

  // ---- LaneHost

  onRoom(lane: Lane): void {
    if (this.#alone.size > 0) return this.#pump()
    while (this.#shared.size > 0 && this.#mayTake(lane)) this.#giveTo(lane, this.#shared)
    if (this.#shared.size > 0) this.#dialForWaiting()
  }

  onAnswered(exchange: JobExchange): void {
    const { job } = exchange
    this.#counters.answered()
    this.#counters.settled(exchange)
    if (job.isOver) return
    job.isOver = true
    job.exchange = null
    // It may have been answered before anybody looked at its body.
    job.extras?.heldBody?.end()
    this.#settled()
  }

  onFailed(exchange: JobExchange, reason: unknown): void {
    const { job } = exchange
    this.#counters.settled(exchange)
    // The response had arrived, and could not be decoded.
    if (job.isOver) job.reject(reason)
    else this.#reject(job, reason)
  }

  onEnd(lane: Lane, lost: readonly LostJob[]): void {
    const link = lane.link!
    this.#counters.ended(link)
    for (const { exchange } of lost) {
      this.#counters.settled(exchange)
      exchange.job.exchange = null
    }
    this.#remove(lane)
    if (this.#destroyed !== null) {
      for (const { exchange } of lost) this.#reject(exchange.job, this.#destroyed.reason)
      return
    }
    const { closeAnnounced: isAnnounced, isEndedHere } = link
    const written = lost.filter(({ exchange }) => exchange.isWritten).length
    this.#budget.ended(lane.served, written, lane.wasWarned)
    if (!isEndedHere) this.#learn(lane, lost.length, written)
    const isFruitless = lane.served === 0
    const verdict = this.#rules.judge(lost, { isAnnounced, isEndedHere, isFruitless })
    for (const { job, error } of verdict.givenUp) this.#reject(job, error)
    this.#putBack(this.#notAborted(verdict.atOnce))
    this.#tryLater(this.#notAborted(verdict.later), isFruitless)
    for (const other of Array.from(this.#lanes)) {
      if (this.#origin.isWary) other.mustProve()
      other.review()
    }
    this.#pump()
  }

  #learn(lane: Lane, lost: number, written: number): void {
    const { closeAnnounced, faulty } = lane.link!
    this.#origin.ended({
      served: lane.served,
      lost: written + (faulty === null ? 0 : 1),
      isWanted: this.#shared.size + this.#alone.size + lost > 0,
      isAnnounced: closeAnnounced,
      isGrowing: lane.isGrowing,
      servedElsewhere: Math.max(0, ...this.#lanes.map(other => other.served)),
    })
  }

  /** Jobs that are on no connection any more are under the care of their signals again. */
  #notAborted(jobs: readonly Job[]): readonly Job[] {
    return jobs.filter(job => {
      const { signal } = job
      if (signal?.aborted === true) this.#reject(job, signal.reason)
      else if (signal !== undefined) this.#aborts.add(signal, job)
      return !job.isOver
    })
  }

  #tryLater(jobs: readonly Job[], isGated: boolean): void {
    if (jobs.length === 0) return
    for (const job of jobs) this.#later.add(job)
    this.#wait(Math.max(...jobs.map(job => job.failures)), isGated, () => {
      for (const job of jobs) this.#later.delete(job)
      this.#putBack(jobs)
    })
  }

  /** @param isGated - is nothing dialled meanwhile? */
  #wait(failures: number, isGated: boolean, callback: () => void): void {
    if (isGated) this.#gates++
    this.#backoff.wait(failures, () => {
      if (isGated) this.#gates--
      callback()
      this.#pump()
    })
  }

  // ---- connections

  #dialForWaiting(): void {
    this.#dialFor(this.#shared.size + this.#alone.size)
  }

  /** Dials for so many requests, unless connections that are being dialled will do. */
  #dialFor(requests: number): void {
    if (this.#gates > 0 || this.#destroyed !== null) return
    for (let wanted = requests - this.#dialling; wanted > 0; wanted--) {
      // After a loss one after the other, until one has proved that it answers.
      if (this.#origin.isWary && this.#lanes.some(lane => lane.isUnproven)) return
      if (this.#lanes.length >= this.#options.connections) return this.#replaceBarred()
      this.#dial()
    }
  }

  /** Makes room for another connection, if there is one that takes nothing any more. Its end leads back to dialling. */
  #replaceBarred(): void {
    const barred = this.#budget.isTouched ? this.#lanes.find(lane => lane.isBarred) : undefined
    if (barred !== undefined) this.#remove(barred)
  }

  #dial(): void {
    const { connection, depth } = this.#options
    const lane = new Lane(this.#hostname, connection, depth, this.#origin, this)
    this.#lanes.push(lane)
    this.#dialling++
    lane.open().then(
      () => {
        this.#dialling--
        this.#counters.opened()
        this.#failedDials = 0
        this.#pump()
      },
      (error: unknown) => this.#onDialFailed(lane, error),
    )
  }

  #onDialFailed(lane: Lane, error: unknown): void {
    this.#dialling--
    if (!this.#lanes.includes(lane)) return
    this.#remove(lane)
    this.#failedDials++
    // As long as there are others, nobody has to suffer.
    if (this.#lanes.some(({ isOpen }) => isOpen)) return this.#wait(this.#failedDials, true, () => undefined)
    if (this.#lanes.length > 0) return
    const isTemporary = isTemporaryNetworkError(error)
    let failures = 0
    for (const job of [...this.#shared, ...this.#alone]) {
      if (isTemporary && this.#rules.mayTryAgain(job)) {
        failures = Math.max(failures, job.failures)
      } else {
        job.queue!.drop(job)
        this.#reject(job, error)
      }
    }
    if (failures > 0) this.#wait(failures, true, () => undefined)
  }

  #remove(lane: Lane): void {
    const index = this.#lanes.indexOf(lane)
    if (index !== -1) this.#lanes.splice(index, 1)
    const closing = lane.close()
    this.#closings.add(closing)
    void closing.then(() => this.#closings.delete(closing))
  }
}
