// readResponse: the order of responses, interim ones, what needs no read, and when it may not be called.
import { BodyFollowing, StateError, type HTTPResponse } from '../../lib'
import { Duplex } from 'node:stream'
import { HTTPConnection } from '../../lib'
import {
  arrival,
  asked,
  chunked,
  closedLater,
  failure,
  follow,
  ok,
  text,
  turns,
  wire,
} from '../support/reading'

const interim = (status: number, headers = ''): string => `HTTP/1.1 ${status} Interim\r\n${headers}\r\n`

describe('readResponse', () => {
  it('gives the responses in the order of their requests, however they arrive', async () => {
    const { connection, peer } = await asked(['/a', '/b', '/c'])
    expect(connection.pendingRequests).toEqual([
      { method: 'GET', path: '/a' },
      { method: 'GET', path: '/b' },
      { method: 'GET', path: '/c' },
    ])
    const first = connection.readResponse()
    for (const byte of ok('first') + chunked(['sec', 'ond'])) peer.send(byte)
    expect((await first).path).toBe('/a')
    expect(text(await connection.readAll())).toBe('first')
    expect(connection.pendingRequests).toHaveLength(2)
    expect((await connection.readResponse()).path).toBe('/b')
    expect(text(await connection.readAll())).toBe('second')
    const third = connection.readResponse()
    peer.send(ok('third'))
    expect((await third).path).toBe('/c')
    expect(connection.responsePending).toBe(true)
    expect(text(await connection.readAll())).toBe('third')
    expect(connection.responsePending).toBe(false)
    expect(connection.pendingRequests).toEqual([])
  })

  it('says what the head says', async () => {
    const { connection, peer } = await asked(['/a'])
    peer.send('HTTP/1.1 299 Quite  \xe9\tgood\r\nX-Two: 1\r\nx-two:  2 \r\nContent-Length: 0\r\n\r\n')
    const response = await connection.readResponse()
    expect(response).toMatchObject({
      method: 'GET',
      path: '/a',
      status: 299,
      reason: 'Quite  \xe9\tgood',
      length: 0,
    })
    expect(Array.from(response.headers)).toEqual([
      ['X-Two', '1'],
      ['x-two', '2'],
      ['Content-Length', '0'],
    ])
  })

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])('needs no read behind the response to %s %p, and reads of it say the end', async (method, response) => {
    for (const isWaitedFor of [true, false]) {
      const { connection, peer } = wire()
      await connection.sendRequest(method, '/a')
      await arrival(peer, '/a')
      const waiting = isWaitedFor ? connection.readResponse() : null
      peer.send(response)
      const first = await (waiting ?? connection.readResponse())
      expect(first.length).toBe(0)
      expect(connection.responsePending).toBe(false)
      for (let i = 0; i < 2; i++) {
        expect((await connection.read()).length).toBe(0)
        expect(await connection.readInto(Buffer.alloc(1))).toBe(0)
        expect((await first.readAll()).length).toBe(0)
        await connection.discard()
      }
      await connection.sendRequest('GET', '/b')
      await arrival(peer, '/b')
      peer.send(ok('b'))
      expect((await connection.readResponse()).path).toBe('/b')
      expect(text(await connection.readAll())).toBe('b')
    }
  })

  it('is a StateError with nothing outstanding', async () => {
    const { connection, peer } = wire()
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    await connection.connect()
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    await connection.sendRequest('GET', '/a')
    await arrival(peer, '/a')
    peer.send(ok())
    await connection.readResponse()
    expect(await failure(connection.readResponse())).toMatchObject({ code: 'ERR_HTTPIO_STATE' })
    expect(connection.connected).toBe(true)
  })

  it('is a StateError with the previous body unread, be it one byte or only its end', async () => {
    const { connection, peer } = await asked(['/a', '/b', '/c'])
    peer.send(ok('ab') + chunked(['cd']) + ok('ef'))
    await connection.readResponse()
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    expect(text(await connection.read(1))).toBe('a')
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    // A body of known length ends with its last byte.
    expect(text(await connection.read(1))).toBe('b')
    await connection.readResponse()
    // One without ends when a read said so.
    expect(text(await connection.read())).toBe('cd')
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    expect((await connection.read()).length).toBe(0)
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('ef')
  })

  it.each(['readAll', 'discard', 'iteration'])('may follow a body of unknown length after %s', async how => {
    const { connection, peer } = await asked(['/a', '/b'])
    peer.send(chunked(['ab', 'cd']) + ok('ef'))
    const response = await connection.readResponse()
    if (how === 'readAll') expect(text(await connection.readAll())).toBe('abcd')
    else if (how === 'discard') await connection.discard()
    else for await (const part of response) expect(text(part)).toBe('abcd')
    expect((await connection.readResponse()).path).toBe('/b')
  })

  it('is a StateError while another read is pending, which goes on', async () => {
    const { connection, peer } = await asked(['/a', '/b'])
    const first = connection.readResponse()
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    expect(await failure(connection.read())).toBeInstanceOf(StateError)
    expect(await failure(connection.readRaw(1))).toBeInstanceOf(StateError)
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n')
    await first
    const body = connection.readAll()
    for (const second of [
      connection.read(),
      connection.readInto(Buffer.alloc(1)),
      connection.readAll(),
      connection.discard(),
      connection.readResponse(),
      connection.readRaw(1),
    ]) {
      expect(await failure(second)).toBeInstanceOf(StateError)
    }
    peer.send('ab')
    expect(text(await body)).toBe('ab')
  })

  it("is a StateError with the request's own body unfinished, unless an answer is there", async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('PUT', '/a', { body: new BodyFollowing(4) })
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    await connection.write(Buffer.from('ab'))
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    await connection.write(Buffer.from('cd'))
    const response = connection.readResponse()
    await peer.waitFor('abcd')
    peer.send(ok())
    await response

    await connection.sendRequest('PUT', '/b', { body: new BodyFollowing() })
    await connection.write(Buffer.from('ab'))
    await peer.waitFor('2\r\nab\r\n')
    peer.send('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno')
    expect((await connection.readResponse()).status).toBe(400)
    expect(text(await connection.readAll())).toBe('no')
  })

  it('waits for the answer to a body that can no longer be finished', async () => {
    const half = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, callback) =>
        callback(chunk.includes('PUT') ? null : Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    })
    const connection = closedLater(new HTTPConnection('example.test', { socket: half }))
    await connection.sendRequest('PUT', '/a', { body: new BodyFollowing(200_000) })
    await turns()
    expect(await failure(connection.write(Buffer.alloc(200_000)))).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
    })
    const response = connection.readResponse()
    half.push('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno')
    expect((await response).status).toBe(413)
    expect(text(await connection.readAll())).toBe('no')
    await turns()
    expect(await failure(connection.readResponse())).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })

  it('may be called in a loop of its own beside the one that sends', async () => {
    const { connection, peer } = wire()
    const reading = async () => {
      const read: string[] = []
      for (let i = 0; i < 20; i++) {
        const response = await connection.readResponse()
        read.push(`${response.path} ${text(await response.readAll())}`)
      }
      return read
    }
    peer.respond(({ path }) => (path.endsWith('3') ? chunked([path]) : ok(path)))
    for (let i = 0; i < 20; i++) void connection.sendRequest('GET', `/${i}`)
    expect(await reading()).toEqual(Array.from({ length: 20 }, (_, i) => `/${i} /${i}`))
  })
})

describe('reading before any response', () => {
  it('is a StateError, on a connection that was not dialled too', async () => {
    for (const { connection } of [wire(), await asked(['/a'])]) {
      for (const read of [
        () => connection.read(),
        () => connection.readInto(Buffer.alloc(1)),
        () => connection.readAll(),
        () => connection.discard(),
      ]) {
        expect(await failure(read())).toMatchObject({ code: 'ERR_HTTPIO_STATE' })
      }
    }
  })
})

describe('interim responses', () => {
  it('are skipped, with the framing fields that they have, and given to onInformational', async () => {
    const seen: HTTPResponse[] = []
    const { connection, peer } = await asked(['/a', '/b'], {
      onInformational: response => seen.push(response),
    })
    peer.send(
      interim(102) +
        interim(103, 'Link: </x>\r\nContent-Length: 5\r\n') +
        interim(199, 'Transfer-Encoding: chunked\r\n') +
        interim(100, 'Connection: close\r\n') +
        ok('a') +
        interim(103) +
        ok('b'),
    )
    expect((await connection.readResponse()).status).toBe(200)
    expect(text(await connection.readAll())).toBe('a')
    expect((await connection.readResponse()).path).toBe('/b')
    await turns()
    expect(seen.map(({ status, method, path, length }) => [status, method, path, length])).toEqual([
      [102, 'GET', '/a', 0],
      [103, 'GET', '/a', 0],
      [199, 'GET', '/a', 0],
      [100, 'GET', '/a', 0],
      [103, 'GET', '/b', 0],
    ])
    expect(seen[1].headers.get('link')).toBe('</x>')
    expect(seen[1].reason).toBe('Interim')
    expect((await seen[1].readAll()).length).toBe(0)
    expect((await connection.readAll()).toString()).toBe('b')
    // They do not close a connection.
    expect(connection.connected).toBe(true)
  })

  it('may be 32 in a row before each response, and not 33', async () => {
    const { connection, peer } = await asked(['/a', '/b', '/c'])
    peer.send(
      interim(103).repeat(32) +
        ok('a') +
        interim(100).repeat(32) +
        ok('b') +
        interim(102).repeat(33) +
        ok('c'),
    )
    for (const body of ['a', 'b']) {
      await connection.readResponse()
      expect(text(await connection.readAll())).toBe(body)
    }
    expect(await failure(connection.readResponse())).toMatchObject({
      code: 'ERR_HTTPIO_INVALID_RESPONSE',
      reason: 'TOO_MANY_INTERIM_RESPONSES',
    })
  })

  it('do not settle a read that waits', async () => {
    const { connection, peer } = await asked(['/a'])
    const response = connection.readResponse()
    const state = follow(response)
    for (let i = 0; i < 5; i++) peer.send(interim(103))
    await turns()
    expect(state.is).toBe('pending')
    peer.send(ok())
    expect((await response).status).toBe(200)
  })

  it('before the request they answer was written are refused like any byte', async () => {
    const { connection, peer } = wire()
    await connection.connect()
    peer.send(interim(103))
    await turns()
    expect(await failure(connection.sendRequest('GET', '/a'))).toMatchObject({ reason: 'UNEXPECTED_DATA' })
  })
})
