// Owns one thread's share of a run: which request is asked for when, which goes out again, when the run is over. How a connection works
// is the lanes' matter.
import type { HTTPResponse } from 'httpio'
import { describeDialError } from './dial-error'
import { Job } from './job'
import { Lane, makeConnectionTo, type LaneHost, type MakeConnection } from './lane'
import type { Share } from './plan'
import { Queue } from './queue'
import { Tally, type Ending, type Failure } from './tally'
import { now, type Wire } from './wire'

/** No connection could be had for so long: the server has gone. */
const GIVE_UP_AFTER_MS = 5000
/** From this distance on, pacing may keep the processor busy for the sake of precision. */
const PRECISE_INTERVAL_MS = 2

/** What the live line shows. */
export interface Progress {
  readonly answered: number
  readonly failed: number
}

export class Engine implements LaneHost {
  readonly #share: Share
  readonly tally = new Tally()
  readonly #lanes: Lane[]
  readonly #onOver: () => void
  /** Asked for and not settled. */
  readonly #open = new Set<Job>()
  readonly #resends: Job[] = []
  /** Due, but no place was free. */
  readonly #due = new Queue<Job>()
  #nextLane = 0
  #issued = 0
  /** How often the pace has come round, warm-up included. */
  #paced = 0
  #startAt = 0
  #measureAt = Infinity
  #hasStarted = false
  #isIssuing = false
  #isOver = false
  /** Given to a connection, or to be given up with one. */
  #underWay = 0
  /** Nothing is given to connections any more; what is there still is waited for. */
  #isDraining = false
  /** Since when no connection could be had. */
  #downSince: number | null = null
  #hasFailed = false
  #dialError: unknown = null
  readonly #timers = new Set<NodeJS.Timeout>()
  #immediate: NodeJS.Immediate | null = null

  /**
   * @param onOver - called once, when the share is done, given up or interrupted; never from within a call to the engine but `interrupt`
   */
  constructor(share: Share, onOver: () => void, makeConnection: MakeConnection = makeConnectionTo) {
    this.#share = share
    this.#onOver = onOver
    this.#lanes = Array.from({ length: share.connections }, () => new Lane(share, this, makeConnection))
  }

  /** Dials every connection. @returns null, or what to tell the user if there is not one */
  async connect(): Promise<string | null> {
    const errors = await Promise.all(this.#lanes.map(lane => lane.dial()))
    if (errors.some(error => error === null)) return null
    return describeDialError(errors[0], this.#share)
  }

  get progress(): Progress {
    return { answered: this.tally.counts.answered, failed: this.tally.failures }
  }

  /** Begins, with the warm-up if there is one. @param startAt - by the run's clock; what is past then counts as due */
  start(startAt: number): void {
    const { warmupMs, durationMs } = this.#share
    if (this.#isOver) return
    if (startAt - now() >= 1) {
      const timer = setTimeout(() => this.start(startAt), startAt - now())
      this.#timers.add(timer)
      return
    }
    this.#hasStarted = true
    this.#startAt = startAt
    this.#measureAt = startAt + warmupMs
    this.#isIssuing = true
    if (warmupMs > 0) this.#after(warmupMs, () => this.#measure())
    else this.#measure()
    if (durationMs !== null) this.#after(warmupMs + durationMs, () => this.#stopIssuing())
    if (this.#share.requests === 0) this.#stopIssuing()
    if (this.#share.ratePerSecond === null) this.#spread()
    else this.#pace()
    this.#settled()
  }

  #after(delayMs: number, action: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        action()
      },
      Math.max(0, this.#startAt + delayMs - now()),
    )
    this.#timers.add(timer)
  }

  /** What is told of connections is told of the measured time alone: those that are open now count as opened in it. */
  #measure(): void {
    if (this.#share.warmupMs > 0) {
      this.tally.forgetConnections(this.#lanes.filter(({ isOpen }) => isOpen).length)
    }
    for (const lane of this.#lanes) lane.wire?.beginMeasuring()
  }

  /** Ends now; what is under way stays unfinished. */
  interrupt(): void {
    this.#finish()
  }

  // ---- which request when

  #ask(intendedAt: number): Job {
    const isCounted = this.#share.warmupMs === 0 || intendedAt >= this.#measureAt
    const job = new Job(intendedAt, isCounted)
    this.#open.add(job)
    if (isCounted) {
      this.#issued++
      this.tally.counts.asked++
    } else {
      this.tally.counts.warmup++
    }
    if (this.#issued === this.#share.requests) this.#stopIssuing()
    return job
  }

  #pace(): void {
    const { ratePerSecond, threads, thread, durationMs, warmupMs } = this.#share
    const intervalMs = 1000 / ratePerSecond!
    const endAt = durationMs === null ? Infinity : this.#startAt + warmupMs + durationMs
    const dueAt = (): number => this.#startAt + (this.#paced * threads + thread) * intervalMs
    const at = now()
    while (this.#isIssuing && dueAt() <= at && dueAt() < endAt) {
      this.#due.push(this.#ask(dueAt()))
      this.#paced++
    }
    this.#spread()
    if (!this.#isIssuing || dueAt() >= endAt) return
    const again = (): void => this.#pace()
    const waitMs = dueAt() - now()
    if (waitMs < 1.2 && intervalMs * threads >= PRECISE_INTERVAL_MS) this.#immediate = setImmediate(again)
    else this.#after(dueAt() - this.#startAt - (waitMs > 2 ? 1 : 0), again)
  }

  /** Gives out what is there, to one connection after the other. */
  #spread(): void {
    let refused = 0
    while (refused < this.#lanes.length && this.hasWork()) {
      const lane = this.#lanes[this.#nextLane]
      this.#nextLane = (this.#nextLane + 1) % this.#lanes.length
      refused = lane.takeOne() ? 0 : refused + 1
    }
  }

  #stopIssuing(): void {
    if (!this.#isIssuing) return
    this.#isIssuing = false
    // What waits for a place is waited for as long as an answer may take, and what has one as long again.
    const { timeoutMs } = this.#share
    const sinceStart = now() - this.#startAt
    this.#after(sinceStart + timeoutMs, () => {
      this.#isDraining = true
      this.#settled()
    })
    this.#after(sinceStart + 2 * timeoutMs, () => this.#finish())
    this.#settled()
  }

  hasWork(): boolean {
    if (this.#isOver || this.#isDraining) return false
    if (this.#resends.length > 0 || this.#due.length > 0) return true
    return this.#isIssuing && this.#share.ratePerSecond === null
  }

  take(): Job | null {
    if (!this.hasWork()) return null
    this.#underWay++
    return this.#resends.shift() ?? this.#due.shift() ?? this.#ask(now())
  }

  // ---- what becomes of them

  onSent(job: Job): void {
    job.sends++
    if (!job.isCounted) return
    this.tally.counts.sent++
    if (job.sends > 1) this.tally.counts.resent++
  }

  onAnswer(job: Job, response: HTTPResponse): void {
    if (!this.#open.delete(job)) return
    this.#underWay--
    if (job.isCounted) this.tally.answer(response.status, job.latency(), job.completeAt - this.#measureAt)
    this.#settled()
  }

  onFailure(job: Job, kind: Failure): void {
    if (!this.#open.delete(job)) return
    this.#underWay--
    if (job.isCounted) this.tally.fail(kind, now() - this.#measureAt)
    this.#settled()
  }

  onResend(job: Job): void {
    this.#underWay--
    // The oldest first: what is first on a connection is answered, if anything is.
    let place = this.#resends.length
    while (place > 0 && this.#resends[place - 1].intendedAt > job.intendedAt) place--
    this.#resends.splice(place, 0, job)
    this.#settled()
  }

  onOpened(): void {
    this.#downSince = null
    this.tally.counts.opened++
  }

  onDialFailed(error: unknown): void {
    this.tally.counts.dialsFailed++
    this.#dialError = error
    if (!this.#hasStarted) return
    const job = this.take()
    if (job !== null) this.onFailure(job, 'could not connect')
    if (this.#lanes.some(lane => lane.isOpen)) return
    this.#downSince ??= now()
    if (now() - this.#downSince > GIVE_UP_AFTER_MS) {
      this.#hasFailed = true
      this.#finish()
    }
  }

  /** Set when the run was given up since the server had gone. */
  get givenUp(): string | null {
    return this.#hasFailed ? describeDialError(this.#dialError, this.#share) : null
  }

  onEnded(wire: Wire, ending: Ending): void {
    const { counts } = this.tally
    this.tally.end(ending)
    counts.bytesReceived += wire.bytesReceived
    counts.bytesSent += wire.bytesSent
    counts.depthMs += wire.depthMs
    counts.busyMs += wire.busyMs
    counts.maxDepth = Math.max(counts.maxDepth, wire.maxDepth)
    // Requests to be sent again may have to wait for another connection.
    if (!this.#isOver) setImmediate(() => this.#spread())
  }

  #settled(): void {
    if (this.#isIssuing || this.#isOver || !this.#hasStarted) return
    const left = this.#isDraining ? this.#underWay : this.#open.size
    if (left === 0) this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#isIssuing = false
    for (const timer of this.#timers) clearTimeout(timer)
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    for (const job of this.#open) if (job.isCounted) this.tally.counts.unfinished++
    for (const lane of this.#lanes) lane.close()
    setImmediate(this.#onOver)
  }
}
