// What HTTPClient does when no connection can be had, and how long it waits before it tries again.
import { EventEmitter, once } from 'node:events'
import { ConnectionTimedOut, HTTPClient, HostnameNotResolvable, type ClientOptions } from '../../lib'
import { fullJitter } from '../../lib/client/options'
import { FakeSocket, type FakePeer } from '../../lib/testing'
import { AT_ONCE, Fakes, behaved, destroyedLater, linesOf } from '../support/clients'
import { failure, follow, ok, turns } from '../support/reading'

const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

/** A client that cannot dial as long as `answers` has errors; then it gets fake sockets that answer. */
function failing(
  answers: Error[],
  options: ClientOptions = {},
): { client: HTTPClient; dials: EventEmitter; count: () => number } {
  const dials = new EventEmitter()
  let count = 0
  const connect = (): FakeSocket => {
    count++
    dials.emit('dial')
    const error = answers.shift()
    if (error !== undefined) throw error
    const socket = new FakeSocket()
    socket.peer.respond(({ path }) => ({ body: path }))
    return socket
  }
  const client = destroyedLater(
    new HTTPClient('http://example.test', { resend: AT_ONCE, connect, ...options }),
  )
  return { client, dials, count: () => count }
}

describe('HTTPClient when it cannot connect', () => {
  it('tries again after a temporary failure, and counts it as a try', async () => {
    const { client, count } = failing([refused(), refused()])
    const all = await Promise.all(['/a', '/b'].map(path => client.request('GET', path)))
    expect(all.map(({ path }) => path)).toEqual(['/a', '/b'])
    expect(count()).toBe(3)
    expect(client.stats).toMatchObject({ connectionsOpened: 1, requestsWritten: 2, requestsResent: 0 })
  })

  it('rejects all that wait with the failure once no try is left, whatever their methods', async () => {
    const errors = [refused(), refused(), refused(), refused()]
    const last = errors[2]
    const { client, count } = failing([...errors])
    const [get, post] = ['GET', 'POST'].map(method => failure(client.request(method, '/')))
    expect(await get).toBe(last)
    expect(await post).toBe(last)
    await turns()
    expect(count()).toBe(3)
  })

  it('is the same for a server that is not there, over several connections at once', async () => {
    const server = await behaved(() => {})
    const { origin } = server
    await server.close()
    const client = destroyedLater(new HTTPClient(origin, { connections: 4, resend: AT_ONCE }))
    const errors = await Promise.all(
      Array.from({ length: 8 }, (_, i) => failure(client.request('GET', `/${i}`))),
    )
    expect(errors.map(({ code }) => code)).toEqual(Array(8).fill('ECONNREFUSED'))
    expect(client.stats).toMatchObject({ connectionsOpened: 0, requestsWritten: 0 })
  })

  it('starts anew for what is asked later', async () => {
    const { client } = failing([refused(), refused(), refused()])
    await failure(client.request('GET', '/a'))
    expect((await client.request('GET', '/b')).status).toBe(200)
  })

  it.each([
    ['a name that does not exist', new HostnameNotResolvable('no such name', { hostname: 'example.test' })],
    [
      'a certificate that is not trusted',
      Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    ],
  ])('rejects at once after %s', async (_name, error) => {
    const { client, count } = failing([error, error])
    const all = ['/a', '/b'].map(path => failure(client.request('GET', path)))
    expect(await Promise.all(all)).toEqual([error, error])
    expect(count()).toBe(1)
  })

  it('tries only once with `resend: false`', async () => {
    const error = refused()
    const { client, count } = failing([error, error], { resend: false })
    expect(await failure(client.request('GET', '/'))).toBe(error)
    expect(count()).toBe(1)
  })

  it('counts a dial that took too long as temporary', async () => {
    let hangs = 0
    const client = destroyedLater(
      new HTTPClient('http://example.test', {
        connectTimeoutMs: 5,
        resend: { ...AT_ONCE, attempts: 2 },
        connect: () => {
          hangs++
          return new Promise(() => {})
        },
      }),
    )
    expect(await failure(client.request('GET', '/'))).toBeInstanceOf(ConnectionTimedOut)
    expect(hangs).toBe(2)
  })

  it('lets nobody suffer as long as another connection is open', async () => {
    const answers: Error[] = []
    const { client, dials } = failing(answers, { connections: 2, depth: 1 })
    await client.request('GET', '/first')
    answers.push(refused(), refused(), refused(), refused(), refused())
    const dialled = once(dials, 'dial')
    const all = Promise.all(
      ['/a', '/b', '/c', '/d', '/e', '/f', '/g', '/h'].map(path => client.request('GET', path)),
    )
    await dialled
    expect((await all).map(({ status }) => status)).toEqual(Array(8).fill(200))
  })

  it('leaves connections that are being dialled their share of what waits', async () => {
    const open: (() => void)[] = []
    const sockets: FakeSocket[] = []
    const client = destroyedLater(
      new HTTPClient('http://example.test', {
        connections: 2,
        connect: () =>
          new Promise(resolve => {
            const socket = new FakeSocket()
            sockets.push(socket)
            open.push(() => resolve(socket))
          }),
      }),
    )
    void Promise.allSettled(Array.from({ length: 10 }, (_, i) => client.request('GET', `/${i}`)))
    await turns()
    open[0]()
    await sockets[0].peer.waitFor('/4 ')
    await turns()
    expect(sockets[0].peer.received.toString()).not.toContain('/5 ')
    open[1]()
    await sockets[1].peer.waitFor('/9 ')
  })
})

describe('HTTPClient and backoff', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  it('waits a random time unless told otherwise, up to 100 ms first and then twice as long', async () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.5)
    const { client, count } = failing([refused(), refused()], { resend: {} })
    const request = client.request('GET', '/')
    for (const [dials, ms] of [
      [1, 50],
      [2, 100],
    ]) {
      await turns()
      jest.advanceTimersByTime(ms - 1)
      await turns()
      expect(count()).toBe(dials)
      jest.advanceTimersByTime(1)
    }
    await turns(10)
    expect((await request).status).toBe(200)
    expect(count()).toBe(3)
    random.mockRestore()
  })

  it('waits before each try as long as `delayMs` says, given how many have failed', async () => {
    const delayMs = jest.fn((attempt: number) => attempt * 1000)
    const { client, count } = failing([refused(), refused(), refused()], { resend: { attempts: 4, delayMs } })
    const request = client.request('GET', '/')
    await turns()
    expect(count()).toBe(1)
    for (const [tries, ms] of [
      [2, 1000],
      [3, 2000],
      [4, 3000],
    ]) {
      jest.advanceTimersByTime(ms - 1)
      await turns()
      expect(count()).toBe(tries - 1)
      jest.advanceTimersByTime(1)
      await turns()
      expect(count()).toBe(tries)
    }
    await turns(10)
    expect((await request).status).toBe(200)
    expect(delayMs.mock.calls).toEqual([[1], [2], [3]])
  })

  it('lets a request that was lost wait, and others go out meanwhile', async () => {
    const fakes = new Fakes({ resend: { delayMs: () => 5000 } })
    const lost = fakes.client.request('GET', '/lost')
    const first = await fakes.peer(0)
    first.respond(({ path }) => (path === '/ok' ? { body: 'ok' } : ''))
    await first.waitFor('/lost ')
    first.send(ok('lost', 'X: 1\r\n').slice(0, -1))
    first.end()
    await turns()
    const state = follow(lost)
    const other = fakes.client.request('GET', '/other')
    // A connection that brought nothing is not followed by the next at once, either.
    await turns()
    expect(fakes.count).toBe(1)
    jest.advanceTimersByTime(4999)
    await turns()
    expect(fakes.count).toBe(1)
    jest.advanceTimersByTime(1)
    const second = await fakes.peer(1)
    second.respond(({ path }) => ({ body: path }))
    expect(await (await other).text()).toBe('/other')
    expect(await (await lost).text()).toBe('/lost')
    expect(state.is).toBe('resolved')
  })

  it('takes the next connection at once when the lost one had answered', async () => {
    const fakes = new Fakes({ resend: { delayMs: () => 5000 } })
    const answered = fakes.client.request('GET', '/answered')
    const lost = follow(fakes.client.request('GET', '/lost'))
    const first = await fakes.peer(0)
    await first.waitFor('/lost ')
    first.send(ok('a'))
    await answered
    first.end()
    await turns()
    const other = fakes.client.request('GET', '/other')
    const second = await fakes.peer(1)
    second.respond(({ path }) => ({ body: path }))
    await other
    expect(lost.is).toBe('pending')
    jest.advanceTimersByTime(5000)
    // One response was the limit of the first connection, and what must be alone is not for trying whether it is that of the second.
    const third = await fakes.peer(2)
    third.respond(({ path }) => ({ body: path }))
    await turns(10)
    expect(lost.is).toBe('resolved')
  })

  it('gives up a connection that waits to be tried for a request that must be alone, and sends each other one once', async () => {
    const peers: FakePeer[] = []
    let isDown = false
    const connect = (): FakeSocket => {
      if (isDown) throw refused()
      const socket = new FakeSocket()
      peers.push(socket.peer)
      return socket
    }
    const resend = { delayMs: () => (isDown ? 60_000 : 5000) }
    const client = destroyedLater(new HTTPClient('http://example.test', { connections: 3, connect, resend }))
    const get = async (path: string): Promise<string> => (await client.request('GET', path)).text()
    /** Asks one after the other, and answers on the connection of this number. */
    const exchange = async (index: number, paths: string[]): Promise<void> => {
      for (const path of paths) {
        const response = get(path)
        await turns()
        peers[index].send(ok(path))
        expect(await response).toBe(path)
        await turns()
      }
    }
    await exchange(0, ['/1', '/2', '/3', '/4', '/5', '/6', '/7'])
    const suspect = get('/suspect')
    const other = get('/other')
    await turns()
    // Seven answers are its limit. Two requests wait for their next try, the first of them to be alone.
    peers[0].end()
    await turns()
    await exchange(1, ['/a', '/b', '/c', '/d', '/e', '/f'])
    const seventh = get('/g')
    await exchange(2, ['/h', '/i', '/j'])
    isDown = true
    const two = [get('/k'), get('/l')]
    await turns()
    peers[1].send(ok('/g'))
    expect(await seventh).toBe('/g')
    await turns()
    // One connection waits to be tried with an eighth, one has two under way, and no other can be had for longer than the two wait.
    jest.advanceTimersByTime(5000)
    await turns()
    expect(peers[1].ended).toBe(true)
    expect(linesOf(peers[2].received)).toEqual(
      ['/h', '/i', '/j', '/k', '/l', '/other'].map(path => `GET ${path}`),
    )
    isDown = false
    jest.advanceTimersByTime(60_000)
    await turns()
    expect(linesOf(peers[3].received)).toEqual(['GET /suspect'])
    peers[2].send(ok('/k') + ok('/l') + ok('/other'))
    peers[3].send(ok('/suspect'))
    expect(await Promise.all([suspect, other, ...two])).toEqual(['/suspect', '/other', '/k', '/l'])
  })

  it.each([NaN, -1, undefined as never, 'soon' as never])('takes a delay of %p for none', async delay => {
    const { client } = failing([refused()], { resend: { delayMs: () => delay } })
    const request = client.request('GET', '/')
    await turns()
    jest.advanceTimersByTime(1)
    await turns(10)
    expect((await request).status).toBe(200)
  })

  it('leaves no timer behind when it is destroyed', async () => {
    const { client } = failing([refused()], { resend: { delayMs: () => 1e12 } })
    const request = failure(client.request('GET', '/'))
    await turns()
    expect(jest.getTimerCount()).toBe(1)
    client.destroy()
    await request
    expect(jest.getTimerCount()).toBe(0)
  })
})

describe('fullJitter', () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [8, 10_000],
    [100, 10_000],
  ])('is anything up to its bound after %d failures', (attempt, bound) => {
    const random = jest.spyOn(Math, 'random')
    for (const share of [0, 0.5, 0.999]) {
      random.mockReturnValueOnce(share)
      expect(fullJitter(attempt)).toBe(share * bound)
    }
    random.mockRestore()
  })
})
