// maxBodyBytes and decompress, of a `request` and in a `pipeline`: what is too long, and what becomes of its rest.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { BodyTooLong, HTTPConnection, type HTTPResponse, type PipelineRequest } from '../../lib'
import { arrival, chunked, failure, follow, ok, text, turns, wire } from '../support/reading'

type Options = Omit<Exclude<PipelineRequest, string>, 'method' | 'path'>

/** Asks for `/a` and reads its body, by a `request` or in a `pipeline`. */
const ways = [
  [
    'request',
    async (connection: HTTPConnection, options: Options) => {
      const response = await connection.request('GET', '/a', options)
      return text(await response.readAll())
    },
  ],
  [
    'pipeline',
    async (connection: HTTPConnection, options: Options) => {
      const { value } = await connection.pipeline([{ path: '/a', ...options }]).next()
      return text(await value!.readAll())
    },
  ],
] as const

async function answered(
  get: (connection: HTTPConnection, options: Options) => Promise<string>,
  options: Options,
  response: string | Buffer,
): Promise<string> {
  const { connection, peer } = wire()
  const body = get(connection, options)
  body.catch(() => undefined)
  await peer.waitFor('\r\n\r\n')
  peer.send(response)
  return body
}

const coded = (coding: string, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`),
    body,
  ])

const TOO_LONG = {
  name: 'BodyTooLong',
  code: 'ERR_HTTPIO_BODY_TOO_LONG',
  response: { status: 200, path: '/a' },
}

describe.each(ways)('maxBodyBytes of a %s', (_name, get) => {
  it.each([
    ['announced', ok('12345')],
    ['in chunks', chunked(['123', '45'])],
  ])('lets a body of just that length through, %s', async (_how, response) => {
    expect(await answered(get, { maxBodyBytes: 5 }, response)).toBe('12345')
    expect(await answered(get, { maxBodyBytes: 5, decompress: true }, response)).toBe('12345')
  })

  it.each([
    ['announced', ok('123456')],
    ['announced and not there yet', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n'],
    ['in one chunk', chunked(['123456'])],
    ['in chunks', chunked(['123', '456'])],
    ['in a chunk that is not complete', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n123456'],
  ])('is BodyTooLong for one byte more, %s', async (_how, response) => {
    for (const decompress of [false, true]) {
      const error = await failure(answered(get, { maxBodyBytes: 5, decompress }, response))
      expect(error).toMatchObject(TOO_LONG)
      expect((error.response as HTTPResponse).headers.size).toBe(1)
    }
  })

  it('of 0 lets no body through', async () => {
    expect(await answered(get, { maxBodyBytes: 0 }, ok())).toBe('')
    expect(await answered(get, { maxBodyBytes: 0 }, chunked([]))).toBe('')
    expect(await failure(answered(get, { maxBodyBytes: 0 }, ok('1')))).toMatchObject(TOO_LONG)
  })

  it('counts after decompression', async () => {
    const body = Buffer.alloc(100_000, 'x')
    const response = coded('gzip', gzipSync(body))
    expect(await answered(get, { maxBodyBytes: 100_000, decompress: true }, response)).toHaveLength(100_000)
    expect(await failure(answered(get, { maxBodyBytes: 99_999, decompress: true }, response))).toMatchObject(
      TOO_LONG,
    )
    // Not to be undone, it is as long as it is.
    expect(await answered(get, { maxBodyBytes: 200 }, response)).toHaveLength(gzipSync(body).length)
    const random = Buffer.from(Array.from({ length: 50 }, (_, i) => (i * 89) % 256))
    expect(gzipSync(random).length).toBeGreaterThan(50)
    expect(
      await answered(get, { maxBodyBytes: 50, decompress: true }, coded('gzip', gzipSync(random))),
    ).toHaveLength(50)
  })

  it('also stops a bomb that never arrives whole', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000))
    const { connection, peer } = wire()
    const body = get(connection, { maxBodyBytes: 1000, decompress: true })
    await peer.waitFor('\r\n\r\n')
    peer.send(coded('gzip', bomb))
    expect(await failure(body)).toMatchObject(TOO_LONG)
  })
})

describe.each(ways)('decompress of a %s', (_name, get) => {
  const body = Buffer.from('once more '.repeat(20))

  it('asks for what it can undo, unless the caller asks for something else', async () => {
    for (const [options, expected] of [
      [{ decompress: true }, 'Accept-Encoding: gzip, deflate, br'],
      [{ decompress: true, headers: { 'accept-encoding': 'br' } }, 'accept-encoding: br'],
      [{}, 'Accept-Encoding: identity'],
    ] as const) {
      const { connection, peer } = wire()
      const reading = get(connection, options)
      const received = (await peer.waitFor('\r\n\r\n')).toString()
      expect(received.match(/accept-encoding: .*/gi)).toEqual([expected])
      peer.send(ok())
      await reading
    }
  })

  it.each([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['GZip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    ['br', brotliCompressSync(body)],
    ['gzip, br', brotliCompressSync(gzipSync(body))],
    ['identity', body],
  ])('undoes %s', async (coding, bytes) => {
    expect(await answered(get, { decompress: true }, coded(coding, bytes))).toBe(body.toString())
  })

  it.each(['compress', 'gzip, unknown'])('leaves %s as it is', async coding => {
    expect(await answered(get, { decompress: true }, coded(coding, body))).toBe(body.toString())
  })

  it('leaves everything as it is where it was not asked for', async () => {
    const bytes = gzipSync(body)
    expect(await answered(get, {}, coded('gzip', bytes))).toBe(bytes.toString('latin1'))
  })

  it.each([
    ['cut short', gzipSync(body).subarray(0, -1)],
    ['something else', Buffer.from('nothing of the kind')],
    ['followed by more', Buffer.concat([gzipSync(body), Buffer.from('more')])],
  ])('is InvalidResponse for data %s, and the connection goes on', async (_what, bytes) => {
    const { connection, peer } = wire()
    const reading = get(connection, { decompress: true })
    await peer.waitFor('\r\n\r\n')
    peer.send(coded('gzip', bytes))
    expect(await failure(reading)).toMatchObject({
      code: 'ERR_HTTPIO_INVALID_RESPONSE',
      reason: 'CORRUPT_CONTENT_CODING',
      response: { status: 200 },
    })
    expect(connection.connected).toBe(true)
  })
})

describe('BodyTooLong of a request', () => {
  const chunk = (size: number): string => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`

  it('does not stick: the rest is read and dropped, and its neighbours are untouched', async () => {
    const { connection, peer } = wire()
    const before = connection.request('GET', '/before')
    const long = failure(connection.request('GET', '/a', { maxBodyBytes: 5 }))
    const after = connection.request('GET', '/after')
    await arrival(peer, '/after')
    peer.send(`${ok('before')}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(3)}`)
    peer.send(chunk(3))
    const error = await long
    expect(error).toBeInstanceOf(BodyTooLong)
    expect((await (error.response as HTTPResponse).readAll()).length).toBe(0)
    for (let i = 0; i < 10; i++) peer.send(chunk(1000))
    peer.send(`0\r\n\r\n${ok('after')}`)
    expect(await (await before).text()).toBe('before')
    expect(await (await after).text()).toBe('after')
    const again = connection.request('GET', '/again')
    await arrival(peer, '/again')
    peer.send(ok('again'))
    expect(await (await again).text()).toBe('again')
  })

  it.each([
    ['counted', 'HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n', 'x'.repeat(1000), 'x'],
    ['chunked', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(1)}`, chunk(1000), chunk(1)],
  ])(
    'ends the connection when more than maxBufferedBytes of it would have to be dropped, %s',
    async (_kind, head, most, more) => {
      const { connection, peer } = wire({ maxBufferedBytes: 1000 })
      const long = failure(connection.request('GET', '/a', { maxBodyBytes: 0 }))
      const after = failure(connection.request('GET', '/after'))
      await arrival(peer, '/after')
      peer.send(head)
      peer.send(most)
      expect(await long).toMatchObject(TOO_LONG)
      expect(connection.connected).toBe(true)
      peer.send(more)
      expect(await after).toMatchObject({
        code: 'ERR_HTTPIO_CONNECTION_CLOSED',
        unanswered: [
          { path: '/a', outcome: 'partial-reply' },
          { path: '/after', outcome: 'no-reply' },
        ],
      })
      expect(connection.connected).toBe(false)
    },
  )
})

describe('BodyTooLong in a pipeline', () => {
  it('rejects the read of the body again and again, and the next response follows', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline([{ path: '/a', maxBodyBytes: 5 }, '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send(chunked(['1234', '56']) + ok('b'))
    const { value } = await first
    const error = await failure(value!.readAll())
    expect(error).toMatchObject(TOO_LONG)
    expect(await failure(value!.read())).toBe(error)
    expect(await failure(value!.readInto(Buffer.alloc(9)))).toBe(error)
    expect(await failure(value!.text())).toBe(error)
    expect(text(await (await pipeline.next()).value!.readAll())).toBe('b')
  })

  it('hands out what is within the limit before', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline([{ path: '/a', maxBodyBytes: 5 }, '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n')
    const { value } = await first
    expect(text(await value!.read())).toBe('1234')
    peer.send(`2\r\n56\r\n0\r\n\r\n${ok('b')}`)
    expect(await failure(value!.read())).toMatchObject(TOO_LONG)
    expect((await pipeline.next()).value!.path).toBe('/b')
  })

  it('drops the rest up to maxBufferedBytes, and ends the connection beyond', async () => {
    const { connection, peer } = wire({ maxBufferedBytes: 1000 })
    const pipeline = connection.pipeline([{ path: '/a', maxBodyBytes: 5 }, '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n')
    const { value } = await first
    expect(await failure(value!.read())).toMatchObject(TOO_LONG)
    const second = failure(pipeline.next())
    peer.send('x'.repeat(1000))
    await turns()
    expect(connection.connected).toBe(true)
    peer.send('x')
    expect(await second).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })

  it('is no concern of who discards the body', async () => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline([{ path: '/a', maxBodyBytes: 5 }, '/b'])
    const first = pipeline.next()
    await arrival(peer, '/b')
    peer.send(chunked(['1234', '56']) + ok('b'))
    const { value } = await first
    await value!.discard()
    expect((await value!.read()).length).toBe(0)
    expect((await value!.readAll()).length).toBe(0)
    expect((await pipeline.next()).value!.path).toBe('/b')
  })
})

describe('a limited body of a pipeline', () => {
  const limits = [
    ['maxBodyBytes', { maxBodyBytes: 100 }, (body: string) => ok(body)],
    [
      'decompress',
      { decompress: true },
      (body: string) => coded('gzip', gzipSync(Buffer.from(body))).toString('latin1'),
    ],
  ] as const

  it.each(limits)('with %s may be read in every way', async (_name, options, respond) => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => Buffer.from(respond(`{"path":"${path}"}`), 'latin1'))
    const requests = Array.from({ length: 8 }, (_, i) => ({ path: `/${i}`, ...options }))
    const pipeline = connection.pipeline(requests)
    const next = async (): Promise<HTTPResponse> => (await pipeline.next()).value!

    expect(await (await next()).json()).toEqual({ path: '/0' })
    const parts = await next()
    expect(text(await parts.read(2))).toBe('{"')
    const target = Buffer.alloc(4)
    expect([await parts.readInto(target), target.toString()]).toEqual([4, 'path'])
    expect(text(await parts.readAll())).toBe('":"/1"}')
    expect((await parts.read()).length).toBe(0)
    let body = ''
    for await (const part of await next()) body += text(part)
    for await (const part of (await next()).toReadable()) body += text(part as Buffer)
    for await (const part of (await next()).toWeb()) body += Buffer.from(part).toString()
    expect(body).toBe('{"path":"/2"}{"path":"/3"}{"path":"/4"}')

    const busy = await next()
    const all = busy.readAll()
    for (const second of [busy.read(), busy.readAll(), busy.readInto(target), busy.discard()]) {
      expect(await failure(second)).toMatchObject({ code: 'ERR_HTTPIO_STATE' })
    }
    expect(text(await all)).toBe('{"path":"/5"}')
    for (const bytes of [0, -1]) expect(await failure(busy.read(bytes))).toBeInstanceOf(RangeError)
    expect(await failure(busy.readInto(Buffer.alloc(0)))).toBeInstanceOf(RangeError)

    const left = await next()
    expect(text(await left.read(1))).toBe('{')
    await next()
    // Neither what it had decoded ahead nor what it had not is given to whoever held it.
    expect(await failure(left.read())).toMatchObject({ code: 'ERR_HTTPIO_STATE' })
  })

  it.each(limits)('with %s gives nothing after close()', async (_name, options, respond) => {
    const { connection, peer } = wire()
    peer.respond(() => Buffer.from(respond('abcdef'), 'latin1'))
    const { value } = await connection.pipeline([{ path: '/a', ...options }, '/b']).next()
    expect(text(await value!.read(1))).toBe('a')
    await connection.close()
    // All of the body had been taken off the connection; of that, what was not handed out is not.
    const end = await value!.read().catch((error: Error) => error)
    expect(end).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })

  it.each(limits)(
    'with %s goes on after a read that timed out, and has lost nothing',
    async (_name, options, respond) => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] })
      try {
        const { connection, peer } = wire({ timeoutMs: 1000 })
        const pipeline = connection.pipeline([{ path: '/a', ...options }, '/b'])
        const first = pipeline.next()
        await arrival(peer, '/b')
        const response = Buffer.from(respond('abcdefghij'.repeat(5)), 'latin1')
        const cut = response.indexOf('\r\n\r\n') + 16
        peer.send(response.subarray(0, cut))
        const { value } = await first
        const all = failure(value!.readAll())
        const state = follow(all)
        // Decoding takes some turns of the event loop before it waits for more.
        while (state.is === 'pending') {
          await turns(1)
          jest.advanceTimersByTime(1001)
        }
        expect(await all).toMatchObject({ code: 'ERR_HTTPIO_TIMED_OUT' })
        const again = value!.readAll()
        await turns()
        peer.send(response.subarray(cut))
        expect(text(await again)).toBe('abcdefghij'.repeat(5))
        peer.send(ok('b'))
        expect(text(await (await pipeline.next()).value!.readAll())).toBe('b')
      } finally {
        jest.useRealTimers()
      }
    },
  )

  it.each(limits)('with %s is never short when the connection is lost', async (_name, options, respond) => {
    const { connection, peer } = wire()
    const pipeline = connection.pipeline([{ path: '/a', ...options }])
    const first = pipeline.next()
    await peer.waitFor('\r\n\r\n')
    const response = Buffer.from(respond('abcdefghij'.repeat(5)), 'latin1')
    peer.send(response.subarray(0, -1))
    peer.end()
    const { value } = await first
    for (let i = 0; i < 2; i++) {
      expect(await failure(value!.readAll())).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    }
  })
})
