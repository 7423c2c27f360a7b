// Owns what a run is reported as: plain data, the same for people, programs and the page. How it looks is decided elsewhere.
import type { Histogram } from 'hdr-histogram-js'
import { EXIT } from '../exit-status'
import type { Plan } from './plan'
import type { Outcome } from './run'
import { BUCKET_MS, type LatencyPart, type Tally } from './tally'
import { judge, type Threshold, type Verdict } from './threshold'

export const PERCENTILES = [50, 75, 90, 99, 99.9, 99.99] as const
const MOST_POINTS = 120
const CURVE_POINTS_PER_HALVING = 5

/** One part of the latency, in milliseconds. */
export interface LatencySummary {
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p75: number
  readonly p90: number
  readonly p99: number
  readonly 'p99.9': number
  readonly 'p99.99': number
  readonly max: number
}

/** Written as JSON by `--json`. */
export interface Report {
  readonly url: string
  readonly method: string
  readonly startedAt: string
  readonly measuredSeconds: number
  readonly isInterrupted: boolean
  readonly givenUp: string | null
  readonly load: {
    readonly connections: number
    readonly depth: number
    readonly threads: number
    readonly ratePerSecond: number | null
    readonly warmupSeconds: number
  }
  /** `asked` = `answered` + `failed` + `unfinished`; `sent` counts each time a request was written, `resent` of these. */
  readonly requests: {
    readonly asked: number
    readonly sent: number
    readonly resent: number
    readonly answered: number
    readonly failed: number
    readonly unfinished: number
    readonly warmup: number
  }
  readonly failures: Readonly<Record<string, number>>
  readonly statuses: Readonly<Record<string, number>>
  readonly answersPerSecond: number
  readonly latencyMs: Readonly<Record<LatencyPart, LatencySummary>>
  readonly bytes: { readonly sent: number; readonly received: number }
  readonly connections: {
    readonly opened: number
    readonly dialsFailed: number
    readonly ended: Readonly<Record<string, number>>
  }
  readonly depth: { readonly mean: number; readonly max: number }
  readonly throughput: readonly {
    readonly atSeconds: number
    readonly answersPerSecond: number
    readonly failuresPerSecond: number
  }[]
  /** Latency in all by percentile, for drawing. */
  readonly curve: readonly { readonly percentile: number; readonly ms: number }[]
  readonly thresholds: readonly Verdict[]
  readonly exitStatus: number
}

export function makeReport(plan: Plan, outcome: Outcome, thresholds: readonly Threshold[]): Report {
  const { tally, measuredMs } = outcome
  const { counts, failures } = tally
  const { total } = tally.histograms
  const report: Report = {
    url: plan.url,
    method: plan.method,
    startedAt: outcome.startedAt.toISOString(),
    measuredSeconds: round(measuredMs / 1000),
    isInterrupted: outcome.isInterrupted,
    givenUp: outcome.givenUp,
    load: {
      connections: plan.connections,
      depth: plan.depth,
      threads: plan.threads,
      ratePerSecond: plan.ratePerSecond,
      warmupSeconds: plan.warmupMs / 1000,
    },
    requests: {
      asked: counts.asked,
      sent: counts.sent,
      resent: counts.resent,
      answered: counts.answered,
      failed: failures,
      unfinished: counts.unfinished,
      warmup: counts.warmup,
    },
    failures: tally.failed,
    statuses: tally.statuses,
    answersPerSecond: round((counts.answered / measuredMs) * 1000),
    latencyMs: {
      total: summarise(total),
      waiting: summarise(tally.histograms.waiting),
      onWire: summarise(tally.histograms.onWire),
      behindBodies: summarise(tally.histograms.behindBodies),
    },
    bytes: { sent: counts.bytesSent, received: counts.bytesReceived },
    connections: { opened: counts.opened, dialsFailed: counts.dialsFailed, ended: tally.ended },
    depth: {
      mean: counts.busyMs === 0 ? 0 : round(counts.depthMs / counts.busyMs),
      max: counts.maxDepth,
    },
    throughput: drawThroughput(tally, measuredMs),
    curve: drawCurve(total),
    thresholds: [],
    exitStatus: EXIT.good,
  }
  const verdicts = thresholds.map(threshold =>
    judge(threshold, report, percentile => total.getValueAtPercentile(percentile) / 1000),
  )
  // A threshold on errors says how many may fail; without one, none may.
  const isJudged = thresholds.some(({ what }) => what === 'errors')
  const isBad =
    verdicts.some(({ isMet }) => !isMet) || (failures > 0 && !isJudged) || outcome.givenUp !== null
  return { ...report, thresholds: verdicts, exitStatus: isBad ? EXIT.failed : EXIT.good }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

function summarise(histogram: Histogram): LatencySummary {
  const isEmpty = histogram.totalCount === 0
  // A percentile is the upper end of a range of values, and may lie above the greatest of them.
  const at = (percentile: number): number =>
    isEmpty ? 0 : round(Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue) / 1000)
  return {
    min: isEmpty ? 0 : round(histogram.minNonZeroValue / 1000),
    mean: isEmpty ? 0 : round(histogram.mean / 1000),
    p50: at(50),
    p75: at(75),
    p90: at(90),
    p99: at(99),
    'p99.9': at(99.9),
    'p99.99': at(99.99),
    max: isEmpty ? 0 : round(histogram.maxValue / 1000),
  }
}

/** As many points as can be seen. */
function drawThroughput(tally: Tally, measuredMs: number): Report['throughput'] {
  const { answeredPerBucket, failedPerBucket } = tally
  const lastBucket = Math.max(answeredPerBucket.length, failedPerBucket.length)
  const perPoint = Math.max(1, Math.ceil(lastBucket / MOST_POINTS))
  const points = []
  for (let first = 0; first < lastBucket; first += perPoint) {
    const fromMs = first * BUCKET_MS
    // The last one may be cut short by the end.
    const untilMs = fromMs + perPoint * BUCKET_MS
    const seconds =
      (untilMs <= measuredMs || fromMs >= measuredMs ? untilMs - fromMs : measuredMs - fromMs) / 1000
    const sum = (buckets: readonly number[]): number =>
      buckets.slice(first, first + perPoint).reduce((total, count) => total + count, 0)
    points.push({
      atSeconds: round(fromMs / 1000),
      answersPerSecond: round(sum(answeredPerBucket) / seconds),
      failuresPerSecond: round(sum(failedPerBucket) / seconds),
    })
  }
  return points
}

/** Denser towards the end: 50, 75, 87.5 % and so on, as far as there are answers to tell. */
function drawCurve(histogram: Histogram): Report['curve'] {
  const { totalCount } = histogram
  if (totalCount === 0) return []
  const points = []
  for (let step = 0; ; step++) {
    const above = 2 ** (-step / CURVE_POINTS_PER_HALVING)
    const percentile = 100 * (1 - above)
    points.push({
      percentile: Math.round(percentile * 1e5) / 1e5,
      ms: round(histogram.getValueAtPercentile(percentile) / 1000),
    })
    if (above * totalCount < 1) return points
  }
}
