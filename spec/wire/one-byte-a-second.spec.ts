// A peer that is as slow as can be is not gone: what it sends or takes within each timeoutMs keeps everything waiting, however long all
// of it takes; and when nothing moves any more, that is found out.
import { Duplex } from 'node:stream'
import { BodyFollowing, HTTPConnection } from '../../lib'
import { arrival, asked, chunked, closedLater, ok, turns, wire } from '../support/reading'
import { watch } from '../support/wire'

const SECOND = 1000
const TIMED_OUT = { name: 'ConnectionTimedOut', code: 'ERR_HTTPIO_TIMED_OUT' }

beforeEach(() => {
  jest.useFakeTimers()
})

afterEach(() => {
  jest.useRealTimers()
})

/** Lets time pass, and then what is due happen. */
async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms)
  await turns()
}

/** A little more than what passes between two bytes, and a little less. */
const PATIENT = { timeoutMs: SECOND + 1 }
const IMPATIENT = { timeoutMs: SECOND - 1 }

const WHOLE = chunked(['Hello', ', ', 'world'], 'X-Sum: 7\r\n')
const HEAD_BYTES = WHOLE.indexOf('\r\n\r\n') + 4

/** Ways to read a response to `GET /a` to its end; each says what its body was. */
const readers: readonly (readonly [string, (connection: HTTPConnection) => Promise<string>])[] = [
  [
    'read',
    async connection => {
      let text = ''
      for await (const part of await connection.readResponse()) text += part.toString()
      return text
    },
  ],
  [
    'readInto',
    async connection => {
      await connection.readResponse()
      const target = Buffer.alloc(100)
      let filled = 0
      for (let got = -1; got !== 0; filled += got) got = await connection.readInto(target.subarray(filled))
      return target.toString('latin1', 0, filled)
    },
  ],
  ['readAll', async connection => (await connection.readResponse()).text()],
  ['request', async connection => (await connection.request('GET', '/a')).text()],
  [
    'pipeline',
    async connection => {
      const { value } = await connection.pipeline(['/a']).next()
      return value!.text()
    },
  ],
]

/** A connection whose peer has received `GET /a`, and what reads its response. */
async function reading(
  name: string,
  read: (connection: HTTPConnection) => Promise<string>,
  options: { timeoutMs: number },
) {
  const isStep = name.startsWith('read')
  const wired = isStep ? await asked(['/a'], options) : wire(options)
  const body = watch(read(wired.connection))
  await arrival(wired.peer, '/a')
  await turns()
  return { ...wired, body }
}

describe('a peer that sends one byte a second', () => {
  it.each(readers)('is waited for to the end by %s', async (name, read) => {
    const { peer, body } = await reading(name, read, PATIENT)
    for (const byte of WHOLE) {
      expect(body.state).toBe('pending')
      await pass(SECOND)
      peer.send(byte)
    }
    await turns()
    expect(body).toMatchObject({ state: 'resolved', value: 'Hello, world' })
  })

  it.each(
    readers.flatMap(([name, read]) =>
      [1, HEAD_BYTES - 1, HEAD_BYTES, WHOLE.length - 1].map(stopsAt => [name, stopsAt, read] as const),
    ),
  )('ends %s in ConnectionTimedOut when it has stopped behind byte %i', async (name, stopsAt, read) => {
    const { peer, body } = await reading(name, read, PATIENT)
    for (const byte of WHOLE.slice(0, stopsAt)) {
      await pass(SECOND)
      peer.send(byte)
    }
    // What reads the body begins when the head is there.
    await turns()
    await pass(SECOND)
    expect(body.state).toBe('pending')
    await pass(1)
    expect(body.error).toMatchObject({ ...TIMED_OUT, operation: 'receive' })
  })

  it.each(readers)('is too slow where %s may wait less than a second', async (name, read) => {
    const { peer, body } = await reading(name, read, IMPATIENT)
    await pass(SECOND)
    peer.send(WHOLE)
    await turns()
    expect(body.error).toMatchObject({ ...TIMED_OUT, operation: 'receive' })
  })

  it('is waited for by those whose responses are far behind', async () => {
    const { connection, peer } = wire(PATIENT)
    const answers = Array.from({ length: 5 }, (_, i) => watch(connection.request('GET', `/${i}`)))
    await arrival(peer, '/4')
    for (const byte of ok('a').repeat(5)) {
      expect(answers[4].state).toBe('pending')
      await pass(SECOND)
      peer.send(byte)
    }
    await turns()
    expect(answers.map(({ state }) => state)).toEqual(Array(5).fill('resolved'))
  })

  it('is waited for by a send, too, that it keeps waiting', async () => {
    const { connection, peer } = await asked(['/a'], PATIENT)
    peer.stall()
    const sending = watch(connection.sendRequest('PUT', '/b', { body: Buffer.alloc(100_000) }))
    for (const byte of WHOLE) {
      expect(sending.state).toBe('pending')
      await pass(SECOND)
      peer.send(byte)
    }
    await pass(SECOND)
    expect(sending.state).toBe('pending')
    await pass(1)
    expect(sending.error).toMatchObject({ ...TIMED_OUT, operation: 'send' })
  })
})

/** A transport whose peer takes one write when it is told to, and none by itself. */
class Reluctant extends Duplex {
  receivedBytes = 0
  #offered: { readonly bytes: number; readonly taken: () => void } | null = null

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#offered = { bytes: chunk.length, taken }
  }

  override _writev(chunks: readonly { chunk: Buffer }[], taken: () => void): void {
    this.#offered = { bytes: chunks.reduce((sum, { chunk }) => sum + chunk.length, 0), taken }
  }

  takeOne(): void {
    const offered = this.#offered
    this.#offered = null
    this.receivedBytes += offered?.bytes ?? 0
    offered?.taken()
  }
}

describe('a peer that takes one write a second', () => {
  const BODY = Buffer.alloc(500_000, 'x')
  const parts = (): Buffer[] => Array.from({ length: 50 }, () => BODY.subarray(0, 10_000))
  const senders: readonly (readonly [string, (connection: HTTPConnection) => Promise<unknown>])[] = [
    ['sendRequest', connection => connection.sendRequest('PUT', '/a', { body: BODY })],
    [
      'write',
      async connection => {
        await connection.sendRequest('PUT', '/a', { body: new BodyFollowing(BODY.length) })
        await connection.write(BODY)
      },
    ],
    [
      'sendBody',
      async connection => {
        await connection.sendRequest('PUT', '/a', { body: new BodyFollowing() })
        await connection.sendBody(parts())
        await connection.readResponse()
      },
    ],
    ['request', connection => connection.request('PUT', '/a', { body: BODY })],
    ['a request with a source', connection => connection.request('PUT', '/a', { body: parts() })],
  ]

  /** What is sent over a connection to such a peer. */
  async function sending(send: (connection: HTTPConnection) => Promise<unknown>) {
    const socket = new Reluctant()
    const connection = closedLater(new HTTPConnection('example.test', { ...PATIENT, socket }))
    await connection.connect()
    const sent = watch(send(connection))
    await turns()
    return { connection, socket, sent }
  }

  it.each(senders)('is waited for to the end by %s', async (_name, send) => {
    const { socket, sent } = await sending(send)
    while (socket.receivedBytes < BODY.length) {
      expect(sent.state).toBe('pending')
      await pass(SECOND)
      socket.takeOne()
      await turns()
    }
    socket.takeOne()
    socket.push(ok())
    await turns()
    expect(sent.state).toBe('resolved')
  })

  it.each(senders)('ends %s in ConnectionTimedOut when it takes nothing more', async (_name, send) => {
    const { socket, sent } = await sending(send)
    for (let i = 0; i < 3; i++) {
      await pass(SECOND)
      socket.takeOne()
      await turns()
    }
    await pass(SECOND)
    expect(sent.state).toBe('pending')
    await pass(1)
    expect(sent.error).toMatchObject({ ...TIMED_OUT, operation: 'send' })
  })

  it('is waited for by a read, too', async () => {
    const { connection, socket } = await sending(connection =>
      connection.sendRequest('PUT', '/a', { body: BODY }),
    )
    const response = watch(connection.readResponse())
    for (let i = 0; i < 5; i++) {
      await pass(SECOND)
      socket.takeOne()
      await turns()
    }
    await pass(SECOND)
    expect(response.state).toBe('pending')
    await pass(1)
    expect(response.error).toMatchObject({ ...TIMED_OUT, operation: 'receive' })
  })
})
