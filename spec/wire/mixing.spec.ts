// One-step calls, requests and pipelines do not mix on one connection at the same time.
import { StateError } from '../../lib'
import { arrival, failure, ok, text, wire } from '../support/reading'

describe('mixing uses of a connection', () => {
  it('is a StateError while responses are owed to another use', async () => {
    const { connection, peer } = wire()
    const request = connection.request('GET', '/a')
    expect(await failure(connection.sendRequest('GET', '/b'))).toBeInstanceOf(StateError)
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    expect(await failure(connection.read())).toBeInstanceOf(StateError)
    expect(await failure(connection.readRaw(1))).toBeInstanceOf(StateError)
    expect(await failure(connection.write(Buffer.from('a')))).toBeInstanceOf(StateError)
    expect(await failure(connection.pipeline(['/b']).next())).toBeInstanceOf(StateError)
    await arrival(peer, '/a')
    peer.send(ok('a'))
    expect(await (await request).text()).toBe('a')

    await connection.sendRequest('GET', '/c')
    expect(await failure(connection.request('GET', '/d'))).toBeInstanceOf(StateError)
    expect(await failure(connection.pipeline(['/d']).next())).toBeInstanceOf(StateError)
    await arrival(peer, '/c')
    peer.send(ok('c'))
    await connection.readResponse()
    expect(await failure(connection.request('GET', '/d'))).toBeInstanceOf(StateError)
    expect(text(await connection.readAll())).toBe('c')

    const pipeline = connection.pipeline(['/e', '/f'])
    const first = pipeline.next()
    for (const call of [
      () => connection.sendRequest('GET', '/g'),
      () => connection.request('GET', '/g'),
      () => connection.pipeline(['/g']).next(),
      () => connection.readResponse(),
      () => connection.readAll(),
      () => connection.discard(),
      () => connection.readRaw(5),
    ]) {
      expect(await failure(call())).toBeInstanceOf(StateError)
    }
    await arrival(peer, '/f')
    peer.send(ok('e') + ok('f'))
    expect(text(await (await first).value!.readAll())).toBe('e')
    expect(text(await (await pipeline.next()).value!.readAll())).toBe('f')
    expect(await failure(connection.request('GET', '/g'))).toBeInstanceOf(StateError)
    expect((await pipeline.next()).done).toBe(true)

    const last = connection.request('GET', '/g')
    await arrival(peer, '/g')
    peer.send(ok('g'))
    expect(await (await last).text()).toBe('g')
    expect(peer.received.toString().match(/GET \S+/g)).toEqual(
      ['/a', '/c', '/e', '/f', '/g'].map(path => `GET ${path}`),
    )
  })
})
