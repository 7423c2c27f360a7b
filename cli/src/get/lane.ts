// Owns one connection: which jobs are on it, and the reading of their responses one after the other. It knows neither the other
// connections nor what happens to a job that it lost.
import { HTTPError, StateError, type HTTPConnection, type HTTPResponse } from 'httpio'
import { GaveWay, MEMORY_BYTES, type Job, type Rest } from './job'

export interface LaneHost {
  /** The next job for this lane; null if there is none now. */
  take(lane: Lane): Job | null
  /** Does a job wait that comes before this one? */
  hasEarlier(job: Job): boolean
  onReceived(rest: Rest): void
  onFailed(job: Job, error: unknown): void
  /** A response has been read, wanted or not. */
  onAnswer(lane: Lane): void
  /** The connection has ended with these jobs on it, oldest first. */
  onEnd(lane: Lane, lost: readonly Job[], error: unknown): void
}

export class Lane {
  readonly #connection: HTTPConnection
  readonly #host: LaneHost
  readonly #inFlight: Job[] = []
  #isOpen = false
  #isOver = false
  #isReading = false
  #isReadingLong = false
  /** It takes no more requests, while responses may still come. */
  #isRefusing = false
  /** Ends the waiting of the current job for its turn. */
  #giveWay: (() => void) | null = null

  /** Requests that were given to it, and responses that were read. */
  given = 0
  answers = 0
  /** Has the head of the oldest job's response come? */
  isAnswering = false
  /** Did the server say that it closes? */
  isCloseAnnounced = false
  /** Was it ended by this side? */
  isEndedHere = false

  /** @param allowed - as many requests may be on it at once; it grows with the responses */
  constructor(
    connection: HTTPConnection,
    host: LaneHost,
    public allowed: number,
  ) {
    this.#connection = connection
    this.#host = host
  }

  /** Dials. Rejects as `HTTPConnection.connect` does. */
  async open(): Promise<void> {
    await this.#connection.connect()
    this.#isOpen = true
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isOver
  }

  get inFlight(): number {
    return this.#inFlight.length
  }

  get current(): Job | null {
    return this.#inFlight[0] ?? null
  }

  /** Takes a job if it may, and reads if nobody does. @returns whether it took one */
  takeOne(): boolean {
    if (!this.isOpen) return false
    if (!this.#connection.connected) {
      if (this.#inFlight.length === 0) this.#end(null)
      return false
    }
    // What would be behind a long body is better off elsewhere.
    if (this.#isRefusing || this.#isReadingLong || this.isCloseAnnounced) return false
    const job = this.#host.take(this)
    if (job === null) return false
    this.#send(job)
    if (!this.#isReading) {
      this.#isReading = true
      void this.#read()
    }
    return true
  }

  #send(job: Job): void {
    this.given++
    this.#inFlight.push(job)
    this.#connection.sendRequest('GET', job.path, { headers: job.headers() }).catch(() => {
      // Reading tells why, once it has come to that.
      this.#isRefusing = true
    })
  }

  async #read(): Promise<void> {
    try {
      for (let job = this.current; job !== null; job = this.current) {
        if (!job.isSettled) job.begin()
        const response = await this.#connection.readResponse()
        this.isAnswering = true
        this.isCloseAnnounced ||= /\bclose\b/i.test(response.headers.get('connection') ?? '')
        this.#isReadingLong = (response.length ?? 0) > MEMORY_BYTES
        await this.#take(job, response)
        this.isAnswering = this.#isReadingLong = false
        this.#inFlight.shift()
        this.answers++
        this.#host.onAnswer(this)
      }
      this.#isReading = false
    } catch (error) {
      this.#end(error)
    }
  }

  async #take(job: Job, response: HTTPResponse): Promise<void> {
    if (job.isSettled) return this.#drop(response)
    try {
      this.#host.onReceived(await job.receive(response, turn => this.#wait(job, turn)))
    } catch (error) {
      if (this.#isOver || isOfConnection(error)) throw error
      this.#host.onFailed(job, error)
      await this.#drop(response)
    }
  }

  /** Waits with a body unread, unless what is waited for cannot come before that has been read. */
  async #wait(job: Job, turn: Promise<void>): Promise<void> {
    const mustGiveWay = this.#inFlight.some(({ index }) => index < job.index) || this.#host.hasEarlier(job)
    const way = new Promise<void>((_resolve, reject) => {
      this.#giveWay = () => reject(new GaveWay())
    })
    if (mustGiveWay) this.#giveWay!()
    try {
      await Promise.race([turn, way])
    } finally {
      this.#giveWay = null
    }
  }

  /** A job waits to be sent again. If the current one waits for it, it must not. */
  onRequeued({ index }: Job): void {
    if (this.current !== null && index < this.current.index) this.#giveWay?.()
  }

  /** Nobody wants the rest of the body: it is read away, unless it is too much. */
  async #drop(response: HTTPResponse): Promise<void> {
    let dropped = 0
    if ((response.length ?? 0) <= MEMORY_BYTES) {
      for (;;) {
        const { length } = await response.read()
        dropped += length
        if (length === 0) return
        if (dropped > MEMORY_BYTES) break
      }
    }
    this.isEndedHere = true
    throw new GaveWay()
  }

  /** Ends it. What is on it is lost, and that is nobody's fault. */
  abandon(): void {
    this.isEndedHere = true
    this.#giveWay?.()
    this.#end(null)
  }

  #end(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    if (error instanceof GaveWay) this.isEndedHere = true
    void this.#connection.close()
    this.#host.onEnd(
      this,
      this.#inFlight.filter(job => !job.isSettled),
      error,
    )
  }
}

/** Is it the connection's fault, and not that of one job alone? */
function isOfConnection(error: unknown): boolean {
  return (error instanceof HTTPError && !(error instanceof StateError)) || error instanceof GaveWay
}
