import { ConnectionClosed, HTTPConnection, type HTTPResponse } from 'httpio'
import { FakeSocket } from 'httpio/testing'
import { MEMORY_BYTES, type Job, type Rest } from '../../src/get/job'
import { Lane, type LaneHost } from '../../src/get/lane'

const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const longHead = `HTTP/1.1 200 OK\r\nContent-Length: ${MEMORY_BYTES + 1}\r\n\r\n`

/** A job that reads its body, once `turn` has come if it has one. */
class TestJob implements Job {
  readonly path: string
  isSettled = false
  body = ''
  hasBegun = false
  turn: Promise<void> | null = null
  error: Error | null = null

  constructor(readonly index: number) {
    this.path = `/${index}`
  }

  begin(): void {
    this.hasBegun = true
  }

  headers(): [string, string][] {
    return []
  }

  async receive(response: HTTPResponse, wait: (turn: Promise<void>) => Promise<void>): Promise<Rest> {
    if (this.turn !== null) await wait(this.turn)
    if (this.error !== null) throw this.error
    this.body = await response.text()
    this.isSettled = true
    return { heldBytes: 0, finish: async () => undefined }
  }

  mayTryAgain(): boolean {
    return true
  }

  async fail(): Promise<void> {}
}

class Stage implements LaneHost {
  readonly socket = new FakeSocket()
  readonly lane: Lane
  readonly jobs: TestJob[]
  readonly waiting: TestJob[]
  readonly log: string[] = []
  earlier = Infinity
  readonly #ended: Promise<void>
  #onEnd!: () => void

  constructor(count: number) {
    this.lane = new Lane(new HTTPConnection('example.test', { socket: this.socket }), this, 64)
    this.jobs = Array.from({ length: count }, (_, index) => new TestJob(index))
    this.waiting = [...this.jobs]
    this.#ended = new Promise(resolve => (this.#onEnd = resolve))
  }

  /** Opens, and takes all that there is. */
  async open(): Promise<this> {
    await this.lane.open()
    while (this.lane.takeOne());
    await this.socket.peer.waitFor(`GET /${this.jobs.length - 1} `)
    return this
  }

  /** Resolves when the lane has ended. */
  ended(): Promise<void> {
    return this.#ended
  }

  /** Everything that can happen without the peer has happened. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  take(): Job | null {
    return this.waiting.shift() ?? null
  }

  hasEarlier({ index }: Job): boolean {
    return this.earlier < index
  }

  onReceived(): void {
    this.log.push('received')
  }

  onFailed(job: Job, error: unknown): void {
    this.log.push(`${job.path} failed: ${(error as Error).message}`)
  }

  onAnswer(): void {
    this.log.push('answer')
  }

  onEnd(_lane: Lane, lost: readonly Job[], error: unknown): void {
    const why = error instanceof Error ? error.constructor.name : String(error)
    this.log.push(`lost ${lost.map(({ path }) => path).join(' ')} by ${why}`)
    this.#onEnd()
  }
}

let stage: Stage
afterEach(() => stage.lane.abandon())

describe('Lane', () => {
  it('sends all that it takes, and gives each response to its job', async () => {
    stage = await new Stage(3).open()
    const { socket, jobs, log } = stage
    expect(socket.peer.writes).toHaveLength(1)
    expect(jobs.map(({ hasBegun }) => hasBegun)).toEqual([true, false, false])
    socket.peer.send(ok('zero') + ok('one') + ok('two'))
    await stage.settled()
    expect(jobs.map(({ body }) => body)).toEqual(['zero', 'one', 'two'])
    expect(log).toEqual(Array<string[]>(3).fill(['received', 'answer']).flat())
    expect(stage.lane).toMatchObject({ given: 3, answers: 3, inFlight: 0 })
  })

  it('takes nothing behind a long body while that comes', async () => {
    stage = await new Stage(1).open()
    stage.socket.peer.send(longHead + 'x')
    await stage.settled()
    stage.waiting.push(new TestJob(1))
    expect(stage.lane.takeOne()).toBe(false)
    stage.socket.peer.send('x'.repeat(MEMORY_BYTES))
    await stage.settled()
    expect(stage.lane.takeOne()).toBe(true)
  })

  it('takes nothing any more once the server has announced the close', async () => {
    stage = await new Stage(2).open()
    stage.socket.peer.send(ok('zero').replace('\r\n', '\r\nConnection: close\r\n').slice(0, -1))
    await stage.settled()
    stage.waiting.push(new TestJob(2))
    expect(stage.lane.takeOne()).toBe(false)
    stage.socket.peer.send('o')
    await stage.ended()
    expect(stage.lane).toMatchObject({ isCloseAnnounced: true, isEndedHere: false, isOpen: false })
    expect(stage.log[stage.log.length - 1]).toBe('lost /1 by ConnectionClosed')
  })

  it('reads on after a job that failed by itself', async () => {
    stage = await new Stage(2).open()
    stage.jobs[0].error = new Error('the disk is full')
    stage.socket.peer.send(ok('zero') + ok('one'))
    await stage.settled()
    expect(stage.log).toEqual(['/0 failed: the disk is full', 'answer', 'received', 'answer'])
    expect(stage.jobs[1].body).toBe('one')
  })

  it('drops the body of a job that is settled already', async () => {
    stage = await new Stage(2).open()
    stage.jobs[0].isSettled = true
    stage.socket.peer.send(ok('zero') + ok('one'))
    await stage.settled()
    expect(stage.log).toEqual(['answer', 'received', 'answer'])
  })

  it('ends rather than to read a long body that nobody wants', async () => {
    stage = await new Stage(2).open()
    stage.jobs[0].error = new Error('no')
    stage.jobs[0].isSettled = true
    stage.socket.peer.send(longHead)
    await stage.ended()
    expect(stage.lane.isEndedHere).toBe(true)
    expect(stage.log).toEqual(['lost /1 by GaveWay'])
  })

  it('ends when a body that nobody wants turns out to be long', async () => {
    stage = await new Stage(1).open()
    stage.jobs[0].isSettled = true
    stage.socket.peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    for (let sent = 0; sent <= MEMORY_BYTES; sent += 0x10000) stage.socket.peer.send(chunk)
    await stage.ended()
    expect(stage.lane.isEndedHere).toBe(true)
  })

  it('loses all that is not settled, oldest first, when the connection ends, in the middle of a body, too', async () => {
    stage = await new Stage(3).open()
    stage.socket.peer.send(ok('zero').slice(0, -1))
    await stage.settled()
    stage.socket.peer.end()
    await stage.ended()
    expect(stage.lane).toMatchObject({ isAnswering: true, answers: 0, isEndedHere: false })
    expect(stage.log).toEqual(['lost /0 /1 /2 by ConnectionClosed'])
  })

  it('waits with a body unread for its turn', async () => {
    stage = new Stage(1)
    let onTurn!: () => void
    stage.jobs[0].turn = new Promise(resolve => (onTurn = resolve))
    await stage.open()
    stage.socket.peer.send(ok('zero'))
    await stage.settled()
    expect(stage.log).toEqual([])
    onTurn()
    await stage.settled()
    expect(stage.jobs[0].body).toBe('zero')
  })

  const never = new Promise<void>(() => undefined)

  it('gives way at once when a job waits that comes before', async () => {
    stage = new Stage(2)
    stage.jobs[0].turn = never
    await stage.open()
    stage.earlier = -1
    stage.socket.peer.send(ok('zero'))
    await stage.ended()
    expect(stage.lane.isEndedHere).toBe(true)
    expect(stage.log).toEqual(['lost /0 /1 by GaveWay'])
  })

  it('gives way when a job comes to wait that comes before, and for no other', async () => {
    stage = new Stage(2)
    stage.jobs[0].turn = never
    await stage.open()
    stage.socket.peer.send(ok('zero'))
    await stage.settled()
    stage.lane.onRequeued(new TestJob(1))
    await stage.settled()
    expect(stage.log).toEqual([])
    stage.lane.onRequeued(new TestJob(-1))
    await stage.ended()
    expect(stage.log).toEqual(['lost /0 /1 by GaveWay'])
  })

  it('gives way at once when the one that comes before is behind on the same connection', async () => {
    stage = new Stage(2)
    stage.jobs[0].turn = never
    Object.assign(stage.jobs[1], { index: -1 })
    await stage.open()
    stage.socket.peer.send(ok('zero'))
    await stage.ended()
    expect(stage.log).toEqual(['lost /0 /1 by GaveWay'])
  })

  it('ends at once when it is abandoned, also while it waits', async () => {
    stage = new Stage(1)
    stage.jobs[0].turn = never
    await stage.open()
    stage.socket.peer.send(ok('zero'))
    await stage.settled()
    stage.lane.abandon()
    expect(stage.log).toEqual(['lost /0 by null'])
    await stage.settled()
    expect(stage.socket.destroyed).toBe(true)
    expect(stage.log).toHaveLength(1)
  })

  it('says that it has ended when the server has closed it while it was idle', async () => {
    stage = await new Stage(1).open()
    stage.socket.peer.send(ok('zero'))
    await stage.settled()
    stage.socket.peer.end()
    await stage.settled()
    stage.waiting.push(new TestJob(1))
    expect(stage.lane.takeOne()).toBe(false)
    expect(stage.log[stage.log.length - 1]).toBe('lost  by null')
    expect(stage.waiting).toHaveLength(1)
  })

  it('rejects as dialling does', async () => {
    stage = new Stage(1)
    stage.socket.destroy()
    await expect(stage.lane.open()).rejects.toThrow(ConnectionClosed)
    expect(stage.lane.isOpen).toBe(false)
  })
})
