// Owns plain connections: TCP and unix domain sockets, and how their clean end is told from a reset. It must not know TLS
// or HTTP.
import { afterPoll } from '../turns'
import { builtins } from './builtins'
import { resolverOf } from './resolver'
import type { Attempt } from './attempt'
import type { SocketReader } from './socket-reader'
import type { Socket, TcpSocketConnectOpts } from 'node:net'

/** Where a socket connects to. */
export interface Endpoint {
  /** Without brackets. */
  hostname: string
  port: number
  /** A unix domain socket instead of both. */
  socketPath?: string | undefined
}

/** Options of `net.connect` that make sense for a caller to choose; the rest is ours. */
const CHOOSABLE = [
  'lookup',
  'hints',
  'family',
  'localAddress',
  'localPort',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'keepAlive',
  'keepAliveInitialDelay',
] as const

/**
 * Connects a socket.
 *
 * @param reader is given what the socket reads, from the start; without it there are `'data'` events.
 * @param chosen may have options of `net.connect`, of which those that make sense are taken.
 * @throws HostnameNotResolvable, DNSUnavailable, and what Node gives for the rest (an `AggregateError` if several
 * addresses were tried).
 */
export async function connectSocket(
  attempt: Attempt,
  endpoint: Endpoint,
  chosen: object,
  reader: SocketReader | null = null,
): Promise<Socket> {
  const { hostname, port, socketPath } = endpoint
  const options = chosen as Partial<TcpSocketConnectOpts>
  const choices = Object.fromEntries(
    CHOOSABLE.filter(name => name in options).map(name => [name, options[name]]),
  )
  const where =
    socketPath !== undefined
      ? { path: socketPath }
      : { host: hostname, port, lookup: resolverOf(options.lookup), noDelay: true }
  // Half open: what is still to be sent goes out after the peer's FIN, and the end is told from a reset by writing.
  const reading = reader === null ? {} : { onread: reader.onread }
  const socket = attempt.own(builtins.net.connect({ ...choices, ...where, ...reading, allowHalfOpen: true }))
  await attempt.reached(socket, 'connect')
  return socket
}

/**
 * Was the `'end'` that a TCP socket has just emitted a FIN? A reset that comes together with data is reported as an end
 * too. An empty write tells: it fails after a reset, and puts nothing on the wire.
 *
 * To be asked at `'end'`, before the socket is ended by us; later the answer is no. Who intercepts the errors of writing knows
 * of a write that failed, and need not ask.
 */
export function wasEndedByFIN(socket: Socket): Promise<boolean> {
  if (socket.destroyed || !socket.writable) return Promise.resolve(false)
  return new Promise(resolve => {
    const settle = (isClean: boolean) => {
      socket.off('close', onClose)
      resolve(isClean)
    }
    const onClose = () => settle(false)
    socket.on('close', onClose)

    // What waits to be sent would hold the empty write back for as long as the peer does not read. It serves as well: after a
    // reset the next poll fails it, which destroys the socket.
    if (socket.writableLength > 0) afterPoll(() => settle(!socket.destroyed))
    else socket.write('', error => settle(!error && !socket.destroyed))
  })
}
