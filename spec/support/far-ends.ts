// The server's end of a connection that is driven, without a network: a transport that is given, one that is dialled like a TCP socket and
// read as one, and one with TLS on it. It must not know what the bytes mean.
import type { Socket } from 'node:net'
import net from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ConnectionOptions } from '../../lib/index'
import { builtins } from '../../lib/net/builtins'
import { FakeSocket } from '../../lib/testing'
import { Received } from '../../lib/testing/received'
import { duplexPair } from './duplex-pair'
import { ca, localhost } from './tls'

const nextTurn = setImmediate

/** What a connection is made of. */
export type Via = 'given' | 'TCP' | 'TLS'

/**
 * How the server ends it: a FIN, under TLS behind a close_notify; a reset that the client sees as one; a reset that comes together with
 * data, which shows as an end and lets the next write fail; and under TLS the end of TCP alone.
 */
export type FarEnding = 'fin' | 'reset' | 'reset like a FIN' | 'truncated'

/** Those that there are. */
export const ENDINGS: Record<Via, readonly FarEnding[]> = {
  // Of a transport that is given, every end is taken for meant.
  given: ['fin', 'reset'],
  TCP: ['fin', 'reset', 'reset like a FIN'],
  TLS: ['fin', 'truncated'],
}

export interface FarEnd {
  /** What makes a connection use it. */
  readonly options: ConnectionOptions
  /** All that was received; latin1. */
  readonly received: string
  /** Would the connection see what is sent? */
  readonly isHeard: boolean
  waitFor(text: string): Promise<unknown>
  /** Sends bytes; latin1. */
  send(bytes: string): void
  end(how: FarEnding): void
  /** Lets go of everything. */
  close(): void
}

export function farEnd(via: Via): FarEnd {
  return via === 'TLS' ? new SecureEnd() : new PlainEnd(via)
}

class PlainEnd implements FarEnd {
  readonly options: ConnectionOptions
  readonly #socket = new FakeSocket()

  constructor(via: 'given' | 'TCP') {
    if (via === 'TCP') dialNext(this.#socket)
    this.options = via === 'TCP' ? {} : { socket: this.#socket }
  }

  get received(): string {
    return this.#socket.peer.received.toString('latin1')
  }

  get isHeard(): boolean {
    return !this.#socket.destroyed && !this.#socket.readableEnded
  }

  waitFor(text: string): Promise<unknown> {
    return this.#socket.peer.waitFor(text)
  }

  send(bytes: string): void {
    this.#socket.peer.send(bytes)
  }

  end(how: FarEnding): void {
    const { peer } = this.#socket
    if (how !== 'reset') peer.end()
    if (how !== 'fin') peer.reset()
  }

  close(): void {
    this.#socket.destroy()
  }
}

class SecureEnd implements FarEnd {
  readonly options: ConnectionOptions
  readonly #below
  readonly #secure: TLSSocket
  readonly #received = new Received()
  #isEnded = false

  constructor() {
    const [socket, below] = duplexPair()
    this.options = { socket, tls: { ca, servername: 'localhost' } }
    this.#below = below
    this.#secure = new TLSSocket(below, { ...localhost, isServer: true })
    this.#secure.on('error', () => {})
    this.#secure.on('data', (chunk: Buffer) => this.#received.append([chunk]))
    socket.on('close', () => this.#received.close('The connection was destroyed'))
  }

  get received(): string {
    return this.#received.all.toString('latin1')
  }

  get isHeard(): boolean {
    return !this.#isEnded
  }

  waitFor(text: string): Promise<unknown> {
    return this.#received.waitFor(text)
  }

  send(bytes: string): void {
    this.#secure.write(bytes, 'latin1')
  }

  end(how: FarEnding): void {
    this.#isEnded = true
    if (how === 'fin') this.#secure.end()
    else this.#secure.write('', () => this.#below.end())
  }

  close(): void {
    this.#secure.destroy()
  }
}

/** As `net.connect` says what a socket is to be read into. */
interface Onread {
  buffer(): Uint8Array
  callback(bytes: number, buffer: Uint8Array): boolean
}

/** Makes the next dialling of TCP come to this socket, as a `net.Socket` would: connected later, and read into the reader's memory. */
function dialNext(socket: FakeSocket): void {
  const connect = ({ onread }: { onread?: Onread }): Socket => {
    Object.defineProperty(builtins, 'net', { configurable: true, get: () => net })
    nextTurn(() => socket.emit('connect'))
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length && !socket.destroyed;) {
        const buffer = onread!.buffer()
        const bytes = chunk.copy(buffer, 0, at)
        onread!.callback(bytes, buffer)
        at += bytes
      }
    })
    return socket as unknown as Socket
  }
  Object.defineProperty(builtins, 'net', { configurable: true, get: () => ({ ...net, connect }) })
}
