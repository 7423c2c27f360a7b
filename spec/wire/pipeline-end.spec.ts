// Every way in which a pipeline ends: left, rejected, aborted, answered early.
import { ConnectionClosed, type HTTPResponse } from '../../lib'
import { arrival, chunked, dialler, failure, ok, text, turns, wire } from '../support/reading'
import { Feed, Source } from '../support/sources'

const DONE = { done: true, value: undefined }
const HEAD_ALONE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'

async function bodies(pipeline: AsyncGenerator<HTTPResponse, void>): Promise<string[]> {
  const read: string[] = []
  for await (const response of pipeline) read.push(`${response.path} ${text(await response.readAll())}`)
  return read
}

describe('leaving a pipeline', () => {
  it('closes the connection if responses are owed, and the next request dials anew', async () => {
    const { connection, peers, sockets } = dialler()
    const source = new Source(10)
    const pipeline = connection.pipeline(source, { depth: 3 })
    const first = pipeline.next()
    await turns()
    peers[0].send(ok('a'))
    for await (const response of {
      [Symbol.asyncIterator]: () => ({ next: () => first, return: () => pipeline.return() }),
    }) {
      expect(response.path).toBe('/0')
      break
    }
    expect(sockets[0].destroyed).toBe(true)
    expect(source.isEnded).toBe(true)
    const request = connection.request('GET', '/next')
    await turns()
    peers[1].send(ok('next'))
    expect(await (await request).text()).toBe('next')
  })

  it.each(['break', 'throw'])('by %s counts an unread body as owed', async how => {
    const { connection, peer, socket } = wire()
    peer.respond(() => ({ body: 'unread' }))
    const fault = new Error('enough')
    const leave = async (): Promise<void> => {
      for await (const response of connection.pipeline(['/a'])) {
        expect(response.length).toBe(6)
        if (how === 'break') break
        throw fault
      }
    }
    if (how === 'break') await leave()
    else await expect(leave()).rejects.toBe(fault)
    expect(socket.destroyed).toBe(true)
  })

  it('keeps the connection if nothing is owed', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    for await (const response of connection.pipeline(['/a', '/b'], { depth: 1 })) {
      expect(await response.text()).toBe('/a')
      break
    }
    expect(connection.connected).toBe(true)
    expect(await (await connection.request('GET', '/c')).text()).toBe('/c')
  })

  it('return() and throw() settle a next() that waits, with no more than the end', async () => {
    for (const end of ['return', 'throw'] as const) {
      const { connection, peer } = wire()
      const pipeline = connection.pipeline(['/a', '/b'])
      const waiting = pipeline.next()
      await arrival(peer, '/b')
      const fault = new Error('mine')
      if (end === 'return') expect(await pipeline.return()).toEqual(DONE)
      else await expect(pipeline.throw(fault)).rejects.toBe(fault)
      expect(await waiting).toEqual(DONE)
      expect(await pipeline.next()).toEqual(DONE)
      expect(peer.ended).toBe(true)
    }
  })

  it('return() settles a next() that waits for the source or for the rest of a body', async () => {
    const { connection, peer } = wire()
    const waiting = connection.pipeline(new Feed())
    const next = waiting.next()
    await turns()
    await waiting.return()
    expect(await next).toEqual(DONE)
    expect(connection.connected).toBe(true)

    const pipeline = connection.pipeline(['/a', '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send(HEAD_ALONE)
    await first
    const second = pipeline.next()
    await pipeline.return()
    expect(await second).toEqual(DONE)
    expect(peer.ended).toBe(true)
  })

  it('is what `await using` does', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a', '/b'])
    const next = pipeline.next()
    await arrival(peer, '/b')
    await pipeline[Symbol.asyncDispose]()
    expect(await next).toEqual(DONE)
    expect(peer.ended).toBe(true)
  })

  it('takes no notice of a source that fails to end', async () => {
    const { connection, peer } = wire()
    peer.respond(() => ({}))
    const sync = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false as const, value: '/a' }),
        return: (): never => {
          throw new Error('will not')
        },
      }),
    }
    for await (const response of connection.pipeline(sync, { depth: 1 })) {
      expect(response.status).toBe(200)
      break
    }
    const async = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false as const, value: '/a' }),
        return: async (): Promise<never> => {
          throw new Error('will not')
        },
      }),
    }
    for await (const response of connection.pipeline(async, { depth: 1 })) {
      expect(response.status).toBe(200)
      break
    }
    await turns()
    expect(connection.connected).toBe(true)
  })
})

describe('next() of a pipeline', () => {
  it('may be called any number of times at once: the calls are served in order', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(new Source(3))
    const calls = Array.from({ length: 5 }, () => pipeline.next())
    await turns()
    peer.send(ok('a') + ok('b') + chunked(['c']))
    expect((await Promise.all(calls)).map(({ value }) => value?.path)).toEqual([
      '/0',
      '/1',
      '/2',
      undefined,
      undefined,
    ])
  })

  it('rejects once and then says that this is the end', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a', '/b'])
    const calls = [failure(pipeline.next()), pipeline.next(), pipeline.next()]
    await arrival(peer, '/b')
    peer.end()
    expect(await Promise.all(calls)).toEqual([expect.any(ConnectionClosed), DONE, DONE])
  })

  it('rejects with a fault in its turn, and ends the pipeline', async () => {
    const { connection, peer, socket } = wire()
    const pipeline = connection.pipeline(['/a', '/b', '/c'])
    const first = pipeline.next()
    await arrival(peer, '/c')
    peer.send(`${ok('a')}HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n`)
    expect(text(await (await first).value!.readAll())).toBe('a')
    expect(await failure(pipeline.next())).toMatchObject({ code: 'ERR_HTTPIO_INVALID_RESPONSE' })
    expect(await pipeline.next()).toEqual(DONE)
    expect(socket.destroyed).toBe(true)
  })

  it('yields an unsupported response with its head, and rejects after it', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a', '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send('HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na')
    const response = (await first).value!
    expect(response.headers.get('content-length')).toBe('1')
    expect(await failure(response.read())).toMatchObject({ code: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE' })
    expect(await failure(pipeline.next())).toMatchObject({ code: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE' })
    expect(await pipeline.next()).toEqual(DONE)
  })

  it('rejects with the error of dialling, and the pipeline begins no second time', async () => {
    const refused = new Error('refused')
    const { connection } = wire({ socket: () => Promise.reject(refused) })
    const pipeline = connection.pipeline(['/a'])
    await expect(pipeline.next()).rejects.toBe(refused)
    expect(await pipeline.next()).toEqual(DONE)
    await expect(connection.request('GET', '/a')).rejects.toBe(refused)
  })
})

describe('aborting a pipeline', () => {
  const reason = new Error('stop')

  it('before it began sends nothing and ends the source', async () => {
    const { connection, sockets } = dialler()
    const source = new Source(1)
    const pipeline = connection.pipeline(source, { signal: AbortSignal.abort(reason) })
    await expect(pipeline.next()).rejects.toBe(reason)
    expect(await pipeline.next()).toEqual(DONE)
    expect(sockets).toHaveLength(0)
  })

  it('during a next() rejects it, and closes what owes responses', async () => {
    const { connection, peers, sockets } = dialler()
    const aborter = new AbortController()
    const source = new Source(5)
    const pipeline = connection.pipeline(source, { signal: aborter.signal })
    const next = failure(pipeline.next())
    await turns()
    aborter.abort(reason)
    expect(await next).toBe(reason)
    expect(await pipeline.next()).toEqual(DONE)
    expect(source.isEnded).toBe(true)
    expect(sockets[0].destroyed).toBe(true)
    const request = connection.request('GET', '/next')
    await turns()
    peers[1].send(ok('next'))
    expect(await (await request).text()).toBe('next')
  })

  it('while a next() waits for the source or for the rest of a body rejects it', async () => {
    const { connection, peer } = wire()
    const first = new AbortController()
    const feed = new Feed()
    const waiting = failure(connection.pipeline(feed, { signal: first.signal }).next())
    await turns()
    first.abort(reason)
    expect(await waiting).toBe(reason)
    expect(feed.isEnded).toBe(true)
    expect(connection.connected).toBe(true)

    const second = new AbortController()
    const pipeline = connection.pipeline(['/a', '/b'], { signal: second.signal })
    const next = pipeline.next()
    await arrival(peer, '/b')
    peer.send(HEAD_ALONE)
    await next
    const discarding = failure(pipeline.next())
    second.abort(reason)
    expect(await discarding).toBe(reason)
    expect(peer.ended).toBe(true)
  })

  it('between two calls rejects the next one, once', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const source = new Source(5)
    const pipeline = connection.pipeline(source, { depth: 2, signal: aborter.signal })
    const first = pipeline.next()
    await turns()
    peer.send(ok('a') + ok('b'))
    const { value } = await first
    await turns()
    aborter.abort(reason)
    expect(source.isEnded).toBe(true)
    expect(peer.ended).toBe(true)
    expect(await failure(value!.read())).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    await expect(pipeline.next()).rejects.toBe(reason)
    expect(await pipeline.next()).toEqual(DONE)
  })

  it('in the moment in which a response arrives hands it out and rejects the next call', async () => {
    const { connection, peer } = wire()
    const aborter = new AbortController()
    const source = new Source(5)
    const pipeline = connection.pipeline(source, { depth: 2, signal: aborter.signal })
    const first = pipeline.next()
    await turns()
    peer.send(ok() + ok())
    aborter.abort(reason)
    expect((await first).value?.status).toBe(200)
    await expect(pipeline.next()).rejects.toBe(reason)
    expect(await pipeline.next()).toEqual(DONE)
    expect(source.given).toBe(2)
  })

  it('after its end has no effect', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    const aborter = new AbortController()
    expect(await bodies(connection.pipeline(['/a'], { signal: aborter.signal }))).toEqual(['/a /a'])
    aborter.abort(reason)
    expect(connection.connected).toBe(true)
  })
})

describe('a pipeline and early answers', () => {
  it('hands out an answer that comes while the body is being sent, and ends its source', async () => {
    const { connection, peer } = wire()
    let isEnded = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield Buffer.from('more')
          await turns(1)
        }
      } finally {
        isEnded = true
      }
    }
    const pipeline = connection.pipeline([{ method: 'POST', path: '/a', body: endless() }, '/b'])
    const first = pipeline.next()
    await peer.waitFor('more')
    peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno')
    const response = (await first).value!
    expect([response.status, text(await response.readAll())]).toEqual([413, 'no'])
    await turns()
    expect(isEnded).toBe(true)
    expect(await failure(pipeline.next())).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [{ path: '/b', outcome: 'unsent', processed: 'no' }],
    })
  })
})
