import { OriginMemory, type ConnectionEnd } from '../../lib/client/origin'
import { WasteBudget } from '../../lib/client/waste-budget'

const DEPTH = 64
const end = (what: Partial<ConnectionEnd>): ConnectionEnd => ({
  served: 0,
  lost: 0,
  isWanted: false,
  isAnnounced: false,
  isGrowing: false,
  servedElsewhere: 0,
  ...what,
})

/** May send in vain as long as nothing was asked for and lost. */
const budget = (asked = 0, lost = 0): WasteBudget => {
  const made = new WasteBudget(DEPTH, () => 0)
  made.asked = asked
  made.ended(1, lost, true)
  return made
}

/** A memory that has seen connections end so. */
function memory(...ends: Partial<ConnectionEnd>[]): OriginMemory {
  const origin = new OriginMemory(DEPTH, budget())
  for (const each of ends) origin.ended(end(each))
  return origin
}

describe('OriginMemory', () => {
  it('lets the first connection carry as many requests as may be', () => {
    const origin = memory()
    expect(origin.isWary).toBe(false)
    expect(origin.firstDepth).toBe(DEPTH)
    expect(origin.limit).toBe(Infinity)
  })

  it.each([
    ['with requests unanswered', { served: 7, lost: 3 }],
    ['before it had answered anything', { served: 0, lost: 0 }],
  ])('is wary after a connection was lost %s', (_name, what) => {
    const origin = memory(what)
    expect(origin.isWary).toBe(true)
    expect(origin.firstDepth).toBe(1)
  })

  it.each([
    ['an announced close', { served: 7, lost: 3, isAnnounced: true }],
    ['the end of an idle connection', { served: 7, lost: 0 }],
  ])('is not wary after %s', (_name, what) => {
    expect(memory(what).isWary).toBe(false)
  })

  it('is not wary any more once a connection carries as many as may be', () => {
    const origin = memory({ served: 0, lost: 3 })
    origin.proved(true)
    expect(origin.isWary).toBe(false)
    expect(origin.firstDepth).toBe(DEPTH)
  })

  it('lets connections grow half as fast each time one is lost with several requests while it grows', () => {
    const lost = { served: 0, lost: 2, isGrowing: true }
    expect(memory({ served: 0, lost: 2 }).growth).toBe(1)
    expect(memory(lost).growth).toBe(1 / 2)
    expect(memory(lost, lost, lost).growth).toBe(1 / 8)
    expect(memory(lost, { ...lost, lost: 1 }).growth).toBe(1 / 2)
    expect(memory(...Array<typeof lost>(20).fill(lost)).growth).toBe(1 / 1024)
    const origin = memory(lost)
    origin.proved(false)
    expect(origin.growth).toBe(1 / 2)
    origin.proved(true)
    expect(origin.growth).toBe(1)
  })

  it.each([
    ['announced', { isAnnounced: true }],
    ['with requests unanswered', { lost: 1 }],
    ['while requests waited', { isWanted: true }],
  ])('takes the number of responses of a connection that ended %s for a limit', (_name, how) => {
    const origin = memory({ served: 5, ...how })
    expect(origin.limit).toBe(5)
    origin.proved(false)
    expect(origin.firstDepth).toBe(5)
  })

  it.each([
    ['of an idle connection', { served: 5 }],
    ['without any', { served: 0, lost: 2 }],
    ['of which another connection has brought more', { served: 5, lost: 1, servedElsewhere: 6 }],
  ])('takes no limit from the number of responses %s', (_name, what) => {
    expect(memory(what).limit).toBe(Infinity)
  })

  it('tries a connection at a limit that was met once, one connection at a time', () => {
    const origin = memory({ served: 5, lost: 1 })
    expect(origin.mayTry()).toBe(true)
    expect(origin.mayTry()).toBe(false)
    origin.tried()
    expect(origin.mayTry()).toBe(true)
  })

  it('closes connections at a limit that was met twice, and tries one after 8, after 16 more, after 32 more', () => {
    const origin = memory({ served: 5, lost: 1 }, { served: 5, lost: 1 })
    const closedUntilTried = (): number => {
      let closed = 0
      while (!origin.mayTry()) closed++
      origin.tried()
      origin.ended(end({ served: 5, lost: 1 }))
      return closed
    }
    expect([closedUntilTried(), closedUntilTried(), closedUntilTried()]).toEqual([8, 16, 32])
    for (let i = 0; i < 6; i++) closedUntilTried()
    expect(closedUntilTried()).toBe(1024)
  })

  it('believes another limit as soon as it is met', () => {
    const origin = memory({ served: 5, lost: 1 }, { served: 5, lost: 1 }, { served: 3, lost: 1 })
    expect(origin.limit).toBe(3)
    expect(origin.mayTry()).toBe(true)
  })

  it('forgets a limit that a connection went beyond, and lets the next ones grow', () => {
    const origin = memory({ served: 5, lost: 1 }, { served: 5, lost: 1 })
    origin.proved(false)
    origin.refuteLimit()
    expect(origin.limit).toBe(Infinity)
    expect(origin.firstDepth).toBe(1)
    origin.ended(end({ served: 9, lost: 1 }))
    expect(origin.limit).toBe(9)
    expect(origin.mayTry()).toBe(true)
  })

  it('tries no connection, and lets none have more than one request, when the budget does not allow it', () => {
    const poor = new OriginMemory(DEPTH, budget(19, 19))
    expect(poor.isWarned).toBe(true)
    expect(poor.mayTry()).toBe(false)
    expect(poor.mayRisk(true)).toBe(false)
    const rich = new OriginMemory(DEPTH, budget(20, 19))
    expect(rich.mayTry()).toBe(true)
    expect(rich.mayRisk(false)).toBe(true)
  })

  it.each([
    ['one that has answered, where no limit is known', {}, true, true],
    ['one that has not answered', {}, false, false],
    ['any, where a limit is known', { served: 1, lost: 1 }, true, false],
  ])(
    'lets connections have more after the first loss, beyond the budget: %s',
    (_name, what, hasAnswered, may) => {
      const accident = new WasteBudget(DEPTH, () => 0)
      accident.ended(0, 9, false)
      const origin = new OriginMemory(DEPTH, accident)
      origin.ended(end(what))
      expect(origin.mayRisk(hasAnswered)).toBe(may)
    },
  )
})
