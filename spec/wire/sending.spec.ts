import { Duplex } from 'node:stream'
import { BodyFollowing, HTTPConnection, HTTPHeaders, type RequestOptions } from '../../lib'
import { head, received, turns, watch, watchAll, wired, writes } from '../support/wire'

const requestTo = (path: string) =>
  head(`GET ${path} HTTP/1.1`, 'Host: example.test', 'Accept-Encoding: identity')
const post = (path: string, ...fields: string[]) =>
  head(`POST ${path} HTTP/1.1`, 'Host: example.test', 'Accept-Encoding: identity', ...fields)
const NO_CONTENT = head('HTTP/1.1 204 No Content')

describe('sendRequest', () => {
  it('writes the head and nothing else', async () => {
    const { connection, peer } = wired()
    await connection.sendRequest('GET', '/a?b=%20')
    await peer.waitFor('\r\n\r\n')
    await turns()
    expect(received(peer)).toBe(requestTo('/a?b=%20'))
  })

  it('writes the headers of the request and those of all requests', async () => {
    const { connection, peer } = wired({ headers: { 'User-Agent': 'spec', Accept: '*/*' } })
    await connection.sendRequest('GET', '/a', { headers: new HTTPHeaders([['accept', 'text/plain']]) })
    await connection.sendRequest('GET', '/b')
    await peer.waitFor('/b')
    expect(received(peer)).toBe(
      head(
        'GET /a HTTP/1.1',
        'Host: example.test',
        'Accept-Encoding: identity',
        'User-Agent: spec',
        'accept: text/plain',
      ) +
        head(
          'GET /b HTTP/1.1',
          'Host: example.test',
          'Accept-Encoding: identity',
          'User-Agent: spec',
          'Accept: */*',
        ),
    )
  })

  it("replaces Host by the caller's", async () => {
    const { connection, peer } = wired({ port: 8080 })
    await connection.sendRequest('GET', '/a', { headers: { host: 'other.test' } })
    await peer.waitFor('\r\n\r\n')
    expect(received(peer)).toBe(head('GET /a HTTP/1.1', 'Host: other.test', 'Accept-Encoding: identity'))
  })

  it('resolves without the peer having taken anything', async () => {
    const { connection, peer } = wired()
    peer.stall()
    await connection.sendRequest('GET', '/a')
    expect(received(peer)).toBe('')
    peer.unstall()
    await peer.waitFor('\r\n\r\n')
  })

  it.each([
    ['no body', null, 'Content-Length: 0', ''],
    ['an empty body', Buffer.alloc(0), 'Content-Length: 0', ''],
    ['bytes', Buffer.from([0, 13, 10, 127, 128, 255]), 'Content-Length: 6', '\0\r\n\x7f\x80\xff'],
    ['a view of other bytes', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), 'Content-Length: 2', '\x02\x03'],
    ['16 KiB', Buffer.alloc(16_384, 'a'), 'Content-Length: 16384', 'a'.repeat(16_384)],
    [
      '16 KiB and one byte',
      Buffer.alloc(16_385, '\xff', 'latin1'),
      'Content-Length: 16385',
      '\xff'.repeat(16_385),
    ],
    ['64 KiB', Buffer.alloc(65_536, 'a'), 'Content-Length: 65536', 'a'.repeat(65_536)],
    [
      'more than fits one write',
      Buffer.alloc(200_001, 'ab'),
      'Content-Length: 200001',
      'ab'.repeat(100_000) + 'a',
    ],
  ])('writes %s whole, with its length', async (_, body, length, text) => {
    const { connection, peer } = wired()
    await connection.sendRequest('POST', '/a', { body })
    await connection.sendRequest('GET', '/b')
    await peer.waitFor('/b')
    expect(received(peer)).toBe(post('/a', length) + text + requestTo('/b'))
  })

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])(
    'writes no Content-Length for %s without a body',
    async method => {
      const { connection, peer } = wired()
      await connection.sendRequest(method, '/a', { body: new Uint8Array(0) })
      await connection.sendRequest(method, '/b', { body: new BodyFollowing(0) })
      await peer.waitFor('/b')
      const of = (path: string) =>
        head(`${method} ${path} HTTP/1.1`, 'Host: example.test', 'Accept-Encoding: identity')
      expect(received(peer)).toBe(of('/a') + of('/b'))
    },
  )

  describe('checks before a byte is sent', () => {
    const SPLIT = '1\u010d\u010aInjected: yes'
    const toString = (text: string) => ({ toString: () => text }) as never
    it.each<[string, string, string, RequestOptions?]>([
      ['a method in lower case', 'get', '/'],
      ['a method that is no token', 'GET /', '/'],
      ['CONNECT', 'CONNECT', 'example.test:443'],
      ['a method that becomes a string', toString('GET'), '/'],
      ['a method that splits the request', 'GET / HTTP/1.1\r\nInjected: yes\r\n\r\nGET', '/'],
      ['an empty path', 'GET', ''],
      ['a path with a fragment', 'GET', '/a#b'],
      ['a path with a space', 'GET', '/ HTTP/1.1\r\nInjected: yes'],
      ['a path beyond ASCII', 'GET', '/\xfc'],
      ['a path whose characters become CR LF', 'GET', `/${SPLIT}`],
      ['a path that becomes a string', 'GET', toString('/\r\n')],
      ['a path in an array', 'GET', ['/\r\n'] as never],
      ['a header name that is no token', 'GET', '/', { headers: { 'A b': '1' } }],
      ['a header value with CR LF', 'GET', '/', { headers: { A: '1\r\nInjected: yes' } }],
      ['a header value whose characters become CR LF', 'GET', '/', { headers: { A: SPLIT } }],
      ['a header value beyond latin1', 'GET', '/', { headers: { A: '\u20ac' } }],
      ['a header value that becomes a string', 'GET', '/', { headers: { A: toString('1\r\n') } }],
      ['a header value in an array in an array', 'GET', '/', { headers: [['A', ['1\r\n']]] as never }],
      [
        'Transfer-Encoding',
        'POST',
        '/',
        { headers: { 'transfer-encoding': 'chunked' }, body: new BodyFollowing() },
      ],
      [
        'Expect',
        'POST',
        '/',
        { headers: { expect: '100-continue' }, body: new BodyFollowing(5), expect100: true },
      ],
      [
        'a Content-Length that is not that of the bytes',
        'POST',
        '/',
        { headers: { 'Content-Length': 4 }, body: Buffer.from('12345') },
      ],
      [
        'a Content-Length that is not that announced',
        'POST',
        '/',
        { headers: { 'Content-Length': 4 }, body: new BodyFollowing(5) },
      ],
      [
        'a Content-Length of a chunked body',
        'POST',
        '/',
        { headers: { 'Content-Length': 4 }, body: new BodyFollowing() },
      ],
      ['a Content-Length without a body', 'GET', '/', { headers: { 'Content-Length': 4 } }],
      ['expect100 without a body', 'POST', '/', { expect100: true }],
      ['expect100 with bytes', 'POST', '/', { body: Buffer.from('a'), expect100: true }],
      ['a body that is a string', 'POST', '/', { body: 'text' as never }],
      ['a body that is an ArrayBuffer', 'POST', '/', { body: new ArrayBuffer(5) as never }],
      ['a body that is a DataView', 'POST', '/', { body: new DataView(new ArrayBuffer(5)) as never }],
      [
        'a body that only claims to be bytes',
        'POST',
        '/',
        { body: Object.create(Uint8Array.prototype) as never },
      ],
    ])('%s', async (_, method, path, options: RequestOptions = {}) => {
      const { connection, peer } = wired()
      await expect(connection.sendRequest(method, path, options)).rejects.toBeInstanceOf(TypeError)
      expect(connection).toMatchObject({ connected: false, pendingRequests: [] })
      // It has cost nothing: what follows goes out, and nothing else.
      await connection.sendRequest('GET', '/next')
      await peer.waitFor('\r\n\r\n')
      await turns()
      expect(received(peer)).toBe(requestTo('/next'))
    })
  })

  describe('un-awaited', () => {
    it('goes out in the order of the calls, each request whole', async () => {
      const { connection, peer } = wired()
      const large = Buffer.alloc(150_000, 'x')
      void connection.sendRequest('GET', '/1')
      void connection.sendRequest('POST', '/2', { body: large })
      void connection.sendRequest('POST', '/3', { body: new BodyFollowing(100_003) })
      void connection.write(Buffer.from('abc'))
      void connection.write(large.subarray(0, 100_000))
      void connection.sendRequest('POST', '/4', { body: new BodyFollowing() })
      void connection.write(Buffer.from('de'))
      void connection.write(large.subarray(0, 20_000))
      void connection.write(Buffer.from('f'))
      void connection.endBody({ T: '1' })
      void connection.sendRequest('POST', '/5', { body: Buffer.from('g') })
      await connection.sendRequest('GET', '/6')
      await peer.waitFor('/6')
      expect(received(peer)).toBe(
        requestTo('/1') +
          post('/2', 'Content-Length: 150000') +
          'x'.repeat(150_000) +
          post('/3', 'Content-Length: 100003') +
          'abc' +
          'x'.repeat(100_000) +
          post('/4', 'Transfer-Encoding: chunked') +
          `2\r\nde\r\n4e20\r\n${'x'.repeat(20_000)}\r\n1\r\nf\r\n0\r\nT: 1\r\n\r\n` +
          post('/5', 'Content-Length: 1') +
          'g' +
          requestTo('/6'),
      )
    })

    it('takes ten thousand requests before a response is read', async () => {
      const { connection, peer } = wired()
      const paths = Array.from({ length: 10_000 }, (_, i) => `/${i}`)
      await Promise.all(paths.map(path => connection.sendRequest('GET', path)))
      await peer.waitFor('/9999')
      expect(received(peer)).toBe(paths.map(requestTo).join(''))
      peer.send(NO_CONTENT.repeat(10_000))
      const answered: string[] = []
      for (let i = 0; i < 10_000; i++) answered.push((await connection.readResponse()).path)
      expect(answered).toEqual(paths)
    })

    it('takes a hundred thousand small writes', async () => {
      const { connection, peer } = wired()
      await connection.sendRequest('POST', '/', { body: new BodyFollowing(100_000) })
      const chunk = Buffer.from('x')
      const written = Array.from({ length: 100_000 }, () => connection.write(chunk))
      await Promise.all(written)
      await peer.waitFor('x'.repeat(100_000))
      expect(received(peer)).toBe(post('/', 'Content-Length: 100000') + 'x'.repeat(100_000))
    })

    it('still checks what it can before it is queued', async () => {
      const { connection, peer } = wired()
      const sent = watchAll([
        connection.sendRequest('GET', '/a'),
        connection.sendRequest('get', '/b'),
        connection.sendRequest('GET', '/c'),
      ])
      await peer.waitFor('/c')
      await turns()
      expect(sent.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'resolved'])
      expect(received(peer)).toBe(requestTo('/a') + requestTo('/c'))
    })
  })

  describe('in one turn of the event loop', () => {
    it('leaves in one write, when the connection is being made', async () => {
      const { connection, peer } = wired()
      void connection.sendRequest('GET', '/a')
      void connection.sendRequest('GET', '/b')
      await connection.sendRequest('GET', '/c')
      await peer.waitFor('/c')
      expect(writes(peer)).toEqual([requestTo('/a') + requestTo('/b') + requestTo('/c')])
    })

    it.each([
      ['nothing is outstanding', 0],
      ['a response is outstanding', 1],
    ])('leaves in one write, awaited or not, when %s', async (_, outstanding) => {
      const { connection, peer } = wired()
      await connection.connect()
      for (let i = 0; i < outstanding; i++) await connection.sendRequest('GET', `/before`)
      await turns()
      peer.takeReceived()
      await connection.sendRequest('GET', '/a')
      await connection.sendRequest('GET', '/b')
      await Promise.resolve()
      void connection.sendRequest('GET', '/c')
      expect(writes(peer)).toEqual([])
      await turns()
      expect(writes(peer)).toEqual([requestTo('/a') + requestTo('/b') + requestTo('/c')])
    })

    it('leaves in one write with bodies of all kinds', async () => {
      const { connection, peer } = wired()
      await connection.connect()
      void connection.sendRequest('POST', '/a', { body: Buffer.alloc(5_000, 'a') })
      void connection.sendRequest('POST', '/b', { body: Buffer.alloc(20_000, 'b') })
      void connection.sendRequest('POST', '/c', { body: new BodyFollowing() })
      void connection.write(Buffer.from('c'))
      void connection.write(Buffer.alloc(20_000, 'c'))
      void connection.endBody()
      void connection.sendRequest('GET', '/d')
      await turns()
      expect(writes(peer)).toEqual([
        post('/a', 'Content-Length: 5000') +
          'a'.repeat(5_000) +
          post('/b', 'Content-Length: 20000') +
          'b'.repeat(20_000) +
          post('/c', 'Transfer-Encoding: chunked') +
          `1\r\nc\r\n4e20\r\n${'c'.repeat(20_000)}\r\n0\r\n\r\n` +
          requestTo('/d'),
      ])
    })

    it('leaves in as few writes as 64 KiB at a time allow', async () => {
      const { connection, peer } = wired()
      await connection.connect()
      void connection.sendRequest('POST', '/a', { body: Buffer.alloc(100_000, 'a') })
      void connection.sendRequest('GET', '/b')
      await turns()
      expect(peer.writes.map(({ length }) => length)).toEqual([65_536, received(peer).length - 65_536])
    })

    it('leaves in one write for request() and pipeline() too', async () => {
      const one = wired()
      await one.connection.connect()
      const requests = watchAll(['/a', '/b', '/c'].map(path => one.connection.request('GET', path)))
      await turns()
      expect(writes(one.peer)).toEqual([requestTo('/a') + requestTo('/b') + requestTo('/c')])
      const other = wired()
      const next = watch(other.connection.pipeline(['/a', '/b', '/c']).next())
      await turns()
      expect(writes(other.peer)).toEqual([requestTo('/a') + requestTo('/b') + requestTo('/c')])
      await Promise.all([one.connection.close(), other.connection.close()])
      expect([...requests, next].map(({ state }) => state)).not.toContain('pending')
    })
  })

  describe('backpressure', () => {
    it('makes sends wait while 64 KiB are queued, and go on below that, in their order', async () => {
      const { connection, peer } = wired()
      await connection.connect()
      peer.stall()
      const order: number[] = []
      const sends: Promise<unknown>[] = []
      for (let i = 0; i < 20; i++) {
        const headers = { A: 'x'.repeat(8_000) }
        sends.push(connection.sendRequest('GET', `/${i}`, { headers }).then(() => order.push(i)))
      }
      await turns()
      // Eight of a little over 8,000 bytes are below 65,536, the ninth is not.
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
      expect(received(peer)).toBe('')
      peer.unstall()
      await Promise.all(sends)
      expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i))
      await peer.waitFor('/19')
    })

    it('hands over 64 KiB at a time, and the next only when they have been taken', async () => {
      const { connection, peer, socket } = wired()
      await connection.connect()
      peer.stall()
      const sent = watch(connection.sendRequest('POST', '/', { body: Buffer.alloc(200_000, 'x') }))
      await turns()
      expect([socket.writableLength, sent.state]).toEqual([65_536, 'pending'])
      peer.unstall()
      await turns()
      expect(sent.state).toBe('resolved')
      expect(peer.writes.map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 3_482])
      expect(received(peer)).toBe(post('/', 'Content-Length: 200000') + 'x'.repeat(200_000))
    })

    it('does not deadlock with responses that nobody reads: they are kept beyond maxBufferedBytes meanwhile', async () => {
      const { connection, peer, socket } = wired({ maxBufferedBytes: 1_000 })
      await connection.sendRequest('GET', '/a')
      await peer.waitFor('\r\n\r\n')
      peer.stall()
      const part = 'x'.repeat(600)
      peer.send(head('HTTP/1.1 200 OK', 'Content-Length: 3000') + part)
      peer.send(part)
      await turns()
      expect(socket.isPaused()).toBe(true)
      const sent = watch(connection.sendRequest('POST', '/b', { body: Buffer.alloc(100_000, 'y') }))
      await turns()
      expect([socket.isPaused(), sent.state]).toEqual([false, 'pending'])
      peer.send(part)
      peer.send(part)
      await turns()
      expect(socket.readableLength).toBe(0)
      // The peer takes what we send only because we took what it sent.
      peer.unstall()
      await turns()
      expect([socket.isPaused(), sent.state]).toEqual([true, 'resolved'])
      peer.send(part)
      await connection.readResponse()
      expect(String(await connection.readAll())).toBe('x'.repeat(3_000))
    })

    it.each<[string, (connection: ReturnType<typeof wired>['connection']) => Promise<unknown>]>([
      ['write', connection => connection.write(Buffer.alloc(10, 'y'))],
      ['write of much', connection => connection.write(Buffer.alloc(100_000, 'y'))],
      ['sendBody', connection => connection.sendBody([Buffer.alloc(10, 'y')])],
      ['endBody', connection => connection.endBody({ A: 'z'.repeat(100) })],
    ])('does not deadlock in %s either', async (_, send) => {
      const { connection, peer, socket } = wired({ maxBufferedBytes: 1_000 })
      await connection.sendRequest('GET', '/a')
      await peer.waitFor('\r\n\r\n')
      await connection.sendRequest('POST', '/b', { body: new BodyFollowing() })
      await turns()
      peer.stall()
      while ((await connection.write(Buffer.alloc(100_000, 'y'), { partial: true })) > 0) await turns(1)
      peer.send(head('HTTP/1.1 200 OK', 'Content-Length: 3000') + 'x'.repeat(1_500))
      await turns()
      expect(socket.isPaused()).toBe(true)
      const sent = watch(send(connection))
      await turns()
      expect([socket.isPaused(), sent.state]).toEqual([false, 'pending'])
      peer.unstall()
      await turns()
      expect([socket.isPaused(), sent.state]).toEqual([true, 'resolved'])
    })
  })

  describe('ownership of the body', () => {
    it.each([
      ['small', 10],
      ['of 16 KiB', 16_384],
      ['larger', 16_385],
      ['larger than the buffer', 200_000],
    ])('passes back to the caller when the promise of a body %s is resolved', async (_, size) => {
      const { connection, peer } = wired()
      await connection.connect()
      peer.stall()
      const body = Buffer.alloc(size, 'a')
      const sent = connection.sendRequest('POST', '/', { body }).then(() => body.fill('!'))
      await turns()
      peer.unstall()
      await sent
      await turns()
      expect(received(peer)).toBe(post('/', `Content-Length: ${size}`) + 'a'.repeat(size))
    })

    it('passes back then, though a socket that was given keeps what was written to it', async () => {
      const kept: Buffer[] = []
      const socket = new Duplex({
        read() {},
        write(chunk: Buffer, _, callback) {
          kept.push(chunk)
          callback()
        },
      })
      const connection = new HTTPConnection('example.test', { socket })
      const body = Buffer.alloc(100_000, 'a')
      await connection.sendRequest('POST', '/', { body })
      body.fill('!')
      expect(Buffer.concat(kept).toString()).toBe(post('/', 'Content-Length: 100000') + 'a'.repeat(100_000))
      await connection.close()
    })

    it.each([
      ['small', 10],
      ['larger than the buffer', 200_000],
    ])('passes back when the promise of a body %s is rejected', async (_, size) => {
      const { connection, peer } = wired()
      await connection.connect()
      peer.stall()
      const body = Buffer.alloc(size, 'a')
      const sent = connection
        .sendRequest('POST', '/', { body })
        .catch(() => undefined)
        .then(() => body.fill('!'))
      await turns()
      await connection.close()
      await sent
      peer.unstall()
      expect(received(peer)).toBe('')
    })
  })

  describe('with Connection: close by the caller', () => {
    it.each<[string, Parameters<typeof wired>[0], RequestOptions]>([
      ['on the request', {}, { headers: { connection: 'Close' } }],
      ['among other options', {}, { headers: { Connection: 'x, close' } }],
      ['on all requests', { headers: { Connection: 'close' } }, {}],
    ])('is the last request (%s)', async (_, options, request) => {
      const { connection, peer } = wired(options)
      await connection.sendRequest('GET', '/a', request)
      await peer.waitFor('\r\n\r\n')
      await expect(connection.sendRequest('GET', '/b')).rejects.toMatchObject({
        code: 'ERR_HTTPIO_CONNECTION_CLOSED',
        unanswered: [{ method: 'GET', path: '/a', outcome: 'no-reply', processed: 'maybe' }],
      })
      peer.send(head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'ok')
      expect((await connection.readResponse()).status).toBe(200)
      expect(String(await connection.readAll())).toBe('ok')
      await expect(connection.readResponse()).rejects.toMatchObject({
        code: 'ERR_HTTPIO_CONNECTION_CLOSED',
        unanswered: [],
      })
      await turns()
      expect([connection.connected, peer.ended]).toEqual([false, true])
      expect(received(peer).match(/GET/g)).toHaveLength(1)
    })

    it('lets its own body follow', async () => {
      const { connection, peer } = wired()
      await connection.sendRequest('POST', '/a', {
        headers: { Connection: 'close' },
        body: new BodyFollowing(),
      })
      await connection.write(Buffer.from('body'))
      await connection.endBody()
      await peer.waitFor('0\r\n\r\n')
      expect(received(peer)).toBe(
        post('/a', 'Connection: close', 'Transfer-Encoding: chunked') + '4\r\nbody\r\n0\r\n\r\n',
      )
    })

    it('may be replaced for one request', async () => {
      const { connection, peer } = wired({ headers: { Connection: 'close' } })
      await connection.sendRequest('GET', '/a', { headers: { Connection: 'keep-alive' } })
      await connection.sendRequest('GET', '/b')
      await peer.waitFor('/b')
      await expect(connection.sendRequest('GET', '/c')).rejects.toMatchObject({
        code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      })
    })
  })
})
