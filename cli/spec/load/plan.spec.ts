import { divide } from '../../src/load/plan'
import { planOf } from '../support/share'

const sum = (numbers: readonly (number | null)[]): number =>
  numbers.reduce<number>((total, each) => total + each!, 0)

describe('divide', () => {
  it.each([
    [1, 1, 1],
    [3, 5, 7],
    [4, 4, 2],
    [4, 7, 1_000_001],
  ])(
    'gives each of %i threads its part of %i connections and %i requests',
    (threads, connections, requests) => {
      const shares = divide(planOf({ threads, connections, requests }))
      expect(shares.map(({ thread }) => thread)).toEqual(Array.from({ length: threads }, (_, index) => index))
      for (const [name, total] of [['connections', connections] as const, ['requests', requests] as const]) {
        const parts = shares.map(share => share[name]!)
        expect(sum(parts)).toBe(total)
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1)
      }
    },
  )

  it('leaves a duration and a rate to all of them', () => {
    const shares = divide(
      planOf({ threads: 2, connections: 2, requests: null, durationMs: 500, ratePerSecond: 10 }),
    )
    expect(
      shares.map(({ requests, durationMs, ratePerSecond }) => [requests, durationMs, ratePerSecond]),
    ).toEqual([
      [null, 500, 10],
      [null, 500, 10],
    ])
  })
})
