// HTTPClient.pipeline: order, how much is under way, and how it ends.
import { ConnectionClosed, StateError, type HTTPResponse, type PipelineRequest } from '../../lib'
import { AT_ONCE, Fakes, linesOf } from '../support/clients'
import { failure, follow, ok, turns } from '../support/reading'

const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

async function allOf(responses: AsyncIterable<HTTPResponse>): Promise<string[]> {
  const texts: string[] = []
  for await (const response of responses) texts.push(await response.text())
  return texts
}

/** A source that counts what was taken from it, and whether it was ended early. */
function counted(requests: readonly PipelineRequest[]) {
  const state = { taken: 0, ended: false }
  const source = {
    *[Symbol.iterator](): Generator<PipelineRequest> {
      try {
        for (const request of requests) {
          state.taken++
          yield request
        }
      } finally {
        state.ended = true
      }
    },
  }
  return { state, source }
}

describe('HTTPClient.pipeline', () => {
  it('yields the responses in the order of the requests, whatever order they come in', async () => {
    const fakes = new Fakes({ connections: 2 })
    const responses = allOf(fakes.client.pipeline(paths(20)))
    const [first, second] = [await fakes.peer(0), await fakes.peer(1)]
    await first.waitFor('Host')
    second.respond(({ path }) => ({ body: path }))
    await turns(20)
    first.respond(({ path }) => ({ body: path }))
    expect(await responses).toEqual(paths(20))
  })

  it('yields them as they come with `ordered: false`', async () => {
    const fakes = new Fakes({ connections: 2 })
    const responses = fakes.client.pipeline(paths(4), { ordered: false })
    const next = responses.next()
    const [first, second] = [await fakes.peer(0), await fakes.peer(1)]
    await first.waitFor('Host')
    second.respond(({ path }) => ({ body: path }))
    const early = [await next, await responses.next()].map(({ value }) => `GET ${value?.path}`)
    expect(early).toEqual(linesOf(second.received))
    first.respond(({ path }) => ({ body: path }))
    expect((await allOf(responses)).map(path => `GET ${path}`)).toEqual(linesOf(first.received))
  })

  it('takes requests of every form', async () => {
    const fakes = new Fakes()
    const responses = allOf(
      fakes.client.pipeline([
        '/a',
        { path: '/b', headers: { 'X-B': '1' } },
        { method: 'PUT', path: '/c', body: 'c' },
        { method: 'POST', path: '/d', body: 'd' },
      ]),
    )
    const peer = await fakes.peer(0)
    peer.respond(({ method, path, headers, body }) => ({
      body: `${method} ${path} ${headers.get('x-b')} ${body.toString()}`,
    }))
    expect(await responses).toEqual(['GET /a null ', 'GET /b 1 ', 'PUT /c null c', 'POST /d null d'])
  })

  it('sends nothing, and takes nothing from its source, before it is asked', async () => {
    const { state, source } = counted(paths(3))
    const fakes = new Fakes()
    fakes.client.pipeline(source)
    await turns()
    expect(fakes.count).toBe(0)
    expect(state).toEqual({ taken: 0, ended: false })
  })

  it.each([true, false])(
    'has no more under way than connections × depth, those not taken included; ordered: %p',
    async ordered => {
      const { state, source } = counted(paths(50))
      const fakes = new Fakes({ connections: 2, depth: 3 })
      const responses = fakes.client.pipeline(source, { ordered })
      const first = responses.next()
      for (const index of [0, 1]) (await fakes.peer(index)).respond(({ path }) => ({ body: path }))
      await first
      await turns(20)
      expect(state.taken).toBe(6)
      await responses.next()
      await turns(20)
      expect(state.taken).toBe(7)
      expect((await allOf(responses)).length).toBe(48)
      expect(state).toEqual({ taken: 50, ended: true })
    },
  )

  it('takes from a source that gives one after the other', async () => {
    const fakes = new Fakes()
    let give: ((path: string) => void) | undefined
    async function* source(): AsyncGenerator<string> {
      yield '/0'
      yield new Promise<string>(resolve => (give = resolve))
      yield '/2'
    }
    const responses = fakes.client.pipeline(source())
    const first = responses.next()
    const peer = await fakes.peer(0)
    peer.respond(({ path }) => ({ body: path }))
    expect(await (await first).value?.text()).toBe('/0')
    const second = responses.next()
    await turns()
    expect(follow(second).is).toBe('pending')
    give!('/1')
    expect(await (await second).value?.text()).toBe('/1')
    expect(await allOf(responses)).toEqual(['/2'])
  })

  it('serves any number of `next` at once, in their order', async () => {
    const fakes = new Fakes({ depth: 1 })
    const responses = fakes.client.pipeline(paths(3))
    const all = [1, 2, 3, 4, 5].map(() => responses.next())
    const peer = await fakes.peer(0)
    peer.respond(({ path }) => ({ body: path }))
    expect((await Promise.all(all)).map(({ value }) => value?.path)).toEqual([
      '/0',
      '/1',
      '/2',
      undefined,
      undefined,
    ])
  })

  it('ends where the source is empty, without dialling', async () => {
    const fakes = new Fakes()
    expect(await allOf(fakes.client.pipeline([]))).toEqual([])
    expect(fakes.count).toBe(0)
  })

  it('sends again what was lost, and still yields in order', async () => {
    const fakes = new Fakes()
    const responses = allOf(fakes.client.pipeline(paths(5)))
    const first = await fakes.peer(0)
    await first.waitFor('/4 ')
    first.send(ok('/0') + ok('/1'))
    first.end()
    const second = await fakes.peer(1)
    second.respond(({ path }) => ({ body: path }))
    expect(await responses).toEqual(paths(5))
  })
})

describe('the end of HTTPClient.pipeline', () => {
  it('rejects with the failure of a request in its turn, and gives up what is behind it', async () => {
    const { state, source } = counted(paths(10))
    const fakes = new Fakes({ depth: 3, resend: { ...AT_ONCE, attempts: 1 } })
    const responses = fakes.client.pipeline(source)
    const first = responses.next()
    const peer = await fakes.peer(0)
    await peer.waitFor('/2 ')
    peer.send(ok('/0'))
    peer.end()
    expect((await first).value?.path).toBe('/0')
    expect(await failure(responses.next())).toBeInstanceOf(ConnectionClosed)
    expect(await responses.next()).toEqual({ done: true, value: undefined })
    expect(state.ended).toBe(true)
    await fakes.client.close()
  })

  it('hands out what was asked for before the source failed', async () => {
    const fakes = new Fakes()
    const broken = new Error('no more')
    function* source(): Generator<string> {
      yield '/0'
      yield '/1'
      throw broken
    }
    const responses = fakes.client.pipeline(source())
    const first = responses.next()
    ;(await fakes.peer(0)).respond(({ path }) => ({ body: path }))
    expect((await first).value?.path).toBe('/0')
    expect((await responses.next()).value?.path).toBe('/1')
    expect(await failure(responses.next())).toBe(broken)
    expect(await responses.next()).toEqual({ done: true, value: undefined })
  })

  it.each([
    ['a request that may not be sent', [{ path: 'no path' }], TypeError],
    ['a request that is none', [5 as never], TypeError],
  ])('rejects for %s, and ends the source', async (_name, bad, error) => {
    const { state, source } = counted(['/0', ...bad, '/2'])
    const fakes = new Fakes()
    const responses = fakes.client.pipeline(source)
    const first = responses.next()
    ;(await fakes.peer(0)).respond(({ path }) => ({ body: path }))
    expect((await first).value?.path).toBe('/0')
    expect(await failure(responses.next())).toBeInstanceOf(error)
    expect(state).toEqual({ taken: 2, ended: true })
  })

  it.each([true, false])('leaves other requests alone when it is left early; ordered: %p', async ordered => {
    const { state, source } = counted(paths(20))
    const fakes = new Fakes({ depth: 4 })
    const iterating = (async () => {
      for await (const response of fakes.client.pipeline(source, { ordered })) return response.path
    })()
    const peer = await fakes.peer(0)
    await peer.waitFor('/3 ')
    const other = fakes.client.request('GET', '/other')
    peer.send(ok('/0'))
    expect(await iterating).toBe('/0')
    peer.send(ok('/1') + ok('/2') + ok('/3'))
    await peer.waitFor('/other ')
    peer.send(ok('/other'))
    expect(await (await other).text()).toBe('/other')
    expect(state.ended).toBe(true)
    expect(linesOf(peer.received)).toEqual(['GET /0', 'GET /1', 'GET /2', 'GET /3', 'GET /other'])
    expect(fakes.count).toBe(1)
  })

  it('rejects with the reason of its signal at once', async () => {
    const fakes = new Fakes()
    const abort = new AbortController()
    const responses = fakes.client.pipeline(paths(3), { signal: abort.signal })
    const first = responses.next()
    const second = responses.next()
    await (await fakes.peer(0)).waitFor('/2 ')
    const reason = new Error('enough')
    abort.abort(reason)
    expect(await failure(first)).toBe(reason)
    expect(await second).toEqual({ done: true, value: undefined })

    const aborted = fakes.client.pipeline(paths(3), { signal: abort.signal })
    expect(await failure(aborted.next())).toBe(reason)
    await fakes.client.close()
  })

  it('lets `return` and `throw` end it while a `next` waits', async () => {
    for (const end of ['return', 'throw'] as const) {
      const fakes = new Fakes()
      const responses = fakes.client.pipeline(paths(3))
      const next = responses.next()
      await (await fakes.peer(0)).waitFor('/2 ')
      const reason = new Error('thrown')
      if (end === 'return') expect(await responses.return()).toEqual({ done: true, value: undefined })
      else expect(await failure(responses.throw(reason))).toBe(reason)
      expect(await next).toEqual({ done: true, value: undefined })
      await fakes.client.close()
    }
  })

  it('rejects with StateError once the client has been closed; what was taken before is handed out', async () => {
    const fakes = new Fakes({ depth: 2 })
    const responses = fakes.client.pipeline(paths(5))
    const first = responses.next()
    const peer = await fakes.peer(0)
    await peer.waitFor('/1 ')
    const closing = fakes.client.close()
    peer.respond(({ path }) => ({ body: path }))
    expect((await first).value?.path).toBe('/0')
    expect((await responses.next()).value?.path).toBe('/1')
    expect(await failure(responses.next())).toBeInstanceOf(StateError)
    await closing
    expect(await failure(fakes.client.pipeline(['/']).next())).toBeInstanceOf(StateError)
  })

  it('is a TypeError at the call for what is no iterable', () => {
    const { client } = new Fakes()
    expect(() => client.pipeline('/a' as never)).toThrow(TypeError)
  })
})
