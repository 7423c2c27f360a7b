import { Duplex, PassThrough } from 'node:stream'
import {
  BodyFollowing,
  ConnectionClosed,
  HTTPConnection,
  StateError,
  type ConnectionOptions,
} from '../../lib'
import { FakeSocket } from '../../lib/testing'
import { head, received, turns, watch, watchAll, wired } from '../support/wire'

const GET_A = head('GET /a HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity')
const OK = head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'ok'

describe('ConnectionOptions', () => {
  it.each([
    ['none', {}, 80],
    ['tls', { tls: true }, 443],
    ['tls with options', { tls: {} }, 443],
    ['tls: false', { tls: false }, 80],
    ['a port', { port: 8080 }, 8080],
    ['tls and a port', { tls: true, port: 80 }, 80],
    ['port: undefined', { port: undefined }, 80],
  ])('with %s give the port', (_, options, port) => {
    expect(new HTTPConnection('example.test', options).port).toBe(port)
  })

  it('are 0 for timeoutMs when left out', () => {
    expect(new HTTPConnection('example.test').timeoutMs).toBe(0)
    expect(new HTTPConnection('example.test', { timeoutMs: 250 }).timeoutMs).toBe(250)
  })

  it.each([
    ['port', -1],
    ['port', 65_536],
    ['port', 80.5],
    ['port', '80'],
    ['port', NaN],
    ['timeoutMs', -1],
    ['timeoutMs', NaN],
    ['timeoutMs', '100'],
    ['connectTimeoutMs', -1],
    ['connectTimeoutMs', '100'],
    ['maxHeaderBytes', 0],
    ['maxHeaderBytes', 1.5],
    ['maxHeaderBytes', '100'],
    ['maxBufferedBytes', 0],
    ['maxBufferedBytes', -1],
  ])('with %s: %j are a RangeError', (name, value) => {
    expect(() => new HTTPConnection('example.test', { [name]: value })).toThrow(RangeError)
  })

  it.each<[string, unknown]>([
    ['closeDelimited', 'maybe'],
    ['onInformational', 'callback'],
    ['headers', { 'Transfer-Encoding': 'chunked' }],
    ['headers', { Expect: '100-continue' }],
    ['headers', { 'Content-Length': '0' }],
    ['headers', { A: 'b\r\nc' }],
    ['headers', 'A: b'],
    ['proxy', 'https://proxy.test'],
    ['proxy', 'proxy.test'],
    ['proxy', { hostname: 'proxy test', port: 80 }],
    ['proxy', { hostname: 'proxy.test', port: 80, headers: { A: '\u010a' } }],
  ])('with %s: %j are a TypeError', (name, value) => {
    expect(() => new HTTPConnection('example.test', { [name]: value })).toThrow(TypeError)
  })

  it('let 1,048,576 bytes be kept unread when nothing else is said', async () => {
    const { connection, peer, socket } = wired()
    await connection.sendRequest('GET', '/a')
    await peer.waitFor('\r\n\r\n')
    const answer = head('HTTP/1.1 200 OK', 'Content-Length: 2000000')
    peer.send(answer)
    peer.send(Buffer.alloc(1_048_576 - answer.length - 1))
    await turns()
    expect(socket.isPaused()).toBe(false)
    peer.send('x')
    expect(socket.isPaused()).toBe(true)
    await connection.close()
  })

  it('let any number of bytes be kept unread with maxBufferedBytes: Infinity', async () => {
    const { connection, peer, socket } = wired({ maxBufferedBytes: Infinity })
    await connection.sendRequest('GET', '/a')
    await peer.waitFor('\r\n\r\n')
    peer.send(head('HTTP/1.1 200 OK', 'Content-Length: 20000000'))
    peer.send(Buffer.alloc(10_000_000))
    expect(socket.isPaused()).toBe(false)
    await connection.close()
  })

  it('refuse a body that ends only with the connection when nothing else is said', async () => {
    const answer = head('HTTP/1.1 200 OK', 'Connection: close') + 'body'
    for (const [closeDelimited, expected] of [
      [undefined, 'ERR_HTTPIO_UNSUPPORTED_RESPONSE'],
      ['reject', 'ERR_HTTPIO_UNSUPPORTED_RESPONSE'],
      ['accept', 'body'],
    ] as const) {
      const { connection, peer } = wired({ closeDelimited })
      const text = connection.request('GET', '/a').then(
        response => response.text(),
        (error: { code: string }) => error.code,
      )
      await peer.waitFor('\r\n\r\n')
      peer.send(answer)
      peer.end()
      expect(await text).toBe(expected)
      await connection.close()
    }
  })

  it('may be changed by the caller afterwards without effect', async () => {
    const socket = new FakeSocket()
    const headers: [string, string][] = [['A', '1']]
    const options: ConnectionOptions = { socket, headers, port: 8080 }
    const connection = new HTTPConnection('example.test', options)
    headers.push(['B', '2'])
    options.socket = new FakeSocket()
    options.port = 1
    await connection.sendRequest('GET', '/a')
    await socket.peer.waitFor('\r\n\r\n')
    expect(received(socket.peer)).toBe(
      head('GET /a HTTP/1.1', 'Host: example.test:8080', 'Accept-Encoding: identity', 'A: 1'),
    )
  })
})

describe('HTTPConnection', () => {
  it('loads with a hostname and a port as they were given', () => {
    const connection = new HTTPConnection('Example.TEST', { port: 8080 })
    expect(connection).toMatchObject({ hostname: 'Example.TEST', port: 8080 })
  })

  it.each([
    ['::1', '[::1]'],
    ['[::1]', '[::1]'],
    ['fe80::1%eth0', '[fe80::1]'],
    ['127.0.0.1', '127.0.0.1'],
  ])('writes the host %s as %s', async (hostname, host) => {
    const { connection, peer } = wired({}, hostname)
    expect(connection.hostname).toBe(hostname)
    await connection.sendRequest('GET', '/a')
    await peer.waitFor('\r\n\r\n')
    expect(received(peer)).toBe(head('GET /a HTTP/1.1', `Host: ${host}`, 'Accept-Encoding: identity'))
  })

  it.each([
    ['example.test', 'example.test:8080'],
    ['::1', '[::1]:8080'],
  ])('writes the host %s with a port of its own as %s', async (hostname, host) => {
    const { connection, peer } = wired({ port: 8080 }, hostname)
    await connection.sendRequest('GET', '/a')
    await peer.waitFor('\r\n\r\n')
    expect(received(peer)).toBe(head('GET /a HTTP/1.1', `Host: ${host}`, 'Accept-Encoding: identity'))
  })

  it.each([[''], ['a b'], ['a\r\nb'], ['\u010a'], ['a/b'], ['user@a'], ['a:80'], [undefined], [['a']], [{}]])(
    'refuses the hostname %j',
    hostname => {
      expect(() => new HTTPConnection(hostname as string)).toThrow(TypeError)
    },
  )
})

describe('connect', () => {
  it('makes the connection and sends nothing', async () => {
    const { connection, peer } = wired()
    expect(connection.connected).toBe(false)
    await connection.connect()
    expect(connection.connected).toBe(true)
    await turns()
    expect(received(peer)).toBe('')
  })

  it('does nothing more when there is a connection', async () => {
    const dialled = jest.fn(() => new FakeSocket())
    const connection = new HTTPConnection('example.test', { socket: dialled })
    await Promise.all([connection.connect(), connection.connect(), connection.sendRequest('GET', '/a')])
    await connection.connect()
    expect(dialled).toHaveBeenCalledTimes(1)
  })

  it('is implied by the first request', async () => {
    const { connection, peer } = wired()
    await connection.sendRequest('GET', '/a')
    expect(connection.connected).toBe(true)
    await peer.waitFor('\r\n\r\n')
    expect(received(peer)).toBe(GET_A)
  })

  it('rejects with ConnectionClosed after the peer has closed, until close()', async () => {
    const sockets: FakeSocket[] = []
    const connection = new HTTPConnection('example.test', {
      socket: () => (sockets.push(new FakeSocket()), sockets.at(-1)!),
    })
    await connection.connect()
    sockets[0].peer.end()
    await turns()
    expect(connection.connected).toBe(false)
    await expect(connection.connect()).rejects.toBeInstanceOf(ConnectionClosed)
    expect(sockets).toHaveLength(1)
    await connection.close()
    await connection.connect()
    expect(connection.connected).toBe(true)
    expect(sockets).toHaveLength(2)
  })

  it('rejects with ConnectionClosed when close() comes while it is dialling', async () => {
    let give!: (socket: FakeSocket) => void
    const connection = new HTTPConnection('example.test', {
      socket: () => new Promise<FakeSocket>(resolve => (give = resolve)),
    })
    const connecting = watch(connection.connect())
    const closing = watch(connection.close())
    await turns()
    expect([connecting.state, closing.state, connection.connected]).toEqual(['rejected', 'resolved', false])
    expect(connecting.error).toBeInstanceOf(ConnectionClosed)
    const late = new FakeSocket()
    give(late)
    await turns()
    expect(late.destroyed).toBe(true)
  })
})

describe('a request that cannot be sent', () => {
  it.each<[string, (connection: HTTPConnection) => Promise<unknown>]>([
    ['sendRequest', connection => connection.sendRequest('GET', '/a b')],
    ['request', connection => connection.request('GET', '/a b')],
    ['request with options', connection => connection.request('GET', '/', { headers: { 'A\n': '' } })],
    ['an aborted request', connection => connection.request('GET', '/', { signal: AbortSignal.abort() })],
  ])('is no reason to dial: %s', async (_name, send) => {
    const dialled = jest.fn(() => new FakeSocket())
    const connection = new HTTPConnection('example.test', { socket: dialled })
    await expect(send(connection)).rejects.toThrow()
    await turns()
    expect(dialled).not.toHaveBeenCalled()
    expect(connection.connected).toBe(false)
  })
})

describe('a failed dial', () => {
  const failing = (error: unknown) => {
    const sockets = [() => Promise.reject(error), () => new FakeSocket()]
    return new HTTPConnection('example.test', { socket: () => sockets.shift()!() })
  }

  it('rejects all that waits for it with its own error, and does not stick', async () => {
    const error = new Error('no way')
    const connection = failing(error)
    const waiting = watchAll([
      connection.connect(),
      connection.sendRequest('GET', '/a'),
      connection.sendRequest('POST', '/b', { body: new BodyFollowing() }),
      connection.write(Buffer.from('small')),
      connection.write(Buffer.alloc(100_000)),
      connection.endBody(),
      connection.readResponse(),
    ])
    await turns()
    expect(waiting.map(({ error }) => error)).toEqual(Array(7).fill(error))
    expect(connection).toMatchObject({ connected: false, pendingRequests: [], responsePending: false })
    await connection.sendRequest('GET', '/c')
    expect(connection).toMatchObject({ connected: true, pendingRequests: [{ method: 'GET', path: '/c' }] })
  })

  it('rejects requests and a pipeline with its own error', async () => {
    const error = new Error('no way')
    const connection = failing(error)
    const requests = watchAll([connection.request('GET', '/a'), connection.request('GET', '/b')])
    await turns()
    expect(requests.map(({ error }) => error)).toEqual([error, error])
    const next = watch(failing(error).pipeline(['/a', '/b']).next())
    await turns()
    expect(next.error).toBe(error)
  })

  it.each([
    [
      'throws',
      () => () => {
        throw new RangeError('thrown')
      },
      RangeError,
    ],
    ['gives no stream', () => () => ({}) as Duplex, TypeError],
    ['gives nothing', () => () => undefined as never, TypeError],
    ['gives a destroyed stream', () => () => new PassThrough().destroy(), ConnectionClosed],
    ['gives a stream that cannot be written', () => () => new PassThrough().end(), ConnectionClosed],
  ])('comes of a socket function that %s', async (_, make, errorClass) => {
    const connection = new HTTPConnection('example.test', { socket: make() })
    await expect(connection.connect()).rejects.toBeInstanceOf(errorClass)
    await expect(connection.sendRequest('GET', '/a')).rejects.toBeInstanceOf(errorClass)
  })
})

describe('socket', () => {
  it('may be a Duplex, which serves for one connection', async () => {
    const { connection, peer } = wired()
    await connection.sendRequest('GET', '/a')
    await peer.waitFor('\r\n\r\n')
    await connection.close()
    await expect(connection.connect()).rejects.toBeInstanceOf(ConnectionClosed)
    await expect(connection.sendRequest('GET', '/b')).rejects.toBeInstanceOf(ConnectionClosed)
    expect(received(peer)).toBe(GET_A)
  })

  it('is destroyed by close() though it was never used', async () => {
    const { connection, socket } = wired()
    await connection.close()
    expect(socket.destroyed).toBe(true)
    await expect(connection.connect()).rejects.toBeInstanceOf(ConnectionClosed)
  })

  it('may be any Duplex', async () => {
    const written: Buffer[] = []
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _, callback) {
        written.push(chunk)
        setImmediate(callback)
        if (String(chunk).endsWith('\r\n\r\n')) this.push(OK)
      },
    })
    const connection = new HTTPConnection('example.test', { socket })
    const response = await connection.request('GET', '/a')
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(Buffer.concat(written).toString()).toBe(GET_A)
    await connection.close()
    expect(socket.destroyed).toBe(true)
  })

  it.each([
    ['gives', (socket: FakeSocket) => socket],
    ['promises', async (socket: FakeSocket) => socket],
  ])('may be a function that %s one for each connection', async (_, give) => {
    const sockets: FakeSocket[] = []
    const connection = new HTTPConnection('example.test', {
      socket: () => {
        const socket = new FakeSocket()
        sockets.push(socket)
        return give(socket)
      },
    })
    for (let i = 0; i < 3; i++) {
      await connection.sendRequest('GET', '/a')
      await sockets[i].peer.waitFor('\r\n\r\n')
      await connection.close()
    }
    expect(sockets.map(({ peer }) => received(peer))).toEqual([GET_A, GET_A, GET_A])
  })
})

describe('connected', () => {
  it('is true from the transport being there to its end', async () => {
    let give!: (socket: FakeSocket) => void
    const connection = new HTTPConnection('example.test', {
      socket: () => new Promise<FakeSocket>(resolve => (give = resolve)),
    })
    expect(connection.connected).toBe(false)
    const connecting = connection.connect()
    await turns()
    expect(connection.connected).toBe(false)
    const socket = new FakeSocket()
    give(socket)
    await connecting
    expect(connection.connected).toBe(true)
    socket.peer.reset()
    await turns()
    expect(connection.connected).toBe(false)
  })

  it('is false as soon as close() was called', async () => {
    const { connection } = wired()
    await connection.connect()
    const closing = connection.close()
    expect(connection.connected).toBe(false)
    await closing
  })
})

describe('pendingRequests and responsePending', () => {
  it('tell the requests whose responses have not been read completely, oldest first', async () => {
    const { connection, peer } = wired()
    expect(connection).toMatchObject({ pendingRequests: [], responsePending: false })
    const sent = [connection.sendRequest('GET', '/a'), connection.sendRequest('HEAD', '/b')]
    const expected = [
      { method: 'GET', path: '/a' },
      { method: 'HEAD', path: '/b' },
    ]
    expect(connection).toMatchObject({ pendingRequests: expected, responsePending: true })
    await Promise.all(sent)
    await peer.waitFor('/b')
    peer.send(OK + OK.slice(0, -2))
    await connection.readResponse()
    expect(connection.pendingRequests).toEqual(expected)
    await connection.readAll()
    expect(connection.pendingRequests).toEqual(expected.slice(1))
    await connection.readResponse()
    expect(connection).toMatchObject({ pendingRequests: [], responsePending: false })
  })

  it('are the path and the method as the caller gave them, through a proxy too', async () => {
    const { connection } = wired({ proxy: 'http://proxy.test' })
    await connection.sendRequest('OPTIONS', '*')
    expect(connection.pendingRequests).toEqual([{ method: 'OPTIONS', path: '*' }])
  })

  it('give an array that later requests do not change', async () => {
    const { connection } = wired()
    await connection.sendRequest('GET', '/a')
    const pending = connection.pendingRequests
    await connection.sendRequest('GET', '/b')
    expect(pending).toEqual([{ method: 'GET', path: '/a' }])
  })

  it('know nothing any more after close()', async () => {
    const { connection } = wired()
    await connection.sendRequest('GET', '/a')
    const closing = connection.close()
    expect(connection).toMatchObject({ pendingRequests: [], responsePending: false })
    await closing
  })
})

describe('close', () => {
  it('rejects all that is pending, drops what is unsent, and destroys the transport', async () => {
    const { connection, peer, socket } = wired()
    await connection.connect()
    peer.stall()
    const pending = watchAll([
      connection.sendRequest('GET', '/a'),
      connection.sendRequest('POST', '/b', { body: Buffer.alloc(100_000, 'x') }),
      connection.readResponse(),
    ])
    await turns()
    const closing = connection.close()
    await closing
    expect(pending.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'rejected'])
    for (const { error } of pending.slice(1)) {
      expect(error).toMatchObject({
        code: 'ERR_HTTPIO_CONNECTION_CLOSED',
        unanswered: [
          { method: 'GET', path: '/a', outcome: 'no-reply', processed: 'maybe' },
          { method: 'POST', path: '/b', outcome: 'no-reply', processed: 'maybe' },
        ],
      })
    }
    expect(socket.destroyed).toBe(true)
    peer.unstall()
    expect(received(peer)).toBe('')
  })

  it('says of requests that were not handed to the transport that they are unsent', async () => {
    const { connection, peer } = wired()
    const sent = watch(connection.sendRequest('GET', '/a'))
    await connection.close()
    expect(sent.error).toMatchObject({
      unanswered: [{ method: 'GET', path: '/a', outcome: 'unsent', processed: 'no' }],
    })
    await turns()
    expect(received(peer)).toBe('')
  })

  it('does nothing when nothing was dialled, and when it was called before', async () => {
    const connection = new HTTPConnection('example.test', { socket: () => new FakeSocket() })
    await connection.close()
    await connection.connect()
    await connection.close()
    await connection.close()
    expect(connection.connected).toBe(false)
  })

  it('resolves only when the transport has let go, however often it is called', async () => {
    const order: string[] = []
    const socket = new Duplex({
      read() {},
      destroy(_, callback) {
        setImmediate(() => {
          order.push('transport')
          callback(null)
        })
      },
    })
    const connection = new HTTPConnection('example.test', { socket })
    await connection.connect()
    await Promise.all([
      connection.close().then(() => order.push('first')),
      connection.close().then(() => order.push('second')),
    ])
    expect(order).toEqual(['transport', 'first', 'second'])
  })

  it('may be called from within what it rejects', async () => {
    const { connection } = wired()
    await connection.connect()
    await connection.sendRequest('GET', '/a')
    const again = connection.readResponse().catch(() => connection.close())
    await connection.close()
    await expect(again).resolves.toBeUndefined()
  })

  it('lets a request at once dial anew', async () => {
    const sockets: FakeSocket[] = []
    const connection = new HTTPConnection('example.test', {
      socket: () => (sockets.push(new FakeSocket()), sockets.at(-1)!),
    })
    await connection.sendRequest('POST', '/x', { body: new BodyFollowing(5) })
    const closing = connection.close()
    await connection.sendRequest('GET', '/a')
    await closing
    await sockets[1].peer.waitFor('\r\n\r\n')
    expect(received(sockets[1].peer)).toBe(GET_A)
    expect(connection.pendingRequests).toEqual([{ method: 'GET', path: '/a' }])
    sockets[1].peer.send(OK)
    expect((await connection.readResponse()).status).toBe(200)
  })

  it('leaves nothing of the body that was being sent', async () => {
    const { connection } = wired()
    await connection.sendRequest('POST', '/x', { body: new BodyFollowing(5) })
    await connection.close()
    await expect(connection.write(Buffer.from('a'))).rejects.toBeInstanceOf(StateError)
  })

  it('is what `await using` calls', async () => {
    const { connection, socket } = wired()
    await connection.connect()
    await connection[Symbol.asyncDispose]()
    expect(socket.destroyed).toBe(true)
  })
})

describe('two connections', () => {
  it('know nothing of each other', async () => {
    const [a, b] = [wired({ headers: { From: 'a' } }), wired({ port: 81 })]
    await Promise.all([a.connection.sendRequest('GET', '/a'), b.connection.sendRequest('GET', '/b')])
    await Promise.all([a.peer.waitFor('\r\n\r\n'), b.peer.waitFor('\r\n\r\n')])
    expect(received(a.peer)).toBe(
      head('GET /a HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity', 'From: a'),
    )
    expect(received(b.peer)).toBe(
      head('GET /b HTTP/1.1', 'Host: example.test:81', 'Accept-Encoding: identity'),
    )
    // Each reads its own response, though their bytes come by turns.
    const [x, y] = [
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: 1\r\n\r\nx',
      'HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\ny',
    ]
    for (let i = 0; i < Math.max(x.length, y.length); i++) {
      a.peer.send(x.slice(i, i + 1))
      b.peer.send(y.slice(i, i + 1))
    }
    expect((await a.connection.readResponse()).status).toBe(200)
    expect((await b.connection.readResponse()).status).toBe(404)
    await a.connection.close()
    expect(String(await b.connection.readAll())).toBe('y')
    expect(b.connection.connected).toBe(true)
  })
})
