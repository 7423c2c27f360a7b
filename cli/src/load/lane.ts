// Owns one of the connections of a run: dials it again when it has ended, keeps it filled, says what became of each request given to it.
// Which requests there are is the engine's matter.
import {
  ConnectionClosed,
  ConnectionTimedOut,
  HTTPConnection,
  UnsupportedResponse,
  type ExchangeOptions,
  type HTTPResponse,
} from 'httpio'
import type { Job } from './job'
import type { Share } from './plan'
import type { Ending, Failure } from './tally'
import { watch, Wire, type WireOwner } from './wire'

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 1000
/** A request that may have been acted upon is sent so often at most. */
const MOST_LOSSES = 3

export interface LaneHost extends WireOwner {
  /** The next request; null if there is none now. */
  take(): Job | null
  hasWork(): boolean
  onAnswer(job: Job, response: HTTPResponse): void
  onFailure(job: Job, kind: Failure): void
  /** To be sent again before all others. */
  onResend(job: Job): void
  onOpened(): void
  onDialFailed(error: unknown): void
  onEnded(wire: Wire, ending: Ending): void
}

/** Makes a connection that has not been dialled yet. */
export type MakeConnection = (share: Share) => HTTPConnection

export const makeConnectionTo: MakeConnection = ({ hostname, port, tls, headers, timeoutMs }) =>
  new HTTPConnection(hostname, { port, tls, headers, timeoutMs, connectTimeoutMs: timeoutMs })

export class Lane {
  readonly #share: Share
  readonly #makeConnection: MakeConnection
  readonly #host: LaneHost
  readonly #exchange: ExchangeOptions | undefined
  #state: 'idle' | 'dialling' | 'open' | 'pausing' | 'over' = 'idle'
  #conn: HTTPConnection | null = null
  #wire: Wire | null = null
  #inFlight = 0
  /** As many may be in flight now: after a connection was lost, the next one begins with one (RFC 9112 section 9.3.2). */
  #allowed: number
  #lastResponse: HTTPResponse | null = null
  /** Given to the current transport. */
  #given = 0
  /** So many answers came on the last connection that was lost with requests on it; null = none was. */
  #lostAfter: number | null = null
  /** It was the same number twice: the server answers no more on one connection. */
  #limit = Infinity
  #pauseMs = 0
  #pause: NodeJS.Timeout | null = null
  #isTimedOut = false

  constructor(share: Share, host: LaneHost, makeConnection: MakeConnection) {
    this.#share = share
    this.#makeConnection = makeConnection
    this.#host = host
    this.#allowed = share.depth
    this.#exchange = share.body === null ? undefined : { body: share.body }
  }

  get wire(): Wire | null {
    return this.#wire
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Resolves when the transport is there, or could not be had: then with the reason. */
  async dial(): Promise<unknown> {
    const conn = this.#makeConnection(this.#share)
    const wire = new Wire({
      onSent: job => this.#host.onSent(job),
      onWireEnd: ended => setImmediate(() => this.#retire(ended)),
    })
    watch(conn, wire)
    this.#state = 'dialling'
    this.#conn = conn
    this.#wire = wire
    this.#isTimedOut = false
    this.#lastResponse = null
    this.#given = 0
    try {
      await conn.connect()
    } catch (error) {
      if (this.#isOver) return error
      this.#state = 'idle'
      this.#wire = null
      this.#host.onDialFailed(error)
      return error
    }
    if (this.#isOver) return null
    this.#state = 'open'
    this.#host.onOpened()
    return null
  }

  get #isOver(): boolean {
    return this.#state === 'over'
  }

  /** Takes one request if there is a place. @returns whether it did */
  takeOne(): boolean {
    if (this.#state === 'idle') {
      if (this.#host.hasWork()) void this.#redial()
      return false
    }
    if (this.#state !== 'open' || this.#inFlight >= this.#allowed || this.#wire!.error !== null) return false
    // Beyond the limit one alone finds out whether it still holds.
    if (this.#given >= this.#limit && this.#inFlight > 0) return false
    const job = this.#host.take()
    if (job === null) return false
    this.#send(job)
    return true
  }

  #fill(): void {
    while (this.takeOne());
  }

  async #redial(): Promise<void> {
    const error = await this.dial()
    if (error === null) this.#fill()
    else if (!this.#isOver) this.#pauseBeforeDialling()
  }

  /** What fails at once would fail a thousand times a second. */
  #pauseBeforeDialling(): void {
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2))
    this.#state = 'pausing'
    this.#pause = setTimeout(() => {
      this.#state = 'idle'
      this.#fill()
    }, this.#pauseMs)
  }

  #send(job: Job): void {
    const { method, path } = this.#share
    const wire = this.#wire!
    job.begin()
    this.#inFlight++
    this.#given++
    wire.submit(job)
    this.#conn!.request(method, path, this.#exchange).then(
      response => this.#onAnswer(job, response),
      (error: unknown) => this.#onError(job, wire, error),
    )
  }

  #onAnswer(job: Job, response: HTTPResponse): void {
    this.#inFlight--
    this.#lastResponse = response
    this.#pauseMs = 0
    this.#allowed = Math.min(this.#share.depth, this.#allowed + 1)
    if ((this.#wire?.answers ?? 0) > this.#limit) this.#limit = Infinity
    this.#host.onAnswer(job, response)
    this.#fill()
  }

  #onError(job: Job, wire: Wire, error: unknown): void {
    this.#inFlight--
    if (this.#isOver) return
    if (error instanceof ConnectionTimedOut) {
      this.#isTimedOut = true
      this.#host.onFailure(job, 'timed out')
      // What comes late would be taken for what comes in time: the others go out again on another connection.
      void this.#conn!.close()
    } else if (error instanceof UnsupportedResponse) {
      this.#host.onFailure(job, 'response not valid HTTP/1.1')
      void this.#conn!.close()
    } else {
      this.#onLost(job, wire, error)
    }
  }

  #onLost(job: Job, wire: Wire, error: unknown): void {
    const unanswered = error instanceof ConnectionClosed ? error.unanswered : []
    const isAnnounced = unanswered.some(
      ({ outcome, processed }) => outcome === 'no-reply' && processed === 'no',
    )
    const isUntouched = job.writtenAt === null || (isAnnounced && !job.isAnswering)
    if (!isUntouched || wire.answers === 0) job.losses++
    const mayResend = (isUntouched || this.#share.isIdempotent) && job.losses < MOST_LOSSES
    if (mayResend) this.#host.onResend(job)
    else this.#host.onFailure(job, 'connection lost')
    this.#allowed = 1
  }

  /** The transport has come to its end, and all that was on it has been told so. */
  #retire(wire: Wire): void {
    if (this.#isOver || wire !== this.#wire) return
    this.#host.onEnded(wire, this.#ending(wire.error))
    void this.#conn!.close()
    if (this.#given > wire.answers) this.#learn(wire.answers)
    this.#wire = null
    this.#inFlight = 0
    if (wire.answers === 0) {
      this.#pauseBeforeDialling()
    } else {
      this.#state = 'idle'
      this.#fill()
    }
  }

  #learn(answers: number): void {
    if (answers > 0 && answers === this.#lostAfter) this.#limit = answers
    this.#lostAfter = answers
  }

  #ending(error: Error | null): Ending {
    if (this.#isTimedOut) return 'closed here after a timeout'
    if (error instanceof UnsupportedResponse) return 'closed here after a response not valid HTTP/1.1'
    const announced = this.#lastResponse?.headers.get('connection')?.toLowerCase() ?? ''
    if (announced.split(/[\s,]+/).includes('close')) return 'server announced the close'
    const code = (error?.cause as NodeJS.ErrnoException | undefined)?.code
    if (code !== undefined || error?.message.includes('cut off') === true) return 'reset'
    return 'server closed without announcing it'
  }

  /** Ends it. What is under way is given up without another word. */
  close(): void {
    if (this.#isOver) return
    const { isOpen } = this
    const wire = this.#wire
    this.#state = 'over'
    if (this.#pause !== null) clearTimeout(this.#pause)
    if (isOpen && wire !== null) {
      const isAtEnd = wire.error === null && !this.#isTimedOut
      this.#host.onEnded(wire, isAtEnd ? 'closed here at the end' : this.#ending(wire.error))
    }
    void this.#conn?.close()
  }
}
