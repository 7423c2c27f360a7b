// How a client ends: close() when everything has been done, destroy() at once.
import { ConnectionClosed, HTTPClient, StateError } from '../../lib'
import { Fakes, destroyedLater } from '../support/clients'
import { failure, follow, turns } from '../support/reading'

const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

afterEach(() => {
  jest.useRealTimers()
})

describe('HTTPClient.close', () => {
  it('finishes what was accepted, refuses what comes then, and ends all connections', async () => {
    const fakes = new Fakes({ connections: 2, depth: 1 })
    const all = Promise.all(paths(4).map(path => fakes.client.request('GET', path)))
    const closing = fakes.client.close()
    const state = follow(closing)
    const late = await failure(fakes.client.request('GET', '/late'))
    expect(late).toBeInstanceOf(StateError)
    const peers = [await fakes.peer(0), await fakes.peer(1)]
    await turns()
    expect(state.is).toBe('pending')
    for (const peer of peers) peer.respond(({ path }) => ({ body: path }))
    expect((await all).map(({ path }) => path)).toEqual(paths(4))
    await closing
    expect(peers.map(({ ended }) => ended)).toEqual([true, true])
    expect(fakes.count).toBe(2)
  })

  it('resolves at once where nothing was dialled, and again', async () => {
    const { client } = new Fakes()
    await client.close()
    await client[Symbol.asyncDispose]()
    expect(await failure(client.request('GET', '/'))).toBeInstanceOf(StateError)
  })

  it('sends again what is lost meanwhile, after the time that it has to wait', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const fakes = new Fakes({ resend: { delayMs: () => 5000 } })
    const request = fakes.client.request('GET', '/lost')
    const first = await fakes.peer(0)
    await first.waitFor('/lost ')
    const closing = fakes.client.close()
    const state = follow(closing)
    first.end()
    await turns()
    jest.advanceTimersByTime(5000)
    const second = await fakes.peer(1)
    await second.waitFor('/lost ')
    expect(state.is).toBe('pending')
    second.respond(({ path }) => ({ body: path }))
    expect((await request).path).toBe('/lost')
    await closing
    expect(second.ended).toBe(true)
  })

  it('waits for no response that nobody wants', async () => {
    const fakes = new Fakes()
    const abort = new AbortController()
    const aborted = fakes.client.request('GET', '/', { signal: abort.signal })
    const peer = await fakes.peer(0)
    await peer.waitFor('GET')
    abort.abort(new Error('no'))
    await failure(aborted)
    await fakes.client.close()
    expect(peer.ended).toBe(true)
  })
})

describe('HTTPClient.destroy', () => {
  it('rejects with the reason what is on the wire, what waits, and what is being dialled for', async () => {
    const fakes = new Fakes({ depth: 1 })
    const all = paths(3).map(path => fakes.client.request('GET', path))
    const peer = await fakes.peer(0)
    await peer.waitFor('/0 ')
    const reason = new Error('over')
    fakes.client.destroy(reason)
    expect(await Promise.all(all.map(failure))).toEqual([reason, reason, reason])
    expect(await failure(fakes.client.request('GET', '/late'))).toBeInstanceOf(StateError)
    await fakes.client.close()
    expect(peer.ended).toBe(true)

    const hanging = destroyedLater(
      new HTTPClient('http://example.test', { connect: () => new Promise(() => {}) }),
    )
    const request = hanging.request('GET', '/')
    hanging.destroy(reason)
    expect(await failure(request)).toBe(reason)
  })

  it('rejects what waits for its next try, and what a pipeline is asked for', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const fakes = new Fakes({ resend: { delayMs: () => 5000 } })
    const responses = fakes.client.pipeline(['/0', '/1'])
    const [next, behind] = [responses.next(), responses.next()]
    const first = await fakes.peer(0)
    await first.waitFor('/1 ')
    first.end()
    await turns()
    const reason = new Error('over')
    fakes.client.destroy(reason)
    expect(await failure(next)).toBe(reason)
    expect(await behind).toEqual({ done: true, value: undefined })
    expect(jest.getTimerCount()).toBe(0)
    expect(fakes.count).toBe(1)
  })

  it('has a reason of its own, and stops a close() that waits', async () => {
    const fakes = new Fakes()
    const request = fakes.client.request('GET', '/')
    await (await fakes.peer(0)).waitFor('GET')
    const closing = fakes.client.close()
    fakes.client.destroy()
    expect(await failure(request)).toBeInstanceOf(ConnectionClosed)
    await closing
  })
})
