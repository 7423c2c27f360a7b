// What HTTPClient sends again, and how, by the bytes that each connection received.
import { ConnectionClosed, InvalidResponse, UnsupportedResponse, ConnectionTimedOut } from '../../lib'
import { AT_ONCE, Fakes, linesOf } from '../support/clients'
import { failure, ok, turns } from '../support/reading'

const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)
const get = (fakes: Fakes, count: number): Promise<string>[] =>
  paths(count).map(async path => (await fakes.client.request('GET', path)).text())

describe('HTTPClient when a connection is lost', () => {
  it.each([
    ['FIN', (peer: { end(): void }) => peer.end()],
    ['reset', (peer: { reset(): void }) => peer.reset()],
  ])(
    'sends again, at a %s, what was not answered: one alone first, then more and more',
    async (_name, end) => {
      const fakes = new Fakes()
      const all = get(fakes, 9)
      const first = await fakes.peer(0)
      await first.waitFor('/8 ')
      end(first)

      const second = await fakes.peer(1)
      const onWire: string[][] = []
      for (const last of ['/0', '/2', '/6', '/8']) {
        await second.waitFor(`GET ${last} `)
        await turns()
        const lines = linesOf(second.takeReceived())
        onWire.push(lines)
        second.send(lines.map(line => ok(line)).join(''))
      }
      // Each response makes room for one more than it took.
      expect(onWire).toEqual([
        ['GET /0'],
        ['GET /1', 'GET /2'],
        ['GET /3', 'GET /4', 'GET /5', 'GET /6'],
        ['GET /7', 'GET /8'],
      ])
      expect(await Promise.all(all)).toEqual(paths(9).map(path => `GET ${path}`))
      expect(fakes.count).toBe(2)
      expect(fakes.client.stats).toMatchObject({ requestsWritten: 18, requestsResent: 9, responses: 9 })
    },
  )

  it('keeps one request alone on each next connection until one has answered and stayed open', async () => {
    const fakes = new Fakes({ resend: { ...AT_ONCE, attempts: 9 } })
    const all = get(fakes, 3)
    const first = await fakes.peer(0)
    await first.waitFor('/2 ')
    first.end()
    for (const index of [1, 2, 3]) {
      const peer = await fakes.peer(index)
      await peer.waitFor('/0 ')
      await turns()
      expect(linesOf(peer.received)).toEqual(['GET /0'])
      peer.end()
    }
    const last = await fakes.peer(4)
    last.respond(({ path }) => ({ body: path }))
    expect(await Promise.all(all)).toEqual(paths(3))
    expect(linesOf(last.received)).toEqual(['GET /0', 'GET /1', 'GET /2'])
  })

  it('takes an answer for no proof when the connection ends right after it', async () => {
    const fakes = new Fakes()
    const all = get(fakes, 3)
    const first = await fakes.peer(0)
    await first.waitFor('/2 ')
    first.end()
    const second = await fakes.peer(1)
    await second.waitFor('/0 ')
    second.send(ok('/0'))
    await turns(1)
    second.end()
    const third = await fakes.peer(2)
    await third.waitFor('/1 ')
    await turns()
    expect([linesOf(second.received), linesOf(third.received)]).toEqual([['GET /0'], ['GET /1']])
    third.send(ok('/1'))
    ;(await fakes.peer(3)).respond(({ path }) => ({ body: path }))
    expect(await Promise.all(all)).toEqual(paths(3))
  })

  it('opens connections one after the other until one has answered', async () => {
    const fakes = new Fakes({ connections: 3, depth: 2 })
    const all = get(fakes, 6)
    for (const index of [0, 1, 2]) await (await fakes.peer(index)).waitFor('Host')
    await turns()
    for (const index of [0, 1, 2]) (await fakes.peer(index)).end()
    const proving = await fakes.peer(3)
    await proving.waitFor('/0 ')
    await turns()
    expect(fakes.count).toBe(4)
    proving.respond(({ path }) => ({ body: path }))
    for (const index of [4, 5]) (await fakes.peer(index)).respond(({ path }) => ({ body: path }))
    expect(await Promise.all(all)).toEqual(paths(6))
  })

  it('lets connections that have not answered yet prove themselves, too', async () => {
    const fakes = new Fakes({ connections: 2 })
    const all = get(fakes, 2)
    const [first, second] = [await fakes.peer(0), await fakes.peer(1)]
    await first.waitFor('Host')
    await second.waitFor('Host')
    first.end()
    await turns()
    // The backoff, of no time, is over: had the others been answered before, nothing would have been left for a third connection.
    await new Promise(resolve => setTimeout(resolve, 0))
    const more = get(fakes, 5)
    await turns()
    expect(linesOf(second.received)).toHaveLength(1)
    second.respond(({ path }) => ({ body: path }))
    ;(await fakes.peer(2)).respond(({ path }) => ({ body: path }))
    expect((await Promise.all([...all, ...more])).sort()).toEqual([...paths(5), '/0', '/1'].sort())
  })

  it('goes on at full depth after an announced close, and sends again what was behind it, whatever its method', async () => {
    const fakes = new Fakes({ resend: { ...AT_ONCE, methods: ['GET', 'POST'] } })
    const all = [
      ...get(fakes, 3),
      ...['/3', '/4'].map(async path => (await fakes.client.request('POST', path)).text()),
    ]
    const first = await fakes.peer(0)
    await first.waitFor('/4 ')
    first.send(ok('/0') + ok('/1') + ok('/2', 'Connection: close\r\n'))
    const second = await fakes.peer(1)
    await second.waitFor('/4 ')
    expect(linesOf(second.received)).toEqual(['POST /3', 'POST /4'])
    second.respond(({ path }) => ({ body: path }))
    expect(await Promise.all(all)).toEqual(paths(5))
  })

  it('is not made wary by the end of an idle connection', async () => {
    const fakes = new Fakes()
    const one = get(fakes, 1)
    const first = await fakes.peer(0)
    first.respond(({ path }) => ({ body: path }))
    await Promise.all(one)
    first.end()
    await turns()
    void Promise.allSettled(get(fakes, 4))
    const second = await fakes.peer(1)
    await second.waitFor('/3 ')
    await turns()
    expect(linesOf(second.received)).toEqual(['GET /0', 'GET /1', 'GET /2', 'GET /3'])
  })
})

describe('HTTPClient and what may be sent again', () => {
  afterEach(() => {
    jest.useRealTimers()
  })

  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])(
    'sends %s again though it may have been acted upon',
    async method => {
      const fakes = new Fakes()
      const request = fakes.client.request(method, '/a')
      const first = await fakes.peer(0)
      await first.waitFor('/a ')
      first.end()
      const second = await fakes.peer(1)
      await second.waitFor(`${method} /a `)
      second.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      expect((await request).status).toBe(200)
      expect(second.received).toEqual(first.received)
    },
  )

  it.each(['POST', 'PATCH', 'MERGE'])(
    'does not send %s again when it may have been acted upon',
    async method => {
      const fakes = new Fakes()
      const request = fakes.client.request(method, '/a')
      const first = await fakes.peer(0)
      await first.waitFor('/a ')
      first.end()
      const error = await failure(request)
      expect(error).toBeInstanceOf(ConnectionClosed)
      expect(error.unanswered).toEqual([{ method, path: '/a', outcome: 'no-reply', processed: 'maybe' }])
      await turns()
      expect(fakes.count).toBe(1)
    },
  )

  it('takes `methods` for what may be sent again: one that is not among them is alone, and is not', async () => {
    const fakes = new Fakes({ resend: { ...AT_ONCE, methods: ['POST'] } })
    const { client } = fakes
    const all = ['POST /0', 'POST /1', 'GET /2', 'POST /3'].map(async line => {
      const [method, path] = line.split(' ')
      return (await client.request(method, path)).path
    })
    const first = await fakes.peer(0)
    await first.waitFor('/1 ')
    await turns()
    expect(linesOf(first.received)).toEqual(['POST /0', 'POST /1'])
    first.end()
    const second = await fakes.peer(1)
    for (const path of ['/0', '/1']) {
      await second.waitFor(`POST ${path} `)
      second.send(ok())
    }
    await second.waitFor('GET /2 ')
    await turns()
    expect(linesOf(second.received)).toEqual(['POST /0', 'POST /1', 'GET /2'])
    second.end()
    expect(await failure(all[2])).toBeInstanceOf(ConnectionClosed)
    ;(await fakes.peer(2)).respond(() => ({ status: 200 }))
    expect(await Promise.all([all[0], all[1], all[3]])).toEqual(['/0', '/1', '/3'])
  })

  it('sends POST again when nothing of it was written', async () => {
    const fakes = new Fakes()
    const get = fakes.client.request('GET', '/a')
    const first = await fakes.peer(0)
    first.respond(() => ({ body: 'a' }))
    await get
    const post = fakes.client.request('POST', '/b', { body: 'once' })
    first.end()
    const second = await fakes.peer(1)
    await second.waitFor('once')
    second.send(ok('b'))
    expect(await (await post).text()).toBe('b')
    expect(linesOf(first.received)).toEqual(['GET /a'])
  })

  it('rejects a half answered request like any other', async () => {
    const fakes = new Fakes({ resend: false })
    const all = get(fakes, 2).map(failure)
    const first = await fakes.peer(0)
    await first.waitFor('/1 ')
    first.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal')
    first.end()
    const [half, behind] = await Promise.all(all)
    expect(half.unanswered).toEqual([
      { method: 'GET', path: '/0', outcome: 'partial-reply', processed: 'maybe' },
    ])
    expect(behind.unanswered).toEqual([
      { method: 'GET', path: '/1', outcome: 'no-reply', processed: 'maybe' },
    ])
    expect(half.cause).toBeInstanceOf(ConnectionClosed)
  })

  it('sends bodies again that can be produced again', async () => {
    const fakes = new Fakes()
    const bodies = [
      'text',
      Buffer.from('bytes'),
      new URLSearchParams({ a: 'b' }),
      new Blob(['blob']),
      [Buffer.from('in'), Buffer.from('parts')],
      Buffer.alloc(10_000, 'x'),
    ]
    for (const [index, body] of bodies.entries()) {
      const request = fakes.client.request('PUT', `/${index}`, { body })
      const first = await fakes.peer(2 * index)
      const whole = await first.waitFor(`PUT /${index} `).then(async () => {
        await turns(20)
        return first.received
      })
      first.end()
      const second = await fakes.peer(2 * index + 1)
      expect(await second.waitFor(whole.length)).toEqual(whole)
      second.send(ok('', 'Connection: close\r\n'))
      await request
    }
  })

  it('does not send a body again of which a part was read', async () => {
    const fakes = new Fakes()
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from('part')
      await new Promise(() => {})
    }
    const request = fakes.client.request('PUT', '/', { body: source() })
    const first = await fakes.peer(0)
    await first.waitFor('part')
    first.end()
    expect(await failure(request)).toBeInstanceOf(ConnectionClosed)
    await turns()
    expect(fakes.count).toBe(1)
  })

  it('keeps a body for later that nobody began to read, and ends one that is not needed any more', async () => {
    const fakes = new Fakes({ depth: 1 })
    let ended = 0
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield Buffer.from('the body')
      } finally {
        ended++
      }
    }
    const put = fakes.client.request('PUT', '/a', { body: source(), expect100: true })
    const first = await fakes.peer(0)
    await first.waitFor('100-continue')
    first.end()
    const second = await fakes.peer(1)
    await second.waitFor('100-continue')
    second.send('HTTP/1.1 100 Continue\r\n\r\n')
    await second.waitFor('the body\r\n0\r\n\r\n')
    second.send(ok())
    await put
    expect(ended).toBe(1)

    const body = source()
    const refused = fakes.client.request('PUT', '/b', { body, expect100: true })
    await second.waitFor('/b ')
    second.send('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n')
    expect((await refused).status).toBe(417)
    expect(await body.next()).toEqual({ done: true, value: undefined })
  })

  it('tries as often as `attempts` says, the first time included', async () => {
    const fakes = new Fakes({ resend: { ...AT_ONCE, attempts: 4 } })
    const request = fakes.client.request('GET', '/a')
    for (const index of [0, 1, 2, 3]) {
      const peer = await fakes.peer(index)
      await peer.waitFor('/a ')
      peer.end()
    }
    const error = await failure(request)
    expect(error).toBeInstanceOf(ConnectionClosed)
    expect(error.unanswered).toEqual([{ method: 'GET', path: '/a', outcome: 'no-reply', processed: 'maybe' }])
    await turns()
    expect(fakes.count).toBe(4)
    expect(fakes.client.stats).toMatchObject({ requestsWritten: 4, requestsResent: 3, responses: 0 })
  })

  it('does not count as a try what was certainly not acted upon', async () => {
    const fakes = new Fakes({ resend: { ...AT_ONCE, attempts: 1 } })
    const all = get(fakes, 6)
    for (let index = 0; index < 6; index++) {
      const peer = await fakes.peer(index)
      await peer.waitFor(`/${index} `)
      peer.send(ok(`/${index}`, 'Connection: close\r\n'))
    }
    expect(await Promise.all(all)).toEqual(paths(6))
  })

  it('gives up even so when connections end before anything was written', async () => {
    const fakes = new Fakes()
    const request = failure(fakes.client.request('POST', '/'))
    for (const index of [0, 1, 2]) {
      const peer = await fakes.peer(index)
      peer.send('surplus')
    }
    const error = await request
    expect(error).toBeInstanceOf(ConnectionClosed)
    expect(error.unanswered).toEqual([{ method: 'POST', path: '/', outcome: 'unsent', processed: 'no' }])
    await turns()
    expect(fakes.count).toBe(3)
  })

  it('sends the last try alone, so that it does not fail by the fault of another', async () => {
    const fakes = new Fakes({ resend: { ...AT_ONCE, attempts: 2 } })
    const all = get(fakes, 3)
    const first = await fakes.peer(0)
    await first.waitFor('/2 ')
    first.end()
    const second = await fakes.peer(1)
    const onWire: string[][] = []
    for (const path of paths(3)) {
      await second.waitFor(`${path} `)
      await turns()
      onWire.push(linesOf(second.takeReceived()))
      second.send(ok(path))
    }
    expect(onWire).toEqual([['GET /0'], ['GET /1'], ['GET /2']])
    expect(await Promise.all(all)).toEqual(paths(3))
  })

  it('sends a request alone that was the first to be lost, while others go on elsewhere', async () => {
    const fakes = new Fakes({ connections: 2, depth: 2 })
    const all = get(fakes, 4)
    const [first, second] = [await fakes.peer(0), await fakes.peer(1)]
    await first.waitFor('Host')
    await second.waitFor('Host')
    await turns()
    const [suspect, other] = linesOf(first.received)
    const [answered] = linesOf(second.received)
    second.send(ok(answered.slice(4)))
    await turns()
    first.end()
    const third = await fakes.peer(2)
    await third.waitFor(suspect)
    await second.waitFor(other)
    await turns()
    expect(linesOf(third.received)).toEqual([suspect])
    second.send(ok(linesOf(second.received)[1].slice(4)) + ok(other.slice(4)))
    third.respond(({ path }) => ({ body: path }))
    expect(await Promise.all(all)).toEqual(paths(4))
  })

  it('rejects the request whose response is at fault, and sends again those behind it', async () => {
    const fakes = new Fakes()
    const [invalid, ...others] = get(fakes, 3)
    const first = await fakes.peer(0)
    await first.waitFor('/2 ')
    first.send('HTTP/1.1 2x0 OK\r\n\r\n')
    expect(await failure(invalid)).toBeInstanceOf(InvalidResponse)
    const second = await fakes.peer(1)
    await second.waitFor('/1 ')
    await turns()
    expect(linesOf(second.received)).toEqual(['GET /1'])
    second.send('HTTP/1.0 200 OK\r\n\r\n')
    expect(await failure(others[0])).toBeInstanceOf(UnsupportedResponse)
    const third = await fakes.peer(2)
    third.respond(({ path }) => ({ body: path }))
    expect(await others[1]).toBe('/2')
    expect(second.ended).toBe(true)
  })

  it('does not take the failure of a body for that of the connection', async () => {
    const fakes = new Fakes()
    const broken = new ConnectionClosed('of another connection')
    const source = (async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('x')
      throw broken
    })()
    const put = fakes.client.request('PUT', '/a', { body: source })
    const behind = fakes.client.request('GET', '/b')
    const first = await fakes.peer(0)
    expect(await failure(put)).toBe(broken)
    const second = await fakes.peer(1)
    await second.waitFor('/b ')
    second.send(ok('b'))
    expect(await (await behind).text()).toBe('b')
    expect(linesOf(first.received)).toEqual(['PUT /a'])
  })

  it('lets nobody fail by connections that were given up for a neighbour, however often', async () => {
    const fakes = new Fakes({ maxBufferedBytes: 10, resend: { ...AT_ONCE, attempts: 2 } })
    const large = ['/0', '/1'].map(path => failure(fakes.client.request('GET', path, { maxBodyBytes: 5 })))
    const small = fakes.client.request('GET', '/small')
    const first = await fakes.peer(0)
    await first.waitFor('/small ')
    first.send(ok('more than is wanted by anybody').slice(0, -1))
    expect((await large[0]).code).toBe('ERR_HTTPIO_BODY_TOO_LONG')
    const second = await fakes.peer(1)
    await second.waitFor('/1 ')
    await turns()
    expect(linesOf(second.received)).toEqual(['GET /1'])
    second.send(ok('more than is wanted by anybody').slice(0, -1))
    expect((await large[1]).code).toBe('ERR_HTTPIO_BODY_TOO_LONG')
    const third = await fakes.peer(2)
    third.respond(({ path }) => ({ body: path }))
    expect(await (await small).text()).toBe('/small')
  })

  it('does not send again what timed out, and leaves the connection to nobody else', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const fakes = new Fakes({ timeoutMs: 20_000, depth: 2 })
    const all = get(fakes, 2).map(failure)
    const first = await fakes.peer(0)
    await first.waitFor('/1 ')
    jest.advanceTimersByTime(20_000)
    for (const error of await Promise.all(all)) expect(error).toBeInstanceOf(ConnectionTimedOut)
    const next = fakes.client.request('GET', '/next')
    const second = await fakes.peer(1)
    await second.waitFor('/next ')
    second.send(ok('next'))
    expect(await (await next).text()).toBe('next')
    expect(first.ended).toBe(true)
    expect(linesOf(first.received)).toEqual(['GET /0', 'GET /1'])
  })

  it('sends nothing again for a request that was aborted while it waited for its next try', async () => {
    const fakes = new Fakes({ resend: { delayMs: () => 60_000 } })
    const abort = new AbortController()
    const request = fakes.client.request('GET', '/a', { signal: abort.signal })
    const first = await fakes.peer(0)
    await first.waitFor('/a ')
    first.end()
    await turns()
    const reason = new Error('no')
    abort.abort(reason)
    expect(await failure(request)).toBe(reason)
    await fakes.client.close()
    expect(fakes.count).toBe(1)
  })
})
