import { Tally } from '../../src/load/tally'

const latency = (total: number) => ({ total, waiting: 1, onWire: total - 3, behindBodies: 2 })

/** A tally with something of everything. */
function makeTally(latencies: readonly number[], maxDepth: number): Tally {
  const tally = new Tally()
  latencies.forEach((ms, index) => tally.answer(index === 0 ? 503 : 200, latency(ms), 100 * index))
  tally.fail('timed out', 50)
  tally.end('reset')
  Object.assign(tally.counts, { asked: 10, sent: 12, resent: 2, opened: 1, bytesReceived: 1000, maxDepth })
  return tally
}

describe('Tally', () => {
  it('counts each answer once, by its status, its latency and when it came', () => {
    const tally = makeTally([10, 20, 30], 1)
    expect(tally.counts.answered).toBe(3)
    expect(tally.statuses).toEqual({ 200: 2, 503: 1 })
    expect(tally.answeredPerBucket).toEqual([1, 1, 1])
    expect(tally.histograms.total.totalCount).toBe(3)
    expect(tally.histograms.waiting.maxValue).toBe(1000)
  })

  it('counts each failure once, by its kind and when it came', () => {
    const tally = new Tally()
    tally.fail('timed out', 250)
    tally.fail('connection lost', 250)
    tally.fail('timed out', 0)
    expect(tally.failures).toBe(3)
    expect(tally.failed).toEqual({ 'timed out': 2, 'connection lost': 1 })
    expect(tally.failedPerBucket).toEqual([1, 0, 2])
  })

  it('adds up what others counted; of depths the greatest counts', () => {
    const sum = new Tally()
    sum.add(makeTally([10, 20, 30], 4))
    sum.add(makeTally([40], 7))
    expect(sum.counts).toMatchObject({
      asked: 20,
      sent: 24,
      resent: 4,
      answered: 4,
      opened: 2,
      bytesReceived: 2000,
      maxDepth: 7,
    })
    expect(sum.statuses).toEqual({ 200: 2, 503: 2 })
    expect(sum.failed).toEqual({ 'timed out': 2 })
    expect(sum.ended).toEqual({ reset: 2 })
    expect(sum.answeredPerBucket).toEqual([2, 1, 1])
    expect(sum.failedPerBucket).toEqual([2])
    const { total } = sum.histograms
    expect(total.totalCount).toBe(4)
    expect([25, 50, 75, 100].map(p => Math.round(total.getValueAtPercentile(p) / 1000))).toEqual([
      10, 20, 30, 40,
    ])
  })

  it('is the same, to three digits of its latencies, after it has travelled between threads', () => {
    const tally = makeTally([10, 20, 30], 4)
    const data = tally.toData()
    const arrived = Tally.from(structuredClone(data))
    const { histograms: _of, ...rest } = arrived.toData()
    const { histograms: _were, ...before } = data
    expect(rest).toEqual(before)
    for (const part of ['total', 'waiting', 'onWire', 'behindBodies'] as const) {
      const [one, other] = [arrived.histograms[part], tally.histograms[part]]
      expect([one.totalCount, one.mean]).toEqual([other.totalCount, other.mean])
      expect(one.maxValue / other.maxValue).toBeCloseTo(1, 3)
    }
  })

  it('takes no latency for negative, and none for more than an hour', () => {
    const tally = new Tally()
    tally.answer(200, { total: 4_000_000, waiting: -0.1, onWire: 0, behindBodies: 0 }, -5)
    expect(tally.histograms.total.maxValue / 3_600_000_000).toBeCloseTo(1, 2)
    expect(tally.histograms.waiting.maxValue).toBe(0)
    expect(tally.answeredPerBucket).toEqual([1])
  })

  it('forgets of connections what was before the measured time, and nothing of requests', () => {
    const tally = makeTally([10], 4)
    tally.forgetConnections(3)
    expect(tally.counts).toMatchObject({
      asked: 10,
      sent: 12,
      answered: 1,
      opened: 3,
      bytesReceived: 0,
      maxDepth: 0,
    })
    expect(tally.ended).toEqual({})
    expect(tally.failures).toBe(1)
  })
})
