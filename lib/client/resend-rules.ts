// Owns the decision what becomes of requests whose connection has ended: which go out again, which wait before they do, and which are
// given up. It knows no connections and no time.
import { ConnectionClosed } from '../errors'
import { fateOf } from '../protocol/exchange'
import type { Job } from './job'
import type { LostJob } from './lane'

/** How the connection ended. */
export interface LossCircumstances {
  /** The server had said that it would close. */
  readonly isAnnounced: boolean
  /** This side ended it. */
  readonly isEndedHere: boolean
  /** It never brought a response. */
  readonly isFruitless: boolean
}

/** Oldest first. */
export interface ResendVerdict {
  readonly atOnce: readonly Job[]
  readonly later: readonly Job[]
  readonly givenUp: readonly { readonly job: Job; readonly error: ConnectionClosed }[]
}

export class ResendRules {
  readonly #attempts: number

  /** @param attempts - as often a request is tried at most, the first time included */
  constructor(attempts: number) {
    this.#attempts = attempts
  }

  /** A try has failed, or an attempt to connect. @returns whether there may be another */
  mayTryAgain(job: Job): boolean {
    return ++job.failures < this.#attempts
  }

  /**
   * A request that was certainly not acted upon goes out again, and that is no failed try: it is the neighbours' fault. Only the first
   * one on a connection that brought nothing is charged even so, or a server that hangs up on everybody would be asked for ever.
   *
   * The first one that may have been acted upon may have been what ended the connection (RFC 9112 section 9.3.2): from then on it is sent
   * alone. So is every request that is tried for the last time, lest it fails by another's fault.
   */
  judge(lost: readonly LostJob[], circumstances: LossCircumstances): ResendVerdict {
    const { isAnnounced, isEndedHere, isFruitless } = circumstances
    const isLoss = !isAnnounced && !isEndedHere
    const atOnce: Job[] = []
    const later: Job[] = []
    const givenUp: { job: Job; error: ConnectionClosed }[] = []
    let isFirst = true
    for (const { exchange, error } of lost) {
      const { job } = exchange
      const fate = fateOf(exchange, isAnnounced)
      const isCertain = fate.processed === 'no'
      const isCharged = !isCertain || (isFirst && isFruitless && isLoss)
      const mayGo = job.isRepeatable && (isCertain || job.isSafe) && (!isCharged || this.mayTryAgain(job))
      if (!mayGo) {
        const own = new ConnectionClosed(error.message, { cause: error, unanswered: [fate] })
        givenUp.push({ job, error: own })
      } else {
        const isLastTry = isCharged && job.failures === this.#attempts - 1
        const isSuspect = isCharged && isLoss && isFirst
        if (isLastTry || isSuspect) job.isAlone = true
        const list = isCharged && isLoss ? later : atOnce
        list.push(job)
      }
      isFirst = false
    }
    return { atOnce, later, givenUp }
  }
}
