// Owns the record of one request that is asked for: when, and what became of it so far. It decides nothing.
import type { Latency } from './tally'

/** One request. Times are those of the run's clock, in milliseconds. */
export class Job {
  /** First bytes handed to a transport so often. */
  sends = 0
  /** Lost so often in a way that may have left the server acting on it, or before anything was answered at all. */
  losses = 0
  /** Of the last sending; null while it has not been written. */
  writtenAt: number | null = null
  isAnswering = false
  completeAt = 0
  /** Time in which bodies came on its connection, before it was written, and between then and its own head. */
  bodyMsBefore = 0
  behindMs = 0

  constructor(
    /** When it should go out: latency counts from here. */
    readonly intendedAt: number,
    /** Is it part of the measured time? */
    readonly isCounted: boolean,
  ) {}

  /** It is about to be given to a connection. */
  begin(): void {
    this.writtenAt = null
    this.isAnswering = false
    this.behindMs = 0
  }

  latency(): Latency {
    const total = this.completeAt - this.intendedAt
    const waiting = (this.writtenAt ?? this.completeAt) - this.intendedAt
    const behindBodies = this.behindMs
    return { total, waiting, behindBodies, onWire: total - waiting - behindBodies }
  }
}
