// What a caller holds of a response: its head, and its body in every form, read off the connection or from memory.
import { once } from 'node:events'
import { pipeline as pipe } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import { HTTPResponse, StateError, type HTTPConnection } from '../lib'
import type { FakePeer } from '../lib/testing'
import { arrival, asked, chunked, failure, follow, ok, text, turns, wire } from './support/reading'

const typed = (type: string, body: string): string => ok(body, `Content-Type: ${type}\r\n`)

/** The response to one GET, and whoever it came from. */
async function streamed(
  response: string,
): Promise<{ response: HTTPResponse; connection: HTTPConnection; peer: FakePeer }> {
  const { connection, peer } = await asked(['/a'])
  peer.send(response)
  return { response: await connection.readResponse(), connection, peer }
}

/** The same as `request` gives it. */
async function buffered(response: string): Promise<HTTPResponse> {
  const { connection, peer } = wire()
  const request = connection.request('GET', '/a')
  await arrival(peer, '/a')
  peer.send(response)
  return request
}

const either = [
  ['read off the connection', async (bytes: string) => (await streamed(bytes)).response],
  ['from memory', buffered],
] as const

describe.each(either)('HTTPResponse %s', (_kind, get) => {
  it('has the head, with the length as framed', async () => {
    const counted = await get('HTTP/1.1 404 Not Found\r\nA: 1\r\nContent-Length: 3\r\n\r\nabc')
    expect(counted).toMatchObject({ method: 'GET', path: '/a', status: 404, reason: 'Not Found', length: 3 })
    expect(counted.headers.get('a')).toBe('1')
    expect(counted.trailers.size).toBe(0)
    const inChunks = await get(chunked(['abc']))
    expect(inChunks.length).toBeNull()
    expect(text(await inChunks.readAll())).toBe('abc')
    expect(inChunks.length).toBeNull()
    expect((await get('HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n')).reason).toBe('')
    expect((await get('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n')).reason).toBe('')
  })

  it('has headers that may be changed', async () => {
    const response = await get('HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n\r\nab')
    response.headers.set('A', '2')
    response.headers.set('Content-Length', '7')
    expect(response.headers.get('a')).toBe('2')
    expect(response.length).toBe(2)
    expect(text(await response.readAll())).toBe('ab')
  })

  it('has trailers when the body has been read', async () => {
    const response = await get(chunked(['abc'], 'X-Sum: 1\r\nx-sum: 2\r\n'))
    await response.discard()
    expect(Array.from(response.trailers)).toEqual([
      ['X-Sum', '1'],
      ['x-sum', '2'],
    ])
    response.trailers.set('X-Sum', '3')
    expect(response.trailers.get('x-sum')).toBe('3')
  })

  it('reads in parts of at most so many bytes, then says the end again and again', async () => {
    const response = await get(ok('abcdef'))
    expect(text(await response.read(4))).toBe('abcd')
    expect(text(await response.read(4))).toBe('ef')
    expect((await response.read()).length).toBe(0)
    expect((await response.read(1)).length).toBe(0)
    expect(await response.readInto(Buffer.alloc(1))).toBe(0)
  })

  it('reads into memory of the caller, and no further than it got', async () => {
    const response = await get(ok('abcdef'))
    const target = new Uint8Array(8).fill(0x2e)
    expect(await response.readInto(target.subarray(1, 5))).toBe(4)
    expect(await response.readInto(target.subarray(5))).toBe(2)
    expect(Buffer.from(target).toString()).toBe('.abcdef.')
    expect(await response.readInto(target)).toBe(0)
  })

  it('refuses to read nothing, and what cannot be meant', async () => {
    const response = await get(ok('abc'))
    for (const bytes of [0, -1, 1.5, NaN, '1' as unknown as number]) {
      expect(await failure(response.read(bytes))).toBeInstanceOf(RangeError)
    }
    expect(await failure(response.readInto(Buffer.alloc(0)))).toBeInstanceOf(RangeError)
    expect(await failure(response.readInto('abc' as unknown as Uint8Array))).toBeInstanceOf(TypeError)
    expect(text(await response.readAll())).toBe('abc')
  })

  it('gives the body to `for await` in parts', async () => {
    const response = await get(chunked(['ab', 'cd', 'ef']))
    let body = ''
    for await (const part of response) body += text(part)
    expect(body).toBe('abcdef')
    for await (const part of response) throw new Error(`one more: ${part.toString()}`)
  })

  it('leaves the rest unread when the loop is left early', async () => {
    const response = await get(ok('abcdef'))
    expect(text(await response.read(1))).toBe('a')
    for await (const part of response) {
      expect(text(part)).toBe('bcdef')
      break
    }
    expect((await response.read()).length).toBe(0)
  })

  it.each([
    ['text/plain', 'gr\xc3\xbcn', 'grün'],
    ['text/plain; charset=utf-8', 'gr\xc3\xbcn', 'grün'],
    ['text/plain;charset="ISO-8859-1"', 'gr\xfcn', 'grün'],
    ['text/plain; Charset=UTF-16LE', 'a\0b\0', 'ab'],
    ['text/plain; charset=windows-1251', '\xe4\xe0', 'да'],
    ['text/plain; charset=no-such-thing', 'gr\xc3\xbcn', 'grün'],
    ['text/plain; charset=', 'ab', 'ab'],
    ['application/octet-stream', 'a\xffb', 'a\ufffdb'],
  ])('decodes text of type %s', async (type, body, expected) => {
    expect(await (await get(typed(type, body))).text()).toBe(expected)
  })

  it('decodes text without a type as UTF-8', async () => {
    expect(await (await get(ok('\xe2\x82\xac'))).text()).toBe('€')
    expect(await (await get(ok())).text()).toBe('')
  })

  it('parses JSON, which is UTF-8 whatever the type says', async () => {
    const response = await get(typed('application/json; charset=latin1', '{"price":"\xe2\x82\xac"}'))
    expect(await response.json()).toEqual({ price: '€' })
    expect(await failure((await get(ok('{'))).json())).toBeInstanceOf(SyntaxError)
    expect(await failure((await get(ok())).json())).toBeInstanceOf(SyntaxError)
  })

  it('becomes a Node stream of the rest of its body', async () => {
    const response = await get(chunked(['a'.repeat(5), 'b'.repeat(100_000)]))
    await response.read(3)
    const readable = response.toReadable()
    let body = ''
    for await (const part of readable) body += text(part as Buffer)
    expect(body).toBe('aa' + 'b'.repeat(100_000))
    expect(readable.destroyed).toBe(true)

    const piped = new PassThrough()
    const pieces: Buffer[] = []
    piped.on('data', (piece: Buffer) => pieces.push(piece))
    await pipe((await get(ok('abc'))).toReadable(), piped)
    expect(Buffer.concat(pieces).toString()).toBe('abc')

    const empty = (await get(ok())).toReadable().resume()
    await once(empty, 'end')
  })

  it('becomes a web stream of the rest of its body', async () => {
    const response = await get(ok('abcdef'))
    await response.read(2)
    const pieces: Uint8Array[] = []
    for await (const piece of response.toWeb()) pieces.push(piece)
    expect(Buffer.concat(pieces).toString()).toBe('cdef')
    expect(await new Response((await get(ok('abc'))).toWeb() as never).text()).toBe('abc')
    expect((await (await get(ok())).toWeb().getReader().read()).done).toBe(true)
  })
})

describe('HTTPResponse from memory', () => {
  it('may be read again and again by readAll, text and json, whatever else was read', async () => {
    const response = await buffered(chunked(['{"a":', '[1]}']))
    for (let i = 0; i < 2; i++) {
      expect(text(await response.readAll())).toBe('{"a":[1]}')
      expect(await response.text()).toBe('{"a":[1]}')
      expect(await response.json()).toEqual({ a: [1] })
      await response.read(2)
    }
    await response.discard()
    expect((await response.read()).length).toBe(0)
    expect(await response.text()).toBe('{"a":[1]}')
  })

  it('is not stale when others have followed on the connection', async () => {
    const { connection, peer } = wire()
    peer.respond(({ path }) => ({ body: path }))
    const responses = await Promise.all(['/a', '/b', '/c'].map(path => connection.request('GET', path)))
    for (const response of responses.reverse()) expect(await response.text()).toBe(response.path)
  })
})

describe('HTTPResponse read off the connection', () => {
  it('gives the chunks that arrived in one segment as one part to a read that waits', async () => {
    const { connection, peer } = await asked(['/'])
    const [head, ...chunks] = chunked(['a', 'b', 'c', 'd'].map(letter => letter.repeat(16_384))).split(
      /(?<=\r\n\r\n)/,
    )
    peer.send(head)
    const response = await connection.readResponse()
    const read = response.read()
    peer.send(chunks.join(''))
    expect(text(await read)).toBe(['a', 'b', 'c', 'd'].map(letter => letter.repeat(16_384)).join(''))
    expect((await response.read()).length).toBe(0)
  })

  it('waits for one byte at least and gives what is there', async () => {
    const { response, peer } = await streamed('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n')
    const part = response.read()
    const state = follow(part)
    await turns()
    expect(state.is).toBe('pending')
    peer.send('ab')
    expect(text(await part)).toBe('ab')
    peer.send('cd')
    peer.send('e')
    expect(text(await response.read(100)) + text(await response.read(100))).toBe('cde')
    const last = response.readInto(Buffer.alloc(5))
    peer.send('f')
    expect(await last).toBe(1)
    expect((await response.read()).length).toBe(0)
  })

  it('has no trailers before they came', async () => {
    const { response, peer } = await streamed(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n',
    )
    expect(response.trailers.size).toBe(0)
    const body = response.readAll()
    peer.send('0\r\nA: b\r\n\r\n')
    await body
    expect(response.trailers.get('a')).toBe('b')
  })

  it('is stale, a StateError, when another response has become the current one', async () => {
    const { connection, peer } = await asked(['/a', '/b'])
    peer.send(ok('aa') + ok('bb'))
    const first = await connection.readResponse()
    expect(text(await first.readAll())).toBe('aa')
    expect((await first.read()).length).toBe(0)
    await connection.readResponse()
    for (const read of [
      first.read(),
      first.readInto(Buffer.alloc(1)),
      first.readAll(),
      first.discard(),
      first.text(),
      first.json(),
      first[Symbol.asyncIterator]().next(),
    ]) {
      expect(await failure(read)).toBeInstanceOf(StateError)
    }
    const [error] = (await once(first.toReadable().resume(), 'error')) as [Error]
    expect(error).toBeInstanceOf(StateError)
    expect(await failure(first.toWeb().getReader().read())).toBeInstanceOf(StateError)
    expect(text(await connection.readAll())).toBe('bb')
  })

  it('shares its body with the connection', async () => {
    const { response, connection } = await streamed(ok('abcdef'))
    expect(text(await response.read(2))).toBe('ab')
    expect(text(await connection.read(2))).toBe('cd')
    expect(text(await response.readAll())).toBe('ef')
    expect((await connection.readAll()).length).toBe(0)
  })

  it('rejects every form of a body that is not complete', async () => {
    const cut = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'
    const reads: ((response: HTTPResponse) => Promise<unknown>)[] = [
      response => response.readAll(),
      response => response.text(),
      response => response.json(),
      response => response.discard(),
      async response => {
        for await (const part of response) text(part)
      },
      async response => {
        for await (const part of response.toReadable()) text(part as Buffer)
      },
      async response => {
        for await (const part of response.toWeb()) text(Buffer.from(part))
      },
    ]
    for (const read of reads) {
      const { response, peer } = await streamed(cut)
      const pending = failure(read(response))
      peer.end()
      expect(await pending).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    }
  })

  it.each(['toReadable', 'toWeb'] as const)(
    'reads nothing ahead in %s, and leaves the rest to the connection',
    async form => {
      const { response, connection, peer } = await streamed('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')
      for await (const part of response[form]()) {
        expect(Buffer.from(part as Uint8Array).toString()).toBe('abc')
        peer.send('def')
        await turns()
        break
      }
      expect(text(await connection.read())).toBe('def')
      peer.send('ghi')
      expect(text(await response.readAll())).toBe('ghi')
    },
  )

  it('gives up the read that waits when a Node stream of it is destroyed', async () => {
    const { response, connection, peer } = await streamed('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n')
    const readable = response.toReadable().resume()
    await turns()
    readable.destroy()
    await once(readable, 'close')
    const rest = connection.readAll()
    peer.send('abcdef')
    expect(text(await rest)).toBe('abcdef')
  })

  it('gives up the read that waits when a web stream of it is cancelled', async () => {
    const { response, connection, peer } = await streamed('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n')
    const reader = response.toWeb().getReader()
    const pending = reader.read()
    await turns()
    await reader.cancel()
    expect((await pending).done).toBe(true)
    const rest = connection.readAll()
    peer.send('abcdef')
    expect(text(await rest)).toBe('abcdef')
  })

  it('cannot be read after readRaw', async () => {
    const { response, connection } = await streamed(ok('abc'))
    expect(text(await connection.readRaw(1))).toBe('a')
    expect(await failure(response.readAll())).toBeInstanceOf(StateError)
    expect(await failure(connection.read())).toBeInstanceOf(StateError)
    expect(await failure(connection.readResponse())).toBeInstanceOf(StateError)
    expect(text(await connection.readRaw(5))).toBe('bc')
  })
})
