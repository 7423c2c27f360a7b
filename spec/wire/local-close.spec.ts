// close(): everything that is pending settles, nothing more is handed out, and the next request dials anew.
import { BodyFollowing, ConnectionClosed, HTTPConnection, StateError } from '../../lib'
import { FakeSocket } from '../../lib/testing'
import {
  arrival,
  asked,
  chunked,
  closedLater,
  dialler,
  failure,
  ok,
  text,
  turns,
  wire,
} from '../support/reading'

const CLOSED = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }
const forever = (): Promise<never> => new Promise(() => undefined)

describe('close', () => {
  it('resolves when the transport is destroyed, drops what was not sent, and does nothing a second time', async () => {
    const { connection, peer, socket } = wire()
    await connection.connect()
    peer.stall()
    const sends = Promise.allSettled([
      connection.sendRequest('GET', '/a'),
      connection.sendRequest('PUT', '/b', { body: Buffer.alloc(500_000) }),
    ])
    await turns()
    await connection.close()
    expect(socket.destroyed).toBe(true)
    expect(peer.ended).toBe(true)
    expect(peer.received.length).toBe(0)
    expect((await sends)[1]).toMatchObject({ status: 'rejected', reason: CLOSED })
    expect(connection.connected).toBe(false)
    expect(connection.responsePending).toBe(false)
    expect(connection.pendingRequests).toEqual([])
    await connection.close()
  })

  it('does nothing on a connection that was never dialled', async () => {
    const connection = new HTTPConnection('example.test', { socket: () => forever() })
    await connection.close()
    expect(connection.connected).toBe(false)
  })

  it('is what `await using` does', async () => {
    const { connection, socket } = wire()
    await connection.connect()
    await connection[Symbol.asyncDispose]()
    expect(socket.destroyed).toBe(true)
  })

  it('gives up the dialling and rejects what waits for it; a socket that comes later is destroyed', async () => {
    let give: (socket: FakeSocket) => void = () => undefined
    const socket = (): Promise<FakeSocket> => new Promise(resolve => (give = resolve))
    const connection = closedLater(new HTTPConnection('example.test', { socket }))
    const waiting = [connection.connect(), connection.request('GET', '/a')].map(failure)
    await connection.close()
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject(CLOSED)
    const late = new FakeSocket()
    give(late)
    await turns()
    expect(late.destroyed).toBe(true)
  })

  it.each([
    ['readResponse', (connection: HTTPConnection) => connection.readResponse()],
    ['readRaw', (connection: HTTPConnection) => connection.readRaw(10)],
  ])('rejects a pending %s', async (_name, read) => {
    const { connection } = await asked(['/a'])
    const pending = failure(read(connection))
    await connection.close()
    expect(await pending).toMatchObject({ ...CLOSED, unanswered: [{ path: '/a', outcome: 'no-reply' }] })
  })

  it.each([
    ['read', (connection: HTTPConnection) => connection.read()],
    ['readInto', (connection: HTTPConnection) => connection.readInto(Buffer.alloc(10))],
    ['readAll', (connection: HTTPConnection) => connection.readAll()],
    ['discard', (connection: HTTPConnection) => connection.discard()],
    ['readRaw', (connection: HTTPConnection) => connection.readRaw(10)],
  ])('rejects a %s that waits within a body', async (_name, read) => {
    const { connection, peer } = await asked(['/a'])
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
    await connection.readResponse()
    const pending = failure(read(connection))
    await connection.close()
    expect(await pending).toMatchObject({ ...CLOSED, unanswered: [{ path: '/a', outcome: 'partial-reply' }] })
  })

  it('rejects a pending waitForContinue, write and sendBody, and ends the source', async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('PUT', '/a', { body: new BodyFollowing(10), expect100: true })
    await peer.waitFor('\r\n\r\n')
    const continued = failure(connection.waitForContinue())
    await connection.close()
    expect(await continued).toMatchObject(CLOSED)

    const second = wire()
    await second.connection.sendRequest('PUT', '/a', { body: new BodyFollowing(1_000_000) })
    await second.peer.waitFor('\r\n\r\n')
    second.peer.stall()
    const written = failure(second.connection.write(Buffer.alloc(200_000)))
    await second.connection.close()
    expect(await written).toMatchObject(CLOSED)

    const third = wire()
    await third.connection.sendRequest('PUT', '/a', { body: new BodyFollowing() })
    let isEnded = false
    async function* slow(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('first')
        yield Buffer.from('second')
      } finally {
        isEnded = true
      }
    }
    third.peer.stall()
    const body = failure(third.connection.sendBody(slow()))
    await third.connection.close()
    expect(await body).toMatchObject(CLOSED)
    await turns()
    expect(isEnded).toBe(true)
  })

  it('hands out nothing more of what had arrived: neither bodies nor responses', async () => {
    const { connection, peer } = await asked(['/a', '/b', '/c'])
    peer.send(ok('whole') + chunked(['part', 'ly']) + ok('third'))
    const response = await connection.readResponse()
    expect(text(await connection.read(2))).toBe('wh')
    await connection.close()
    const error = await failure(response.read())
    expect(error).toMatchObject(CLOSED)
    expect(error.unanswered).toEqual(
      ['/a', '/b', '/c'].map(path => ({ method: 'GET', path, outcome: 'partial-reply', processed: 'maybe' })),
    )
    for (const read of [
      response.readAll(),
      response.discard(),
      response.readInto(Buffer.alloc(9)),
      response.text(),
    ]) {
      expect(await failure(read)).toBe(error)
    }
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    expect(await failure(connection.read())).toBeInstanceOf(StateError)
  })

  it('leaves a body that had been read to its end at its end, and buffered responses readable', async () => {
    const { connection, peer } = await asked(['/a'])
    peer.send(ok('whole'))
    const response = await connection.readResponse()
    expect(text(await response.readAll())).toBe('whole')
    await connection.close()
    expect((await response.read()).length).toBe(0)

    const other = wire()
    other.peer.respond(() => ({ body: 'kept' }))
    const buffered = await other.connection.request('GET', '/a')
    await other.connection.close()
    expect(await buffered.text()).toBe('kept')
  })

  it('says of each request what became of it', async () => {
    const { connection, peer } = wire()
    const error = failure(Promise.all(['/a', '/b', '/c'].map(path => connection.request('GET', path))))
    await arrival(peer, '/c')
    const unsent = failure(connection.request('GET', '/d'))
    peer.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n')
    await connection.close()
    expect((await error).unanswered).toEqual([
      { method: 'GET', path: '/a', outcome: 'partial-reply', processed: 'maybe' },
      { method: 'GET', path: '/b', outcome: 'no-reply', processed: 'maybe' },
      { method: 'GET', path: '/c', outcome: 'no-reply', processed: 'maybe' },
      { method: 'GET', path: '/d', outcome: 'unsent', processed: 'no' },
    ])
    expect(await unsent).toBe(await error)
  })

  it('lets the next request dial anew, whatever use the connection was in', async () => {
    const { connection, peers } = dialler()
    const answer = async (index: number, path: string): Promise<string> => {
      const request = connection.request('GET', path)
      await turns()
      peers[index].send(ok(path))
      return (await request).text()
    }
    await connection.sendRequest('POST', '/step', { body: new BodyFollowing(5) })
    await connection.close()
    expect(await answer(1, '/a')).toBe('/a')

    await connection.close()
    const pipeline = connection.pipeline(['/p', '/q'])
    const first = pipeline.next()
    await turns()
    peers[2].send(ok('p') + ok('q'))
    await first
    await connection.close()
    expect(await answer(3, '/b')).toBe('/b')

    // The pipeline has its own end, and takes nothing from the connection that came after it.
    expect(await failure(pipeline.next())).toMatchObject({
      ...CLOSED,
      unanswered: [{ path: '/p' }, { path: '/q' }],
    })
    expect(await pipeline.next()).toEqual({ done: true, value: undefined })
    expect(connection.connected).toBe(true)
    expect(await answer(3, '/c')).toBe('/c')
  })

  it('with one Duplex given as `socket` there is nothing to dial again', async () => {
    const { connection } = await asked(['/a'])
    await connection.close()
    expect(await failure(connection.request('GET', '/b'))).toBeInstanceOf(ConnectionClosed)
    expect(await failure(connection.sendRequest('GET', '/b'))).toMatchObject(CLOSED)
    expect(await failure(connection.connect())).toMatchObject(CLOSED)
  })

  it('may be called from what a response or an error sets off', async () => {
    const { connection, peer } = wire()
    const outcomes = Promise.allSettled([
      connection.request('GET', '/a').then(() => connection.close()),
      connection.request('GET', '/b'),
      connection.request('GET', '/c').catch(() => connection.close()),
    ])
    await arrival(peer, '/c')
    peer.send(ok('a'))
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('may be called by onInformational', async () => {
    const { connection, peer } = wire({ onInformational: () => void connection.close() })
    const request = failure(connection.request('GET', '/a'))
    await arrival(peer, '/a')
    peer.send('HTTP/1.1 103 Early Hints\r\n\r\n')
    expect(await request).toMatchObject({ ...CLOSED, unanswered: [{ path: '/a', outcome: 'no-reply' }] })
  })
})
