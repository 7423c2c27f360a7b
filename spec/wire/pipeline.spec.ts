// pipeline(): what is on the wire at which time, and the responses in order.
import { ConnectionClosed, type HTTPResponse, type PipelineRequest } from '../../lib'
import {
  arrival,
  chunked,
  dialler,
  failure,
  follow,
  ok,
  text,
  turns,
  wire,
  type Wire,
} from '../support/reading'
import { Feed, Source } from '../support/sources'

const DONE = { done: true, value: undefined }

/** The paths that the peer has received requests for, in order. */
const paths = ({ peer }: Pick<Wire, 'peer'>): string[] =>
  Array.from(peer.received.toString().matchAll(/^[A-Z]+ (\S+) HTTP\/1\.1\r$/gm), match => match[1])

async function bodies(pipeline: AsyncGenerator<HTTPResponse, void>): Promise<string[]> {
  const read: string[] = []
  for await (const response of pipeline) read.push(`${response.path} ${text(await response.readAll())}`)
  return read
}

describe('pipeline', () => {
  it('sends nothing, asks nothing and dials nothing before it is first asked', async () => {
    const source = new Source(3)
    const { connection, sockets } = dialler()
    const pipeline = connection.pipeline(source)
    await turns()
    expect(source.given).toBe(0)
    expect(sockets).toHaveLength(0)
    expect(connection.connected).toBe(false)
    await pipeline.return()
    expect(await pipeline.next()).toEqual(DONE)
    expect(sockets).toHaveLength(0)
  })

  it.each([0, -1, 1.5, NaN, '8' as unknown as number])(
    'throws a RangeError at the call for a depth of %p',
    depth => {
      const { connection } = wire()
      expect(() => connection.pipeline([], { depth })).toThrow(RangeError)
    },
  )

  it.each([
    ['a string', '/a'],
    ['no iterable', {}],
    ['null', null],
  ])('throws a TypeError at the call for %s in place of requests', (_what, requests) => {
    const { connection } = wire()
    expect(() => connection.pipeline(requests as unknown as string[])).toThrow(TypeError)
  })

  it('takes Infinity for a depth, and is at its end at once without requests', async () => {
    const wired = wire()
    expect(await bodies(wired.connection.pipeline([]))).toEqual([])
    const pipeline = wired.connection.pipeline(new Source(100), { depth: Infinity })
    const first = pipeline.next()
    await wired.peer.waitFor('/99 ')
    expect(paths(wired)).toHaveLength(100)
    wired.peer.send(ok())
    await first
    await pipeline.return()
  })

  it.each([
    [undefined, 64],
    [1, 1],
    [3, 3],
  ])(
    'with depth %s keeps %s requests in flight and takes no more from its source',
    async (depth, inFlight) => {
      const wired = wire()
      const source = new Source(200)
      const pipeline = wired.connection.pipeline(source, { depth })
      const first = pipeline.next()
      await turns()
      expect(paths(wired)).toHaveLength(inFlight)
      expect(source.given).toBe(inFlight)

      wired.peer.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab')
      const { value } = await first
      await turns()
      // The body of the first has not been read: it is still one of those in flight.
      expect(source.given).toBe(inFlight)
      wired.peer.send('c')
      expect(text(await value!.readAll())).toBe('abc')
      const second = pipeline.next()
      await turns()
      expect(source.given).toBe(inFlight + 1)
      expect(paths(wired)).toHaveLength(inFlight + 1)
      wired.peer.send(ok())
      await second
      await pipeline.return()
      expect(source.isEnded).toBe(true)
    },
  )

  it('yields the responses in order and discards what is unread of a body when it is asked for the next', async () => {
    const wired = wire()
    wired.peer.respond(({ path }) =>
      path === '/1' ? chunked(['a', 'b'.repeat(70_000)]) : { body: `body of ${path}` },
    )
    const seen: string[] = []
    for await (const response of wired.connection.pipeline(new Source(4))) {
      seen.push(response.path)
      if (response.path === '/1') expect(text(await response.read(1))).toBe('a')
      if (response.path === '/3') expect(text(await response.readAll())).toBe('body of /3')
    }
    expect(seen).toEqual(['/0', '/1', '/2', '/3'])
    expect(wired.connection.responsePending).toBe(false)
    expect(wired.connection.connected).toBe(true)
  })

  it('discards a body that is still arriving', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a', '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab')
    const a = (await first).value!
    const second = pipeline.next()
    peer.send('cd')
    peer.send(`ef${ok('b')}`)
    expect(text(await (await second).value!.readAll())).toBe('b')
    expect(await failure(a.read())).toMatchObject({ code: 'ERR_HTTPIO_STATE' })
  })

  it('sends whatever a request may be', async () => {
    const { connection, peer } = wire()
    const seen: string[] = []
    peer.respond(({ method, path, headers, body }) => {
      seen.push(`${method} ${path} ${headers.get('x-a') ?? '-'} ${body.toString()}`)
      return { body }
    })
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('in ')
      await turns()
      yield Buffer.from('parts')
    }
    const requests: PipelineRequest[] = [
      '/get',
      { path: '/headers', headers: { 'X-A': '1' } },
      { method: 'POST', path: '/bytes', body: 'given' },
      { method: 'PUT', path: '/large', body: Buffer.alloc(100_000, 'x') },
      { method: 'POST', path: '/source', body: slowly() },
      { method: 'POST', path: '/expect', body: [Buffer.from('when asked')], expect100: true },
      '/last',
    ]
    expect((await bodies(connection.pipeline(requests))).map(line => line.slice(0, 30))).toEqual([
      '/get ',
      '/headers ',
      '/bytes given',
      `/large ${'x'.repeat(23)}`,
      '/source in parts',
      '/expect when asked',
      '/last ',
    ])
    expect(seen.map(line => line.slice(0, 30))).toEqual([
      'GET /get - ',
      'GET /headers 1 ',
      'POST /bytes - given',
      `PUT /large - ${'x'.repeat(17)}`,
      'POST /source - in parts',
      'POST /expect - when asked',
      'GET /last - ',
    ])
  })

  it('may be begun again and again on the same connection', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    for (let round = 0; round < 3; round++) {
      expect(await bodies(connection.pipeline(['/a', '/b']))).toEqual(['/a /a', '/b /b'])
    }
    expect(await (await connection.request('GET', '/c')).text()).toBe('/c')
  })

  it('ends when its connection has ended after the last response', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a'])
    const first = pipeline.next()
    await arrival(peer, '/a')
    peer.send(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na`)
    expect(text(await (await first).value!.readAll())).toBe('a')
    expect(await pipeline.next()).toEqual(DONE)
  })
})

describe('pipeline with an asynchronous source', () => {
  it('hands out what is owed while the source is slow', async () => {
    const { connection, peer } = wire()
    const feed = new Feed()
    const pipeline = connection.pipeline(feed)
    const first = pipeline.next()
    await turns()
    feed.give('/a')
    await arrival(peer, '/a')
    expect(feed.asked).toBe(2)
    peer.send(ok('a'))
    expect(text(await (await first).value!.readAll())).toBe('a')

    const second = pipeline.next()
    const state = follow(second)
    await turns()
    expect(state.is).toBe('pending')
    feed.give('/b')
    await arrival(peer, '/b')
    peer.send(ok('b'))
    expect(text(await (await second).value!.readAll())).toBe('b')
    const last = pipeline.next()
    feed.end()
    expect(await last).toEqual(DONE)
    expect(feed.isEnded).toBe(false)
  })

  it('asks for one request at a time and for none beyond the depth', async () => {
    const wired = wire()
    const feed = new Feed()
    const pipeline = wired.connection.pipeline(feed, { depth: 2 })
    const first = pipeline.next()
    await turns()
    expect(feed.asked).toBe(1)
    feed.give('/a')
    await turns()
    expect(feed.asked).toBe(2)
    feed.give('/b')
    await turns()
    expect(feed.asked).toBe(2)
    expect(paths(wired)).toEqual(['/a', '/b'])
    wired.peer.send(ok())
    await first
    const second = pipeline.next()
    await turns()
    expect(feed.asked).toBe(3)
    wired.peer.send(ok())
    await second
    const third = pipeline.next()
    feed.end()
    expect(await third).toEqual(DONE)
  })

  it('is woken by the end of the connection while it waits for its source', async () => {
    const { connection, peer } = wire()
    const feed = new Feed()
    const pipeline = connection.pipeline(feed)
    const waiting = failure(pipeline.next())
    await turns()
    peer.end()
    expect(await waiting).toBeInstanceOf(ConnectionClosed)
    expect(feed.isEnded).toBe(true)
    feed.give('/late')
    await turns()
    expect(peer.received.length).toBe(0)
    expect(await pipeline.next()).toEqual(DONE)
  })
})

describe('pipeline with a source that fails', () => {
  const fault = new Error('no more')

  it.each(['sync', 'async'])(
    'hands out what is owed before, then rejects with its error (%s)',
    async kind => {
      const { connection, peer } = wire()
      peer.respond(({ path }) => ({ body: path }))
      const source = new Source(2, fault)
      async function* asynchronous(): AsyncGenerator<PipelineRequest> {
        yield* source
      }
      const pipeline = connection.pipeline(kind === 'sync' ? source : asynchronous())
      expect(text(await (await pipeline.next()).value!.readAll())).toBe('/0')
      expect(text(await (await pipeline.next()).value!.readAll())).toBe('/1')
      await expect(pipeline.next()).rejects.toBe(fault)
      expect(await pipeline.next()).toEqual(DONE)
      expect(connection.connected).toBe(true)
      expect(await (await connection.request('GET', '/c')).text()).toBe('/c')
    },
  )

  it('rejects at once when nothing is owed', async () => {
    const { connection } = wire()
    await expect(connection.pipeline(new Source(0, fault)).next()).rejects.toBe(fault)
    const feed = new Feed()
    const first = connection.pipeline(feed).next()
    feed.fail(fault)
    await expect(first).rejects.toBe(fault)
  })

  it.each([
    ['a number', 5],
    ['null', null],
    ['a method in lower case', { method: 'get', path: '/' }],
    ['a path with a blank', '/a b'],
    ['a negative limit', { path: '/', maxBodyBytes: -1 }],
    ['expect100 without a body', { path: '/', expect100: true }],
  ])('takes %s for a failure of the source', async (_what, request) => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    let isEnded = false
    function* requests(): Generator<PipelineRequest> {
      try {
        yield '/a'
        yield request as PipelineRequest
        yield '/never'
      } finally {
        isEnded = true
      }
    }
    const pipeline = connection.pipeline(requests())
    expect((await pipeline.next()).value!.path).toBe('/a')
    const error: unknown = await failure(pipeline.next())
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true)
    expect(isEnded).toBe(true)
    expect(peer.received.toString()).not.toContain('/never')
  })

  it('rejects with the error of a body source, and the connection ends', async () => {
    const { connection, peer } = wire()
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc')
      throw fault
    }
    const pipeline = connection.pipeline(['/a', { method: 'POST', path: '/b', body: broken() }, '/c'])
    const first = pipeline.next()
    await peer.waitFor('/b')
    peer.send(ok('a'))
    expect(text(await (await first).value!.readAll())).toBe('a')
    const error = await failure(pipeline.next())
    expect(error).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      cause: fault,
      unanswered: [
        { path: '/b', outcome: 'no-reply', processed: 'maybe' },
        { path: '/c', outcome: 'unsent', processed: 'no' },
      ],
    })
    expect(await pipeline.next()).toEqual(DONE)
  })

  it('counts the request that the ended connection did not take among the unanswered', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a', '/b', '/c', '/d'], { depth: 2 })
    const first = pipeline.next()
    await peer.waitFor('/b')
    peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na')
    expect(text(await (await first).value!.readAll())).toBe('a')
    expect(await failure(pipeline.next())).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [
        { method: 'GET', path: '/b', outcome: 'no-reply', processed: 'no' },
        { method: 'GET', path: '/c', outcome: 'unsent', processed: 'no' },
      ],
    })
    expect(await pipeline.next()).toEqual(DONE)
  })

  it('names no request as unanswered that was answered after sending had become impossible', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline(['/a', '/b', { method: 'PUT', path: '/c', body: 'x' }], { depth: 2 })
    const first = pipeline.next()
    await peer.waitFor('/b')
    // The head announces the close: nothing more is taken, and the body and what follows are still to come.
    peer.send(ok('a') + 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n')
    expect(text(await (await first).value!.readAll())).toBe('a')
    const second = pipeline.next()
    peer.send('b')
    expect(text(await (await second).value!.readAll())).toBe('b')
    const error = await failure(pipeline.next())
    expect(error.unanswered).toEqual([{ method: 'PUT', path: '/c', outcome: 'unsent', processed: 'no' }])
  })
})
