import { Readable } from 'node:stream'
import { BodyFollowing, ExcessBodyData, StateError, type ExchangeOptions } from '../../lib'
import { head, received, turns, watch, watchAll, wired } from '../support/wire'

const post = (...fields: string[]) =>
  head('POST /a HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity', ...fields)
const OK = head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'ok'
const CLOSED = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }
const bytes = (text: string): Uint8Array => Buffer.from(text)

/** What the peer receives of one request(). */
async function sent(
  options: ExchangeOptions,
  connectionOptions: Parameters<typeof wired>[0] = {},
): Promise<string> {
  const { connection, peer } = wired(connectionOptions)
  const answer = connection.request('POST', '/a', options)
  await turns(20)
  const all = received(peer)
  peer.send(OK)
  expect((await answer).status).toBe(200)
  return all
}

describe('the body of a request()', () => {
  it.each<[string, ExchangeOptions, string[], string]>([
    ['none', {}, ['Content-Length: 0'], ''],
    ['null', { body: null }, ['Content-Length: 0'], ''],
    ['bytes', { body: bytes('\0\xff') }, ['Content-Length: 3'], '\0\xc3\xbf'],
    ['no bytes', { body: new Uint8Array() }, ['Content-Length: 0'], ''],
    [
      'text',
      { body: '\u20ac' },
      ['Content-Type: text/plain;charset=UTF-8', 'Content-Length: 3'],
      '\xe2\x82\xac',
    ],
    [
      'URLSearchParams',
      { body: new URLSearchParams({ a: '1 2' }) },
      ['Content-Type: application/x-www-form-urlencoded;charset=UTF-8', 'Content-Length: 5'],
      'a=1+2',
    ],
    [
      'a Blob',
      { body: new Blob(['abc'], { type: 'a/b' }) },
      ['Content-Type: a/b', 'Content-Length: 3'],
      'abc',
    ],
    ['a Blob without type', { body: new Blob(['abc']) }, ['Content-Length: 3'], 'abc'],
    [
      'an array',
      { body: [bytes('ab'), bytes(''), bytes('c')] },
      ['Transfer-Encoding: chunked'],
      '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    ],
    [
      'a Readable',
      { body: Readable.from([bytes('ab'), bytes('c')]) },
      ['Transfer-Encoding: chunked'],
      '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    ],
    [
      'a ReadableStream',
      { body: new Blob(['abc']).stream() as ReadableStream<Uint8Array> },
      ['Transfer-Encoding: chunked'],
      '3\r\nabc\r\n0\r\n\r\n',
    ],
    ['an empty source', { body: [] }, ['Transfer-Encoding: chunked'], '0\r\n\r\n'],
    [
      'a source with a length',
      { body: [bytes('ab'), bytes('c')], headers: { 'content-length': '3' } },
      ['Content-Length: 3'],
      'abc',
    ],
    [
      'a source with a length of 0',
      { body: [], headers: { 'content-length': 0 } },
      ['Content-Length: 0'],
      '',
    ],
    [
      'text with its length',
      { body: 'abc', headers: { 'Content-Length': 3 } },
      ['Content-Type: text/plain;charset=UTF-8', 'Content-Length: 3'],
      'abc',
    ],
    [
      'text with a type of its own',
      { body: 'abc', headers: { 'content-type': 'a/b' } },
      ['content-type: a/b', 'Content-Length: 3'],
      'abc',
    ],
  ])('is %s', async (_, options, fields, body) => {
    expect(await sent(options)).toBe(post(...fields) + body)
  })

  it('has the type that all requests have, if they have one', async () => {
    expect(await sent({ body: 'abc' }, { headers: { 'content-type': 'a/b' } })).toBe(
      post('content-type: a/b', 'Content-Length: 3') + 'abc',
    )
  })

  it('is FormData, with a boundary that is not in it', async () => {
    const form = new FormData()
    form.append('name', 'value')
    const all = await sent({ body: form })
    const boundary = /\r\nContent-Type: multipart\/form-data; boundary=([^\r]+)\r\n/.exec(all)![1]
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\nvalue\r\n--${boundary}--\r\n`
    expect(all).toBe(
      post(`Content-Type: multipart/form-data; boundary=${boundary}`, `Content-Length: ${body.length}`) +
        body,
    )
  })

  it.each<[string, unknown, ExchangeOptions?]>([
    ['a number', 1],
    ['an object', {}],
    ['a BodyFollowing', new BodyFollowing(1)],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['text of another length', 'abc', { headers: { 'Content-Length': 4 } }],
    ['a source with a length that is none', [], { headers: { 'Content-Length': 'abc' } }],
    ['a source with a length beyond 2^53-1', [], { headers: { 'Content-Length': '9007199254740992' } }],
    ['a source with a negative length', [], { headers: { 'Content-Length': '-1' } }],
    [
      'what claims to be a Blob with another length',
      { [Symbol.toStringTag]: 'Blob', size: '1\r\nInjected: yes', type: '', stream() {} },
    ],
    [
      'what claims to be a Blob with another type',
      { [Symbol.toStringTag]: 'Blob', size: 1, type: 'a/b\r\nInjected: yes', stream() {} },
    ],
    ['with a Transfer-Encoding', 'abc', { headers: { 'Transfer-Encoding': 'chunked' } }],
    ['with an Expect', 'abc', { headers: { Expect: '100-continue' } }],
  ])('is not %s: TypeError before a byte is sent', async (_, body, options: ExchangeOptions = {}) => {
    const { connection, peer } = wired()
    const request = connection.request('POST', '/a', { ...options, body: body as never })
    await expect(request).rejects.toBeInstanceOf(TypeError)
    await turns()
    expect([received(peer), connection.pendingRequests]).toEqual(['', []])
  })

  it('may be changed by its owner when the promise is settled, and a source may fill the same memory again', async () => {
    const { connection, peer } = wired()
    const chunk = Buffer.alloc(20_000)
    const answer = connection.request('POST', '/a', {
      headers: { 'Content-Length': 60_000 },
      body: (function* () {
        for (const letter of 'abc') yield chunk.fill(letter)
      })(),
    })
    await peer.waitFor('c')
    await turns()
    expect(received(peer)).toBe(
      post('Content-Length: 60000') + 'a'.repeat(20_000) + 'b'.repeat(20_000) + 'c'.repeat(20_000),
    )
    peer.send(OK)
    await answer
  })

  it('may be changed when the answer came first, though the rest of it still goes out', async () => {
    const { connection, peer } = wired()
    await connection.connect()
    peer.stall()
    const body = Buffer.alloc(200_000, 'x')
    const answer = connection.request('POST', '/a', { body })
    await turns()
    peer.send(OK)
    await answer
    body.fill('!')
    peer.unstall()
    await turns()
    expect(received(peer)).toBe(post('Content-Length: 200000') + 'x'.repeat(200_000))
  })

  it('makes room when it is withdrawn with its request', async () => {
    const { connection, peer } = wired()
    const controller = new AbortController()
    const withdrawn = watch(
      connection.request('POST', '/a', { body: Buffer.alloc(100_000), signal: controller.signal }),
    )
    controller.abort()
    await turns()
    expect(withdrawn.state).toBe('rejected')
    peer.stall()
    // Nothing of it is counted any more: a step is not held back.
    await connection.sendRequest('GET', '/b')
    peer.unstall()
    await peer.waitFor('/b')
    expect(received(peer)).toBe(head('GET /b HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity'))
  })

  it('is sent whole before the next request, though that was made earlier', async () => {
    const { connection, peer } = wired()
    let go!: () => void
    const requests = watchAll([
      connection.request('POST', '/a', {
        body: (async function* () {
          yield bytes('ab')
          await new Promise<void>(resolve => (go = resolve))
          yield bytes('cd')
        })(),
      }),
      connection.request('GET', '/b'),
    ])
    await turns(12)
    expect(received(peer)).toBe(`${post('Transfer-Encoding: chunked')}2\r\nab\r\n`)
    go()
    await peer.waitFor('/b')
    expect(received(peer)).toBe(
      `${post('Transfer-Encoding: chunked')}2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n` +
        head('GET /b HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity'),
    )
    peer.send(OK + OK)
    await turns()
    expect(requests.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
  })
})

describe('a source of a request()', () => {
  const failure = new Error('out of paper')
  it.each<[string, ExchangeOptions, unknown]>([
    [
      'throws',
      {
        body: (function* () {
          yield bytes('ab')
          throw failure
        })(),
      },
      failure,
    ],
    [
      'throws later',
      {
        body: (async function* () {
          yield bytes('ab')
          await turns(1)
          throw failure
        })(),
      },
      failure,
    ],
    [
      'throws what is no Error',
      {
        body: { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject('paper') }) },
      },
      'paper',
    ],
    [
      'is a Readable that fails',
      {
        body: Readable.from(
          (async function* () {
            yield bytes('ab')
            throw failure
          })(),
        ),
      },
      failure,
    ],
    ['gives what is no bytes', { body: ['ab'] as never }, expect.any(TypeError)],
    ['is a stream in use', { body: inUse() }, expect.objectContaining({ name: 'TypeError' })],
    [
      'gives fewer bytes than announced',
      { body: [bytes('ab')], headers: { 'Content-Length': 3 } },
      expect.any(StateError),
    ],
    [
      'gives more bytes than announced',
      { body: [bytes('ab'), bytes('cd')], headers: { 'Content-Length': 3 } },
      expect.any(ExcessBodyData),
    ],
  ])('that %s rejects it with the own error, and the connection ends', async (_, options, expected) => {
    const { connection, peer } = wired()
    const [first, behind] = watchAll([
      connection.request('POST', '/a', options),
      connection.request('GET', '/b'),
    ])
    await turns(20)
    expect(first.error).toEqual(expected)
    expect(behind.error).toMatchObject(CLOSED)
    expect([connection.connected, peer.ended]).toEqual([false, true])
    expect(received(peer)).not.toContain('/b')
    expect(received(peer)).not.toContain('0\r\n\r\n')
    // Not one byte of what was too much.
    expect(received(peer)).not.toContain('cd')
    await expect(connection.request('GET', '/c')).rejects.toMatchObject(CLOSED)
  })

  function inUse(): ReadableStream<Uint8Array> {
    const stream = new ReadableStream<Uint8Array>()
    stream.getReader()
    return stream
  }

  it('does not take answers from those before it', async () => {
    const { connection, peer } = wired()
    const [before, failing] = watchAll([
      connection.request('GET', '/before'),
      connection.request('POST', '/a', {
        body: (async function* () {
          await turns(6)
          yield bytes('ab')
          throw failure
        })(),
      }),
    ])
    await peer.waitFor('/before')
    peer.send(OK)
    await turns(20)
    expect([before.state, failing.error]).toEqual(['resolved', failure])
  })

  it.each([
    [
      'a generator',
      (onEnd: () => void) =>
        (function* () {
          try {
            for (;;) yield Buffer.alloc(1_000)
          } finally {
            onEnd()
          }
        })(),
    ],
    [
      'an async generator',
      (onEnd: () => void) =>
        (async function* () {
          try {
            for (;;) {
              yield Buffer.alloc(1_000)
              await turns(1)
            }
          } finally {
            onEnd()
          }
        })(),
    ],
    [
      'a Readable',
      (onEnd: () => void) =>
        new Readable({
          read() {
            this.push(Buffer.alloc(1_000))
          },
        }).on('close', onEnd),
    ],
    ['a Readable that gives nothing', (onEnd: () => void) => new Readable({ read() {} }).on('close', onEnd)],
    [
      'a ReadableStream',
      (onEnd: () => void) =>
        new ReadableStream<Uint8Array>({
          pull(c) {
            c.enqueue(Buffer.alloc(1_000))
          },
          cancel: onEnd,
        }),
    ],
    [
      'a ReadableStream that gives nothing',
      (onEnd: () => void) => new ReadableStream<Uint8Array>({ cancel: onEnd }),
    ],
  ])('that is %s is ended by a final answer, which resolves it', async (_, make) => {
    const { connection, peer } = wired()
    const onEnd = jest.fn()
    const answer = watch(connection.request('POST', '/a', { body: make(onEnd) }))
    await peer.waitFor('\r\n\r\n')
    await turns()
    peer.stall()
    peer.send(head('HTTP/1.1 413 Content Too Large', 'Content-Length: 0'))
    await turns(20)
    expect(answer.value).toMatchObject({ status: 413 })
    expect(onEnd).toHaveBeenCalledTimes(1)
    expect(connection.connected).toBe(false)
  })

  it('is ended by an abort, which ends the connection when some of it was sent', async () => {
    const { connection, peer } = wired()
    const onEnd = jest.fn()
    const controller = new AbortController()
    const [answer, behind] = watchAll([
      connection.request('POST', '/a', {
        signal: controller.signal,
        body: new ReadableStream<Uint8Array>({ start: c => c.enqueue(bytes('ab')), cancel: onEnd }),
      }),
      connection.request('GET', '/b'),
    ])
    await peer.waitFor('ab')
    controller.abort(failure)
    await turns(12)
    expect([answer.error, onEnd.mock.calls.length]).toEqual([failure, 1])
    expect(behind.error).toMatchObject({
      ...CLOSED,
      unanswered: expect.arrayContaining([{ method: 'GET', path: '/b', outcome: 'unsent', processed: 'no' }]),
    })
  })

  it('is not begun by a request that is withdrawn before it was sent, and is ended all the same', async () => {
    const { connection, peer } = wired()
    const onEnd = jest.fn()
    const controller = new AbortController()
    const answer = watch(
      connection.request('POST', '/a', {
        signal: controller.signal,
        body: new ReadableStream<Uint8Array>({ cancel: onEnd }),
      }),
    )
    controller.abort(failure)
    await turns(12)
    expect([answer.error, onEnd.mock.calls.length, received(peer)]).toEqual([failure, 1, ''])
    const next = connection.request('GET', '/b')
    await peer.waitFor('/b')
    peer.send(OK)
    expect((await next).status).toBe(200)
  })
})
