// HTTPClient on connections that behave: what it accepts, how requests are spread, what it counts.
import type { TLSSocket } from 'node:tls'
import { HTTPClient, type ClientOptions } from '../../lib'
import { Fakes, behaved, destroyedLater, linesOf } from '../support/clients'
import { Loopback } from '../support/loopback'
import { failure, ok, turns } from '../support/reading'
import { ca, localhost } from '../support/tls'

const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

describe('new HTTPClient', () => {
  it.each([
    ['no URL', 'example.test'],
    ['another scheme', 'ftp://example.test'],
    ['a path', 'http://example.test/a'],
    ['a query', 'http://example.test/?a'],
    ['a fragment', 'http://example.test/#a'],
    ['a user', 'http://user@example.test'],
    ['a password', 'http://:secret@example.test'],
  ])('refuses an origin with %s', (_name, origin) => {
    expect(() => new HTTPClient(origin)).toThrow(TypeError)
  })

  it.each<[string, unknown, new () => Error]>([
    ['connections of 0', { connections: 0 }, RangeError],
    ['half a connection', { connections: 0.5 }, RangeError],
    ['a depth of 0', { depth: 0 }, RangeError],
    ['an endless depth', { depth: Infinity }, RangeError],
    ['no attempt', { resend: { attempts: 0 } }, RangeError],
    ['a delay that is no function', { resend: { delayMs: 5 } }, TypeError],
    ['a transport that is no function', { connect: {} }, TypeError],
    ['a port', { port: 80 }, TypeError],
    ['a socket', { socket: {} }, TypeError],
    ['tls to a plain origin', { tls: true }, TypeError],
    ['a wrong option of connections', { maxHeaderBytes: -1 }, RangeError],
    ['headers that no request may carry', { headers: { 'transfer-encoding': 'chunked' } }, TypeError],
  ])('refuses %s', (_name, options, error) => {
    expect(() => new HTTPClient('http://example.test', options as ClientOptions)).toThrow(error)
  })

  it('refuses plain connections to a secure origin', () => {
    expect(() => new HTTPClient('https://example.test', { tls: false })).toThrow(TypeError)
  })

  it('dials nothing', async () => {
    const fakes = new Fakes()
    await turns()
    expect(fakes.count).toBe(0)
  })
})

describe('HTTPClient.request', () => {
  it('sends requests together on one connection, with the Host of the origin, and resolves with bodies in memory', async () => {
    const fakes = new Fakes()
    const both = Promise.all([fakes.client.request('GET', '/a'), fakes.client.request('HEAD', '/b')])
    const peer = await fakes.peer(0)
    const received = await peer.waitFor(
      '/b HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n',
    )
    expect(received.toString()).toBe(
      'GET /a HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n' +
        'HEAD /b HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n',
    )
    peer.send(ok('abc') + 'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n')

    const [a, b] = await both
    expect([a.status, a.path, await a.text(), await a.text()]).toEqual([200, '/a', 'abc', 'abc'])
    expect([b.status, b.method, b.length]).toEqual([404, 'HEAD', 0])
  })

  it('names the port in Host, and dials it', async () => {
    const server = await behaved(({ path }, socket) => socket.write(ok(path)))
    const client = destroyedLater(new HTTPClient(new URL(server.origin)))
    expect(await (await client.request('GET', '/a')).text()).toBe('/a')
  })

  it.each([
    ['a method in lower case', 'get', '/', undefined],
    ['a path with a space', 'GET', '/a b', undefined],
    ['a forbidden header', 'GET', '/', { headers: { Expect: '100-continue' } }],
    ['a body that is none', 'PUT', '/', { body: 5 as never }],
  ])('rejects %s without dialling', async (_name, method, path, options) => {
    const fakes = new Fakes()
    expect(await failure(fakes.client.request(method, path, options))).toBeInstanceOf(TypeError)
    expect(fakes.count).toBe(0)
  })

  it('has one connection and 64 requests on the wire unless told otherwise', async () => {
    const fakes = new Fakes()
    void Promise.allSettled(paths(70).map(path => fakes.client.request('GET', path)))
    const peer = await fakes.peer(0)
    await peer.waitFor('/63 ')
    await turns()
    expect(linesOf(peer.received)).toEqual(paths(64).map(path => `GET ${path}`))
    expect(fakes.count).toBe(1)
  })

  it('sends each request when the response before it is complete, with a depth of 1', async () => {
    const fakes = new Fakes({ depth: 1 })
    const all = Promise.all(paths(3).map(path => fakes.client.request('GET', path)))
    const peer = await fakes.peer(0)
    for (const path of paths(3)) {
      await peer.waitFor(`${path} `)
      await turns()
      expect(linesOf(peer.takeReceived())).toEqual([`GET ${path}`])
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
      await turns()
      expect(String(peer.received)).toBe('')
      peer.send('k')
    }
    expect((await all).map(({ path }) => path)).toEqual(paths(3))
  })

  it('keeps at most `depth` requests on the wire, and fills each place that becomes free', async () => {
    const fakes = new Fakes({ depth: 3 })
    const all = Promise.all(paths(6).map(path => fakes.client.request('GET', path)))
    const peer = await fakes.peer(0)
    await peer.waitFor('/2 ')
    await turns()
    expect(linesOf(peer.received)).toEqual(['GET /0', 'GET /1', 'GET /2'])

    peer.send(ok('0') + ok('1') + 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n')
    await peer.waitFor('/4 ')
    await turns()
    expect(linesOf(peer.received)).toHaveLength(5)
    peer.send('2' + ok('3') + ok('4'))
    await peer.waitFor('/5 ')
    peer.send(ok('5'))
    expect((await all).map(({ path }) => path)).toEqual(paths(6))
    expect(fakes.count).toBe(1)
  })

  it('spreads what waits over `connections` connections, and opens no more', async () => {
    const fakes = new Fakes({ connections: 3, depth: 2 })
    void Promise.allSettled(paths(9).map(path => fakes.client.request('GET', path)))
    const received: string[][] = []
    for (const index of [0, 1, 2]) {
      const peer = await fakes.peer(index)
      await peer.waitFor('Host')
      await turns()
      received.push(linesOf(peer.received))
    }
    expect(received.map(({ length }) => length)).toEqual([2, 2, 2])
    expect(received.flat().sort()).toEqual(paths(6).map(path => `GET ${path}`))
    await turns()
    expect(fakes.count).toBe(3)
  })

  it('opens a second connection only when a request would wait behind another', async () => {
    const fakes = new Fakes({ connections: 2 })
    const first = fakes.client.request('GET', '/0')
    const peer = await fakes.peer(0)
    peer.respond(({ path }) => ({ body: path }))
    await first
    await fakes.client.request('GET', '/1')
    expect(fakes.count).toBe(1)

    peer.respond(() => new Promise(() => {}))
    void fakes.client.request('GET', '/2').catch(() => {})
    void fakes.client.request('GET', '/3').catch(() => {})
    await fakes.peer(1)
    const other = await fakes.peer(1)
    await turns()
    const last = fakes.client.request('GET', '/4')
    await other.waitFor('/4 ')
    other.send(ok('4'))
    expect(await (await last).text()).toBe('4')
  })

  it('puts a request with another method neither behind nor in front of others', async () => {
    const fakes = new Fakes()
    const { client } = fakes
    const all = ['GET /0', 'POST /1', 'GET /2', 'GET /3', 'PATCH /4', 'POST /5', 'GET /6'].map(line => {
      const [method, path] = line.split(' ')
      return client.request(method, path)
    })
    const peer = await fakes.peer(0)
    const onWire: string[][] = []
    for (const last of ['/0', '/1', '/3', '/4', '/5', '/6']) {
      await peer.waitFor(`${last} HTTP/1.1`)
      await turns()
      const lines = linesOf(peer.takeReceived())
      onWire.push(lines)
      peer.send(lines.map(line => ok(line)).join(''))
    }
    expect(onWire).toEqual([
      ['GET /0'],
      ['POST /1'],
      ['GET /2', 'GET /3'],
      ['PATCH /4'],
      ['POST /5'],
      ['GET /6'],
    ])
    expect((await Promise.all(all)).map(({ path }) => path)).toEqual(paths(7))
    expect(fakes.count).toBe(1)
  })

  it('lets others pass by on another connection while one becomes empty for it', async () => {
    const fakes = new Fakes({ connections: 2, depth: 2 })
    const { client } = fakes
    void Promise.allSettled(paths(4).map(path => client.request('GET', path)))
    const peers = [await fakes.peer(0), await fakes.peer(1)]
    for (const peer of peers) await peer.waitFor('Host')
    await turns()
    void client.request('POST', '/alone').catch(() => {})
    void client.request('GET', '/other').catch(() => {})
    const [draining, passing] = peers
    passing.send(ok())
    await passing.waitFor('/other ')
    draining.send(ok())
    await turns()
    expect(linesOf(draining.received)).toHaveLength(2)
    draining.send(ok())
    await draining.waitFor('POST /alone')
    expect(linesOf(passing.received)).not.toContain('POST /alone')
  })

  it('treats 503, 429 and redirects as responses', async () => {
    const fields = 'Retry-After: 0\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n'
    const server = await behaved(({ path }, socket) =>
      socket.write(`HTTP/1.1 ${path.slice(1)} No\r\n${fields}\r\n`),
    )
    const client = destroyedLater(new HTTPClient(server.origin))
    for (const status of [503, 429, 301, 307]) {
      expect((await client.request('GET', `/${status}`)).status).toBe(status)
    }
    expect(server.asked).toEqual([['/503', '/429', '/301', '/307']])
  })

  it('ends a connection after a request of the caller that announces it, and goes on with another', async () => {
    const fakes = new Fakes()
    const last = fakes.client.request('GET', '/last', { headers: { connection: 'close' } })
    const next = fakes.client.request('GET', '/next')
    const first = await fakes.peer(0)
    await first.waitFor('/last ')
    first.send(ok('last'))
    expect(await (await last).text()).toBe('last')
    const second = await fakes.peer(1)
    await second.waitFor('/next ')
    second.send(ok('next'))
    expect(await (await next).text()).toBe('next')
    expect(linesOf(first.received)).toEqual(['GET /last'])
  })
})

describe('HTTPClient of a secure origin', () => {
  let server: Loopback<TLSSocket>
  beforeEach(async () => {
    server = await Loopback.tls(localhost)
  })
  afterEach(() => server.close())

  it('gives each connection the options that it was given, and TLS to a secure origin', async () => {
    const interim: number[] = []
    const client = destroyedLater(
      new HTTPClient(`https://localhost:${server.port}`, {
        tls: { ca },
        headers: { 'X-Client': '1' },
        onInformational: ({ status }) => interim.push(status),
      }),
    )
    const request = client.request('GET', '/', { headers: { 'X-Request': '2' } })
    const socket = await server.next()
    const received = new Promise<string>(resolve => socket.once('data', data => resolve(String(data))))
    expect(await received).toBe(
      `GET / HTTP/1.1\r\nHost: localhost:${server.port}\r\nAccept-Encoding: identity\r\nX-Client: 1\r\nX-Request: 2\r\n\r\n`,
    )
    expect(socket.encrypted).toBe(true)
    socket.write('HTTP/1.1 103 Early Hints\r\n\r\n' + ok('secret'))
    expect(await (await request).text()).toBe('secret')
    expect(interim).toEqual([103])
  })
})

describe('HTTPClient.stats', () => {
  it('counts what was written again, also while it is under way, over all connections', async () => {
    const fakes = new Fakes()
    const all = ['/0', '/1'].map(path => fakes.client.request('GET', path))
    const first = await fakes.peer(0)
    await first.waitFor('/1 ')
    first.send(ok('0'))
    first.end()
    const second = await fakes.peer(1)
    await second.waitFor('/1 HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n')
    const counted = {
      connectionsOpened: 2,
      requestsWritten: 3,
      requestsResent: 1,
      responses: 1,
      bytesSent: first.received.length + second.received.length,
      bytesReceived: ok('0').length,
      depth: 1,
    }
    expect(fakes.client.stats).toEqual(counted)
    second.send(ok('1'))
    await all[1]
    expect(fakes.client.stats).toMatchObject({ ...counted, responses: 2, bytesReceived: 2 * ok('0').length })
  })

  it('counts connections, requests, responses and bytes', async () => {
    const fakes = new Fakes({ depth: 5 })
    expect(fakes.client.stats).toEqual({
      connectionsOpened: 0,
      requestsWritten: 0,
      requestsResent: 0,
      responses: 0,
      bytesSent: 0,
      bytesReceived: 0,
      depth: 5,
    })
    const all = ['/0', '/1'].map(path => fakes.client.request('GET', path))
    const peer = await fakes.peer(0)
    await peer.waitFor('/1 HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n')
    peer.send(ok('0'))
    await all[0]
    const counted = {
      connectionsOpened: 1,
      requestsWritten: 2,
      requestsResent: 0,
      responses: 1,
      bytesSent: peer.received.length,
      bytesReceived: ok('0').length,
      depth: 5,
    }
    expect(fakes.client.stats).toEqual(counted)
    peer.send(ok('1'))
    await all[1]
    await fakes.client.close()
    expect(fakes.client.stats).toEqual({ ...counted, responses: 2, bytesReceived: 2 * ok('0').length })
  })
})
