// What the specs of reading share: connections over fake sockets, answers as literal bytes, and a look back at every Buffer that was
// handed out.
import { setImmediate } from 'node:timers'
import { HTTPConnection, type ConnectionOptions, type HTTPError } from '../../lib'
import { FakeSocket, type FakePeer } from '../../lib/testing'

/** Connections to be closed after each spec. */
const open: HTTPConnection[] = []
/** Buffers handed out, with what they held then. */
const handedOut: { readonly buffer: Buffer; readonly was: string }[] = []

afterEach(async () => {
  const changed = handedOut.filter(({ buffer, was }) => buffer.toString('latin1') !== was)
  handedOut.length = 0
  await Promise.all(open.splice(0).map(connection => connection.close()))
  expect(changed).toEqual([])
})

/** The bytes of a Buffer that the library handed out. After the spec it must still hold the same. */
export function text(buffer: Buffer): string {
  const was = buffer.toString('latin1')
  handedOut.push({ buffer, was })
  return was
}

/** Closes a connection when the spec is over. */
export function closedLater<T extends HTTPConnection>(connection: T): T {
  open.push(connection)
  return connection
}

export interface Wire {
  readonly connection: HTTPConnection
  readonly socket: FakeSocket
  readonly peer: FakePeer
}

/** A connection and the peer at the other end of its only socket. */
export function wire(options: ConnectionOptions = {}): Wire {
  const socket = new FakeSocket()
  const connection = closedLater(new HTTPConnection('example.test', { socket, ...options }))
  return { connection, socket, peer: socket.peer }
}

/** A connection that dials fake sockets; `peers` has the far end of each, in the order in which they were dialled. */
export function dialler(options: ConnectionOptions = {}): {
  readonly connection: HTTPConnection
  readonly peers: FakePeer[]
  readonly sockets: FakeSocket[]
} {
  const sockets: FakeSocket[] = []
  const peers: FakePeer[] = []
  const socket = (): FakeSocket => {
    const dialled = new FakeSocket()
    sockets.push(dialled)
    peers.push(dialled.peer)
    return dialled
  }
  return {
    connection: closedLater(new HTTPConnection('example.test', { ...options, socket })),
    peers,
    sockets,
  }
}

/** A connection on which GETs for these paths have been sent. */
export async function asked(paths: readonly string[], options: ConnectionOptions = {}): Promise<Wire> {
  const wired = wire(options)
  for (const path of paths) await wired.connection.sendRequest('GET', path)
  await arrival(wired.peer, paths[paths.length - 1])
  return wired
}

/** Resolves when the peer has received the whole head of a request for this path. */
export function arrival(peer: FakePeer, path: string): Promise<Buffer> {
  return peer.waitFor(` ${path} HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n`)
}

/** A response with this body, its length announced. */
export function ok(body = '', headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** A response in the chunked coding, one chunk for each part. */
export function chunked(parts: readonly string[], trailers = ''): string {
  const chunks = parts.map(part => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n${trailers}\r\n`
}

/** How a promise ended. A spec in which one never does runs into its time limit. */
export async function failure(promise: Promise<unknown>): Promise<HTTPError & Record<string, unknown>> {
  const value = await promise.then(
    resolved => ({ resolved }),
    (error: unknown) => ({ error }),
  )
  if ('resolved' in value) throw new Error('it resolved')
  return value.error as HTTPError & Record<string, unknown>
}

/** Some turns of the event loop, so that whatever is going to happen by itself has happened. */
export async function turns(count = 6): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

/** Follows a promise: `is` says what has become of it so far. */
export function follow(promise: Promise<unknown>): { readonly is: 'pending' | 'resolved' | 'rejected' } {
  const state: { is: 'pending' | 'resolved' | 'rejected' } = { is: 'pending' }
  promise.then(
    () => (state.is = 'resolved'),
    () => (state.is = 'rejected'),
  )
  return state
}
