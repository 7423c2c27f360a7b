// Owns the servers that the specs use. They live in the process of the specs, on loopback, and nothing of them outlives a spec.
import { once } from 'node:events'
import { createServer as createHTTPServer, type RequestListener } from 'node:http'
import { createServer as createHTTPSServer } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { randomUUID } from 'node:crypto'

/** The authority that `spec/support/tls.ts` is about, as a file. */
export const CA_FILE = join(__dirname, '../../../spec/support/certs/ca.pem')

export class TestServer {
  readonly #server: Server
  readonly #scheme: string
  readonly #sockets = new Set<Socket>()
  /** Connections accepted so far. */
  connections = 0
  /** Requests that arrived at a raw server so far, those among them that nobody looked at any more included. */
  received = 0

  constructor(server: Server, scheme = 'http') {
    this.#server = server
    this.#scheme = scheme
    server.on('connection', (socket: Socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.on('tlsClientError', () => undefined)
    open.add(this)
  }

  async listen(where: string | number = 0): Promise<this> {
    if (typeof where === 'string') this.#server.listen(where)
    else this.#server.listen(where, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  get url(): string {
    return `${this.origin}/`
  }

  /** Resolves when the other side has let go of all connections. */
  async abandoned(): Promise<void> {
    await Promise.all(Array.from(this.#sockets, socket => once(socket, 'close')))
  }

  /** As if its process had been killed: its connections are cut, and nothing listens any more. */
  async close(): Promise<void> {
    if (!open.delete(this)) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

const open = new Set<TestServer>()

afterEach(async () => {
  await Promise.all(Array.from(open, server => server.close()))
})

export function serveHTTP(listener: RequestListener): Promise<TestServer> {
  return new TestServer(createHTTPServer(listener)).listen()
}

/** @param identity - one of those in `spec/support/tls.ts` */
export function serveHTTPS(
  identity: { key: string; cert: string },
  listener: RequestListener,
): Promise<TestServer> {
  return new TestServer(createHTTPSServer(identity, listener), 'https').listen()
}

/** A unix domain socket, and where it is. */
export async function serveUnix(listener: RequestListener): Promise<string> {
  const path = join(tmpdir(), `httpio-${randomUUID()}`)
  await new TestServer(createHTTPServer(listener)).listen(path)
  return path
}

/** Is given each connection. */
export function serveSockets(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return new TestServer(createServer(onConnection)).listen()
}

/** Is given each request without body, how many came before it on its connection, and the socket to answer on. */
export async function serveRaw(
  onRequest: (socket: Socket, index: number, head: string) => void,
): Promise<TestServer> {
  const server: TestServer = await serveSockets(socket => {
    let input = ''
    let index = 0
    socket.on('data', data => {
      input += data.toString('latin1')
      for (let end = input.indexOf('\r\n\r\n'); end >= 0; end = input.indexOf('\r\n\r\n')) {
        const head = input.slice(0, end + 4)
        input = input.slice(end + 4)
        server.received++
        if (!socket.writableEnded) onRequest(socket, index++, head)
      }
    })
  })
  return server
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = await serveSockets(() => undefined)
  const { port } = server
  await server.close()
  return port
}
