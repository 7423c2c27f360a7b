import { BodyFollowing, HTTPConnection } from '../../lib'
import { FakeSocket } from '../../lib/testing'
import { head, received, turns, watch, watchAll, wired } from '../support/wire'

const GET_A = head('GET /a HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity')
const post = (...fields: string[]) =>
  head('POST /a HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity', ...fields)
const OK = head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'ok'
const TIMED_OUT = { code: 'ERR_HTTPIO_TIMED_OUT' }

/** Lets time pass, and then what is due happen. */
async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms)
  await turns()
}

beforeEach(() => {
  jest.useFakeTimers()
})

afterEach(() => {
  jest.useRealTimers()
})

/** A connection whose peer takes nothing any more, with as much queued as fits. */
async function stuck(options: Parameters<typeof wired>[0] = {}) {
  const exchange = wired(options)
  const { connection, peer } = exchange
  await connection.sendRequest('POST', '/a', { body: new BodyFollowing() })
  await peer.waitFor('\r\n\r\n')
  peer.stall()
  while ((await connection.write(Buffer.alloc(70_000, 'x'), { partial: true })) > 0) await turns(1)
  return exchange
}

describe('timeoutMs while sending', () => {
  it.each<[string, (connection: HTTPConnection) => Promise<unknown>]>([
    ['a small write', connection => connection.write(Buffer.alloc(50, 'y'))],
    ['a large write', connection => connection.write(Buffer.alloc(50_000, 'y'))],
    ['sendBody', connection => connection.sendBody([Buffer.alloc(50, 'y')])],
    ['endBody', connection => connection.endBody({ A: 'y'.repeat(50) })],
  ])('rejects %s that saw no byte move, and leaves the connection as it is', async (_, send) => {
    const { connection, peer } = await stuck({ timeoutMs: 100 })
    const sent = watch(send(connection))
    await pass(99)
    expect(sent.state).toBe('pending')
    await pass(1)
    expect(sent.error).toMatchObject({ ...TIMED_OUT, operation: 'send' })
    expect(connection.connected).toBe(true)
    // What was queued is still sent.
    peer.unstall()
    await turns()
    expect(received(peer)).toMatch(/y{50}/)
  })

  it('rejects sendRequest, whose request is still sent', async () => {
    const { connection, peer } = wired({ timeoutMs: 100 })
    await connection.connect()
    peer.stall()
    const sent = watch(connection.sendRequest('POST', '/a', { body: Buffer.alloc(100_000, 'x') }))
    await turns()
    await pass(100)
    expect(sent.error).toMatchObject({ ...TIMED_OUT, operation: 'send' })
    expect(connection.pendingRequests).toEqual([{ method: 'POST', path: '/a' }])
    peer.unstall()
    await turns()
    expect(received(peer)).toBe(post('Content-Length: 100000') + 'x'.repeat(100_000))
    peer.send(OK)
    expect((await connection.readResponse()).status).toBe(200)
  })

  it('leaves the bytes to their owner when it rejects, though they are still sent', async () => {
    const { connection, peer } = wired({ timeoutMs: 100 })
    await connection.connect()
    peer.stall()
    const body = Buffer.alloc(200_000, 'x')
    const sent = watch(connection.sendRequest('POST', '/a', { body }))
    await turns()
    await pass(100)
    expect(sent.state).toBe('rejected')
    body.fill('!')
    peer.unstall()
    await turns()
    expect(received(peer)).toBe(post('Content-Length: 200000') + 'x'.repeat(200_000))
  })

  it('is counted anew with each byte that moves, in either direction', async () => {
    const { connection, peer } = await stuck({ timeoutMs: 100 })
    const sent = watch(connection.write(Buffer.alloc(200_000, 'y')))
    await pass(90)
    peer.send('H')
    await pass(90)
    peer.unstall()
    peer.stall()
    await pass(90)
    expect(sent.state).toBe('resolved')
    const more = watch(connection.write(Buffer.alloc(300_000, 'z')))
    await pass(90)
    peer.send('T')
    await pass(99)
    expect(more.state).toBe('pending')
    await pass(1)
    expect(more.error).toMatchObject(TIMED_OUT)
  })

  it('of a read is counted anew by what is sent meanwhile, though the transport takes it at once', async () => {
    const { connection } = wired({ timeoutMs: 100 })
    await connection.sendRequest('GET', '/a')
    const response = watch(connection.readResponse())
    await turns()
    await pass(90)
    await connection.sendRequest('GET', '/b')
    await turns()
    await pass(90)
    expect(response.state).toBe('pending')
    await connection.sendRequest('POST', '/c', { body: new BodyFollowing() })
    await turns()
    await pass(90)
    await connection.write(Buffer.from('c'))
    await turns()
    await pass(99)
    expect(response.state).toBe('pending')
    await pass(1)
    expect(response.error).toMatchObject({ ...TIMED_OUT, operation: 'receive' })
  })

  it('may be set, changed and taken away while a send waits', async () => {
    const { connection } = await stuck()
    const sent = watch(connection.write(Buffer.alloc(50, 'y')))
    await pass(10_000)
    connection.timeoutMs = 100
    await pass(50)
    connection.timeoutMs = 200
    await pass(199)
    expect(sent.state).toBe('pending')
    connection.timeoutMs = 0
    await pass(10_000)
    expect(sent.state).toBe('pending')
    expect(jest.getTimerCount()).toBe(0)
    connection.timeoutMs = 100
    await pass(100)
    expect(sent.error).toMatchObject(TIMED_OUT)
    expect(jest.getTimerCount()).toBe(0)
  })

  it.each([-1, NaN, '100', null])('refuses %p, and stays as it was', timeoutMs => {
    const { connection } = wired({ timeoutMs: 100 })
    expect(() => (connection.timeoutMs = timeoutMs as number)).toThrow(RangeError)
    expect(connection.timeoutMs).toBe(100)
  })

  it('rejects only what has waited so long', async () => {
    const { connection } = await stuck({ timeoutMs: 100 })
    const first = watch(connection.write(Buffer.alloc(50, 'y')))
    await pass(60)
    const second = watch(connection.write(Buffer.alloc(50, 'y')))
    await pass(40)
    expect([first.state, second.state]).toEqual(['rejected', 'pending'])
    await pass(59)
    expect(second.state).toBe('pending')
    await pass(1)
    expect(second.error).toMatchObject(TIMED_OUT)
  })

  it('makes no timer where nothing waits', async () => {
    const { connection, peer } = wired({ timeoutMs: 100 })
    await connection.sendRequest('GET', '/a')
    await peer.waitFor('\r\n\r\n')
    await pass(1_000)
    expect(connection.connected).toBe(true)
    expect(jest.getTimerCount()).toBe(0)
  })

  it('leaves no timer behind when what waits is settled in time', async () => {
    const { connection, peer } = await stuck({ timeoutMs: 100 })
    const sent = watch(connection.write(Buffer.alloc(50, 'y')))
    await turns()
    await connection.close()
    await turns()
    expect(sent.error).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    expect([jest.getTimerCount(), peer.ended]).toEqual([0, true])
  })

  it('lets the send be tried again: what follows is in order', async () => {
    const { connection, peer } = await stuck({ timeoutMs: 100 })
    const first = watch(connection.write(Buffer.alloc(50, 'y')))
    await pass(100)
    expect(first.state).toBe('rejected')
    const second = watch(connection.write(Buffer.alloc(3, 'z')))
    peer.unstall()
    await turns()
    expect(second.value).toBe(3)
    expect(received(peer).endsWith(`32\r\n${'y'.repeat(50)}\r\n3\r\nzzz\r\n`)).toBe(true)
  })

  it('of a request() with a body that does not move ends the connection', async () => {
    const { connection, peer } = wired({ timeoutMs: 100 })
    await connection.connect()
    peer.stall()
    const [first, behind] = watchAll([
      connection.request('POST', '/a', { body: Buffer.alloc(100_000) }),
      connection.request('GET', '/b'),
    ])
    await turns()
    await pass(100)
    expect(first.error).toMatchObject({ ...TIMED_OUT, operation: 'send' })
    expect(behind.error).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [
        { method: 'POST', path: '/a', outcome: 'no-reply', processed: 'maybe' },
        { method: 'GET', path: '/b', outcome: 'unsent', processed: 'no' },
      ],
    })
    expect(connection.connected).toBe(false)
  })
})

describe('dialling', () => {
  /** A connection whose dial takes until it is told to go on. */
  const slow = (options: { timeoutMs?: number; connectTimeoutMs?: number }) => {
    const socket = new FakeSocket()
    let give!: () => void
    const connection = new HTTPConnection('example.test', {
      ...options,
      socket: () => new Promise(resolve => (give = () => resolve(socket))),
    })
    return { connection, socket, peer: socket.peer, give: () => give() }
  }
  const CONNECT_TIMED_OUT = { ...TIMED_OUT, operation: 'connect' }

  it.each([
    ['connectTimeoutMs', { connectTimeoutMs: 100 }],
    ['connectTimeoutMs rather than timeoutMs', { connectTimeoutMs: 100, timeoutMs: 10 }],
    ['connectTimeoutMs though timeoutMs is longer', { connectTimeoutMs: 100, timeoutMs: 1_000 }],
    ['timeoutMs where that is all', { timeoutMs: 100 }],
  ])('is limited by %s: all that waits for it rejects', async (_, options) => {
    const { connection, socket, give } = slow(options)
    const waiting = watchAll([
      connection.connect(),
      connection.sendRequest('GET', '/a'),
      connection.readResponse(),
    ])
    await pass(99)
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
    await pass(1)
    expect(waiting.map(({ error }) => error)).toMatchObject(Array(3).fill(CONNECT_TIMED_OUT))
    expect(jest.getTimerCount()).toBe(0)
    // It does not stick, and what comes late is let go.
    expect(connection).toMatchObject({ connected: false, pendingRequests: [] })
    give()
    await turns()
    expect(socket.destroyed).toBe(true)
    const again = watch(connection.sendRequest('GET', '/a'))
    await turns()
    expect(again.state).toBe('pending')
    await connection.close()
  })

  it.each<[string, (connection: HTTPConnection) => Promise<unknown>]>([
    ['connect', connection => connection.connect()],
    ['request', connection => connection.request('GET', '/a')],
    ['pipeline', connection => connection.pipeline(['/a']).next()],
    ['getCipher', connection => connection.getCipher()],
  ])('is limited by timeoutMs also where only %s waits', async (_, begin) => {
    const { connection } = slow({ timeoutMs: 100 })
    const waiting = watch(begin(connection))
    await pass(100)
    expect(waiting.error).toMatchObject(CONNECT_TIMED_OUT)
    expect(jest.getTimerCount()).toBe(0)
  })

  it('is not limited without either', async () => {
    const { connection, give } = slow({})
    const waiting = watch(connection.connect())
    await pass(1_000_000)
    expect([waiting.state, jest.getTimerCount()]).toEqual(['pending', 0])
    give()
    await turns()
    expect(waiting.state).toBe('resolved')
  })

  it('may be limited when it is under way already', async () => {
    const { connection } = slow({})
    const waiting = watch(connection.connect())
    await pass(1_000)
    connection.timeoutMs = 100
    await pass(99)
    expect(waiting.state).toBe('pending')
    await pass(1)
    expect(waiting.error).toMatchObject(CONNECT_TIMED_OUT)
  })

  it.each([{ timeoutMs: 100 }, { timeoutMs: 100, connectTimeoutMs: 1_000 }])(
    'does not count for what waits for the peer (%j)',
    async options => {
      const { connection, peer, give } = slow(options)
      void connection.sendRequest('GET', '/a')
      const response = watch(connection.readResponse())
      await pass(90)
      give()
      await turns()
      expect(received(peer)).toBe(GET_A)
      await pass(99)
      expect(response.state).toBe('pending')
      await pass(1)
      expect(response.error).toMatchObject({ ...TIMED_OUT, operation: 'receive' })
      expect(connection.connected).toBe(true)
    },
  )

  it('leaves no timer behind when it succeeds', async () => {
    const { connection, give } = slow({ timeoutMs: 100, connectTimeoutMs: 100 })
    const waiting = watch(connection.connect())
    give()
    await turns()
    expect(waiting.state).toBe('resolved')
    expect(jest.getTimerCount()).toBeLessThanOrEqual(1)
    await pass(1_000)
    expect([connection.connected, jest.getTimerCount()]).toEqual([true, 0])
  })
})
