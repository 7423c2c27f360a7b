import { makeReport } from '../../src/load/report'
import { bytes, formatReport } from '../../src/load/report-text'
import type { Outcome } from '../../src/load/run'
import { Tally } from '../../src/load/tally'
import { parseThreshold } from '../../src/load/threshold'
import { planOf } from '../support/share'

const PLAN = planOf({ connections: 2, depth: 4, durationMs: 2000, requests: null })

function outcomeOf(tally: Tally, changes: Partial<Outcome> = {}): Outcome {
  const startedAt = new Date('2025-01-02T03:04:05Z')
  return { tally, startedAt, measuredMs: 2000, isInterrupted: false, givenUp: null, ...changes }
}

/** 200 answers of 1 to 200 ms, 10 of them 503, and `failures` that timed out. */
function makeTally(failures = 0): Tally {
  const tally = new Tally()
  for (let ms = 1; ms <= 200; ms++) {
    tally.answer(ms <= 10 ? 503 : 200, { total: ms, waiting: 0, onWire: ms, behindBodies: 0 }, 10 * (ms - 1))
  }
  for (let count = 0; count < failures; count++) tally.fail('timed out', 1999)
  Object.assign(tally.counts, {
    asked: 200 + failures,
    sent: 200 + failures,
    opened: 2,
    depthMs: 3000,
    busyMs: 2000,
  })
  return tally
}

const report = (failures: number, thresholds: readonly string[] = [], changes: Partial<Outcome> = {}) =>
  makeReport(PLAN, outcomeOf(makeTally(failures), changes), thresholds.map(parseThreshold))

describe('makeReport', () => {
  it('gives the figures of the tally, and those that follow from them', () => {
    const { requests, failures, statuses, answersPerSecond, depth, latencyMs, startedAt } = report(3)
    expect(requests).toEqual({
      asked: 203,
      sent: 203,
      resent: 0,
      answered: 200,
      failed: 3,
      unfinished: 0,
      warmup: 0,
    })
    expect({ failures, statuses, answersPerSecond, depth, startedAt }).toEqual({
      failures: { 'timed out': 3 },
      statuses: { 200: 190, 503: 10 },
      answersPerSecond: 100,
      depth: { mean: 1.5, max: 0 },
      startedAt: '2025-01-02T03:04:05.000Z',
    })
    const { p50, p90, p99, max } = latencyMs.total
    expect([p50, p90, p99, max].map(Math.round)).toEqual([100, 180, 198, 200])
  })

  it.each([
    ['nothing failed', 0, [], 0],
    ['something failed', 1, [], 2],
    ['no more failed than a threshold allows', 1, ['errors<=1'], 0],
    ['more failed than a threshold allows', 2, ['errors<=1'], 2],
    ['something failed, and only latency is judged', 1, ['p99<1s'], 2],
    ['latency is too high', 0, ['p50<10ms'], 2],
    ['a status is too frequent', 0, ['5xx<5%'], 2],
    ['a status is frequent enough', 0, ['503>=5%', 'rate>99', 'max<=201ms', 'mean<101ms'], 0],
  ])('exits as it should when %s', (_name, failures, thresholds, exitStatus) => {
    expect(report(failures, thresholds).exitStatus).toBe(exitStatus)
  })

  it('has failed when it was given up, whatever else there is', () => {
    const { givenUp, exitStatus } = report(0, [], { givenUp: 'nothing listens there' })
    expect({ givenUp, exitStatus }).toEqual({ givenUp: 'nothing listens there', exitStatus: 2 })
  })

  it('misses thresholds on what was not measured', () => {
    const { thresholds, exitStatus } = makeReport(
      PLAN,
      outcomeOf(new Tally()),
      ['p99<1s', 'errors<1%'].map(parseThreshold),
    )
    expect(thresholds.map(({ measured, isMet }) => [measured, isMet])).toEqual([
      [null, false],
      [null, false],
    ])
    expect(exitStatus).toBe(2)
  })

  it('adds up over time to what was answered', () => {
    const { throughput } = report(4)
    const seconds = 0.1
    const sum = (name: 'answersPerSecond' | 'failuresPerSecond') =>
      Math.round(throughput.reduce((total, point) => total + point[name] * seconds, 0))
    expect(throughput).toHaveLength(20)
    expect([sum('answersPerSecond'), sum('failuresPerSecond')]).toEqual([200, 4])
  })

  it('draws a curve that rises to the longest latency', () => {
    const { curve } = report(0)
    expect(curve[0].percentile).toBe(0)
    for (let index = 1; index < curve.length; index++) {
      expect(curve[index].percentile).toBeGreaterThan(curve[index - 1].percentile)
      expect(curve[index].ms).toBeGreaterThanOrEqual(curve[index - 1].ms)
    }
    expect(Math.round(curve[curve.length - 1].ms)).toBe(200)
  })
})

describe('formatReport', () => {
  it('says all of it in lines that people can read', () => {
    expect(formatReport(report(3, ['p99<1s', 'errors<1%']))).toBe(`GET http://example.test/x
Load         2 connections, depth 4, as fast as answers come, 2 s

Requests     asked 203 = answered 200 + failed 3 + unfinished 0
             sent 203, of these again 0
Failures     timed out: 3
Statuses     200: 190, 503: 10
Answers      100 a second

Latency, ms                     p50       p75       p90       p99     p99.9    p99.99       max
in all                       100.03    150.01    180.09    198.01    200.00    200.00    200.00
  waiting for a place          0.00      0.00      0.00      0.00      0.00      0.00      0.00
  on the wire                100.03    150.01    180.09    198.01    200.00    200.00    200.00
  behind others' bodies        0.00      0.00      0.00      0.00      0.00      0.00      0.00

Bytes        sent 0 B, received 0 B
Connections  opened 2
Depth        1.5 on average, 0 at most, 4 allowed
Thresholds   met    p99<1s (198.015ms)
             MISSED errors<1% (1.478%)
`)
  })
})

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_500_000, '1.5 MB'],
    [2e15, '2000.0 TB'],
  ])('writes %i as %s', (count, text) => {
    expect(bytes(count)).toBe(text)
  })
})
