// Owns the way from a hostname to a stream that HTTP can be spoken on: which steps it takes, in which order. It must not
// know requests and responses, nor how any of the steps is done.
import { ConnectionClosed } from '../errors'
import { attempt } from './attempt'
import { authorityOf, bareHostname } from './hostname'
import { SocketReader } from './socket-reader'
import { connectSocket, wasEndedByFIN } from './tcp'
import { secure } from './tls'
import { openTunnel } from './tunnel'
import type { Attempt } from './attempt'
import type { Proxy } from './proxy'
import type { Endpoint } from './tcp'
import type { Secured } from './tls'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions as TLSOptions, TLSSocket } from 'node:tls'

export interface DialOptions {
  /** Of the origin; an IPv6 literal with or without brackets. */
  hostname: string
  port: number
  /** `true`: Node's defaults. The protocol offered by ALPN is HTTP/1.1 alone, unless these options say otherwise. */
  tls?: boolean | TLSOptions | undefined
  /** Is connected to instead of the origin, and asked for a tunnel if there is to be TLS. */
  proxy?: Proxy | null | undefined
  /** Is connected to instead of the origin or the proxy. */
  socketPath?: string | undefined
  /** Is used instead of connecting; with `tls` the handshake is done over it. A function is called once. */
  socket?: Duplex | (() => Duplex | Promise<Duplex>) | undefined
  /** Will `endedCleanly` be asked? Under TLS that costs a detour, so that without it the answer there is always no. */
  wantsCleanEnd: boolean
  /** Is a plain socket to be read by a `SocketReader`? By default there are `'data'` events. */
  wantsReader?: boolean
  /** For all of it: resolver, TCP, tunnel and TLS; 0 = none. */
  timeoutMs: number
  /** Gives up. */
  signal?: AbortSignal | undefined
}

/** A stream that is connected, verified where TLS is used, and silent until it is read. */
export interface Dialled {
  /** If we connected it, an `'error'` of it is heard already; who takes it looks at `destroyed` first. */
  stream: Duplex
  /** The same stream, if it is TLS. */
  tls: TLSSocket | null
  /** Was it given to us as it is? Then it may keep what is written to it, and not only pass it on. */
  isGiven: boolean
  /**
   * Tells, when `stream` emits `'end'`, whether the peer meant it: by FIN, or by close_notify under TLS. Of a given socket
   * without `tls`, and of a unix domain socket, every end is taken for meant. To be asked once, at `'end'`.
   */
  endedCleanly(): Promise<boolean>
  /** Reads the socket instead of its `'data'` events; null where those are to be used. */
  reader: SocketReader | null
}

/**
 * Makes a connection.
 *
 * @throws HostnameNotResolvable if the resolver knows no such name, DNSUnavailable if it could not tell; ConnectionTimedOut
 * (operation `connect`) after `timeoutMs`; TunnelFailed, InvalidResponse or ConnectionClosed if the proxy gives no tunnel;
 * UnsupportedResponse if the server chose another protocol than HTTP/1.1; ConnectionClosed if a given socket is closed;
 * TypeError for an invalid hostname or no stream; the signal's reason; what a given function throws; and
 * Node's own errors for the rest, such as ECONNREFUSED or a failed verification. Whatever was opened is destroyed then, a given
 * socket included.
 */
export async function dial(options: DialOptions): Promise<Dialled> {
  const hostname = bareHostname(options.hostname)
  const limits = {
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    target: options.socketPath ?? authorityOf(hostname, options.port),
  }
  return attempt(limits, steps => take(steps, options, hostname))
}

async function take(steps: Attempt, options: DialOptions, hostname: string): Promise<Dialled> {
  const { port, proxy, socket, socketPath, wantsCleanEnd } = options
  const tls = options.tls === true ? {} : options.tls || null
  const first: Endpoint = proxy ? { ...proxy, socketPath } : { hostname, port, socketPath }

  let transport: Duplex
  if (socket !== undefined) {
    transport = await takeGiven(steps, socket)
    if (tls === null) {
      return { stream: transport, tls: asTLS(transport), isGiven: true, endedCleanly: always, reader: null }
    }
  } else {
    const reader = tls === null && options.wantsReader === true ? new SocketReader() : null
    const connected = await connectSocket(steps, first, tls ?? {}, reader)
    if (tls === null) {
      return {
        stream: connected,
        tls: null,
        isGiven: false,
        endedCleanly: endOf(connected, socketPath),
        reader,
      }
    }
    transport = connected
  }
  if (proxy) await openTunnel(transport, proxy, hostname, port)
  return overTLS(await secure(steps, transport, hostname, tls, wantsCleanEnd))
}

/**
 * A socket given that is still connecting is waited for, so that its failure is one of dialling.
 *
 * @throws what the function throws; TypeError if there is no stream; ConnectionClosed if it is of no more use.
 */
async function takeGiven(steps: Attempt, given: Duplex | (() => Duplex | Promise<Duplex>)): Promise<Duplex> {
  const stream: Duplex | undefined = typeof given === 'function' ? await given() : given
  if (typeof stream?.write !== 'function' || typeof stream.on !== 'function') {
    throw new TypeError('The socket given is no Duplex')
  }
  steps.own(stream)
  if (stream.destroyed || !stream.readable || !stream.writable) {
    throw new ConnectionClosed('the socket given is closed')
  }
  if ((stream as Partial<Socket>).connecting === true) {
    await steps.reached(stream, asTLS(stream) === null ? 'connect' : 'secureConnect')
  }
  return stream
}

function overTLS({ socket, hasCloseNotify }: Secured): Dialled {
  const endedCleanly = async () => hasCloseNotify?.() ?? false
  return { stream: socket, tls: socket, isGiven: false, endedCleanly, reader: null }
}

function endOf(socket: Socket, socketPath: string | undefined): () => Promise<boolean> {
  // A unix domain socket loses nothing that was written, and has no reset; the empty write fails after any end there.
  return socketPath === undefined ? () => wasEndedByFIN(socket) : always
}

function asTLS(stream: Duplex): TLSSocket | null {
  return (stream as Partial<TLSSocket>).encrypted === true ? (stream as TLSSocket) : null
}

const always = async () => true
