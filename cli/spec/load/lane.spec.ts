import { HTTPConnection } from 'httpio'
import { FakeSocket } from 'httpio/testing'
import { Job } from '../../src/load/job'
import { Lane, type LaneHost } from '../../src/load/lane'
import type { Share } from '../../src/load/plan'
import { shareOf } from '../support/share'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const LAST = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
const REQUEST = 'GET /x HTTP/1.1\r\n'

/** A lane whose transports are fake, the requests that it is to take, and what it says of them. */
class Stage implements LaneHost {
  readonly lane: Lane
  readonly sockets: FakeSocket[] = []
  readonly log: string[] = []
  readonly waiting: Job[] = []
  refusesDials = false
  #onLog: (() => void) | null = null
  #seen = 0

  constructor(share: Partial<Share>, requests: number) {
    this.lane = new Lane(shareOf(share), this, ({ headers, timeoutMs }) => {
      const socket = (): FakeSocket => {
        if (this.refusesDials) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
        this.sockets.push(new FakeSocket())
        return this.sockets[this.sockets.length - 1]
      }
      return new HTTPConnection('example.test', { socket, headers, timeoutMs })
    })
    for (let count = 0; count < requests; count++) this.waiting.push(new Job(0, true))
  }

  get peer() {
    return this.sockets[this.sockets.length - 1].peer
  }

  /** So many requests have been written on the current transport. */
  get written(): number {
    return this.peer.received.toString('latin1').split(REQUEST).length - 1
  }

  /** Resolves when `line` has been logged since the last one that was waited for. */
  logged(line: string): Promise<void> {
    return new Promise(resolve => {
      this.#onLog = () => {
        const place = this.log.indexOf(line, this.#seen)
        if (place === -1) return
        this.#seen = place + 1
        this.#onLog = null
        resolve()
      }
      this.#onLog()
    })
  }

  #note(line: string): void {
    this.log.push(line)
    this.#onLog?.()
  }

  start(): void {
    while (this.lane.takeOne());
  }

  take(): Job | null {
    return this.waiting.shift() ?? null
  }

  hasWork(): boolean {
    return this.waiting.length > 0
  }

  onSent(): void {}

  onAnswer(): void {
    this.#note('answered')
  }

  onFailure(_job: Job, kind: string): void {
    this.#note(kind)
  }

  onResend(job: Job): void {
    this.waiting.unshift(job)
    this.#note('resend')
  }

  onOpened(): void {
    this.#note('opened')
  }

  onDialFailed(): void {
    this.#note('dial failed')
  }

  onEnded(_wire: unknown, ending: string): void {
    this.#note(ending)
  }
}

let stage: Stage
afterEach(() => stage.lane.close())

async function open(share: Partial<Share>, requests: number): Promise<Stage> {
  stage = new Stage(share, requests)
  expect(await stage.lane.dial()).toBe(null)
  await stage.logged('opened')
  stage.start()
  return stage
}

describe('Lane', () => {
  it('keeps as many requests on the wire as the depth is, and takes one more for each answer', async () => {
    const { peer, log, waiting } = await open({ depth: 3 }, 5)
    await peer.waitFor(REQUEST)
    expect(stage.written).toBe(3)
    peer.takeReceived()
    peer.send(OK)
    await peer.waitFor(REQUEST)
    expect(stage.written).toBe(1)
    expect(waiting).toHaveLength(1)
    expect(log).toEqual(['opened', 'answered'])
  })

  it('begins with one request alone after a loss, and with each answer there may be one more', async () => {
    await open({ depth: 4 }, 6)
    await stage.peer.waitFor(REQUEST)
    stage.peer.send(OK)
    await stage.logged('answered')
    stage.peer.end()
    await stage.logged('opened')
    await stage.peer.waitFor(REQUEST)
    expect(stage.written).toBe(1)
    expect(stage.log).toEqual([
      'opened',
      'answered',
      ...Array<string>(4).fill('resend'),
      'server closed without announcing it',
      'opened',
    ])
    stage.peer.takeReceived()
    stage.peer.send(OK)
    await stage.peer.waitFor(REQUEST)
    expect(stage.written).toBe(2)
  })

  it('gives a connection no more than the server has answered on the ones before, but for one that finds out', async () => {
    await open({ depth: 4 }, 20)
    const answer = async (response: string): Promise<void> => {
      await stage.peer.waitFor(REQUEST)
      stage.peer.takeReceived()
      stage.peer.send(response)
      await stage.logged('answered')
    }
    for (let connection = 0; connection < 2; connection++) {
      await answer(OK)
      await answer(LAST)
      await stage.logged('opened')
    }
    await answer(OK)
    await answer(OK)
    // The third on this one is alone, although three would be allowed.
    await stage.peer.waitFor(REQUEST)
    expect(stage.written).toBe(1)
    // It was answered, too: the server takes more than was thought.
    await answer(OK)
    await stage.peer.waitFor(REQUEST)
    expect(stage.written).toBe(4)
  })

  it('sends again what the announced close left behind, whatever the method', async () => {
    await open({ depth: 2, isIdempotent: false }, 2)
    await stage.peer.waitFor(REQUEST)
    stage.peer.send(LAST)
    await stage.logged('opened')
    await stage.peer.waitFor(REQUEST)
    expect(stage.log).toEqual(['opened', 'answered', 'resend', 'server announced the close', 'opened'])
  })

  it('counts as lost what may have been acted upon, where that may not happen twice', async () => {
    await open({ isIdempotent: false }, 1)
    await stage.peer.waitFor(REQUEST)
    stage.peer.end()
    await stage.logged('server closed without announcing it')
    expect(stage.log).toEqual(['opened', 'connection lost', 'server closed without announcing it'])
  })

  it('counts as lost what was sent three times and never answered', async () => {
    await open({}, 1)
    for (const last of ['resend', 'resend', 'connection lost']) {
      await stage.peer.waitFor(REQUEST)
      stage.peer.end()
      await stage.logged('server closed without announcing it')
      expect(stage.log[stage.log.length - 2]).toBe(last)
      if (last === 'resend') await stage.logged('opened')
    }
    expect(stage.sockets).toHaveLength(3)
  })

  it('tells a reset from a close', async () => {
    await open({}, 1)
    await stage.peer.waitFor(REQUEST)
    stage.peer.reset()
    await stage.logged('reset')
  })

  it('counts as failed what is no response, and sends again what was behind it', async () => {
    await open({ depth: 2 }, 2)
    await stage.peer.waitFor(REQUEST)
    stage.peer.send('nonsense\r\n\r\n')
    await stage.logged('closed here after a response not valid HTTP/1.1')
    expect(stage.log).toEqual([
      'opened',
      'response not valid HTTP/1.1',
      'resend',
      'closed here after a response not valid HTTP/1.1',
    ])
  })

  it('counts as timed out what is not answered, and ends the connection', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    try {
      await open({ timeoutMs: 1000 }, 1)
      await stage.peer.waitFor(REQUEST)
      await jest.advanceTimersByTimeAsync(1000)
    } finally {
      jest.useRealTimers()
    }
    await stage.logged('closed here after a timeout')
    expect(stage.log).toEqual(['opened', 'timed out', 'closed here after a timeout'])
  })

  it('waits longer and longer before it dials again when that fails', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    try {
      stage = new Stage({}, 1)
      stage.refusesDials = true
      expect(await stage.lane.dial()).toBeInstanceOf(Error)
      stage.start()
      for (const ms of [10, 20, 40, 80, 160, 320, 640, 1000, 1000]) {
        const before = stage.log.length
        await jest.advanceTimersByTimeAsync(0)
        const after = stage.log.length
        await jest.advanceTimersByTimeAsync(ms - 1)
        expect(stage.log.length).toBe(after)
        await jest.advanceTimersByTimeAsync(1)
        expect(stage.log.length).toBeGreaterThan(before)
      }
      stage.refusesDials = false
      await jest.advanceTimersByTimeAsync(1000)
      expect(stage.log[stage.log.length - 1]).toBe('opened')
    } finally {
      jest.useRealTimers()
    }
  })

  it('says when it is closed how the connection ended, and nothing after that', async () => {
    const { lane, log, peer } = await open({ depth: 2 }, 2)
    await peer.waitFor(REQUEST)
    lane.close()
    lane.close()
    expect(log).toEqual(['opened', 'closed here at the end'])
    await new Promise(resolve => setImmediate(resolve))
    expect(log).toHaveLength(2)
    expect(peer.ended).toBe(true)
  })
})
