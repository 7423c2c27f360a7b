// What goes wrong with one request, and what that is to the others.
import { BodyTooLong, ConnectionClosed, StateError } from '../../lib'
import { arrival, failure, follow, ok, turns, wire } from '../support/reading'

const CLOSED = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }
const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

describe('a final answer while the body of a request is being sent', () => {
  it('resolves the request and ends its source; the connection takes nothing more', async () => {
    const { connection, peer } = wire()
    let given = 0
    let isEnded = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          given++
          yield Buffer.from('more')
          await turns(1)
        }
      } finally {
        isEnded = true
      }
    }
    const request = connection.request('POST', '/a', { body: endless() })
    const behind = failure(connection.request('GET', '/b'))
    await peer.waitFor('more')
    peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n')
    const state = follow(request)
    await turns()
    const stopped = given
    expect(state.is).toBe('pending')
    expect(isEnded).toBe(true)
    peer.send('no')
    const response = await request
    expect([response.status, await response.text()]).toEqual([413, 'no'])
    expect(given).toBe(stopped)
    expect(await behind).toMatchObject({
      ...CLOSED,
      unanswered: [{ path: '/b', outcome: 'unsent', processed: 'no' }],
    })
    expect(await failure(connection.request('GET', '/c'))).toMatchObject(CLOSED)
  })

  it('resolves it as well when a source that would fail is waited for', async () => {
    const { connection, peer } = wire()
    let fail: (error: Error) => void = () => undefined
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('some')
      await new Promise((_resolve, reject) => (fail = reject))
    }
    const request = connection.request('POST', '/a', { body: failing() })
    await peer.waitFor('some')
    peer.send(ok('done'))
    expect(await (await request).text()).toBe('done')
    fail(new Error('too late'))
    await turns()
  })

  it('instead of a 100 resolves it without the body', async () => {
    const { connection, peer } = wire()
    const request = connection.request('PUT', '/a', { body: 'secret', expect100: true })
    await peer.waitFor('Expect: 100-continue\r\n\r\n')
    peer.send('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n')
    expect((await request).status).toBe(417)
    await turns()
    expect(peer.received.toString()).not.toContain('secret')
    expect(await failure(connection.request('GET', '/b'))).toMatchObject(CLOSED)
  })
})

describe('a source that fails', () => {
  const fault = new Error('disk on fire')

  it.each(['at once', 'later', 'with too little', 'with too much', 'with no bytes'])(
    'rejects its request with its own error, and the connection ends (%s)',
    async how => {
      const { connection, peer } = wire()
      async function* source(): AsyncGenerator<Uint8Array> {
        if (how === 'at once') throw fault
        yield Buffer.from('abc')
        if (how === 'later') throw fault
        if (how === 'with too much') yield Buffer.from('def')
        if (how === 'with no bytes') yield 'text' as unknown as Uint8Array
      }
      const headers = how.startsWith('with too') ? { 'Content-Length': how === 'with too much' ? 5 : 4 } : {}
      const before = failure(connection.request('GET', '/before'))
      const request = failure(connection.request('POST', '/a', { body: source(), headers }))
      const after = failure(connection.request('GET', '/after'))
      await peer.waitFor('POST')
      const error = await request
      if (how === 'at once' || how === 'later') expect(error).toBe(fault)
      else if (how === 'with too little') expect(error).toBeInstanceOf(StateError)
      else if (how === 'with too much') expect(error).toMatchObject({ code: 'ERR_HTTPIO_EXCESS_BODY_DATA' })
      else expect(error).toBeInstanceOf(TypeError)
      for (const other of [await before, await after]) {
        expect(other).toMatchObject({ ...CLOSED, cause: error })
        expect(
          (other as unknown as ConnectionClosed).unanswered.map(({ path, outcome }) => [path, outcome]),
        ).toEqual([
          ['/before', 'no-reply'],
          ['/a', 'no-reply'],
          ['/after', 'unsent'],
        ])
      }
      expect(peer.ended).toBe(true)
    },
  )
})

describe('one response at fault', () => {
  it.each([
    ['not HTTP', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'InvalidResponse'],
    ['not supported', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'UnsupportedResponse'],
    ['of another version', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', 'UnsupportedResponse'],
    [
      'faulty in its body',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n',
      'InvalidResponse',
    ],
  ])('rejects its own request, %s; those behind it can be sent again', async (_what, bytes, name) => {
    const { connection, peer } = wire()
    const before = connection.request('GET', '/before')
    const own = failure(connection.request('GET', '/a'))
    const behind = [connection.request('GET', '/b'), connection.request('GET', '/c')].map(failure)
    await arrival(peer, '/c')
    peer.send(ok('before') + bytes)
    expect(await (await before).text()).toBe('before')
    const fault = await own
    expect(fault).toMatchObject({ name })
    for (const error of await Promise.all(behind)) {
      expect(error).toBeInstanceOf(ConnectionClosed)
      expect(error.cause).toBe(fault)
      expect(error.unanswered).toEqual([
        { method: 'GET', path: '/a', outcome: 'partial-reply', processed: 'maybe' },
        { method: 'GET', path: '/b', outcome: 'no-reply', processed: 'maybe' },
        { method: 'GET', path: '/c', outcome: 'no-reply', processed: 'maybe' },
      ])
    }
    // The fault sticks.
    expect(await failure(connection.request('GET', '/d'))).toBe(fault)
  })

  it("is nobody's when its own request was given up before", async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const aborted = failure(connection.request('GET', '/a', { signal: aborter.signal }))
    const behind = failure(connection.request('GET', '/b'))
    await arrival(peer, '/b')
    aborter.abort(new Error('stop'))
    await aborted
    peer.send('HTTP/1.0 200 OK\r\n\r\n')
    expect(await behind).toMatchObject({ ...CLOSED, cause: { name: 'UnsupportedResponse' } })
  })

  it('of a body that is too long leaves the others their own', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path.repeat(10) }))
    const outcomes = await Promise.allSettled(
      paths(10).map(path => connection.request('GET', path, { maxBodyBytes: path === '/5' ? 5 : 50 })),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(
      paths(10).map(path => (path === '/5' ? 'rejected' : 'fulfilled')),
    )
    expect((outcomes[5] as PromiseRejectedResult).reason).toBeInstanceOf(BodyTooLong)
  })
})
