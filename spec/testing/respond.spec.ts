// The handler side of FakePeer: requests read strictly, answers encoded and sent in order.
import { once } from 'node:events'
import { HTTPHeaders } from '../../lib/headers'
import { FakeSocket, type FakeRequest, type FakeResponse } from '../../lib/testing'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: example.test\r\n\r\n`

/** What the connection reads, as one string, once the text has come. */
async function readUntil(socket: FakeSocket, text: string): Promise<string> {
  let read = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    read += (chunk as Buffer).toString('latin1')
    if (read.includes(text)) return read
  }
  throw new Error(`ended after ${JSON.stringify(read)}`)
}

/** The whole of what is answered to one request. */
async function answerTo(request: string, response: FakeResponse): Promise<string> {
  const socket = new FakeSocket()
  socket.peer.respond(({ path }) => (path === '/end' ? 'END' : response))
  socket.write(request + get('/end'))
  return (await readUntil(socket, 'END')).slice(0, -3)
}

/** The requests that a handler gets when these bytes are written, whole and byte by byte. */
async function requestsIn(text: string): Promise<FakeRequest[]> {
  const runs: FakeRequest[][] = []
  for (const pieces of [[text], [...text]]) {
    const socket = new FakeSocket()
    const requests: FakeRequest[] = []
    socket.peer.respond(request => (request.path === '/end' ? 'END' : (requests.push(request), '')))
    for (const piece of pieces) socket.write(piece, 'latin1')
    socket.write(get('/end'))
    await readUntil(socket, 'END')
    runs.push(requests)
  }
  expect(runs[1]).toEqual(runs[0])
  return runs[0]
}

describe('respond', () => {
  it('gives the handler method, path, headers and body of each request', async () => {
    const requests = await requestsIn(
      'POST /a?b HTTP/1.1\r\nHost: x\r\nX-Word: caf\xe9\r\n\r\n' +
        'PUT http://x/ HTTP/1.1\r\nhost:\tx \r\ncontent-length: 5\r\n\r\n\r\n\x00\xff!',
    )
    expect(requests).toHaveLength(2)
    expect(requests[0]).toMatchObject({ method: 'POST', path: '/a?b', body: Buffer.alloc(0) })
    expect(requests[0].headers).toBeInstanceOf(HTTPHeaders)
    expect([...requests[0].headers]).toEqual([
      ['Host', 'x'],
      ['X-Word', 'caf\xe9'],
    ])
    expect(requests[1]).toMatchObject({
      method: 'PUT',
      path: 'http://x/',
      body: Buffer.from('\r\n\x00\xff!', 'latin1'),
    })
    expect([...requests[1].headers]).toEqual([
      ['host', 'x'],
      ['content-length', '5'],
    ])
  })

  it('undoes the chunked transfer coding, extensions and trailers included', async () => {
    const [request] = await requestsIn(
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n' +
        '5\r\nhello\r\n00A;name="value"\r\n, \r\nworld!\r\n0\r\nChecksum: 1\r\n\r\n',
    )
    expect(request.body.toString()).toBe('hello, \r\nworld!')
  })

  const refused: [string, string, string][] = [
    ['another version', 'GET / HTTP/1.0\r\n\r\n', 'request line: 14 bytes: "GET / HTTP/1.0"'],
    ['a path with a space', 'GET /a b HTTP/1.1\r\n', 'request line: 17 bytes: "GET /a b HTTP/1.1"'],
    ['a method that is no token', 'G@T / HTTP/1.1\r\n', 'method: 3 bytes: "G@T"'],
    ['an empty line before the request', '\r\n', 'request line: nothing'],
    [
      'a bare LF in the head',
      'GET / HTTP/1.1\nHost: x\r\n',
      'request line: 22 bytes: "GET / HTTP/1.1\\nHost: x"',
    ],
    ['a header line without colon', 'GET / HTTP/1.1\r\nHost\r\n', 'header line: 4 bytes: "Host"'],
    ['a folded header line', 'GET / HTTP/1.1\r\nA: b\r\n c: d\r\n', 'header line: 5 bytes: " c: d"'],
    ['a bare CR in a value', 'GET / HTTP/1.1\r\nA: b\rc\r\n', 'header line: 6 bytes: "A: b\\rc"'],
    [
      'two lengths',
      'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
      'Content-Length: 4 bytes: "1, 1"',
    ],
    [
      'a length that is no number',
      'GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n',
      'Content-Length: 2 bytes: "+1"',
    ],
    [
      'a length that is not exact',
      'GET / HTTP/1.1\r\nContent-Length: 9007199254740992\r\n\r\n',
      'Content-Length: 16 bytes',
    ],
    [
      'a length beside a transfer coding',
      'GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'framing: 49 bytes: "Transfer-Encoding: chunked with Content-Length: 1"',
    ],
    [
      'another transfer coding',
      'GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
      'Transfer-Encoding: 13 bytes',
    ],
    [
      'a bad chunk size',
      'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n',
      'chunk size: 3 bytes: "0x1"',
    ],
    [
      'a huge chunk size',
      'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20000000000000\r\n',
      'chunk size: 14 bytes',
    ],
    [
      'a chunk longer than its size',
      'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
      'end of a chunk: 2 bytes: "b\\r"',
    ],
    [
      'a bad trailer',
      'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n',
      'header line: 1 byte: "x"',
    ],
  ]
  it.each(refused)('destroys the socket over %s', async (_, text, where) => {
    const socket = new FakeSocket()
    const handler = jest.fn()
    socket.peer.respond(handler)
    const shown = new Promise<Error>(resolve => socket.on('error', resolve))
    const waiting = socket.peer.waitFor('never').catch((error: Error) => error)
    socket.write(text)
    const error = await shown
    expect(error.message).toContain(`The connection wrote what is not HTTP/1.1, in the ${where}`)
    expect((await waiting) as Error).toMatchObject({ cause: error })
    await new Promise(setImmediate)
    expect(handler).not.toHaveBeenCalled()
  })

  it('answers in order though later answers are ready first', async () => {
    const socket = new FakeSocket()
    const release = new Map<string, (response: FakeResponse) => void>()
    socket.peer.respond(({ path }) => new Promise(resolve => release.set(path, resolve)))
    socket.write(get('/1') + get('/2') + get('/3'))
    await new Promise(setImmediate)
    release.get('/3')!('three')
    release.get('/1')!('one ')
    await new Promise(setImmediate)
    release.get('/2')!('two ')
    expect(await readUntil(socket, 'three')).toBe('one two three')
  })

  it('answers no sooner than the write has been called back, and never from within it', async () => {
    const socket = new FakeSocket()
    const order: string[] = []
    socket.on('data', () => order.push('data'))
    socket.peer.respond(() => (order.push('handler'), 'x'))
    await Promise.resolve()
    socket.write(get('/'), () => order.push('written'))
    order.push('returned')
    await once(socket, 'data')
    expect(order).toEqual(['returned', 'written', 'handler', 'data'])
  })

  it('begins with what was received before and not taken', async () => {
    const socket = new FakeSocket()
    socket.write(get('/taken'))
    socket.peer.takeReceived()
    socket.write(get('/kept'))
    socket.peer.respond(({ path }) => `${path}!`)
    socket.write(get('/later'))
    expect(await readUntil(socket, '/later!')).toBe('/kept!/later!')
  })

  it('goes on with another handler when called again', async () => {
    const socket = new FakeSocket()
    socket.peer.respond(() => 'first')
    socket.write(get('/'))
    expect(await readUntil(socket, 'first')).toBe('first')
    socket.peer.respond(() => 'second')
    socket.write(get('/'))
    expect(await readUntil(socket, 'second')).toBe('second')
  })

  it('sends 100 in its turn to a request that expects it, before the body', async () => {
    const socket = new FakeSocket()
    socket.peer.respond(({ path, body }) => `answer to ${path} ${body.toString()}.`)
    socket.write(
      `${get('/first')}POST /up HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 4\r\n\r\n`,
    )
    expect(await readUntil(socket, '\r\n\r\n')).toBe('answer to /first .HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('body')
    expect(await readUntil(socket, '.')).toBe('answer to /up body.')
  })

  it('sends no 100 when no body follows', async () => {
    expect(
      await answerTo('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n', 'x'),
    ).toBe('x')
  })

  it('answers nothing after the peer ended or the connection went', async () => {
    const ended = new FakeSocket()
    ended.peer.respond(() => (ended.peer.end(), 'late'))
    ended.write(get('/'))
    const gone = new FakeSocket()
    const called = new Promise<void>(resolve => gone.peer.respond(() => (resolve(), 'late')))
    gone.write(get('/'))
    gone.destroy()
    const chunks: Buffer[] = []
    for (const socket of [ended, gone]) socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(ended, 'end')
    await called
    await new Promise(setImmediate)
    expect(chunks).toEqual([])
  })

  describe('whose handler fails', () => {
    const failures: [string, () => FakeResponse | Promise<FakeResponse>, string][] = [
      [
        'throws',
        () => {
          throw new Error('boom')
        },
        'boom',
      ],
      ['rejects', () => Promise.reject(new Error('boom')), 'boom'],
      [
        'throws what is no error',
        () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- the point of this row
          throw 'boom'
        },
        'boom',
      ],
      [
        'answers nothing',
        () => undefined as never,
        'The answer to GET /2 is undefined, which is no response',
      ],
      ['answers null', () => null as never, 'The answer to GET /2 is null, which is no response'],
      [
        'answers text that is not latin1',
        () => '€',
        '"€" at 0 is not latin1: give bytes (Buffer.from(text)) instead',
      ],
      ['gives an impossible status', () => ({ status: 99 }), 'A status has three digits, unlike 99'],
      ['gives a reason with a line end', () => ({ reason: 'a\r\nb' }), 'Invalid reason phrase "a\\r\\nb"'],
      ['gives an invalid header', () => ({ headers: { 'a b': 'c' } }), 'Invalid header name "a b"'],
    ]
    it.each(failures)(
      '(it %s) destroys the socket with that error, after the answers before',
      async (_, fail, message) => {
        const socket = new FakeSocket()
        const chunks: string[] = []
        socket.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
        const shown = new Promise<Error>(resolve => socket.on('error', resolve))
        socket.peer.respond(({ path }) => (path === '/2' ? fail() : path))
        const waiting = socket.peer.waitFor('never').catch((error: Error) => error)
        socket.write(get('/1') + get('/2') + get('/3'))
        const error = await shown
        expect(error.message).toBe(message)
        expect(chunks).toEqual(['/1'])
        expect(((await waiting) as Error).message).toContain(
          `The connection was destroyed (${message}) before`,
        )
      },
    )
  })

  it('reports a failed handler in its turn, and leaves no rejection unhandled meanwhile', async () => {
    const unhandled = jest.fn()
    process.on('unhandledRejection', unhandled)
    const socket = new FakeSocket()
    const events: string[] = []
    socket.on('data', (chunk: Buffer) => events.push(chunk.toString()))
    const failed = new Promise<void>(resolve =>
      socket.on('error', error => {
        events.push(error.message)
        resolve()
      }),
    )
    let release = (_: FakeResponse) => {}
    socket.peer.respond(({ path }) => {
      if (path === '/1') return new Promise(resolve => (release = resolve))
      throw new Error('boom')
    })
    socket.write(get('/1') + get('/2'))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    expect(events).toEqual([])
    release('one')
    await failed
    process.off('unhandledRejection', unhandled)
    expect(events).toEqual(['one', 'boom'])
    expect(unhandled).not.toHaveBeenCalled()
  })

  describe('with an answer', () => {
    const ok = 'HTTP/1.1 200 OK\r\n'
    const answers: [string, string, FakeResponse, string][] = [
      ['that is text', get('/'), 'HTTP/9 caf\xe9', 'HTTP/9 caf\xe9'],
      ['that is bytes', get('/'), Buffer.from([0x41, 0xff]), 'A\xff'],
      ['that is an empty object', get('/'), {}, `${ok}Content-Length: 0\r\n\r\n`],
      [
        'whose body is text: as UTF-8',
        get('/'),
        { body: 'é€' },
        `${ok}Content-Length: 5\r\n\r\n\xc3\xa9\xe2\x82\xac`,
      ],
      ['whose body is bytes', get('/'), { body: Uint8Array.of(0xe9) }, `${ok}Content-Length: 1\r\n\r\n\xe9`],
      [
        'with a status: its usual reason',
        get('/'),
        { status: 404 },
        'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
      ],
      [
        'with an unknown status: no reason',
        get('/'),
        { status: 599 },
        'HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n',
      ],
      [
        'with a reason',
        get('/'),
        { reason: 'Très bien' },
        'HTTP/1.1 200 Tr\xe8s bien\r\nContent-Length: 0\r\n\r\n',
      ],
      [
        'with headers: before the length',
        get('/'),
        { headers: { 'Set-Cookie': ['a', 'b'] }, body: 'x' },
        `${ok}Set-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 1\r\n\r\nx`,
      ],
      [
        'with a length of its own: as it is',
        get('/'),
        { headers: { 'content-length': 9 }, body: 'x' },
        `${ok}content-length: 9\r\n\r\nx`,
      ],
      [
        'that says chunked: in one chunk',
        get('/'),
        { headers: { 'Transfer-Encoding': 'chunked' }, body: '0123456789' },
        `${ok}Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n`,
      ],
      [
        'that says chunked and is empty',
        get('/'),
        { headers: { 'Transfer-Encoding': 'chunked' } },
        `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      [
        'to HEAD: without the body',
        'HEAD / HTTP/1.1\r\n\r\n',
        { body: 'xyz' },
        `${ok}Content-Length: 3\r\n\r\n`,
      ],
      [
        'of 204: without body and length',
        get('/'),
        { status: 204, body: 'x' },
        'HTTP/1.1 204 No Content\r\n\r\n',
      ],
      [
        'of 304: without body and length',
        get('/'),
        { status: 304, headers: { ETag: '"1"' } },
        'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n',
      ],
      ['of 103: without body and length', get('/'), { status: 103 }, 'HTTP/1.1 103 Early Hints\r\n\r\n'],
      ['that opens a tunnel: without length', 'CONNECT a:1 HTTP/1.1\r\n\r\n', {}, `${ok}\r\n`],
    ]
    it.each(answers)('%s', async (_, request, response, wire) => {
      expect(await answerTo(request, response)).toBe(wire)
    })
  })

  it('needs no clock', async () => {
    jest.useFakeTimers()
    try {
      expect(await answerTo(get('/'), 'x')).toBe('x')
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })
})
