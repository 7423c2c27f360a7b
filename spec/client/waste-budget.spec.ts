import { WasteBudget } from '../../lib/client/waste-budget'

/** 100 were asked for, at most 20 are under way, and so many are now. */
function budgetOf(onWire: number): WasteBudget {
  const budget = new WasteBudget(20, () => onWire)
  budget.asked = 100
  return budget
}

describe('WasteBudget', () => {
  it('allows anything as long as nothing has been lost', () => {
    const budget = new WasteBudget(20, () => 20)
    budget.asked = 20
    budget.ended(20, 0, false)
    expect(budget.isTouched).toBe(false)
    expect(budget.allowsMore).toBe(true)
  })

  it('allows as many requests at once as may be lost without more being lost than were asked for', () => {
    const budget = budgetOf(4)
    budget.ended(0, 95, false)
    expect(budget.isTouched).toBe(true)
    expect(budget.allowsMore).toBe(true)
    budget.ended(0, 1, false)
    expect(budget.allowsMore).toBe(false)
    budget.asked++
    expect(budget.allowsMore).toBe(true)
  })

  it('asks how many are under way only when that matters', () => {
    const onWire = jest.fn(() => 0)
    const budget = new WasteBudget(20, onWire)
    budget.asked = 100
    expect(budget.allowsMore).toBe(true)
    budget.ended(0, 79, false)
    expect(budget.allowsMore).toBe(true)
    expect(onWire).not.toHaveBeenCalled()
    budget.ended(0, 1, false)
    expect(budget.allowsMore).toBe(true)
    expect(onWire).toHaveBeenCalledTimes(1)
  })

  it.each<[string, [served: number, lost: number, wasWarned: boolean][], boolean]>([
    ['when all was lost at once', [[0, 100, false]], true],
    [
      'when several connections were lost together',
      [
        [3, 50, false],
        [0, 50, false],
      ],
      true,
    ],
    [
      'when later ones lost the one request that they had to be given',
      [
        [0, 100, false],
        [0, 1, true],
        [0, 1, true],
      ],
      true,
    ],
    [
      'when later ones ended with nothing unanswered',
      [
        [0, 100, false],
        [7, 0, true],
      ],
      true,
    ],
    [
      'when a later one had answered and lost one',
      [
        [0, 100, false],
        [1, 1, true],
      ],
      false,
    ],
    [
      'when a later one lost two',
      [
        [0, 100, false],
        [0, 2, true],
      ],
      false,
    ],
  ])('lets connections grow beyond the budget after an accident, not twice: %s', (_name, ends, may) => {
    const budget = budgetOf(0)
    for (const [served, lost, wasWarned] of ends) budget.ended(served, lost, wasWarned)
    expect(budget.allowsMore).toBe(false)
    expect(budget.allowsGrowth).toBe(may)
    budget.asked += 100
    expect(budget.allowsGrowth).toBe(true)
  })
})
