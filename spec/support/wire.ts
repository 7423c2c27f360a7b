// What specs of whole exchanges share: a connection over a fake socket, bytes written as lines, promises watched without being awaited,
// and turns of the event loop.
import { HTTPConnection, type ConnectionOptions } from '../../lib'
import { FakeSocket, type FakePeer } from '../../lib/testing'

// Taken at load, so that fake timers do not stop the specs that use them.
const { setImmediate } = globalThis

export interface Wired {
  readonly connection: HTTPConnection
  readonly socket: FakeSocket
  readonly peer: FakePeer
}

/** A connection to example.test over a fake socket. */
export function wired(options: Omit<ConnectionOptions, 'socket'> = {}, hostname = 'example.test'): Wired {
  const socket = new FakeSocket()
  return { connection: new HTTPConnection(hostname, { ...options, socket }), socket, peer: socket.peer }
}

/** Lines ended by CRLF, and an empty one behind them. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** All that the peer received, one char a byte. */
export function received(peer: FakePeer): string {
  return peer.received.toString('latin1')
}

/** The same, one string for each write. */
export function writes(peer: FakePeer): string[] {
  return peer.writes.map(bytes => bytes.toString('latin1'))
}

/** Passes so many turns of the event loop: whatever waits for nothing else has happened then. */
export async function turns(count = 6): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

export interface Watched<T> {
  state: 'pending' | 'resolved' | 'rejected'
  value?: T
  error?: Error & Record<string, unknown>
}

/** What becomes of a promise, to be looked at without waiting for it. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { state: 'pending' }
  promise.then(
    value => Object.assign(watched, { state: 'resolved', value }),
    (error: unknown) => Object.assign(watched, { state: 'rejected', error }),
  )
  return watched
}

/** What becomes of several. */
export function watchAll(promises: Promise<unknown>[]): Watched<unknown>[] {
  return promises.map(promise => watch(promise))
}
