// A response that announces `Connection: close` is the last one: it is read completely, and everything behind it may be sent again.
import { BodyFollowing, ConnectionClosed } from '../../lib'
import { arrival, asked, chunked, dialler, failure, ok, text, turns, wire } from '../support/reading'

const CLOSED = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }
const CLOSE = 'Connection: close\r\n'

describe('a response with Connection: close', () => {
  it.each([
    ['close', true],
    ['Close', true],
    ['keep-alive, close', true],
    ['close ,x', true],
    ['\tclose\t', true],
    ['closed', false],
    ['keep-alive', false],
    ['x-close', false],
  ])('is one if its Connection is %p: %s', async (value, isLast) => {
    const { connection, peer } = await asked(['/a'])
    peer.send(ok('a', `Connection: ${value}\r\n`))
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('a')
    expect(connection.connected).toBe(!isLast)
  })

  it('is read completely; sends are refused from its head on, and the next operation after it fails', async () => {
    const { connection, peer } = await asked(['/a', '/b'])
    peer.send(`HTTP/1.1 200 OK\r\n${CLOSE}Content-Length: 6\r\n\r\nabc`)
    expect((await connection.readResponse()).status).toBe(200)
    const refused = await failure(connection.sendRequest('GET', '/c'))
    expect(refused).toMatchObject(CLOSED)
    peer.send('def')
    expect(text(await connection.readAll())).toBe('abcdef')
    const error = await failure(connection.readResponse())
    expect(error).toMatchObject({
      ...CLOSED,
      unanswered: [{ method: 'GET', path: '/b', outcome: 'no-reply', processed: 'no' }],
    })
    expect(await failure(connection.sendRequest('GET', '/c'))).toBe(error)
    expect(peer.ended).toBe(true)
  })

  it('is read completely also when it is asked for later', async () => {
    const { connection, peer } = await asked(['/a', '/b', '/c'])
    peer.send(ok('a') + ok('b', CLOSE))
    await turns()
    expect(connection.connected).toBe(false)
    for (const body of ['a', 'b']) {
      await connection.readResponse()
      expect(text(await connection.readAll())).toBe(body)
    }
    expect(await failure(connection.readResponse())).toMatchObject({
      ...CLOSED,
      unanswered: [{ path: '/c', processed: 'no' }],
    })
  })

  it('makes the outcome of all behind it certain, of whole exchanges too', async () => {
    const { connection, peer } = wire()
    const first = connection.request('GET', '/a')
    const others = [connection.request('POST', '/b', { body: 'x' }), connection.request('GET', '/c')].map(
      failure,
    )
    await arrival(peer, '/c')
    peer.send(`HTTP/1.1 200 OK\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`)
    const late = failure(connection.request('GET', '/d'))
    expect(await late).toMatchObject(CLOSED)
    peer.send('0\r\n\r\n')
    expect(await (await first).text()).toBe('a')
    for (const error of await Promise.all(others)) {
      expect(error).toBeInstanceOf(ConnectionClosed)
      expect(error.unanswered).toEqual([
        { method: 'POST', path: '/b', outcome: 'no-reply', processed: 'no' },
        { method: 'GET', path: '/c', outcome: 'no-reply', processed: 'no' },
      ])
    }
  })

  it('leaves open what became of its own request when it is cut off', async () => {
    const { connection, peer } = await asked(['/a', '/b'])
    peer.send(`HTTP/1.1 200 OK\r\n${CLOSE}Content-Length: 6\r\n\r\nabc`)
    peer.end()
    await connection.readResponse()
    expect(await failure(connection.readAll())).toMatchObject({
      ...CLOSED,
      unanswered: [
        { path: '/a', outcome: 'partial-reply', processed: 'maybe' },
        { path: '/b', outcome: 'no-reply', processed: 'no' },
      ],
    })
  })

  it.each([
    ['another response', ok('poison')],
    ['anything', 'nonsense'],
  ])('has the bytes behind it ignored, be it %s', async (_what, bytes) => {
    const { connection, peer } = await asked(['/a', '/b'])
    peer.send(ok('a', CLOSE) + bytes)
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('a')
    expect(await failure(connection.readResponse())).toMatchObject(CLOSED)
  })

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'],
  ])('without a body ends the connection with its head (%s)', async (method, response) => {
    const { connection, peer } = wire()
    await connection.sendRequest(method, '/a')
    await arrival(peer, '/a')
    const head = connection.readResponse()
    peer.send(response)
    expect((await head).length).toBe(0)
    expect(connection.connected).toBe(false)
    expect((await connection.read()).length).toBe(0)
    expect(await failure(connection.readResponse())).toMatchObject(CLOSED)
  })

  it('refuses the rest of a body that is being sent', async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('PUT', '/a', { body: new BodyFollowing(10) })
    await connection.write(Buffer.from('12345'))
    await peer.waitFor('12345')
    peer.send(`HTTP/1.1 413 Content Too Large\r\n${CLOSE}Content-Length: 2\r\n\r\nno`)
    expect(await failure(connection.write(Buffer.from('67890')))).toMatchObject(CLOSED)
    expect((await connection.readResponse()).status).toBe(413)
    expect(text(await connection.readAll())).toBe('no')
    expect(await failure(connection.sendBody([]))).toMatchObject(CLOSED)
  })

  it('sticks until close(), after which the next request dials anew', async () => {
    const { connection, peers } = dialler()
    const first = connection.request('GET', '/a')
    while (peers.length === 0) await turns(1)
    await arrival(peers[0], '/a')
    peers[0].send(ok('a', CLOSE))
    await first
    const error = await failure(connection.request('GET', '/b'))
    expect(await failure(connection.request('GET', '/b'))).toBe(error)
    await connection.close()
    const second = connection.request('GET', '/b')
    while (peers.length === 1) await turns(1)
    await arrival(peers[1], '/b')
    peers[1].send(ok('b'))
    expect(await (await second).text()).toBe('b')
  })

  it('in a pipeline ends it after the last response; unanswered is all that was taken from the source', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a', '/b', '/c', '/d'], { depth: 3 })
    const first = pipeline.next()
    await arrival(peer, '/c')
    peer.send(ok('a', CLOSE))
    expect(text(await (await first).value!.readAll())).toBe('a')
    expect(await failure(pipeline.next())).toMatchObject({
      ...CLOSED,
      unanswered: [
        { path: '/b', outcome: 'no-reply', processed: 'no' },
        { path: '/c', outcome: 'no-reply', processed: 'no' },
        { path: '/d', outcome: 'unsent', processed: 'no' },
      ],
    })
    expect((await pipeline.next()).done).toBe(true)
  })
})

describe("a request with the caller's Connection: close", () => {
  it('is the last: its response ends the connection', async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('GET', '/a', { headers: { Connection: 'close' } })
    expect(await failure(connection.sendRequest('GET', '/b'))).toMatchObject({
      ...CLOSED,
      unanswered: [{ path: '/a', outcome: 'no-reply', processed: 'maybe' }],
    })
    await peer.waitFor('/a')
    peer.send(chunked(['a', 'b']))
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('ab')
    expect(connection.connected).toBe(false)
    expect(await failure(connection.readResponse())).toMatchObject({ ...CLOSED, unanswered: [] })
  })
})
