// Owns what a threshold may say, and whether a report keeps it.
import type { Report } from './report'

export const THRESHOLD_HELP = `what must hold, as 'p99<50ms' or 'errors<0.1%': a latency (p50, p99.9, any percentile, max,
mean) in us, ms or s; errors, or a status (404) or class (5xx), in % of what was asked or as a number; rate in answers a second`

export interface Threshold {
  readonly text: string
  readonly what: string
  readonly operator: '<' | '<=' | '>' | '>='
  /** Milliseconds, percent, or a number. */
  readonly limit: number
  readonly unit: 'ms' | '%' | ''
}

export interface Verdict {
  readonly threshold: string
  /** Null where nothing was measured: then it is missed. */
  readonly measured: number | null
  readonly unit: Threshold['unit']
  readonly isMet: boolean
}

const FORM = /^\s*([a-z0-9.]+)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s|%)?\s*$/i
const IN_MS: Record<string, number> = { us: 0.001, µs: 0.001, ms: 1, s: 1000 }

/** @throws RangeError that says what is wrong and how to write it */
export function parseThreshold(text: string): Threshold {
  const match = FORM.exec(text)
  if (match === null)
    throw new RangeError(`'${text}' is no threshold: write it as 'p99<50ms' or 'errors<0.1%'`)
  const [, name, operator, digits, suffix = ''] = match
  const what = name.toLowerCase()
  const threshold = { text, what, operator: operator as Threshold['operator'] }
  if (isLatency(what)) {
    const scale = IN_MS[suffix]
    if (scale === undefined)
      throw new RangeError(`'${text}' needs a unit of time: write it as '${what}<50ms'`)
    return { ...threshold, limit: Number(digits) * scale, unit: 'ms' }
  }
  if (what !== 'errors' && what !== 'rate' && !/^[1-9](xx|\d\d)$/.test(what)) {
    throw new RangeError(`'${name}' cannot be judged: use p50, p99.9, max, mean, errors, rate, 404 or 5xx`)
  }
  if (suffix !== '' && (suffix !== '%' || what === 'rate')) {
    throw new RangeError(`'${text}' has a unit that does not fit: leave '${suffix}' away`)
  }
  return { ...threshold, limit: Number(digits), unit: suffix }
}

function isLatency(what: string): boolean {
  if (what === 'max' || what === 'mean') return true
  const percentile = /^p(\d+(?:\.\d+)?)$/.exec(what)
  return percentile !== null && Number(percentile[1]) > 0 && Number(percentile[1]) <= 100
}

/** @param latencyMs - of the percentile that is asked for */
export function judge(
  threshold: Threshold,
  report: Report,
  latencyMs: (percentile: number) => number,
): Verdict {
  const measured = measure(threshold, report, latencyMs)
  const { text, operator, limit, unit } = threshold
  const isMet =
    measured !== null &&
    (operator === '<'
      ? measured < limit
      : operator === '<='
        ? measured <= limit
        : operator === '>'
          ? measured > limit
          : measured >= limit)
  return { threshold: text, measured, unit, isMet }
}

function measure(
  { what, unit }: Threshold,
  report: Report,
  latencyMs: (percentile: number) => number,
): number | null {
  const { requests, latencyMs: latency } = report
  if (what === 'rate') return report.answersPerSecond
  if (isLatency(what)) {
    if (requests.answered === 0) return null
    if (what === 'max') return latency.total.max
    if (what === 'mean') return latency.total.mean
    return latencyMs(Number(what.slice(1)))
  }
  const count = what === 'errors' ? requests.failed : countStatuses(report.statuses, what)
  if (unit !== '%') return count
  return requests.asked === 0 ? null : (count / requests.asked) * 100
}

function countStatuses(statuses: Readonly<Record<string, number>>, what: string): number {
  const wanted = what.endsWith('xx') ? what[0] : what
  return Object.entries(statuses).reduce(
    (sum, [status, count]) => (status.startsWith(wanted) ? sum + count : sum),
    0,
  )
}
