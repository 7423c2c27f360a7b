// The connection dies with requests queued: each of them is told, none hangs, and what was complete is still handed out.
import { ConnectionClosed, HTTPConnection, type UnansweredRequest } from '../../lib'
import { asked, closedLater, dialler, failure, ok, text, turns, wire } from '../support/reading'
import { FakeSocket, type FakePeer } from '../../lib/testing'

const PATHS = Array.from({ length: 100 }, (_, i) => `/${i}`)
const unanswered = (
  paths: readonly string[],
  outcome: UnansweredRequest['outcome'],
  processed: UnansweredRequest['processed'],
): UnansweredRequest[] => paths.map(path => ({ method: 'GET', path, outcome, processed }))

const ends: readonly (readonly [string, (peer: FakePeer) => void])[] = [
  ['FIN', peer => peer.end()],
  ['reset', peer => peer.reset()],
]

describe.each(ends)('HTTPConnection with 100 requests queued, at a %s', (_name, end) => {
  it('rejects each request with the same list of those that are unanswered', async () => {
    const { connection, peer } = wire()
    const requests = PATHS.map(path => connection.request('GET', path))
    await peer.waitFor('/99 ')
    peer.send(ok('zero') + ok('one'))
    end(peer)

    const settled = await Promise.allSettled(requests)
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      ...Array<string>(98).fill('rejected'),
    ])
    for (const result of settled.slice(2)) {
      const error = (result as PromiseRejectedResult).reason as ConnectionClosed
      expect(error).toBeInstanceOf(ConnectionClosed)
      expect(error.unanswered).toEqual(unanswered(PATHS.slice(2), 'no-reply', 'maybe'))
    }
    expect(connection.connected).toBe(false)
    expect(connection.responsePending).toBe(false)
  })

  it('hands out in order what had arrived, also when it is read later, and then rejects', async () => {
    const { connection, peer } = await asked(PATHS)
    peer.send(ok('zero') + ok('one') + 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntw')
    end(peer)
    await turns()

    expect((await failure(connection.sendRequest('GET', '/more'))).code).toBe('ERR_HTTPIO_CONNECTION_CLOSED')
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('zero')
    await connection.readResponse()
    expect(text(await connection.readAll())).toBe('one')
    expect((await connection.readResponse()).length).toBe(5)
    const error = await failure(connection.readAll())
    expect(error.unanswered).toEqual([
      ...unanswered(['/2'], 'partial-reply', 'maybe'),
      ...unanswered(PATHS.slice(3), 'no-reply', 'maybe'),
    ])
    expect(text(await connection.read())).toBe('tw')
    expect(await failure(connection.read())).toBe(error)
    expect(await failure(connection.discard())).toBe(error)
    expect(await failure(connection.sendRequest('GET', '/more'))).toBe(error)
  })

  it('rejects the read that is pending, and a pipeline after what it owes', async () => {
    const { connection, peer } = await asked(['/a', '/b'])
    const reading = connection.readResponse()
    end(peer)
    expect(await failure(reading)).toBeInstanceOf(ConnectionClosed)

    const other = wire()
    const pipeline = other.connection.pipeline(PATHS)
    const first = pipeline.next()
    await other.peer.waitFor('/63 ')
    other.peer.send(ok('zero') + ok('one'))
    end(other.peer)
    await turns()
    expect((await first).value?.status).toBe(200)
    expect(await (await pipeline.next()).value?.text()).toBe('one')
    const error = await failure(pipeline.next())
    // The 65th was taken from the source when the first had been read, and found no connection any more.
    expect(error.unanswered).toEqual([
      ...unanswered(PATHS.slice(2, 64), 'no-reply', 'maybe'),
      ...unanswered(['/64'], 'unsent', 'no'),
    ])
    expect(await pipeline.next()).toEqual({ done: true, value: undefined })
  })
})

describe('HTTPConnection with requests queued and nothing written', () => {
  it('names all of them unsent when the server ends first', async () => {
    const { connection, peer, socket } = wire()
    peer.stall()
    const requests = PATHS.map(path => connection.request('GET', path))
    await connection.connect()
    peer.end()
    for (const request of requests) {
      expect((await failure(request)).unanswered).toEqual(unanswered(PATHS, 'unsent', 'no'))
    }
    expect(socket.destroyed).toBe(true)
  })

  it('rejects all of them with the error of dialling, which does not stick', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const answering = new FakeSocket()
    answering.peer.respond(() => ({ body: 'at last' }))
    let attempts = 0
    const socket = async (): Promise<FakeSocket> => {
      if (++attempts === 1) throw refused
      return answering
    }
    const connection = closedLater(new HTTPConnection('example.test', { socket }))
    const settled = await Promise.allSettled(PATHS.map(path => connection.request('GET', path)))
    expect(settled.map(result => (result as PromiseRejectedResult).reason as unknown)).toEqual(
      PATHS.map(() => refused),
    )
    expect(await (await connection.request('GET', '/')).text()).toBe('at last')
    expect(attempts).toBe(2)
  })
})

describe('HTTPConnection after the connection was lost', () => {
  it('dials anew only after close()', async () => {
    const { connection, peers } = dialler()
    await connection.sendRequest('GET', '/a')
    await peers[0].waitFor('/a')
    peers[0].end()
    await turns()
    const error = await failure(connection.sendRequest('GET', '/b'))
    expect(await failure(connection.request('GET', '/b'))).toBe(error)
    expect(await failure(connection.connect())).toBe(error)
    expect(peers).toHaveLength(1)

    await connection.close()
    await connection.sendRequest('GET', '/b')
    await peers[1].waitFor('/b')
    peers[1].send(ok('b'))
    expect(await (await connection.readResponse()).text()).toBe('b')
  })
})
