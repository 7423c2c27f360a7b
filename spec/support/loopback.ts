// Real servers on loopback that hand each connection to the spec, and leave nothing behind.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import tls from 'node:tls'

/** A listening server. */
export class Loopback<S extends net.Socket = net.Socket> {
  readonly #server: net.Server
  readonly #open = new Set<net.Socket>()
  /** Those handed to the spec, above TLS if it is a TLS server: below it nothing is to be seen of an end. */
  readonly #handed = new Set<S>()
  #isExpectingEnds = false
  readonly #arrived: S[] = []
  #folder = ''
  /** The first connection waited for in vain so far. */
  #wanted: ((socket: S) => void)[] = []
  port = 0
  socketPath = ''
  /** Connections accepted so far, with or without TLS on them. */
  accepted = 0
  /** Is given each connection as it is accepted, below TLS. */
  onConnection: (socket: net.Socket) => void = () => {}

  private constructor(server: net.Server, event: string) {
    this.#server = server
    server.on('connection', (socket: net.Socket) => {
      this.accepted++
      this.#open.add(socket)
      this.onConnection(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#open.delete(socket)
        server.emit('gone')
      })
    })
    server.on('tlsClientError', () => {})
    server.on(event, (socket: S) => {
      this.#handed.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#handed.delete(socket))
      if (this.#isExpectingEnds) endWithPeer(socket)
      const take = this.#wanted.shift()
      if (take) take(socket)
      else this.#arrived.push(socket)
    })
  }

  /** Plain TCP on 127.0.0.1. Its sockets are half open, so that only the spec ends them. */
  static async tcp(options: net.ServerOpts = {}): Promise<Loopback> {
    const loopback = new Loopback(net.createServer({ allowHalfOpen: true, ...options }), 'connection')
    return loopback.#listen()
  }

  /** A unix domain socket. */
  static async unix(): Promise<Loopback> {
    const loopback = new Loopback(net.createServer({ allowHalfOpen: true }), 'connection')
    loopback.#folder = mkdtempSync(path.join(os.tmpdir(), 'httpio-spec-'))
    loopback.socketPath = path.join(loopback.#folder, 'socket')
    return loopback.#listen()
  }

  /** TLS on 127.0.0.1. Half open, its connections would stay for ever when they end in the handshake. */
  static async tls(options: tls.TlsOptions): Promise<Loopback<tls.TLSSocket>> {
    return new Loopback<tls.TLSSocket>(tls.createServer(options), 'secureConnection').#listen()
  }

  async #listen(): Promise<this> {
    if (this.socketPath !== '') this.#server.listen(this.socketPath)
    else this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.port = address.port
    return this
  }

  /** The server's side of the next connection, after its handshake if it is a TLS server. */
  async next(): Promise<S> {
    const arrived = this.#arrived.shift()
    return arrived ?? new Promise(resolve => this.#wanted.push(resolve))
  }

  /** Resolves when the other side has let go of all connections; the server's sides are ended as soon as it does. */
  async abandoned(): Promise<void> {
    this.#isExpectingEnds = true
    for (const socket of this.#handed) endWithPeer(socket)
    while (this.#open.size > 0) await once(this.#server, 'gone')
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true })
  }
}

function endWithPeer(socket: net.Socket): void {
  socket.resume()
  if (socket.readableEnded) socket.destroy()
  else socket.on('end', () => socket.destroy())
}

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    () => Promise.reject(new Error('resolved')),
    (error: Error & Record<string, unknown>) => error,
  )
}

/** Reads a stream to its end. */
export async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  await once(stream, 'end')
  return text
}
