// What the specs of HTTPClient share: clients over fake sockets, each connection scripted by the spec, and servers on loopback that
// keep what each of their connections received.
import { once } from 'node:events'
import net from 'node:net'
import { HTTPClient, type ClientOptions } from '../../lib'
import { FakeSocket, type FakePeer } from '../../lib/testing'

const clients: HTTPClient[] = []
const servers: BehavedServer[] = []

afterEach(async () => {
  for (const client of clients) client.destroy()
  await Promise.all(clients.splice(0).map(client => client.close()))
  await Promise.all(servers.splice(0).map(server => server.close()))
})

/** Destroys a client when the spec is over. */
export function destroyedLater(client: HTTPClient): HTTPClient {
  clients.push(client)
  return client
}

/** No spec waits for a backoff unless it says so. */
export const AT_ONCE = { delayMs: () => 0 }

export class Fakes {
  readonly client: HTTPClient
  readonly #peers: FakePeer[] = []
  readonly #wanted = new Map<number, (peer: FakePeer) => void>()

  constructor(options: ClientOptions = {}) {
    const connect = (): FakeSocket => {
      const socket = new FakeSocket()
      this.#peers.push(socket.peer)
      this.#wanted.get(this.#peers.length - 1)?.(socket.peer)
      return socket
    }
    this.client = destroyedLater(
      new HTTPClient('http://example.test', { resend: AT_ONCE, connect, ...options }),
    )
  }

  /** How many connections there have been. */
  get count(): number {
    return this.#peers.length
  }

  /** The far end of the connection of this number, from 0 on, as soon as there is one. */
  async peer(index: number): Promise<FakePeer> {
    return this.#peers[index] ?? new Promise(resolve => this.#wanted.set(index, resolve))
  }
}

/** The request lines that a peer received, without the version. */
export function linesOf(received: Buffer | string): string[] {
  const text = typeof received === 'string' ? received : received.toString('latin1')
  return Array.from(text.matchAll(/^([A-Z]+ \S+) HTTP\/1\.1\r$/gm), ([, line]) => line)
}

/** What a server does with the request of number `count`, from 1 on, of a connection. */
export type Behaviour = (
  request: { readonly path: string; readonly count: number },
  socket: net.Socket,
) => void

/** A server on loopback; every connection and all that it received is kept. */
export class BehavedServer {
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  /** For each connection the paths that it was asked for, in the portions in which they came. */
  readonly portions: string[][][] = []

  constructor(behave: Behaviour) {
    servers.push(this)
    this.#server = net.createServer(socket => {
      const portions: string[][] = []
      this.portions.push(portions)
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      let text = ''
      let count = 0
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        const heads = text.split('\r\n\r\n')
        text = heads.pop()!
        const paths = heads.map(head => head.split(' ')[1])
        portions.push(paths)
        for (const path of paths) if (socket.writable) behave({ path, count: ++count }, socket)
      })
    })
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** For each connection the paths that it was asked for. */
  get asked(): string[][] {
    return this.portions.map(portions => portions.flat())
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }
}

export function behaved(behave: Behaviour): Promise<BehavedServer> {
  return new BehavedServer(behave).listen()
}
