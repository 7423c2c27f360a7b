// A server that answers in the middle of a body and closes without reading the rest: the kernel resets the connection, and a client that
// minds only its failed write never sees the answer.
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { BodyFollowing, ConnectionClosed, HTTPConnection, type ConnectionOptions } from '../../lib'
import { Loopback } from '../support/loopback'
import { ca, localhost } from '../support/tls'

/** Under so many rounds, the kernel's own timing shows every order of events. The specs take seconds on a busy machine. */
const ROUNDS = 50
const LIMIT_MS = 60_000
const ANSWER_BODY = 'too much '.repeat(300)
const ANSWER = `HTTP/1.1 413 Content Too Large\r\nContent-Length: ${ANSWER_BODY.length}\r\n\r\n${ANSWER_BODY}`
/** More than any kernel takes for a peer that does not read. */
const BODY_BYTES = 32_000_000
const BODY = Buffer.alloc(BODY_BYTES, 'x')
const CHUNK = Buffer.alloc(40_000, 'x')

/** Answers the first connection that comes when some of the body is there. */
async function answerAndClose(server: Server): Promise<void> {
  const peer: Duplex = await server.next()
  let received = ''
  while (!received.includes('xxx')) {
    const [chunk] = (await once(peer, 'data')) as [Buffer]
    received += chunk.toString('latin1')
  }
  peer.pause()
  peer.write(ANSWER, () => peer.destroy())
}

type Server = Loopback | Loopback<TLSSocket>

const transports: [string, () => Promise<{ server: Server; options: ConnectionOptions }>][] = [
  ['TCP', async () => ({ server: await Loopback.tcp(), options: {} })],
  [
    'TLS',
    async () => ({
      server: await Loopback.tls(localhost),
      options: { tls: { ca, servername: 'localhost' } },
    }),
  ],
  [
    'TLS whose end is watched',
    async () => ({
      server: await Loopback.tls(localhost),
      options: { tls: { ca, servername: 'localhost' }, closeDelimited: 'accept' },
    }),
  ],
  [
    'a unix domain socket',
    async () => {
      const server = await Loopback.unix()
      return { server, options: { socketPath: server.socketPath } }
    },
  ],
]

/** Sends until it fails, one step at a time, and reads what there is. */
const ways: [string, (connection: HTTPConnection) => Promise<{ status: number; body: string }>][] = [
  [
    'write',
    async connection => {
      await connection.sendRequest('POST', '/', { body: new BodyFollowing(BODY_BYTES) })
      const sending = async () => {
        for (let sent = 0; sent < BODY_BYTES; sent += CHUNK.length) await connection.write(CHUNK)
      }
      await expect(sending()).rejects.toBeInstanceOf(ConnectionClosed)
      return readAnswer(connection)
    },
  ],
  [
    'sendBody',
    async connection => {
      await connection.sendRequest('POST', '/', { body: new BodyFollowing() })
      const source = Array<Buffer>(BODY_BYTES / CHUNK.length).fill(CHUNK)
      await expect(connection.sendBody(source)).rejects.toBeInstanceOf(ConnectionClosed)
      return readAnswer(connection)
    },
  ],
  [
    'sendRequest',
    async connection => {
      const sent = connection.sendRequest('POST', '/', { body: BODY })
      await expect(sent).rejects.toBeInstanceOf(ConnectionClosed)
      return readAnswer(connection)
    },
  ],
  [
    'request',
    async connection => {
      const response = await connection.request('POST', '/', { body: BODY.subarray(0, 4_000_000) })
      return { status: response.status, body: await response.text() }
    },
  ],
]

async function readAnswer(connection: HTTPConnection): Promise<{ status: number; body: string }> {
  const response = await connection.readResponse()
  return { status: response.status, body: await response.text() }
}

describe.each(transports)('over %s', (_, listen) => {
  it.each(ways)(
    `%s loses none of ${ROUNDS} answers`,
    async (_, exchange) => {
      const { server, options } = await listen()
      const seen: { status: number; body: string }[] = []
      try {
        for (let round = 0; round < ROUNDS; round++) {
          await using connection = new HTTPConnection('127.0.0.1', { port: server.port || 1, ...options })
          const [answer] = await Promise.all([exchange(connection), answerAndClose(server)])
          seen.push(answer)
        }
      } finally {
        await server.close()
      }
      expect(seen).toEqual(Array(ROUNDS).fill({ status: 413, body: ANSWER_BODY }))
    },
    LIMIT_MS,
  )
})
