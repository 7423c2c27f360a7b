// Over real sockets: the peer ends the connection behind every single byte of its side of a pipeline, by FIN and by reset, also while
// the client is sending.
//
// What is certain is asserted exactly: after a FIN, and after a reset that comes when the client has read all bytes before it, exactly
// the responses complete by then are delivered. A reset on the heels of the bytes may take some of them with it. So all that can be said
// of it is that the client sees one cut, at that byte or at an earlier one: what it delivers is a prefix, never more than was complete,
// never a part of a body for the whole, and each other request is named once, in order, with what became of it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { HTTPConnection, type ConnectMessage } from '../../lib'
import { Loopback } from '../support/loopback'
import { turns } from '../support/reading'
import { blockedUpload, expectedAt, FIVE_EXCHANGES, streamOf, USES } from '../support/scripted-exchanges'
import type { Script, Use } from '../support/scripted-exchanges'

/** A few hundred connections a test; enough even on a machine that is busy with something else. */
jest.setTimeout(60_000)

/** More than two kernels take for a peer that does not read. */
const BLOCKED_UPLOAD = blockedUpload(16_000_000)

type End = 'FIN' | 'reset' | 'reset on its heels'

let server: Loopback

beforeAll(async () => {
  server = await Loopback.tcp({ noDelay: true })
})

afterAll(() => server.close())

/** The client's own sockets, and the beginning of what each was given to send. */
const clients = new Map<object, { readonly socket: Socket; sent: string }>()

function onConnect(message: unknown): void {
  const { connection, socket } = message as ConnectMessage & { socket: Socket }
  const client = { socket, sent: '' }
  clients.set(connection, client)
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
  socket.write = (...args: unknown[]) => {
    client.sent += Buffer.from(args[0] as Buffer).toString('latin1', 0, 1000)
    return write(...args)
  }
}

beforeAll(() => subscribe('httpio:connect', onConnect))
afterAll(() => unsubscribe('httpio:connect', onConnect))

/** The server's side of a connection, which sends the beginning of a script. */
class Server {
  readonly #peer: Socket
  #received = ''

  constructor(peer: Socket) {
    this.#peer = peer
    peer.on('data', (chunk: Buffer) => (this.#received += chunk.toString('latin1', 0, 1000)))
  }

  async waitFor(text: string): Promise<void> {
    while (!this.#received.includes(text)) await once(this.#peer, 'data')
  }

  /** Takes nothing any more. */
  stall(): void {
    this.#peer.pause()
  }

  /** Sends the first `cutAt` bytes, each part when its time has come, and then ends the connection. */
  async serve({ parts }: Script, cutAt: number, end: End, client: Socket): Promise<void> {
    let left = cutAt
    for (const { after, bytes } of parts) {
      if (left === 0) break
      await this.waitFor(after)
      await new Promise(resolve => this.#peer.write(bytes.slice(0, left), resolve))
      left -= Math.min(left, bytes.length)
    }
    if (end === 'FIN') {
      this.#peer.end()
      return
    }
    while (end === 'reset' && client.bytesRead < cutAt && !client.destroyed) await turns(1)
    this.#peer.resetAndDestroy()
  }
}

async function cut(script: Script, use: Use, cutAt: number, end: End, isBlocked: boolean): Promise<void> {
  const connection = new HTTPConnection('127.0.0.1', { port: server.port })
  const using = use(connection, script.asked)
  using.catch(() => {})
  const [peer] = await Promise.all([server.next(), connection.connect()])
  const client = clients.get(connection)!
  const serving = new Server(peer)
  if (isBlocked) {
    await serving.waitFor('PUT /upload')
    serving.stall()
  }
  await serving.serve(script, cutAt, end, client.socket)
  const seen = await using
  await connection.close()
  clients.delete(connection)
  peer.destroy()

  const exactly = expectedAt(script, cutAt, client.sent)
  if (end !== 'reset on its heels') {
    expect({ cutAt, ...seen }).toEqual({ cutAt, ...exactly })
    return
  }
  // The earliest cut by which as much was complete, up to the byte at which it was cut.
  const earlier = Array.from({ length: cutAt }, (_, at) => expectedAt(script, at, client.sent))
  const isSame = (other: unknown): boolean => JSON.stringify(other) === JSON.stringify(seen)
  if (!earlier.some(isSame)) expect({ cutAt, ...seen }).toEqual({ cutAt, ...exactly })
}

const ENDS: readonly End[] = ['FIN', 'reset', 'reset on its heels']
const rows = USES.flatMap(([name, use]) => ENDS.map(end => [name, end, use] as const))

describe('a pipeline of five exchanges over a real socket', () => {
  it.each(rows)('by %s, delivers what is complete before a %s behind any byte', async (_name, end, use) => {
    for (let cutAt = 0; cutAt <= streamOf(FIVE_EXCHANGES).length; cutAt++) {
      await cut(FIVE_EXCHANGES, use, cutAt, end, false)
    }
  })
})

describe('a pipeline over a real socket that is blocked in the middle of an upload', () => {
  it.each(rows)('by %s, delivers what is complete before a %s behind any byte', async (_name, end, use) => {
    for (let cutAt = 0; cutAt <= streamOf(BLOCKED_UPLOAD).length; cutAt++) {
      await cut(BLOCKED_UPLOAD, use, cutAt, end, true)
    }
  })
})
