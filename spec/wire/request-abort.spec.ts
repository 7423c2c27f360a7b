// Aborting a request: withdrawn, read and dropped, or the end of the connection, by how far it had come.
import { getEventListeners } from 'node:events'
import { arrival, failure, ok, turns, wire } from '../support/reading'

const HOST = 'Host: example.test\r\nAccept-Encoding: identity\r\n'
const CLOSED = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }
const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

describe('aborting a request', () => {
  const reason = new Error('changed my mind')

  it('that was not begun rejects with the reason and sends nothing', async () => {
    const { connection, peer } = wire()
    const signal = AbortSignal.abort(reason)
    expect(await failure(connection.request('GET', '/a', { signal }))).toBe(reason)
    const next = connection.request('GET', '/b')
    await arrival(peer, '/b')
    expect(peer.received.toString()).toBe(`GET /b HTTP/1.1\r\n${HOST}\r\n`)
    peer.send(ok('b'))
    expect(await (await next).text()).toBe('b')
  })

  it.each(['first', 'in the middle', 'last'])(
    'that was not sent yet withdraws it (%s of three)',
    async where => {
      const { connection, peer } = wire()
      const aborter = new AbortController()
      const index = ['first', 'in the middle', 'last'].indexOf(where)
      const requests = paths(3).map((path, i) =>
        connection.request('GET', path, i === index ? { signal: aborter.signal } : undefined),
      )
      aborter.abort(reason)
      expect(await failure(requests[index])).toBe(reason)
      const left = paths(3).filter((_, i) => i !== index)
      expect(connection.pendingRequests.map(({ path }) => path)).toEqual(left)
      await arrival(peer, left[1])
      expect(peer.received.toString()).toBe(left.map(path => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`).join(''))
      peer.send(left.map(path => ok(path)).join(''))
      for (const path of left) expect(await (await requests[Number(path.slice(1))]).text()).toBe(path)
    },
  )

  it('that was not sent yet ends its source unread', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    let read = 0
    let isEnded = false
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false as const, value: Buffer.from(`${read++}`) }),
        return: async () => {
          isEnded = true
          return { done: true as const, value: undefined }
        },
      }),
    }
    const request = failure(connection.request('POST', '/a', { body, signal: aborter.signal }))
    aborter.abort(reason)
    expect(await request).toBe(reason)
    await turns()
    expect([read, isEnded, peer.received.length]).toEqual([0, true, 0])
  })

  it('that was the last by announcement takes the announcement back with it', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    const aborter = new AbortController()
    const last = failure(
      connection.request('GET', '/a', { headers: { Connection: 'close' }, signal: aborter.signal }),
    )
    aborter.abort(reason)
    expect(await last).toBe(reason)
    expect(await (await connection.request('GET', '/b')).text()).toBe('/b')
    expect(connection.connected).toBe(true)
  })

  it('in flight reads its response and drops it; its neighbours are untouched', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const before = connection.request('GET', '/before')
    const aborted = failure(connection.request('GET', '/a', { signal: aborter.signal }))
    const after = connection.request('GET', '/after')
    await arrival(peer, '/after')
    peer.send(`${ok('before')}HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234`)
    aborter.abort(reason)
    expect(await aborted).toBe(reason)
    peer.send(`56789${ok('after')}`)
    expect(await (await before).text()).toBe('before')
    expect(await (await after).text()).toBe('after')
    expect(connection.connected).toBe(true)
  })

  it('in flight ends the connection if more than maxBufferedBytes would have to be dropped', async () => {
    const { connection, peer } = wire({ maxBufferedBytes: 100 })
    const aborter = new AbortController()
    const aborted = failure(connection.request('GET', '/a', { signal: aborter.signal }))
    const after = failure(connection.request('GET', '/after'))
    await arrival(peer, '/after')
    aborter.abort(reason)
    await aborted
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(100)}`)
    expect(connection.connected).toBe(true)
    peer.send('x')
    expect(connection.connected).toBe(false)
    expect(await after).toMatchObject(CLOSED)
  })

  it('with its own body half written ends the connection, and those behind it are rejected', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    let isEnded = false
    async function* slow(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('half')
        await new Promise(() => undefined)
      } finally {
        isEnded = true
      }
    }
    const aborted = failure(connection.request('POST', '/a', { body: slow(), signal: aborter.signal }))
    const after = failure(connection.request('GET', '/after'))
    await peer.waitFor('half')
    aborter.abort(reason)
    expect(await aborted).toBe(reason)
    expect(await after).toMatchObject({
      ...CLOSED,
      cause: reason,
      unanswered: [
        { method: 'POST', path: '/a', outcome: 'no-reply', processed: 'maybe' },
        { method: 'GET', path: '/after', outcome: 'unsent', processed: 'no' },
      ],
    })
    expect(peer.ended).toBe(true)
    expect(peer.received.toString()).not.toContain('/after')
    // A generator that waits for something else cannot be ended by anybody.
    expect(isEnded).toBe(false)
  })

  it('with given bytes half written ends the connection too', async () => {
    const { connection, peer } = wire()
    await connection.connect()
    peer.stall()
    const aborter = new AbortController()
    const body = Buffer.alloc(300_000)
    const aborted = failure(connection.request('PUT', '/a', { body, signal: aborter.signal }))
    await turns()
    aborter.abort(reason)
    expect(await aborted).toBe(reason)
    expect(await failure(connection.request('GET', '/b'))).toMatchObject(CLOSED)
  })

  it('with its body written completely is one in flight', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const body = Buffer.alloc(300_000, 'x')
    const aborted = failure(connection.request('PUT', '/a', { body, signal: aborter.signal }))
    const after = connection.request('GET', '/after')
    await arrival(peer, '/after')
    aborter.abort(reason)
    await aborted
    peer.send(ok('a') + ok('after'))
    expect(await (await after).text()).toBe('after')
  })

  it('after its response has come has no effect', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const request = connection.request('GET', '/a', { signal: aborter.signal })
    await arrival(peer, '/a')
    peer.send(ok('a'))
    aborter.abort(reason)
    expect(await (await request).text()).toBe('a')
    expect(connection.connected).toBe(true)
  })

  it('that waits for a 100 ends the connection, which may still be owed the body', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const request = failure(
      connection.request('PUT', '/a', {
        body: 'abc',
        expect100: { timeoutMs: 60_000 },
        signal: aborter.signal,
      }),
    )
    await peer.waitFor('100-continue')
    aborter.abort(reason)
    expect(await request).toBe(reason)
    expect(peer.ended).toBe(true)
    expect(peer.received.toString()).not.toContain('abc')
  })

  it('takes one listener for 50 requests with one signal, and leaves none behind', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const { signal } = aborter
    const first = paths(50).map(path => connection.request('GET', path, { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await arrival(peer, '/49')
    peer.send(
      paths(50)
        .map(path => ok(path))
        .join(''),
    )
    await Promise.all(first)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)

    const second = paths(50).map(path => failure(connection.request('GET', `/more${path}`, { signal })))
    await arrival(peer, '/more/49')
    aborter.abort(reason)
    expect(await Promise.all(second)).toEqual(second.map(() => reason))
    peer.send(
      paths(50)
        .map(() => ok())
        .join(''),
    )
    await turns()
    const next = connection.request('GET', '/next')
    await arrival(peer, '/next')
    peer.send(ok('next'))
    expect(await (await next).text()).toBe('next')
  })

  it('leaves no listener behind when the connection ends', async () => {
    const { connection, peer } = wire()
    const { signal } = new AbortController()
    const requests = paths(5).map(path => failure(connection.request('GET', path, { signal })))
    await arrival(peer, '/4')
    peer.end()
    await Promise.all(requests)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('works with AbortSignal.any and a reason that is no error', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const signal = AbortSignal.any([aborter.signal, new AbortController().signal])
    const request = connection.request('GET', '/a', { signal })
    await arrival(peer, '/a')
    aborter.abort('just so')
    await expect(request).rejects.toBe('just so')
  })
})
