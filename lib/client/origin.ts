// Owns what a client has learnt of its server: how many requests a connection may carry at once, and how many in its life. It knows no
// connections, no requests and no time; it is told what happened, and asked what to do.
//
//   what happened to the last connection            what the next ones do
//   --------------------------------------------    --------------------------------------------------------------------
//   lost, with requests unanswered or none          carry one request alone; with each response one more, if they stayed
//   answered (RFC 9112 section 9.3.2)               open after the first; once one carries all it may, all is as at first
//   lost so again while the depth grew              grow half as fast as the time before
//   ended after k responses, announced or not       are given k requests; one that stays open after them is tried with one
//                                                   more, alone; if that is answered, it grows, and so do the next ones
//   so again after k                                are given k requests and closed; once in a while one is tried
import type { WasteBudget } from './waste-budget'

/** How long a limit that was met twice is believed before it is tried again: so many connections, doubled each time. */
const FIRST_TRUST = 8
const LONGEST_TRUST = 1024
const SLOWEST_PACE = 1024

/** How a connection ended that had been open. */
export interface ConnectionEnd {
  /** Responses that it had brought. */
  readonly served: number
  /** Requests that were written and not answered completely. */
  readonly lost: number
  /** Were requests waiting for a place? */
  readonly isWanted: boolean
  /** Did the server say that it would close? */
  readonly isAnnounced: boolean
  /** Did it carry fewer requests at once than it might, since it had to prove itself? */
  readonly isGrowing: boolean
  /** The most responses that any other connection, open still, has brought. */
  readonly servedElsewhere: number
}

export class OriginMemory {
  readonly #depth: number
  readonly #budget: WasteBudget
  #isWary = false
  /** Responses needed for each step by which a connection grows. */
  #pace = 1
  #limit = Infinity
  /** Connections in a row that ended at the limit. */
  #sightings = 0
  /** Connections that may still be ended at the limit before it is tried again. */
  #trust = 0
  #nextTrust = FIRST_TRUST
  #isTrying = false

  constructor(depth: number, budget: WasteBudget) {
    this.#depth = depth
    this.#budget = budget
  }

  /** Must the next connection prove itself? */
  get isWary(): boolean {
    return this.#isWary
  }

  /** Have requests been written in vain? */
  get isWarned(): boolean {
    return this.#budget.isTouched
  }

  /** As many requests are given to one connection in its life, unless it proves that it takes more. */
  get limit(): number {
    return this.#limit
  }

  /** As many requests the next connection carries at once at first. */
  get firstDepth(): number {
    return this.#isWary ? 1 : Math.min(this.#depth, this.#limit)
  }

  /** By so much grows, with each response, what a connection may carry at once that carries less than it might. */
  get growth(): number {
    return 1 / this.#pace
  }

  /** May a connection be given a request that is not the first one there? */
  mayRisk(hasAnswered: boolean): boolean {
    return hasAnswered && this.#limit === Infinity ? this.#budget.allowsGrowth : this.#budget.allowsMore
  }

  /** A connection carries as many requests at once as any may, or has brought as many responses as any does. */
  proved(isAtDepth: boolean): void {
    this.#isWary = false
    if (isAtDepth) this.#pace = 1
  }

  /**
   * Is a connection that has reached the limit to be tried with one more request? Otherwise it is to be closed. One at a time is tried,
   * and none that the budget does not allow.
   */
  mayTry(): boolean {
    if (this.#isTrying || !this.#budget.allowsMore) return false
    if (this.#sightings > 1 && this.#trust-- > 0) return false
    if (this.#sightings > 1) this.#nextTrust = Math.min(this.#nextTrust * 2, LONGEST_TRUST)
    this.#isTrying = true
    return true
  }

  /** The connection that was to be tried has been, or has ended. */
  tried(): void {
    this.#isTrying = false
  }

  /** A connection has brought more than the limit. Nobody knows how much more, so that the next ones have to grow. */
  refuteLimit(): void {
    this.#limit = Infinity
    this.#sightings = 0
    this.#nextTrust = FIRST_TRUST
    this.#isWary = true
  }

  /** A connection has ended, and not by our wish. */
  ended({ served, lost, isWanted, isAnnounced, isGrowing, servedElsewhere }: ConnectionEnd): void {
    if (!isAnnounced && (lost > 0 || served === 0)) {
      this.#isWary = true
      if (isGrowing && lost > 1) this.#pace = Math.min(this.#pace * 2, SLOWEST_PACE)
    }
    // Whoever closes an idle connection has grown tired of waiting, which says nothing of how many requests it takes.
    const isTelling = isAnnounced || lost > 0 || isWanted
    if (isTelling && served > 0 && served >= servedElsewhere) this.#sighted(served)
  }

  #sighted(served: number): void {
    this.#sightings = served === this.#limit ? this.#sightings + 1 : 1
    this.#limit = served
    this.#trust = this.#nextTrust
  }
}
