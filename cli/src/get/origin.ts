// Owns the fetching of all that is wanted of one origin: which job goes out on which connection, how many there are, what goes out again
// when one is lost, and what is known of the server. It knows neither files nor the user.
import { ConnectionTimedOut, HTTPConnection, isTemporaryNetworkError, type ConnectionOptions } from 'httpio'
import type { Job, Rest } from './job'
import { Lane, type LaneHost } from './lane'

export interface OriginOptions {
  readonly connections: number
  readonly depth: number
  /** As often is tried to connect, in a row. */
  readonly attempts: number
  readonly connection: ConnectionOptions
}

const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 10_000
/** So many bytes may wait for the disk, or for their turn, before more are asked for. */
const MOST_HELD_BYTES = 64 * 1024 * 1024
/** When so many URLs in a row have failed on connections without one response, the server answers nobody. */
const MOST_FRUITLESS_JOBS = 5

export class Origin implements LaneHost {
  readonly #hostname: string
  readonly #options: OriginOptions
  readonly #make: (index: number) => Job | null
  /** Not asked for yet, from `#next` on. */
  readonly #fresh: readonly number[]
  #next = 0
  /** To be asked for again, in order. */
  readonly #again: Job[] = []
  readonly #lanes: Lane[] = []
  #dialling = 0
  /** Jobs that were made and are not settled, and what they keep in memory. */
  #unsettled = 0
  #heldBytes = 0
  #isOver = false
  #onOver!: () => void
  readonly #over = new Promise<void>(resolve => (this.#onOver = resolve))

  /** Failures in a row; an answer ends the row. */
  #failures = 0
  #failedDials = 0
  #fruitlessJobs = 0
  #pause: NodeJS.Timeout | null = null
  /** A connection was lost: the next one begins with one request alone (RFC 9112 section 9.3.2). */
  #isWary = false
  /** After so many responses the server has closed a connection; one that stays open is tried with one request alone. */
  #limit = Infinity
  /** As many connections may be open at once: fewer than asked for if the server takes no more. */
  #most: number

  connectionsOpened = 0

  /**
   * @param fresh - the indexes of what is wanted, in order
   * @param make - makes the job of an index, or null if there is nothing to be done
   */
  constructor(
    hostname: string,
    options: OriginOptions,
    fresh: readonly number[],
    make: (index: number) => Job | null,
  ) {
    this.#hostname = hostname
    this.#options = options
    this.#most = options.connections
    this.#fresh = fresh
    this.#make = make
  }

  /** Resolves when everything is settled, or it was closed. */
  async fetchAll(): Promise<void> {
    this.#pump()
    await this.#over
    for (const lane of [...this.#lanes]) lane.abandon()
  }

  /** Asks for nothing more, and gives up what is under way: those jobs stay unsettled. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#pause !== null) clearTimeout(this.#pause)
    this.#onOver()
  }

  /** Its time is over. */
  expire(job: Job, error: unknown): void {
    if (this.#isOver || job.isSettled) return
    const place = this.#again.indexOf(job)
    if (place !== -1) this.#again.splice(place, 1)
    void this.onFailed(job, error)
    for (const lane of [...this.#lanes]) if (lane.current === job) lane.abandon()
  }

  get #queued(): number {
    return this.#again.length + this.#fresh.length - this.#next
  }

  // ---- what goes out

  #pump(): void {
    if (this.#isOver) return
    this.#dialAsNeeded()
    // One by one to the connection that has the fewest: what is long is spread, too.
    let hasTaken = true
    while (hasTaken) {
      const byLoad = [...this.#lanes].sort((one, other) => one.inFlight - other.inFlight)
      hasTaken = byLoad.some(lane => lane.takeOne())
    }
    if (this.#queued === 0 && this.#unsettled === 0) this.close()
  }

  /** One goes first: whether there is a server at all need not be found out by several at once. */
  #dialAsNeeded(): void {
    if (this.#pause !== null || this.#isHeld) return
    const open = this.#lanes.filter(({ isOpen }) => isOpen)
    const most = open.length > 0 ? this.#most : 1
    const idle = open.filter(({ inFlight }) => inFlight === 0).length
    while (this.#queued > this.#dialling + idle && this.#lanes.length < most && this.#dial());
  }

  /** Is nothing new asked for, since enough waits for the disk, or for its turn? */
  get #isHeld(): boolean {
    if (this.#again.length > 0) return false
    const { connections, depth } = this.#options
    return this.#unsettled >= 2 * connections * depth || this.#heldBytes >= MOST_HELD_BYTES
  }

  take(lane: Lane): Job | null {
    if (this.#isOver || this.#isHeld || lane.inFlight >= this.#roomOf(lane)) return null
    return this.#again.shift() ?? this.#takeFresh()
  }

  #takeFresh(): Job | null {
    while (this.#next < this.#fresh.length) {
      const job = this.#make(this.#fresh[this.#next++])
      if (job === null) continue
      this.#unsettled++
      return job
    }
    return null
  }

  #roomOf(lane: Lane): number {
    if (lane.given >= this.#limit) return 1
    // The first connection leaves something to the others, which come a little later.
    if (this.#dialling > 0 && lane.answers === 0) return 1
    // The last ones are spread over all connections: what is long should hold up little.
    const underWay = this.#lanes.reduce((sum, { inFlight }) => sum + inFlight, 0)
    return Math.min(lane.allowed, Math.ceil((this.#queued + underWay) / this.#most))
  }

  hasEarlier({ index }: Job): boolean {
    return this.#again.length > 0 && this.#again[0].index < index
  }

  #requeue(jobs: readonly Job[]): void {
    this.#again.push(...jobs)
    this.#again.sort((one, other) => one.index - other.index)
    for (const job of jobs) for (const lane of [...this.#lanes]) lane.onRequeued(job)
  }

  // ---- connections

  /** @returns whether it was worth it */
  #dial(): boolean {
    const { connection, depth } = this.#options
    if (this.#lanes.length === 0) {
      // What waits for the very first connection waits already.
      if (!this.#beginOldest()) return false
      if (this.#failures === 0) this.#most = this.#options.connections
    }
    const lane = new Lane(new HTTPConnection(this.#hostname, connection), this, this.#isWary ? 1 : depth)
    this.#lanes.push(lane)
    this.#dialling++
    lane.open().then(
      () => {
        this.#dialling--
        this.#failedDials = 0
        this.connectionsOpened++
        this.#pump()
      },
      (error: unknown) => {
        this.#dialling--
        this.#onDialFailed(lane, error)
      },
    )
    return true
  }

  /** @returns false if nothing is left to be done */
  #beginOldest(): boolean {
    if (this.#again.length === 0) {
      const job = this.#takeFresh()
      if (job !== null) this.#again.push(job)
    }
    this.#again[0]?.begin()
    return this.#again.length > 0
  }

  #onDialFailed(lane: Lane, error: unknown): void {
    this.#remove(lane)
    if (this.#isOver) return
    // As long as there are others, nobody has to suffer.
    if (!this.#lanes.some(({ isOpen }) => isOpen)) {
      this.#failedDials++
      if (!isTemporaryNetworkError(error) || this.#failedDials >= this.#options.attempts) this.#failAll(error)
    }
    this.#waitBeforeDialling()
    this.#pump()
  }

  #failAll(error: unknown): void {
    for (const job of this.#again.splice(0)) this.onFailed(job, error)
    for (let job = this.#takeFresh(); job !== null; job = this.#takeFresh()) this.onFailed(job, error)
  }

  /** With full jitter: many that were thrown out together do not come back together. */
  #waitBeforeDialling(): void {
    this.#failures++
    const delayMs = Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1))
    if (this.#pause !== null) clearTimeout(this.#pause)
    this.#pause = setTimeout(() => {
      this.#pause = null
      this.#pump()
    }, delayMs)
  }

  #remove(lane: Lane): void {
    const index = this.#lanes.indexOf(lane)
    if (index !== -1) this.#lanes.splice(index, 1)
  }

  // ---- what becomes of jobs

  onReceived(rest: Rest): void {
    this.#heldBytes += rest.heldBytes
    void rest.finish().then(() => {
      this.#heldBytes -= rest.heldBytes
      this.#onSettled()
    })
  }

  onFailed(job: Job, error: unknown): void {
    void job.fail(error).then(() => this.#onSettled())
  }

  #onSettled(): void {
    this.#unsettled--
    this.#pump()
  }

  onAnswer(lane: Lane): void {
    const { depth } = this.#options
    this.#failures = this.#fruitlessJobs = 0
    if (lane.answers > this.#limit) {
      // It was reached with care, and is left with care.
      this.#limit = Infinity
      lane.allowed = 1
    } else if (lane.allowed < depth) {
      lane.allowed++
    }
    if (lane.allowed === depth) this.#isWary = false
    this.#pump()
  }

  onEnd(lane: Lane, lost: readonly Job[], error: unknown): void {
    this.#remove(lane)
    if (this.#isOver) return
    if (lane.isEndedHere || error === null) this.#requeue(lost)
    else this.#onLost(lane, lost, error)
    this.#pump()
  }

  #onLost(lane: Lane, lost: readonly Job[], error: unknown): void {
    const { answers, isAnswering, isCloseAnnounced, current } = lane
    const isTemporary = isTemporaryNetworkError(error)
    const isTimedOut = error instanceof ConnectionTimedOut
    const isFruitless = answers === 0
    if (!isCloseAnnounced && isTemporary) this.#isWary = true
    if (answers > 0 && lost.length > 0 && !isAnswering && !isTimedOut) this.#limit = answers
    // The others go out again as if nothing had been: it is the oldest that was waited for.
    const oldest = lost.length > 0 && lost[0] === current ? lost[0] : null
    this.#requeue(oldest === null ? lost : lost.slice(1))
    if (oldest === null) return
    const isCharged =
      isAnswering || isTimedOut || (isFruitless && !isCloseAnnounced && !this.#wasOneTooMany())
    if (isTemporary && (!isCharged || oldest.mayTryAgain())) {
      this.#requeue([oldest])
    } else {
      this.onFailed(oldest, error)
      if (isFruitless && ++this.#fruitlessJobs >= MOST_FRUITLESS_JOBS) this.#failAll(error)
    }
    if (isTemporary && isCharged) this.#waitBeforeDialling()
  }

  /** A connection brought nothing: the server may take no more than those that are open. That is found out once for each number. */
  #wasOneTooMany(): boolean {
    const open = this.#lanes.filter(({ isOpen }) => isOpen).length
    if (open === 0 || open >= this.#most) return false
    this.#most = open
    return true
  }
}
