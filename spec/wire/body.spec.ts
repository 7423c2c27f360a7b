import { createReadStream, readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { BodyFollowing, ConnectionClosed, ExcessBodyData, StateError, type BodySource } from '../../lib'
import { head, received, turns, watch, wired } from '../support/wire'

const post = (path: string, ...fields: string[]) =>
  head(`POST ${path} HTTP/1.1`, 'Host: example.test', 'Accept-Encoding: identity', ...fields)
const requestTo = (path: string) =>
  head(`GET ${path} HTTP/1.1`, 'Host: example.test', 'Accept-Encoding: identity')
const counted = (length: number) => post('/', `Content-Length: ${length}`)
const CHUNKED = post('/', 'Transfer-Encoding: chunked')

/** A connection on which a request was sent whose body is to follow. */
async function sending(body: BodyFollowing, options: Parameters<typeof wired>[0] = {}) {
  const { connection, peer, socket } = wired(options)
  await connection.sendRequest('POST', '/', { body })
  await peer.waitFor('\r\n\r\n')
  return { connection, peer, socket }
}

/** All that the peer received, once a request behind the body has come. */
async function receivedBefore({ connection, peer }: Awaited<ReturnType<typeof sending>>): Promise<string> {
  await connection.sendRequest('GET', '/behind')
  await peer.waitFor('/behind')
  await turns()
  const all = received(peer)
  expect(all.endsWith(requestTo('/behind'))).toBe(true)
  return all.slice(0, -requestTo('/behind').length)
}

describe('BodyFollowing', () => {
  it.each([0, 1, 2 ** 53 - 1])('takes a length of %p', length => {
    expect(new BodyFollowing(length).lengthBytes).toBe(length)
  })

  it('means chunked without one', () => {
    expect(new BodyFollowing().lengthBytes).toBeNull()
    expect(new BodyFollowing(undefined).lengthBytes).toBeNull()
  })

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53, '5', null, {}])('refuses a length of %p', length => {
    expect(() => new BodyFollowing(length as number)).toThrow(RangeError)
  })

  it('is complete at once with a length of 0', async () => {
    const exchange = await sending(new BodyFollowing(0))
    const { connection } = exchange
    expect(await connection.write(Buffer.alloc(0))).toBe(0)
    await connection.sendBody([])
    await connection.sendBody([Buffer.alloc(0)])
    await connection.endBody()
    await expect(connection.write(Buffer.from('a'))).rejects.toBeInstanceOf(ExcessBodyData)
    await expect(connection.sendBody([Buffer.from('a')])).rejects.toBeInstanceOf(ExcessBodyData)
    expect(await receivedBefore(exchange)).toBe(counted(0))
  })

  it('sends the length that it was made with', async () => {
    const body = new BodyFollowing(5)
    expect(() => Object.assign(body, { lengthBytes: '5\r\nInjected: yes' })).toThrow(TypeError)
    const { peer } = await sending(body)
    expect(received(peer)).toBe(counted(5))
  })
})

describe('write', () => {
  it('sends a body of the announced length in parts', async () => {
    const exchange = await sending(new BodyFollowing(6))
    const { connection, peer } = exchange
    expect(await connection.write(Buffer.from('abc'))).toBe(3)
    await peer.waitFor('abc')
    expect(await connection.write(new Uint8Array([100]))).toBe(1)
    expect(await connection.write(Buffer.alloc(0))).toBe(0)
    expect(await connection.write(Buffer.from('ef'))).toBe(2)
    expect(await receivedBefore(exchange)).toBe(`${counted(6)}abcdef`)
  })

  it('sends each part of a chunked body as one chunk, and nothing for an empty one', async () => {
    const exchange = await sending(new BodyFollowing())
    const { connection } = exchange
    await connection.write(Buffer.from('abc'))
    await connection.write(Buffer.alloc(0))
    await connection.write(Buffer.alloc(17_000, 'x'))
    await connection.write(Buffer.from('\x00\x80\xff', 'latin1'))
    await connection.endBody()
    expect(await receivedBefore(exchange)).toBe(
      `${CHUNKED}3\r\nabc\r\n4268\r\n${'x'.repeat(17_000)}\r\n3\r\n\x00\x80\xff\r\n0\r\n\r\n`,
    )
  })

  it('sends small parts of one turn in one write', async () => {
    const { connection, peer } = await sending(new BodyFollowing(4))
    peer.takeReceived()
    for (const part of ['a', 'b', 'c', 'd']) void connection.write(Buffer.from(part))
    await turns()
    expect(peer.writes.map(String)).toEqual(['abcd'])
  })

  it.each([
    ['small', 10],
    ['large', 100_000],
  ])('leaves a %s chunk to its owner when the promise is settled', async (_, size) => {
    const { connection, peer } = await sending(new BodyFollowing(size))
    peer.stall()
    const chunk = Buffer.alloc(size, 'a')
    const written = connection.write(chunk).then(() => chunk.fill('!'))
    await turns()
    peer.unstall()
    await written
    await turns()
    expect(received(peer)).toBe(counted(size) + 'a'.repeat(size))
  })

  it('does not look at the memory around a chunk', async () => {
    const exchange = await sending(new BodyFollowing(20_004))
    const memory = new Uint8Array(new SharedArrayBuffer(40_000)).fill(97)
    await exchange.connection.write(memory.subarray(1, 5))
    await exchange.connection.write(memory.subarray(10_000, 30_000))
    expect(await receivedBefore(exchange)).toBe(counted(20_004) + 'a'.repeat(20_004))
  })

  it.each([
    ['in the first chunk', [], 'abcdef'],
    ['in a later one', ['ab'], 'cdef'],
    ['behind the end', ['abcde'], 'f'],
  ])('refuses bytes past the length %s, and sends nothing of that chunk', async (_, before, chunk) => {
    const exchange = await sending(new BodyFollowing(5))
    const { connection } = exchange
    for (const part of before) await connection.write(Buffer.from(part))
    await expect(connection.write(Buffer.from(chunk))).rejects.toMatchObject({
      code: 'ERR_HTTPIO_EXCESS_BODY_DATA',
    })
    await expect(connection.write(Buffer.from(chunk), { partial: true })).rejects.toBeInstanceOf(
      ExcessBodyData,
    )
    // The body is as open as before.
    const rest = 'abcde'.slice(before.join('').length)
    await connection.write(Buffer.from(rest))
    expect(await receivedBefore(exchange)).toBe(`${counted(5)}abcde`)
  })

  it.each([['text'], [new ArrayBuffer(1)], [[1]], [undefined], [new DataView(new ArrayBuffer(1))]])(
    'refuses %p',
    async chunk => {
      const { connection, peer } = await sending(new BodyFollowing())
      await expect(connection.write(chunk as never)).rejects.toBeInstanceOf(TypeError)
      await turns()
      expect(received(peer)).toBe(CHUNKED)
    },
  )

  it('is a StateError where no body is to follow', async () => {
    const { connection } = wired()
    await expect(connection.write(Buffer.from('a'))).rejects.toBeInstanceOf(StateError)
    await connection.sendRequest('POST', '/', { body: Buffer.from('a') })
    await expect(connection.write(Buffer.from('a'))).rejects.toBeInstanceOf(StateError)
    await connection.sendRequest('POST', '/', { body: new BodyFollowing() })
    await connection.endBody()
    await expect(connection.write(Buffer.from('a'))).rejects.toBeInstanceOf(StateError)
    await connection.sendRequest('POST', '/', { body: new BodyFollowing(1) })
    await connection.write(Buffer.from('a'))
    await connection.sendRequest('GET', '/')
    await expect(connection.write(Buffer.from('a'))).rejects.toBeInstanceOf(StateError)
  })

  describe('partial', () => {
    it.each([
      ['of a counted body', new BodyFollowing(200_000)],
      ['of a chunked body', new BodyFollowing()],
    ])('takes as many bytes as fit %s, possibly none, and never waits', async (_, body) => {
      const { connection, peer } = await sending(body)
      const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251))
      peer.stall()
      let taken = await connection.write(bytes, { partial: true })
      expect(taken).toBeGreaterThan(60_000)
      expect(taken).toBeLessThanOrEqual(65_536)
      expect(await connection.write(bytes.subarray(taken), { partial: true })).toBe(0)
      await turns()
      expect(await connection.write(bytes.subarray(taken), { partial: true })).toBe(0)
      peer.unstall()
      let rounds = 0
      while (taken < bytes.length) {
        const more = await connection.write(bytes.subarray(taken), { partial: true })
        taken += more
        rounds++
        if (more === 0) await turns(1)
      }
      expect(rounds).toBeGreaterThanOrEqual(3)
      if (body.lengthBytes === null) await connection.endBody()
      await turns()
      const wire = peer.received.subarray(peer.received.indexOf('\r\n\r\n') + 4)
      expect((body.lengthBytes === null ? unchunked(wire) : wire).equals(bytes)).toBe(true)
    })

    it('takes all bytes where they fit', async () => {
      const exchange = await sending(new BodyFollowing(5))
      expect(await exchange.connection.write(Buffer.from('abcde'), { partial: true })).toBe(5)
      expect(await receivedBefore(exchange)).toBe(`${counted(5)}abcde`)
    })

    it('leaves the chunk to its owner at once', async () => {
      const { connection, peer } = await sending(new BodyFollowing(50_000))
      peer.stall()
      const chunk = Buffer.alloc(50_000, 'a')
      expect(await connection.write(chunk, { partial: true })).toBe(50_000)
      chunk.fill('!')
      peer.unstall()
      await turns()
      expect(received(peer)).toBe(counted(50_000) + 'a'.repeat(50_000))
    })

    it('takes bytes while the connection is being made', async () => {
      const { connection, peer } = wired()
      void connection.sendRequest('POST', '/', { body: new BodyFollowing(5) })
      const taken = watch(connection.write(Buffer.from('abcde'), { partial: true }))
      await peer.waitFor('abcde')
      expect(taken.value).toBe(5)
    })

    it('does not keep the rest from going on: bytes are kept in order with whole writes', async () => {
      const exchange = await sending(new BodyFollowing(6))
      void exchange.connection.write(Buffer.from('ab'))
      void exchange.connection.write(Buffer.from('cd'), { partial: true })
      void exchange.connection.write(Buffer.from('ef'))
      expect(await receivedBefore(exchange)).toBe(`${counted(6)}abcdef`)
    })
  })
})

function unchunked(wire: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = wire.indexOf('\r\n', at)
    const size = parseInt(wire.toString('latin1', at, lineEnd), 16)
    if (size === 0) return Buffer.concat(parts)
    parts.push(wire.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
}

describe('an unfinished body', () => {
  it.each<[string, BodyFollowing, string]>([
    ['with a length', new BodyFollowing(5), 'abcd'],
    ['chunked', new BodyFollowing(), 'abcd'],
    ['not begun', new BodyFollowing(5), ''],
  ])('keeps the next request back: StateError (%s)', async (_, body, part) => {
    const { connection, peer } = await sending(body)
    if (part !== '') await connection.write(Buffer.from(part))
    const before = peer.received.length
    await expect(connection.sendRequest('GET', '/next')).rejects.toBeInstanceOf(StateError)
    await expect(
      connection.sendRequest('POST', '/next', { body: new BodyFollowing() }),
    ).rejects.toBeInstanceOf(StateError)
    await expect(connection.request('GET', '/next')).rejects.toBeInstanceOf(StateError)
    await expect(connection.pipeline(['/next']).next()).rejects.toBeInstanceOf(StateError)
    await turns()
    expect(peer.received.length - before).toBeLessThanOrEqual('4\r\nabcd\r\n'.length)
    expect(connection.pendingRequests).toHaveLength(1)
  })

  it('keeps readResponse back as long as no answer is there', async () => {
    const { connection, peer } = await sending(new BodyFollowing(5))
    await expect(connection.readResponse()).rejects.toBeInstanceOf(StateError)
    peer.send(head('HTTP/1.1 200 OK', 'Content-Length: 0'))
    await turns()
    expect((await connection.readResponse()).status).toBe(200)
    await expect(connection.sendRequest('GET', '/next')).rejects.toBeInstanceOf(StateError)
    await connection.write(Buffer.from('abcde'))
    await connection.sendRequest('GET', '/next')
    await peer.waitFor('/next')
    expect(received(peer)).toBe(`${counted(5)}abcde${requestTo('/next')}`)
  })
})

describe('endBody', () => {
  it('ends a chunked body', async () => {
    const exchange = await sending(new BodyFollowing())
    await exchange.connection.endBody()
    expect(await receivedBefore(exchange)).toBe(`${CHUNKED}0\r\n\r\n`)
  })

  it('sends trailers', async () => {
    const exchange = await sending(new BodyFollowing())
    await exchange.connection.write(Buffer.from('a'))
    await exchange.connection.endBody({ Checksum: 'x', A: ['1', '2'] })
    expect(await receivedBefore(exchange)).toBe(
      `${CHUNKED}1\r\na\r\n0\r\nChecksum: x\r\nA: 1\r\nA: 2\r\n\r\n`,
    )
  })

  it.each([
    ['frame the request', { 'Content-Length': '5' }],
    ['route the request', { host: 'other.test' }],
    ['have CR LF in a value', { A: '1\r\n\r\nGET /injected HTTP/1.1' }],
    ['have characters that become CR LF', { A: '\u010d\u010a' }],
    ['have a name that is no token', { 'A b': '1' }],
  ])('refuses trailers that %s, and leaves the body open', async (_, trailers) => {
    const exchange = await sending(new BodyFollowing())
    await expect(exchange.connection.endBody(trailers)).rejects.toBeInstanceOf(TypeError)
    await exchange.connection.write(Buffer.from('a'))
    await exchange.connection.endBody({ A: '1' })
    expect(await receivedBefore(exchange)).toBe(`${CHUNKED}1\r\na\r\n0\r\nA: 1\r\n\r\n`)
  })

  it('is a StateError for a body with a length that is not complete, and does nothing for one that is', async () => {
    const exchange = await sending(new BodyFollowing(2))
    const { connection } = exchange
    await connection.write(Buffer.from('a'))
    await expect(connection.endBody()).rejects.toBeInstanceOf(StateError)
    await connection.write(Buffer.from('b'))
    await expect(connection.endBody({ A: '1' })).rejects.toBeInstanceOf(StateError)
    await connection.endBody()
    expect(await receivedBefore(exchange)).toBe(`${counted(2)}ab`)
  })

  it('is a StateError where no body is to follow, or it has been ended', async () => {
    const { connection } = wired()
    await expect(connection.endBody()).rejects.toBeInstanceOf(StateError)
    await connection.sendRequest('POST', '/', { body: new BodyFollowing() })
    await connection.endBody()
    await expect(connection.endBody()).rejects.toBeInstanceOf(StateError)
    await connection.sendRequest('GET', '/')
    await expect(connection.endBody()).rejects.toBeInstanceOf(StateError)
  })
})

describe('sendBody', () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text)
  const sources: [string, () => BodySource][] = [
    ['an array', () => [bytes('ab'), bytes(''), bytes('cd')]],
    ['a Set', () => new Set([bytes('ab'), bytes('cd')])],
    [
      'a generator',
      () =>
        (function* () {
          yield bytes('ab')
          yield bytes('cd')
        })(),
    ],
    [
      'an async generator',
      () =>
        (async function* () {
          yield bytes('ab')
          await turns(1)
          yield bytes('cd')
        })(),
    ],
    ['a Readable', () => Readable.from([bytes('ab'), bytes('cd')])],
    [
      'a ReadableStream',
      () =>
        new ReadableStream({
          start(c) {
            c.enqueue(bytes('ab'))
            c.enqueue(bytes('cd'))
            c.close()
          },
        }),
    ],
    ['the stream of a Blob', () => new Blob(['ab', 'cd']).stream() as ReadableStream<Uint8Array>],
  ]

  it.each(sources)('sends %s of the announced length', async (_, make) => {
    const exchange = await sending(new BodyFollowing(4))
    await exchange.connection.sendBody(make())
    expect(await receivedBefore(exchange)).toBe(`${counted(4)}abcd`)
  })

  it.each(sources)('sends %s in chunks, and ends the body', async (_, make) => {
    const exchange = await sending(new BodyFollowing())
    await exchange.connection.sendBody(make())
    const wire = await receivedBefore(exchange)
    expect(wire.startsWith(CHUNKED)).toBe(true)
    expect(wire.slice(CHUNKED.length)).toMatch(/^(2\r\nab\r\n2\r\ncd\r\n|4\r\nabcd\r\n)0\r\n\r\n$/)
  })

  it('sends a file', async () => {
    const exchange = await sending(new BodyFollowing())
    await exchange.connection.sendBody(createReadStream(__filename, { highWaterMark: 1000 }))
    const all = await receivedBefore(exchange)
    const body = unchunked(Buffer.from(all.slice(CHUNKED.length), 'latin1'))
    expect(body.toString('latin1')).toBe(readFileSync(__filename, 'latin1'))
  })

  it('ends a chunked body of nothing', async () => {
    const exchange = await sending(new BodyFollowing())
    await exchange.connection.sendBody([])
    expect(await receivedBefore(exchange)).toBe(`${CHUNKED}0\r\n\r\n`)
  })

  it('goes on where write has begun', async () => {
    const exchange = await sending(new BodyFollowing(4))
    void exchange.connection.write(bytes('ab'))
    await exchange.connection.sendBody([bytes('cd')])
    expect(await receivedBefore(exchange)).toBe(`${counted(4)}abcd`)
  })

  it('takes a chunk only when there is room for it', async () => {
    const { connection, peer } = await sending(new BodyFollowing())
    peer.stall()
    let taken = 0
    const sent = watch(
      connection.sendBody(
        (function* () {
          for (; taken < 100; taken++) yield Buffer.alloc(10_000, 'x')
        })(),
      ),
    )
    await turns()
    expect([taken, sent.state]).toEqual([6, 'pending'])
    peer.unstall()
    await turns()
    expect([taken, sent.state]).toEqual([100, 'resolved'])
  })

  it('lets the event loop turn, though source and transport never make it wait', async () => {
    const { connection, peer } = await sending(new BodyFollowing())
    const sent = watch(
      connection.sendBody(
        (function* () {
          for (;;) yield Buffer.alloc(10_000)
        })(),
      ),
    )
    peer.send(head('HTTP/1.1 413 Content Too Large', 'Content-Length: 0'))
    expect((await connection.readResponse()).status).toBe(413)
    const before = peer.received.length
    await turns(1)
    expect(peer.received.length - before).toBeLessThan(3_000_000)
    await connection.close()
    await turns()
    expect(sent.state).toBe('rejected')
  })

  it('rejects when the source has fewer bytes than announced, and leaves the body open', async () => {
    const exchange = await sending(new BodyFollowing(4))
    const { connection } = exchange
    await expect(connection.sendBody([bytes('ab')])).rejects.toMatchObject({
      code: 'ERR_HTTPIO_STATE',
      message: expect.stringContaining('2 of 4 bytes'),
    })
    await expect(connection.sendRequest('GET', '/next')).rejects.toBeInstanceOf(StateError)
    await connection.sendBody([bytes('cd')])
    expect(await receivedBefore(exchange)).toBe(`${counted(4)}abcd`)
  })

  it('rejects when the source has more, sends nothing of the chunk that is too long, and ends the source', async () => {
    const exchange = await sending(new BodyFollowing(4))
    let ended = false
    const source = (function* () {
      try {
        yield bytes('ab')
        yield bytes('cde')
      } finally {
        ended = true
      }
    })()
    await expect(exchange.connection.sendBody(source)).rejects.toBeInstanceOf(ExcessBodyData)
    expect(ended).toBe(true)
    await exchange.connection.write(bytes('cd'))
    expect(await receivedBefore(exchange)).toBe(`${counted(4)}abcd`)
  })

  const failing: [string, (error: unknown) => BodySource][] = [
    [
      'a generator',
      error =>
        (function* () {
          yield bytes('ab')
          throw error
        })(),
    ],
    [
      'an async generator',
      error =>
        (async function* () {
          yield bytes('ab')
          throw error
        })(),
    ],
    [
      'a Readable',
      error =>
        Readable.from(
          (async function* () {
            yield bytes('ab')
            throw error
          })(),
        ),
    ],
    [
      'a ReadableStream',
      error =>
        new ReadableStream({
          start(c) {
            c.enqueue(bytes('ab'))
          },
          async pull(c) {
            await turns(1)
            c.error(error)
          },
        }),
    ],
  ]

  it.each(failing)('rejects with the own error of %s, and leaves the body open', async (_, make) => {
    const exchange = await sending(new BodyFollowing(4))
    const error = new Error('out of paper')
    await expect(exchange.connection.sendBody(make(error))).rejects.toBe(error)
    await exchange.connection.write(bytes('cd'))
    expect(await receivedBefore(exchange)).toBe(`${counted(4)}abcd`)
  })

  it('does not end a chunked body when the source throws', async () => {
    const { connection, peer } = await sending(new BodyFollowing())
    const error = new Error('out of paper')
    await expect(connection.sendBody(failing[0][1](error))).rejects.toBe(error)
    await turns()
    expect(received(peer)).toBe(`${CHUNKED}2\r\nab\r\n`)
    await expect(connection.sendRequest('GET', '/')).rejects.toBeInstanceOf(StateError)
  })

  it('rejects with what is no Error, too', async () => {
    const { connection } = await sending(new BodyFollowing())
    await expect(connection.sendBody(failing[0][1]('paper'))).rejects.toBe('paper')
  })

  it.each<[string, unknown]>([
    ['strings', ['ab']],
    ['numbers', [1]],
    ['a string', 'abcd'],
    ['bytes', Buffer.from('abcd')],
    ['nothing', undefined],
    ['an object', {}],
  ])('refuses %s as a source', async (_, source) => {
    const { connection, peer } = await sending(new BodyFollowing(4))
    await expect(connection.sendBody(source as BodySource)).rejects.toBeInstanceOf(TypeError)
    await turns()
    expect(received(peer)).toBe(counted(4))
  })

  it('keeps others from the body while it is under way', async () => {
    const { connection, peer } = await sending(new BodyFollowing())
    let go!: () => void
    const sent = watch(
      connection.sendBody(
        (async function* () {
          await new Promise<void>(resolve => (go = resolve))
          yield bytes('ab')
        })(),
      ),
    )
    await expect(connection.write(bytes('x'))).rejects.toBeInstanceOf(StateError)
    await expect(connection.sendBody([bytes('x')])).rejects.toBeInstanceOf(StateError)
    await expect(connection.endBody()).rejects.toBeInstanceOf(StateError)
    await expect(connection.sendRequest('GET', '/')).rejects.toBeInstanceOf(StateError)
    go()
    await turns()
    expect(sent.state).toBe('resolved')
    expect(received(peer)).toBe(`${CHUNKED}2\r\nab\r\n0\r\n\r\n`)
  })

  it('may be called again from the source without harm', async () => {
    const { connection, peer } = await sending(new BodyFollowing())
    const inner: unknown[] = []
    await connection.sendBody(
      (function* () {
        yield bytes('a')
        inner.push(watch(connection.write(bytes('x'))), watch(connection.endBody()))
        yield bytes('b')
      })(),
    )
    await turns()
    expect(inner).toMatchObject([{ error: expect.any(StateError) }, { error: expect.any(StateError) }])
    expect(received(peer)).toBe(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`)
  })

  it('ends the source when the connection is closed from within it', async () => {
    const { connection } = await sending(new BodyFollowing())
    let ended = false
    const source = (function* () {
      try {
        for (;;) {
          void connection.close()
          yield bytes('a')
        }
      } finally {
        ended = true
      }
    })()
    await expect(connection.sendBody(source)).rejects.toBeInstanceOf(ConnectionClosed)
    expect(ended).toBe(true)
  })

  it('is a StateError where no body is to follow; the source is not touched', async () => {
    const { connection } = wired()
    const source = { [Symbol.iterator]: jest.fn(() => [].values()) }
    await expect(connection.sendBody(source)).rejects.toBeInstanceOf(StateError)
    await connection.sendRequest('GET', '/')
    await expect(connection.sendBody(source)).rejects.toBeInstanceOf(StateError)
    expect(source[Symbol.iterator]).not.toHaveBeenCalled()
  })
})
