// Sees the bytes that the library reads from each of its sockets, as it reads them: what the network passed on last may never have arrived.
import { subscribe } from 'node:diagnostics_channel'
import net from 'node:net'
import { Tail } from './evidence.mjs'

/** @typedef {{ socket: net.Socket, received: Tail, port: number, connectedAt: number }} Tap `connectedAt` by `Date.now()` */

/** @type {WeakMap<object, Tail>} */
const tailsOfSockets = new WeakMap()
/** @type {WeakMap<object, Tap>} */
const taps = new WeakMap()

/**
 * Taps every socket that the library connects from now on.
 *
 * @param {(socket: net.Socket) => void} onSocket is told of each
 */
export function tapSockets(onSocket) {
  const { connect } = net
  net.connect = /** @type {typeof net.connect} */ (
    (/** @type {net.TcpNetConnectOpts} */ options) => {
      const { onread } = options
      if (onread === undefined) throw new Error('the soak sees only what is read by onread')
      const received = new Tail()
      const socket = connect({
        ...options,
        onread: {
          buffer: onread.buffer,
          callback: (bytes, buffer) => {
            received.add(buffer.subarray(0, bytes))
            return onread.callback(bytes, buffer)
          },
        },
      })
      tailsOfSockets.set(socket, received)
      onSocket(socket)
      return socket
    }
  )
  subscribe('httpio:connect', message => {
    const { connection, socket } = /** @type {{ connection: object, socket: net.Socket }} */ (message)
    const received = tailsOfSockets.get(socket)
    if (received === undefined) return
    taps.set(connection, { socket, received, port: socket.localPort ?? 0, connectedAt: Date.now() })
  })
}

/** @param {object} connection @returns {Tap | null} null if it never had a socket */
export function tapOf(connection) {
  return taps.get(connection) ?? null
}
