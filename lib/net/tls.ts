// Owns TLS: what Node is told, and what is checked after the handshake. It must not know proxies or HTTP.
import { UnsupportedResponse } from '../errors'
import { builtins } from './builtins'
import { BelowTLS, watchForCloseNotify } from './close-notify'
import { serverNameOf } from './hostname'
import type { Attempt } from './attempt'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'

const HTTP_1_1 = 'http/1.1'

export interface Secured {
  socket: TLSSocket
  /** Has close_notify come? Null where nobody watches for it. */
  hasCloseNotify: (() => boolean) | null
}

/**
 * Does the handshake over a transport that is there already.
 *
 * @param watched asks for `hasCloseNotify`, which costs a detour: otherwise the TLS layer takes over the handle of a real socket.
 * @throws Node's error for a failed handshake or verification, `UnsupportedResponse` if the server chose another protocol
 * than HTTP/1.1.
 */
export async function secure(
  attempt: Attempt,
  transport: Duplex,
  hostname: string,
  tls: ConnectionOptions,
  watched: boolean,
): Promise<Secured> {
  const options = { ...handshakeOptions(hostname, tls), host: hostname }
  if (!watched) {
    const socket = attempt.own(builtins.tls.connect({ ...options, socket: transport }))
    return { socket: await handshake(attempt, socket), hasCloseNotify: null }
  }
  const below = attempt.own(new BelowTLS(transport))
  const socket = attempt.own(builtins.tls.connect({ ...options, socket: below }))
  const hasCloseNotify = watchForCloseNotify(socket, below)
  return { socket: await handshake(attempt, socket), hasCloseNotify }
}

async function handshake(attempt: Attempt, socket: TLSSocket): Promise<TLSSocket> {
  await attempt.reached(socket, 'secureConnect')
  const protocol = socket.alpnProtocol
  // False: the server does not know the extension, and speaks what it always spoke.
  if (protocol && protocol !== HTTP_1_1) {
    throw new UnsupportedResponse(`the server chose to speak ${protocol} (ALPN), not ${HTTP_1_1}`)
  }
  return socket
}

/** The caller's options with our defaults below them; where to connect to, and over what, is not theirs to say. */
function handshakeOptions(hostname: string, tls: ConnectionOptions): ConnectionOptions {
  // Node takes an option that is there but undefined for a wrong value.
  const given = Object.entries(tls).filter(([, value]) => value !== undefined)
  const options: ConnectionOptions = {
    ALPNProtocols: [HTTP_1_1],
    servername: serverNameOf(hostname),
    ...Object.fromEntries(given),
  }
  delete options.host
  delete options.port
  delete options.path
  delete options.socket
  return options
}
