// pipeline(): what is on the wire at which time, the responses in order, and every way in which it ends.
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

const DONE = { done: true, value: undefined }
const NO_LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'

/** The paths that the peer has received requests for, in order. */
const paths = ({ peer }: Pick<Wire, 'peer'>): string[] =>
  Array.from(peer.received.toString().matchAll(/^[A-Z]+ (\S+) HTTP\/1\.1\r$/gm), match => match[1])

/** A source that can be watched. */
class Source implements Iterable<PipelineRequest> {
  given = 0
  isEnded = false

  constructor(
    readonly count: number,
    readonly fault: Error | null = null,
  ) {}

  *[Symbol.iterator](): Generator<PipelineRequest> {
    try {
      while (this.given < this.count) yield `/${this.given++}`
      if (this.fault !== null) throw this.fault
    } finally {
      this.isEnded = true
    }
  }
}

/** An asynchronous source that gives what it is told to. */
class Feed implements AsyncIterable<PipelineRequest> {
  isEnded = false
  asked = 0
  #waiting: ((step: IteratorResult<PipelineRequest>) => void)[] = []
  #failing: ((error: Error) => void)[] = []

  give(request: PipelineRequest): void {
    this.#failing.shift()
    this.#waiting.shift()!({ done: false, value: request })
  }

  end(): void {
    this.#waiting.shift()!({ done: true, value: undefined })
  }

  fail(error: Error): void {
    this.#failing.shift()!(error)
  }

  [Symbol.asyncIterator](): AsyncIterator<PipelineRequest> {
    return {
      next: () => {
        this.asked++
        return new Promise((resolve, reject) => {
          this.#waiting.push(resolve)
          this.#failing.push(reject)
        })
      },
      return: async () => {
        this.isEnded = true
        return { done: true, value: undefined }
      },
    }
  }
}

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
})

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
    peer.send(NO_LENGTH)
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
    peer.send(NO_LENGTH)
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
