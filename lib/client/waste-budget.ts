// Owns the promise that a server sees at most twice as many requests as were asked for: how many were written in vain, and whether one more
// may be put where it can be lost. It knows no connections and no requests.
//
// The first request on a connection is free: whoever wants an answer has to send one. Every other one, behind it or after it, may be lost by
// no fault of its own. So no such one is sent while all that is under way, if it were lost, would bring what was written in vain to what
// was asked for. Then, whatever the server does, it sees each request at most twice on average, apart from first requests on a connection
// that it leaves unanswered.

export class WasteBudget {
  /** Requests that were accepted. */
  asked = 0
  #wasted = 0
  readonly #mostOnWire: number
  readonly #onWire: () => number
  /** Of the connections made after the first loss, has none lost more than the one request that it had to be given? */
  #isLenient = true

  /**
   * @param mostOnWire - more are never under way
   * @param onWire - how many are; asked only when it matters
   */
  constructor(mostOnWire: number, onWire: () => number) {
    this.#mostOnWire = mostOnWire
    this.#onWire = onWire
  }

  /** Has anything been written in vain? */
  get isTouched(): boolean {
    return this.#wasted > 0
  }

  /** May one more request be put behind others, or on a connection that has answered? */
  get allowsMore(): boolean {
    if (this.#wasted === 0 || this.#wasted + this.#mostOnWire < this.asked) return true
    return this.#wasted + this.#onWire() < this.asked
  }

  /**
   * The same, for a connection that has answered and is not known to have a limit. A single accident may have cost all that was asked for:
   * whoever has answered since may well be given more, until that is disappointed.
   */
  get allowsGrowth(): boolean {
    return this.#isLenient || this.allowsMore
  }

  /**
   * A connection has ended.
   *
   * @param served - responses that it had brought
   * @param lost - requests that were written and not answered completely
   * @param wasWarned - was it made when something had been written in vain before?
   */
  ended(served: number, lost: number, wasWarned: boolean): void {
    this.#wasted += lost
    if (wasWarned && lost > 0 && served + lost > 1) this.#isLenient = false
  }
}
