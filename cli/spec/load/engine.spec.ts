// Time is fake here, so that what is measured is exact.
import { HTTPConnection } from 'httpio'
import { FakeSocket } from 'httpio/testing'
import { Engine } from '../../src/load/engine'
import type { Share } from '../../src/load/plan'
import { now } from '../../src/load/wire'
import { shareOf } from '../support/share'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
})
afterEach(() => {
  jest.useRealTimers()
})

/** Answers on a connection: is given the number of the request, over all connections, and the socket. */
type Server = (index: number, socket: FakeSocket) => void

/** An engine under way, and when its requests arrived. */
async function start(share: Partial<Share>, serve: Server) {
  const arrivals: number[] = []
  let isOver = false
  const engine: Engine = new Engine(
    shareOf(share),
    () => (isOver = true),
    ({ timeoutMs }) => {
      const socket = (): FakeSocket => {
        const fake = new FakeSocket()
        let seen = 0
        const look = (): void => {
          const total = fake.peer.received.toString('latin1').split('\r\n\r\n').length - 1
          for (; seen < total; seen++) {
            arrivals.push(now() - startedAt)
            serve(arrivals.length - 1, fake)
          }
          if (!fake.destroyed)
            void fake.peer.waitFor(fake.peer.received.length + 1).then(look, () => undefined)
        }
        look()
        return fake
      }
      return new HTTPConnection('example.test', { socket, timeoutMs })
    },
  )
  expect(await engine.connect()).toBe(null)
  const startedAt = now()
  engine.start(startedAt)
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed <= ms; passed++) {
      if (passed > 0) await jest.advanceTimersByTimeAsync(1)
      // What is due goes out, and what has come is taken, within a few turns of the loop.
      for (let turns = 0; turns < 8; turns++) await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { engine, arrivals, pass, isOver: () => isOver, tally: engine.tally }
}

const after =
  (delayMs: number): Server =>
  (_index, { peer }) =>
    void setTimeout(() => peer.send(OK), delayMs)

describe('Engine', () => {
  it('asks at even intervals, and measures what a constant server takes', async () => {
    const run = await start({ requests: 20, ratePerSecond: 50, depth: 10 }, after(100))
    await run.pass(500)
    expect(run.isOver()).toBe(true)
    expect(run.arrivals.map(at => Math.round(at))).toEqual(Array.from({ length: 20 }, (_, i) => 20 * i))
    const { total, waiting, onWire } = run.tally.histograms
    expect([50, 99].map(percentile => Math.round(total.getValueAtPercentile(percentile) / 1000))).toEqual([
      100, 100,
    ])
    expect(Math.round(waiting.maxValue / 1000)).toBe(0)
    expect(Math.round(onWire.maxValue / 1000)).toBe(100)
  })

  it('counts the latency of what found no place from when it was due', async () => {
    // One at a time, 30 ms each, and one is due every 20 ms: each waits 10 ms longer than the one before.
    const run = await start({ requests: 10, ratePerSecond: 50 }, after(30))
    await run.pass(400)
    const { total, waiting } = run.tally.histograms
    expect(run.isOver()).toBe(true)
    expect(run.tally.counts).toMatchObject({ asked: 10, answered: 10 })
    const lastMs = total.maxValue / 1000
    expect(lastMs).toBeGreaterThan(30 + 9 * 10 - 1)
    expect(lastMs).toBeLessThan(30 + 9 * 12)
    expect(waiting.maxValue / 1000).toBeGreaterThan(9 * 10 - 1)
  })

  it('counts the latency of what it was itself too late for from when it was due', async () => {
    const run = await start({ requests: 10, ratePerSecond: 50, depth: 10 }, after(1))
    await run.pass(30)
    expect(run.arrivals).toHaveLength(2)
    // As if the process had stood still for 100 ms: five have become due meanwhile.
    const clock = performance.now.bind(performance)
    const late = jest.spyOn(performance, 'now').mockImplementation(() => clock() + 100)
    await run.pass(100)
    late.mockRestore()
    expect(run.isOver()).toBe(true)
    const { total } = run.tally.histograms
    expect(total.maxValue / 1000).toBeGreaterThan(80)
    expect(run.tally.counts.answered).toBe(10)
  })

  it('says how long an answer was held up by the bodies before it', async () => {
    const run = await start({ requests: 2, depth: 2 }, (index, { peer }) => {
      if (index === 1) return
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na')
      setTimeout(() => peer.send(`b${OK}`), 50)
    })
    await run.pass(60)
    expect(run.isOver()).toBe(true)
    const { total, onWire, behindBodies } = run.tally.histograms
    const ms = [total, onWire, behindBodies].map(({ maxValue }) => Math.round(maxValue / 1000))
    expect(ms).toEqual([50, 50, 50])
    expect(behindBodies.minNonZeroValue).toBe(behindBodies.maxValue)
  })

  it('takes turns with other threads', async () => {
    const share = { requests: 3, ratePerSecond: 100, threads: 2, thread: 1, depth: 10 }
    const run = await start(share, after(1))
    await run.pass(100)
    expect(run.arrivals.map(at => Math.round(at))).toEqual([10, 30, 50])
  })

  it('asks for nothing more after the duration, and is over with the last answer', async () => {
    const run = await start({ requests: null, durationMs: 100 }, after(30))
    await run.pass(100)
    const asked = run.tally.counts.asked
    expect(run.isOver()).toBe(false)
    await run.pass(40)
    expect(run.isOver()).toBe(true)
    expect(run.tally.counts).toMatchObject({ asked, answered: asked, unfinished: 0 })
    expect(asked).toBe(4)
  })

  it('waits for what is on the wire at the end until that has timed out', async () => {
    const run = await start({ requests: 2, timeoutMs: 1000 }, () => undefined)
    await run.pass(1999)
    expect(run.isOver()).toBe(false)
    await run.pass(30)
    expect(run.isOver()).toBe(true)
    expect(run.tally.failed).toEqual({ 'timed out': 2 })
    expect(run.tally.counts).toMatchObject({ asked: 2, unfinished: 0 })
  })

  it('counts as unfinished what has found no place a timeout after the end', async () => {
    // 100 in 100 ms are due, and one is answered each 90 ms.
    const share = { requests: null, durationMs: 100, ratePerSecond: 1000, timeoutMs: 200 }
    const run = await start(share, after(90))
    await run.pass(500)
    expect(run.isOver()).toBe(true)
    const { asked, answered, unfinished, sent } = run.tally.counts
    expect(asked).toBe(100)
    // At 300 ms nothing is sent any more, and what is on the wire then is answered.
    expect([answered, sent]).toEqual([4, 4])
    expect(unfinished).toBe(96)
  })

  it('counts nothing of the warm-up but its requests, and connections that are open at its end as opened', async () => {
    const run = await start({ requests: 5, warmupMs: 100 }, (index, socket) => {
      // The first connection ends after two answers.
      setTimeout(() => {
        socket.peer.send(OK)
        if (index === 1) socket.peer.end()
      }, 10)
    })
    await run.pass(400)
    expect(run.isOver()).toBe(true)
    const { asked, answered, warmup, opened } = run.tally.counts
    expect({ asked, answered, opened }).toEqual({ asked: 5, answered: 5, opened: 1 })
    expect(warmup).toBe(run.arrivals.length - 5)
    expect(run.tally.ended).toEqual({ 'closed here at the end': 1 })
  })

  it('is over at once when it is interrupted, and what is under way is unfinished', async () => {
    const run = await start({ requests: null, durationMs: 60_000, depth: 3 }, () => undefined)
    await run.pass(5)
    run.engine.interrupt()
    await run.pass(1)
    expect(run.isOver()).toBe(true)
    expect(run.tally.counts).toMatchObject({ asked: 3, sent: 3, answered: 0, unfinished: 3 })
  })
})
