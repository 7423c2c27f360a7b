// timeoutMs while reading: what counts as a move, what rejects, and that nothing is lost by it.
import { HTTPConnection } from '../../lib'
import { arrival, asked, chunked, dialler, failure, follow, ok, text, turns, wire } from '../support/reading'

const TIMED_OUT = { name: 'ConnectionTimedOut', code: 'ERR_HTTPIO_TIMED_OUT', operation: 'receive' }
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'

beforeEach(() => {
  jest.useFakeTimers()
})

afterEach(() => {
  jest.useRealTimers()
})

/** Lets time pass, and then what is due happen. */
async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms)
  await turns()
}

describe('timeoutMs while reading', () => {
  it('rejects readResponse when no byte moved for as long, and leaves the connection as it is', async () => {
    const { connection, peer } = await asked(['/a'], { timeoutMs: 1000 })
    await pass(5000)
    for (let i = 0; i < 2; i++) {
      const response = failure(connection.readResponse())
      const state = follow(response)
      await pass(998)
      expect(state.is).toBe('pending')
      await pass(2)
      expect(await response).toMatchObject(TIMED_OUT)
    }
    expect(connection.connected).toBe(true)
    expect(connection.pendingRequests).toEqual([{ method: 'GET', path: '/a' }])
    const response = connection.readResponse()
    peer.send(ok('late'))
    expect(await (await response).text()).toBe('late')
  })

  it.each<[string, (connection: HTTPConnection) => Promise<unknown>]>([
    ['read', connection => connection.read()],
    ['readInto', connection => connection.readInto(Buffer.alloc(10))],
    ['readAll', connection => connection.readAll()],
    ['discard', connection => connection.discard()],
  ])('rejects %s, and the body can be read on', async (_name, read) => {
    const { connection, peer } = await asked(['/a'], { timeoutMs: 1000 })
    peer.send(HEAD)
    await connection.readResponse()
    const pending = failure(read(connection))
    await pass(1001)
    expect(await pending).toMatchObject(TIMED_OUT)
    const all = connection.readAll()
    peer.send('0123456789')
    expect(text(await all)).toBe('0123456789')
  })

  it.each([
    ['a length', HEAD, '01234', '56789'],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      '3\r\n012\r\n2\r\n34\r\n',
      '5\r\n56789\r\n0\r\n\r\n',
    ],
  ])(
    'leaves what a timed-out readAll had collected of a body with %s to the next read',
    async (_what, head, first, rest) => {
      const { connection, peer } = await asked(['/a'], { timeoutMs: 1000 })
      peer.send(head)
      const response = await connection.readResponse()
      for (let i = 0; i < 3; i++) {
        const all = failure(connection.readAll())
        if (i === 0) for (const byte of first) peer.send(byte)
        await pass(1001)
        await pass(1001)
        expect(await all).toMatchObject(TIMED_OUT)
      }
      expect(text(await connection.read(2))).toBe('01')
      const all = response.readAll()
      peer.send(rest)
      expect(text(await all)).toBe('23456789')
    },
  )

  it('rejects readRaw and then gives what comes', async () => {
    const { connection, peer } = await asked(['/a'], { timeoutMs: 1000 })
    const raw = failure(connection.readRaw(10))
    await pass(1001)
    expect(await raw).toMatchObject(TIMED_OUT)
    peer.send('abc')
    expect(text(await connection.readRaw(10))).toBe('abc')
  })

  it('counts any byte received as a move, be it of an interim response or of a later one', async () => {
    const { connection, peer } = await asked(['/a', '/b'], { timeoutMs: 1000 })
    const response = connection.readResponse()
    const state = follow(response)
    for (const byte of 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Leng') {
      await pass(900)
      peer.send(byte)
    }
    expect(state.is).toBe('pending')
    peer.send('th: 1\r\n\r\na')
    await response
    const body = failure(connection.readResponse())
    expect(await body).toMatchObject({ code: 'ERR_HTTPIO_STATE' })
  })

  it('counts bytes sent as well', async () => {
    const { connection, peer } = await asked(['/a'], { timeoutMs: 1000 })
    const response = failure(connection.readResponse())
    const state = follow(response)
    for (let i = 0; i < 5; i++) {
      await pass(900)
      await connection.sendRequest('GET', `/${i}`)
      await arrival(peer, `/${i}`)
    }
    expect(state.is).toBe('pending')
    await pass(1001)
    expect(await response).toMatchObject(TIMED_OUT)
  })

  it('does not run while nothing is pending', async () => {
    const { connection, peer } = await asked(['/a'], { timeoutMs: 1000 })
    await pass(100_000)
    peer.send(HEAD)
    await pass(100_000)
    const response = await connection.readResponse()
    await pass(100_000)
    peer.send('0123456789')
    expect(text(await response.readAll())).toBe('0123456789')
    await pass(100_000)
    expect(connection.connected).toBe(true)
    expect(jest.getTimerCount()).toBe(0)
  })

  it('is none by default, nor with 0 or Infinity', async () => {
    for (const timeoutMs of [undefined, 0, Infinity]) {
      const { connection } = await asked(['/a'], { timeoutMs })
      const state = follow(connection.readResponse())
      await pass(1_000_000_000)
      expect(state.is).toBe('pending')
    }
  })

  it('may be changed at any time, for what is pending too', async () => {
    const { connection } = await asked(['/a'])
    const response = failure(connection.readResponse())
    const state = follow(response)
    await pass(10_000)
    connection.timeoutMs = 1000
    expect(connection.timeoutMs).toBe(1000)
    await pass(999)
    connection.timeoutMs = 2000
    await pass(1999)
    connection.timeoutMs = 0
    await pass(100_000)
    expect(state.is).toBe('pending')
    connection.timeoutMs = 500
    await pass(501)
    expect(await response).toMatchObject(TIMED_OUT)
    expect(jest.getTimerCount()).toBe(0)
  })

  it.each([-1, NaN, '5' as unknown as number])('refuses %p', value => {
    const { connection } = wire({ timeoutMs: 7 })
    expect(() => (connection.timeoutMs = value)).toThrow(RangeError)
    expect(connection.timeoutMs).toBe(7)
    expect(() => wire({ timeoutMs: value })).toThrow(RangeError)
  })

  it('leaves no timer behind when the connection ends', async () => {
    const { connection, peer } = await asked(['/a'], { timeoutMs: 1000 })
    const response = failure(connection.readResponse())
    peer.end()
    await response
    expect(jest.getTimerCount()).toBe(0)
    const other = await asked(['/a'], { timeoutMs: 1000 })
    const pending = failure(other.connection.readResponse())
    await other.connection.close()
    await pending
    expect(jest.getTimerCount()).toBe(0)
  })
})

describe('timeoutMs of whole exchanges', () => {
  it('rejects every request that has waited as long; what is in flight is read and dropped', async () => {
    const { connection, peer } = wire({ timeoutMs: 1000 })
    const early = [connection.request('GET', '/a'), connection.request('GET', '/b')].map(failure)
    await arrival(peer, '/b')
    await pass(600)
    const late = connection.request('GET', '/c')
    await arrival(peer, '/c')
    const state = follow(late)
    // That request was a move.
    await pass(600)
    expect(state.is).toBe('pending')
    await pass(401)
    for (const error of await Promise.all(early)) expect(error).toMatchObject(TIMED_OUT)
    expect(await failure(late)).toMatchObject(TIMED_OUT)

    const next = connection.request('GET', '/d')
    await arrival(peer, '/d')
    peer.send(ok('a') + chunked(['b']) + ok('c') + ok('d'))
    expect(await (await next).text()).toBe('d')
  })

  it('withdraws a request that had not been sent, as an abort does', async () => {
    const { connection, peer } = wire({ timeoutMs: 1000 })
    await connection.connect()
    peer.stall()
    const body = Buffer.alloc(200_000, 'x')
    const half = failure(connection.request('PUT', '/half', { body }))
    await turns()
    const unsent = failure(connection.request('GET', '/unsent'))
    await pass(1001)
    expect(await half).toMatchObject({ ...TIMED_OUT, operation: 'send' })
    // It was half written, which nothing can follow: those behind it may not have been sent.
    expect(await unsent).toMatchObject({
      code: expect.stringMatching(/ERR_HTTPIO_(TIMED_OUT|CONNECTION_CLOSED)/) as string,
    })
    expect(connection.connected).toBe(false)
  })

  it('ends a pipeline whose next() it rejects, and the next request dials anew', async () => {
    const { connection, peers } = dialler({ timeoutMs: 1000 })
    let isEnded = false
    function* source(): Generator<string> {
      try {
        for (let i = 0; ; i++) yield `/${i}`
      } finally {
        isEnded = true
      }
    }
    const pipeline = connection.pipeline(source(), { depth: 2 })
    const first = pipeline.next()
    while (peers.length < 1) await turns(1)
    await arrival(peers[0], '/1')
    peers[0].send(ok('0'))
    expect((await first).value?.path).toBe('/0')
    const second = failure(pipeline.next())
    await arrival(peers[0], '/2')
    await pass(1001)
    expect(await second).toMatchObject(TIMED_OUT)
    expect(isEnded).toBe(true)
    expect(await pipeline.next()).toEqual({ done: true, value: undefined })
    expect(peers[0].ended).toBe(true)
    const next = connection.request('GET', '/next')
    while (peers.length < 2) await turns(1)
    await arrival(peers[1], '/next')
    peers[1].send(ok('next'))
    expect(await (await next).text()).toBe('next')
  })

  it('does not end a pipeline when the read of a body times out', async () => {
    const { connection, peer } = wire({ timeoutMs: 1000 })
    const pipeline = connection.pipeline(['/a', '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send(HEAD)
    const { value } = await first
    const body = failure(value!.readAll())
    await pass(1001)
    expect(await body).toMatchObject(TIMED_OUT)
    peer.send(`0123456789${ok('b')}`)
    expect(text(await value!.readAll())).toBe('0123456789')
    expect(text(await (await pipeline.next()).value!.readAll())).toBe('b')
  })

  it('is no limit for the source of a pipeline', async () => {
    const { connection, peer } = wire({ timeoutMs: 1000 })
    let give: (path: string) => void = () => undefined
    async function* slow(): AsyncGenerator<string> {
      yield new Promise<string>(resolve => (give = resolve)) as unknown as string
    }
    await connection.connect()
    const first = connection.pipeline(slow()).next()
    await pass(100_000)
    give('/a')
    await arrival(peer, '/a')
    peer.send(ok('a'))
    expect((await first).value?.path).toBe('/a')
  })
})
