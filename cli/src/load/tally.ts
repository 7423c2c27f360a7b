// Owns what one thread counts and measures, how that travels between threads, and how the tallies of several become one.
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js'

/** Why a request failed; it has one reason. */
export type Failure = 'could not connect' | 'connection lost' | 'timed out' | 'response not valid HTTP/1.1'

/** How a connection ended; it ended in one way. */
export type Ending =
  | 'closed here at the end'
  | 'closed here after a timeout'
  | 'closed here after a response not valid HTTP/1.1'
  | 'server announced the close'
  | 'server closed without announcing it'
  | 'reset'

export const BUCKET_MS = 100
const MAX_MICROS = 3_600_000_000

/** Where the time of one answer went. All are milliseconds; the last three add up to the first. */
export interface Latency {
  readonly total: number
  readonly waiting: number
  readonly onWire: number
  readonly behindBodies: number
}

const PARTS = ['total', 'waiting', 'onWire', 'behindBodies'] as const
export type LatencyPart = (typeof PARTS)[number]

/** Microseconds, to three digits. */
function makeHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_MICROS,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 64,
  })
}

/** A tally as it is handed from thread to thread. */
export interface TallyData {
  readonly counts: Counts
  readonly failed: Partial<Record<Failure, number>>
  readonly statuses: Record<string, number>
  readonly ended: Partial<Record<Ending, number>>
  readonly answeredPerBucket: number[]
  readonly failedPerBucket: number[]
  readonly histograms: Record<LatencyPart, string>
}

/** Plain sums, but for `maxDepth`. */
interface Counts {
  asked: number
  sent: number
  resent: number
  answered: number
  unfinished: number
  warmup: number
  opened: number
  dialsFailed: number
  bytesSent: number
  bytesReceived: number
  /** Requests on the wire, integrated over the time in which there were any. */
  depthMs: number
  busyMs: number
  maxDepth: number
}

export class Tally {
  readonly counts: Counts = {
    asked: 0,
    sent: 0,
    resent: 0,
    answered: 0,
    unfinished: 0,
    warmup: 0,
    opened: 0,
    dialsFailed: 0,
    bytesSent: 0,
    bytesReceived: 0,
    depthMs: 0,
    busyMs: 0,
    maxDepth: 0,
  }
  readonly failed: Partial<Record<Failure, number>> = {}
  readonly statuses: Record<string, number> = {}
  readonly ended: Partial<Record<Ending, number>> = {}
  readonly answeredPerBucket: number[] = []
  readonly failedPerBucket: number[] = []
  readonly histograms: Record<LatencyPart, Histogram> = {
    total: makeHistogram(),
    waiting: makeHistogram(),
    onWire: makeHistogram(),
    behindBodies: makeHistogram(),
  }

  static from(data: TallyData): Tally {
    const tally = new Tally()
    Object.assign(tally.counts, data.counts)
    Object.assign(tally.failed, data.failed)
    Object.assign(tally.statuses, data.statuses)
    Object.assign(tally.ended, data.ended)
    tally.answeredPerBucket.push(...data.answeredPerBucket)
    tally.failedPerBucket.push(...data.failedPerBucket)
    for (const part of PARTS) {
      tally.histograms[part] = decodeFromCompressedBase64(data.histograms[part])
    }
    return tally
  }

  get failures(): number {
    return Object.values(this.failed).reduce((sum, count) => sum + count, 0)
  }

  /** @param atMs - since the measured time began */
  answer(status: number, latency: Latency, atMs: number): void {
    this.counts.answered++
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
    for (const part of PARTS) {
      this.histograms[part].recordValue(Math.min(MAX_MICROS, Math.max(0, Math.round(latency[part] * 1000))))
    }
    addToBucket(this.answeredPerBucket, atMs)
  }

  /** @param atMs - since the measured time began */
  fail(kind: Failure, atMs: number): void {
    this.failed[kind] = (this.failed[kind] ?? 0) + 1
    addToBucket(this.failedPerBucket, atMs)
  }

  end(kind: Ending): void {
    this.ended[kind] = (this.ended[kind] ?? 0) + 1
  }

  /** Begins anew with what concerns connections: `opened` are open now. */
  forgetConnections(opened: number): void {
    const none = { dialsFailed: 0, bytesSent: 0, bytesReceived: 0, depthMs: 0, busyMs: 0, maxDepth: 0 }
    Object.assign(this.counts, none, { opened })
    for (const ending of Object.keys(this.ended) as Ending[]) delete this.ended[ending]
  }

  /** Adds what another thread has counted. */
  add(other: Tally): void {
    for (const name of Object.keys(this.counts) as (keyof Counts)[]) {
      if (name === 'maxDepth') this.counts.maxDepth = Math.max(this.counts.maxDepth, other.counts.maxDepth)
      else this.counts[name] += other.counts[name]
    }
    addAll(this.failed, other.failed)
    addAll(this.statuses, other.statuses)
    addAll(this.ended, other.ended)
    addBuckets(this.answeredPerBucket, other.answeredPerBucket)
    addBuckets(this.failedPerBucket, other.failedPerBucket)
    for (const part of PARTS) this.histograms[part].add(other.histograms[part])
  }

  toData(): TallyData {
    const { counts, failed, statuses, ended, answeredPerBucket, failedPerBucket } = this
    const histograms = Object.fromEntries(
      PARTS.map(part => [part, encodeIntoCompressedBase64(this.histograms[part])]),
    ) as Record<LatencyPart, string>
    return { counts, failed, statuses, ended, answeredPerBucket, failedPerBucket, histograms }
  }
}

function addToBucket(buckets: number[], atMs: number): void {
  const index = Math.max(0, Math.floor(atMs / BUCKET_MS))
  while (buckets.length <= index) buckets.push(0)
  buckets[index]++
}

function addBuckets(buckets: number[], others: readonly number[]): void {
  others.forEach((count, index) => (buckets[index] = (buckets[index] ?? 0) + count))
}

function addAll(sums: Record<string, number>, others: Record<string, number>): void {
  for (const [name, count] of Object.entries(others)) sums[name] = (sums[name] ?? 0) + count
}
