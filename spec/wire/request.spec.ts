// request(): any number at once, each with its own response.
import { HTTPConnection, type HTTPResponse } from '../../lib'
import { arrival, chunked, dialler, failure, follow, ok, text, turns, wire } from '../support/reading'

const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

describe('request', () => {
  it('may run any number of times at once: all are written together, and each gets its own response', async () => {
    const { connection, peer } = wire()
    const requests = paths(1000).map(path => connection.request('GET', path))
    await arrival(peer, '/999')
    expect(peer.writes.length).toBeLessThan(5)
    expect(connection.pendingRequests).toHaveLength(1000)
    peer.send(
      paths(1000)
        .map(path => (path.endsWith('7') ? chunked([path]) : ok(path)))
        .join(''),
    )
    const bodies = await Promise.all(requests.map(async request => (await request).text()))
    expect(bodies).toEqual(paths(1000))
    expect(connection.responsePending).toBe(false)
  })

  it('reads the body to the end before it resolves, whichever way it comes', async () => {
    for (const response of [ok('abcdefgh'), chunked(['abc', 'defgh'])]) {
      const { connection, peer } = wire()
      const request = connection.request('GET', '/a')
      const state = follow(request)
      await arrival(peer, '/a')
      for (const byte of response.slice(0, -1)) peer.send(byte)
      await turns()
      expect(state.is).toBe('pending')
      peer.send(response.slice(-1))
      expect(text(await (await request).readAll())).toBe('abcdefgh')
    }
  })

  it('gives Buffers that nothing overwrites, however the bodies lie in the segments', async () => {
    const { connection, peer } = wire()
    const all: Promise<HTTPResponse>[] = []
    let bytes = ''
    for (let i = 0; i < 60; i++) {
      all.push(connection.request('GET', `/${i}`))
      const body = String(i)
        .padStart(3, '.')
        .repeat(i * 7)
      bytes += i % 3 === 0 ? chunked([body.slice(0, 5), body.slice(5)].filter(part => part !== '')) : ok(body)
    }
    await arrival(peer, '/59')
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 9001)
      peer.send(bytes.slice(at, at + size))
    for (const [i, request] of all.entries()) {
      expect(text(await (await request).readAll())).toBe(
        String(i)
          .padStart(3, '.')
          .repeat(i * 7),
      )
    }
  })

  it('sends a body with the type that `fetch` gives it, unless the caller says otherwise', async () => {
    const form = new FormData()
    form.set('a', 'b')
    const types: [string, ConstructorParameters<typeof Response>[0] | Uint8Array, string | null][] = [
      ['text', 'grün', 'text/plain;charset=UTF-8'],
      ['URLSearchParams', new URLSearchParams({ a: 'ü' }), 'application/x-www-form-urlencoded;charset=UTF-8'],
      ['Blob', new Blob(['abc'], { type: 'image/x' }), 'image/x'],
      ['Blob without a type', new Blob(['abc']), null],
      ['bytes', Buffer.from('abc'), null],
      ['FormData', form, 'multipart/form-data; boundary='],
    ]
    for (const [name, body, type] of types) {
      const { connection, peer } = wire()
      peer.respond(({ headers }) => ({ body: headers.get('content-type') ?? '-' }))
      const sent = await (await connection.request('POST', '/a', { body: body as string })).text()
      expect([name, sent.slice(0, (type ?? '-').length)]).toEqual([name, type ?? '-'])
      const own = await connection.request('POST', '/a', {
        body: body as string,
        headers: { 'content-type': 'x/y' },
      })
      expect(await own.text()).toBe('x/y')
    }
  })

  it('sends a source as it gives, and reads it to its end', async () => {
    const { connection, peer } = wire()
    peer.respond(({ body, headers }) => ({ body: `${headers.get('transfer-encoding')} ${body.toString()}` }))
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      await turns()
      yield Buffer.alloc(0)
      yield Buffer.from('b')
    }
    const [first, second] = await Promise.all([
      connection.request('POST', '/a', { body: source() }),
      connection.request('GET', '/b'),
    ])
    expect(await first.text()).toBe('chunked ab')
    expect(second.path).toBe('/b')
  })

  it('does not dial or send for what may not be sent', async () => {
    const { connection, sockets } = dialler()
    expect(await failure(connection.request('get', '/'))).toBeInstanceOf(TypeError)
    expect(await failure(connection.request('GET', '/', { expect100: true }))).toBeInstanceOf(TypeError)
    expect(await failure(connection.request('GET', '/', { maxBodyBytes: -1 }))).toBeInstanceOf(RangeError)
    expect(await failure(connection.request('POST', '/', { body: 5 as unknown as string }))).toBeInstanceOf(
      TypeError,
    )
    await turns()
    expect(sockets.map(({ peer }) => peer.received.length)).toEqual(sockets.map(() => 0))
  })

  it('is awaited by nobody, and yet the connection goes on', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    void connection.request('GET', '/a')
    void connection.request('GET', '/b')
    expect(await (await connection.request('GET', '/c')).text()).toBe('/c')
  })

  it('may be called from what another one sets off', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    const seen: string[] = []
    const follow = async (path: string): Promise<void> => {
      seen.push(await (await connection.request('GET', path)).text())
      if (path.length < 10) await follow(`${path}x`)
    }
    await Promise.all([follow('/a'), follow('/b')])
    expect(seen).toHaveLength(18)
  })
})

describe('request over a connection that must be dialled', () => {
  it('waits for it, in the order of the calls', async () => {
    const { connection, peers } = dialler()
    const requests = paths(3).map(path => connection.request('GET', path))
    while (peers.length === 0) await turns(1)
    await arrival(peers[0], '/2')
    expect(peers[0].received.toString().match(/GET \S+/g)).toEqual(['GET /0', 'GET /1', 'GET /2'])
    peers[0].send(
      paths(3)
        .map(path => ok(path))
        .join(''),
    )
    await Promise.all(requests)
    expect(peers).toHaveLength(1)
    expect(new HTTPConnection('example.test').connected).toBe(false)
  })
})
