// Bytes that no request asked for never answer the next one.
import { InvalidResponse } from '../../lib'
import { dialler, failure, ok, turns, wire } from '../support/reading'

const UNASKED = { code: 'ERR_HTTPIO_INVALID_RESPONSE', reason: 'UNEXPECTED_DATA' }

describe('HTTPConnection and a surplus response', () => {
  it('refuses it right behind the last one that was asked for', async () => {
    const { connection, peer } = wire()
    const first = connection.request('GET', '/a')
    await peer.waitFor('/a')
    peer.send(ok('mine') + ok('poison'))
    expect(await (await first).text()).toBe('mine')
    expect(await failure(connection.request('GET', '/b'))).toMatchObject(UNASKED)
    expect(peer.received.toString()).not.toContain('/b')
    expect(peer.ended).toBe(true)
  })

  it('refuses it when it comes while the connection is idle, and closes', async () => {
    const { connection, peer } = wire()
    await connection.connect()
    expect(connection.connected).toBe(true)
    peer.send(ok('poison'))
    await turns()
    expect(connection.connected).toBe(false)
    const error = await failure(connection.sendRequest('GET', '/a'))
    expect(error).toMatchObject(UNASKED)
    expect(await failure(connection.request('GET', '/a'))).toBe(error)
    expect(peer.ended).toBe(true)
  })

  it.each([
    ['behind a 204', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['where a 204 would have a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\n'],
    ['where a 304 would have a body', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 38\r\n\r\n'],
  ])('refuses one hidden %s', async (_where, response) => {
    const { connection, peer } = wire()
    const first = connection.request('GET', '/a')
    await peer.waitFor('/a')
    peer.send(response + ok('poison'))
    expect(await (await first).text()).toBe('')
    expect(await failure(connection.request('GET', '/b'))).toMatchObject(UNASKED)
  })

  it('refuses one hidden where a HEAD response would have a body', async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('HEAD', '/a')
    await peer.waitFor('/a')
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n' + ok('poison'))
    expect((await connection.readResponse()).length).toBe(0)
    expect(await failure(connection.sendRequest('GET', '/b'))).toMatchObject(UNASKED)
  })

  it('refuses a response that comes before its request has been written', async () => {
    const { connection, peer } = wire()
    await connection.connect()
    const early = connection.request('GET', '/a')
    peer.send(ok('poison'))
    const error = await failure(early)
    expect(error).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      cause: UNASKED,
      unanswered: [{ method: 'GET', path: '/a', outcome: 'unsent', processed: 'no' }],
    })
    expect(error.cause).toBeInstanceOf(InvalidResponse)
    expect(peer.received.length).toBe(0)
  })

  it.each([
    ['the same turn', 0],
    ['the turn after', 1],
  ])(
    'refuses one that comes in %s of the call on an idle connection: nothing is written yet',
    async (_when, count) => {
      const { connection, peer } = wire()
      const first = connection.request('GET', '/a')
      await peer.waitFor('/a')
      peer.send(ok('mine'))
      await first
      await turns()
      const second = failure(connection.request('GET', '/b'))
      await turns(count)
      expect(peer.received.toString()).not.toContain('/b')
      peer.send(ok('poison'))
      expect(await second).toMatchObject({ cause: UNASKED, unanswered: [{ path: '/b', outcome: 'unsent' }] })
      await turns()
      expect(peer.received.toString()).not.toContain('/b')
    },
  )

  it('leaves a whole poll also where the connection became idle between the call and the write', async () => {
    const { connection, peer } = wire()
    const first = connection.request('GET', '/a')
    await peer.waitFor('/a')
    const second = failure(connection.request('GET', '/b'))
    peer.send(ok('mine'))
    await first
    await turns(1)
    expect(peer.received.toString()).not.toContain('/b')
    peer.send(ok('poison'))
    expect(await second).toMatchObject({ cause: UNASKED, unanswered: [{ path: '/b', outcome: 'unsent' }] })
  })

  it('closes without harm to the next connection', async () => {
    const { connection, peers } = dialler()
    const first = connection.request('GET', '/a')
    await turns()
    peers[0].send(ok('mine') + ok('poison'))
    await first
    await connection.close()
    const second = connection.request('GET', '/b')
    await turns()
    peers[1].send(ok('mine too'))
    expect(await (await second).text()).toBe('mine too')
  })
})
