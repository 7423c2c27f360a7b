// The client's own ends of its connections, for specs that look at what it takes from its kernel. It must not know what they carry.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { ConnectMessage, HTTPConnection } from '../../lib'

let sockets = new WeakMap<object, Socket>()

function onConnect(message: unknown): void {
  const { connection, socket } = message as ConnectMessage
  sockets.set(connection, socket as Socket)
}

beforeAll(() => subscribe('httpio:connect', onConnect))

afterAll(() => {
  unsubscribe('httpio:connect', onConnect)
  sockets = new WeakMap()
})

/** The socket of a connection that has been made. */
export function socketOf(connection: HTTPConnection): Socket {
  return sockets.get(connection)!
}
