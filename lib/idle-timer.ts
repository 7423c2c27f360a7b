// Owns the idle limit of a connection: one timer for all that waits. Timer and clock are the globals, so that fake timers work.

/** What waits, by the time it began. */
export interface IdleHost {
  /** Gives up everything that began to wait at `limit` or before, and says when the oldest of the rest began; null if nothing waits. */
  expire(limit: number): number | null
}

/** Timers are a little early at times. */
const TOLERANCE_MS = 1

export class IdleTimer {
  readonly #host: IdleHost
  #timeoutMs: number
  #timer: ReturnType<typeof setTimeout> | null = null
  #lastMove = 0
  #moves = 0
  /** What began to wait at this time or before has waited long enough when the timer fires and no byte has moved. */
  #covers = 0
  #armedMoves = 0

  constructor(host: IdleHost, timeoutMs: number) {
    this.#host = host
    this.#timeoutMs = checkTimeout('timeoutMs', timeoutMs)
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  /** What waits already waits from now on. */
  set timeoutMs(value: number) {
    this.#timeoutMs = checkTimeout('timeoutMs', value)
    this.stop()
    this.moved()
    this.waiting()
  }

  /** The time, or 0 if nobody needs it. */
  now(): number {
    return this.#timeoutMs > 0 ? performance.now() : 0
  }

  /** A byte moved. */
  moved(): void {
    if (this.#timeoutMs === 0) return
    this.#moves++
    this.#lastMove = performance.now()
  }

  /** Something has begun to wait. */
  waiting(): void {
    if (this.#timeoutMs > 0 && this.#timer === null) this.#arm(this.#timeoutMs)
  }

  stop(): void {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#timer = null
  }

  #arm(delayMs: number): void {
    this.#covers = performance.now() + delayMs - this.#timeoutMs
    this.#armedMoves = this.#moves
    this.#timer = setTimeout(this.#onTimer, delayMs)
  }

  readonly #onTimer = (): void => {
    this.#timer = null
    let limit = performance.now() - this.#timeoutMs + TOLERANCE_MS
    // The timer itself proves that time has passed, also where a test has replaced it and not the clock.
    if (this.#moves === this.#armedMoves) limit = Math.max(limit, this.#covers)
    else if (this.#lastMove > limit) limit = -Infinity
    const oldest = this.#host.expire(limit)
    if (oldest === null || this.#timer !== null || this.#timeoutMs === 0) return
    const since = Math.max(oldest, this.#lastMove)
    this.#arm(Math.max(1, since + this.#timeoutMs - performance.now()))
  }
}

/** The longest that a timer of Node can be set to. */
const MAX_TIMER_MS = 0x7fff_ffff

/**
 * @returns `value`, cut to what a timer can be set to; 0 for Infinity, since both mean none
 * @throws RangeError unless it is a duration
 */
export function checkTimeout(name: string, value: number): number {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new RangeError(`${name} must be a number of milliseconds from 0 on, not ${String(value)}`)
  }
  return value === Infinity ? 0 : Math.min(value, MAX_TIMER_MS)
}
