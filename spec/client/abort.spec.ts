// HTTPClient and AbortSignals: what is given up, and that nobody else notices.
import { getEventListeners } from 'node:events'
import { HTTPClient } from '../../lib'
import { FakeSocket } from '../../lib/testing'
import { Fakes, destroyedLater, linesOf } from '../support/clients'
import { failure, ok, turns } from '../support/reading'

const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

describe('HTTPClient and signals', () => {
  it('rejects a request that was aborted before, and dials nothing', async () => {
    const fakes = new Fakes()
    const reason = new Error('no')
    expect(await failure(fakes.client.request('GET', '/', { signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    )
    expect(fakes.count).toBe(0)
  })

  it('withdraws one that waits, drops the response to one on the wire, and touches no other', async () => {
    const fakes = new Fakes({ depth: 2 })
    const abort = new AbortController()
    const all = paths(5).map((path, i) =>
      fakes.client.request('GET', path, { signal: i === 1 || i === 3 ? abort.signal : undefined }),
    )
    const peer = await fakes.peer(0)
    await peer.waitFor('/1 ')
    const reason = new Error('enough')
    abort.abort(reason)
    expect(await failure(all[1])).toBe(reason)
    expect(await failure(all[3])).toBe(reason)
    peer.send(ok('zero') + ok('one'))
    await peer.waitFor('/4 ')
    peer.send(ok('two') + ok('four'))
    expect(await Promise.all([0, 2, 4].map(async i => (await all[i]).text()))).toEqual([
      'zero',
      'two',
      'four',
    ])
    expect(linesOf(peer.received)).toEqual(['GET /0', 'GET /1', 'GET /2', 'GET /4'])
    expect(fakes.count).toBe(1)
  })

  it('rejects one that waits for a connection at once, and goes on dialling for the others', async () => {
    let open: ((socket: FakeSocket) => void) | undefined
    const connect = (): Promise<FakeSocket> => new Promise(resolve => (open = resolve))
    const client = destroyedLater(new HTTPClient('http://example.test', { connect }))
    const abort = new AbortController()
    const aborted = client.request('GET', '/aborted', { signal: abort.signal })
    const other = client.request('GET', '/other')
    await turns()
    const reason = new Error('no')
    abort.abort(reason)
    expect(await failure(aborted)).toBe(reason)
    const socket = new FakeSocket()
    open!(socket)
    await socket.peer.waitFor('/other ')
    socket.peer.send(ok('other'))
    expect(await (await other).text()).toBe('other')
    expect(linesOf(socket.peer.received)).toEqual(['GET /other'])
  })

  it('ends the connection when a body is half written, and sends again what was behind it', async () => {
    const fakes = new Fakes()
    const abort = new AbortController()
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('half')
      await new Promise(() => {})
    }
    const put = fakes.client.request('PUT', '/put', { body: endless(), signal: abort.signal })
    const others = ['/a', '/b'].map(async path => (await fakes.client.request('GET', path)).text())
    const first = await fakes.peer(0)
    await first.waitFor('half')
    const reason = new Error('enough')
    abort.abort(reason)
    expect(await failure(put)).toBe(reason)
    const second = await fakes.peer(1)
    second.respond(({ path }) => ({ body: path }))
    expect(await Promise.all(others)).toEqual(['/a', '/b'])
    expect(first.ended).toBe(true)
    expect(linesOf(first.received)).toEqual(['PUT /put'])
  })

  it('listens to a signal that many requests share once for what waits and once for each connection, and then no more', async () => {
    const fakes = new Fakes({ depth: 2 })
    const { signal } = new AbortController()
    const all = Promise.all(paths(30).map(path => fakes.client.request('GET', path, { signal })))
    const peer = await fakes.peer(0)
    await peer.waitFor('/1 ')
    expect(getEventListeners(signal, 'abort')).toHaveLength(2)
    peer.respond(({ path }) => ({ body: path }))
    await all
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('gives the place of one that was not yet written to the next', async () => {
    const fakes = new Fakes({ depth: 1 })
    const abort = new AbortController()
    const first = fakes.client.request('GET', '/0', { signal: abort.signal })
    const second = fakes.client.request('GET', '/1')
    const peer = await fakes.peer(0)
    await Promise.resolve()
    abort.abort(new Error('no'))
    await failure(first)
    await peer.waitFor('/1 ')
    peer.send(ok('one'))
    expect(await (await second).text()).toBe('one')
    expect(linesOf(peer.received)).toEqual(['GET /1'])
  })
})
