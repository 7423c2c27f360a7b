import { channel } from 'node:diagnostics_channel'
import { FakeSocket } from 'httpio/testing'
import { Job } from '../../src/load/job'
import { watch, Wire } from '../../src/load/wire'

beforeEach(() => {
  jest.useFakeTimers({ now: 0 })
})
afterEach(() => {
  jest.useRealTimers()
})

/** A wire, and what it tells its owner. */
function makeWire() {
  const sent: Job[] = []
  const ended: Wire[] = []
  const wire = new Wire({ onSent: job => sent.push(job), onWireEnd: each => ended.push(each) })
  return { wire, sent, ended }
}

function jobs(count: number): Job[] {
  return Array.from({ length: count }, () => new Job(performance.now(), true))
}

const pass = (ms: number): void => jest.advanceTimersByTime(ms)

describe('Wire', () => {
  it('tells of each request when its first byte is written, oldest first', () => {
    const { wire, sent } = makeWire()
    const [first, second] = jobs(2)
    wire.submit(first)
    wire.submit(second)
    pass(5)
    wire.onSent()
    expect(sent).toEqual([first])
    pass(2)
    wire.onSent()
    expect(sent).toEqual([first, second])
    expect([first.writtenAt! - first.intendedAt, second.writtenAt! - second.intendedAt]).toEqual([5, 7])
  })

  it('counts an answer for the oldest request on the wire, when its end has come', () => {
    const { wire } = makeWire()
    const [job] = jobs(1)
    wire.submit(job)
    wire.onSent()
    pass(30)
    wire.onHead()
    expect(wire.answers).toBe(0)
    expect(job.isAnswering).toBe(true)
    pass(10)
    wire.onComplete()
    expect(wire.answers).toBe(1)
    expect(job.latency()).toEqual({ total: 40, waiting: 0, onWire: 40, behindBodies: 0 })
  })

  it('counts as behind others only the time in which their bodies came after it was written', () => {
    const { wire } = makeWire()
    const [first, second, third] = jobs(3)
    for (const job of [first, second]) {
      wire.submit(job)
      wire.onSent()
    }
    pass(10)
    wire.onHead()
    pass(20)
    // In the middle of the first body.
    wire.submit(third)
    wire.onSent()
    pass(30)
    wire.onComplete()
    pass(5)
    for (const ms of [7, 0]) {
      wire.onHead()
      pass(ms)
      wire.onComplete()
    }
    expect(first.latency()).toEqual({ total: 60, waiting: 0, onWire: 60, behindBodies: 0 })
    expect(second.latency()).toEqual({ total: 72, waiting: 0, onWire: 22, behindBodies: 50 })
    // It was intended with the others, and written after 30 ms: 30 of the first body and 7 of the second came after that.
    expect(third.latency()).toEqual({ total: 72, waiting: 30, onWire: 5, behindBodies: 37 })
  })

  it('integrates the depth over the time in which there was any', () => {
    const { wire } = makeWire()
    for (const job of jobs(3)) wire.submit(job)
    pass(100)
    wire.onSent()
    pass(10)
    wire.onSent()
    wire.onSent()
    pass(10)
    for (let answers = 0; answers < 3; answers++) {
      wire.onHead()
      wire.onComplete()
    }
    pass(100)
    expect({ depthMs: wire.depthMs, busyMs: wire.busyMs, maxDepth: wire.maxDepth }).toEqual({
      depthMs: 10 + 30,
      busyMs: 20,
      maxDepth: 3,
    })
  })

  it('leaves out bytes and depth before measuring begins', () => {
    const { wire } = makeWire()
    const socket = Object.assign(new FakeSocket(), { bytesRead: 1000, bytesWritten: 100 })
    wire.onConnect(socket)
    for (const job of jobs(3)) {
      wire.submit(job)
      wire.onSent()
    }
    pass(10)
    wire.onComplete()
    expect([wire.bytesReceived, wire.bytesSent]).toEqual([1000, 100])
    wire.beginMeasuring()
    Object.assign(socket, { bytesRead: 1007, bytesWritten: 103 })
    pass(5)
    wire.onComplete()
    expect([wire.bytesReceived, wire.bytesSent]).toEqual([7, 3])
    expect({ depthMs: wire.depthMs, busyMs: wire.busyMs, maxDepth: wire.maxDepth }).toEqual({
      depthMs: 10,
      busyMs: 5,
      maxDepth: 2,
    })
  })

  it('keeps why it ended, and tells that once', () => {
    const { wire, ended } = makeWire()
    const error = new Error('over')
    wire.onClose(error)
    expect(wire.error).toBe(error)
    expect(ended).toEqual([wire])
  })

  it('does not mind events of requests that it was not given', () => {
    const { wire, sent } = makeWire()
    wire.onSent()
    wire.onHead()
    wire.onComplete()
    expect([sent.length, wire.answers]).toEqual([0, 0])
  })
})

describe('watch', () => {
  it('passes on what the library tells of one connection, and nothing of another', () => {
    const { wire, sent, ended } = makeWire()
    const [mine, other] = [{}, {}]
    const [job] = jobs(1)
    watch(mine, wire)
    wire.submit(job)
    channel('httpio:request:sent').publish({ connection: other })
    expect(sent).toEqual([])
    channel('httpio:request:sent').publish({ connection: mine })
    expect(sent).toEqual([job])
    channel('httpio:response:head').publish({ connection: mine })
    channel('httpio:response:complete').publish({ connection: other })
    expect(wire.answers).toBe(0)
    channel('httpio:response:complete').publish({ connection: mine })
    expect(wire.answers).toBe(1)
    channel('httpio:close').publish({ connection: other, error: new Error('other') })
    expect(ended).toEqual([])
    channel('httpio:close').publish({ connection: mine, error: new Error('mine') })
    expect(ended).toEqual([wire])
  })
})
