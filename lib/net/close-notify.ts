// Owns how an announced end of a TLS connection (close_notify) is told from a bare FIN, which anyone on the way can
// forge: Node reports both as an end. It must not know handshakes or HTTP.
import { Duplex } from 'node:stream'
import { afterPoll } from '../turns'
import { interceptWriteErrors } from './write-errors'
import type { TLSSocket } from 'node:tls'

/**
 * Passes bytes between a transport and the TLS layer above it, which sees its own handle of a real socket directly; only
 * through this can be seen what the TLS layer has been given when.
 */
export class BelowTLS extends Duplex {
  readonly #transport: Duplex
  #hasWriteFailed = false
  /** Chunks read, so that a look after two turns of the loop can tell whether any came. */
  #received = 0

  constructor(transport: Duplex) {
    super({ allowHalfOpen: true })
    this.#transport = transport
    interceptWriteErrors(transport, this.#onWriteError)
    transport.pause()
    transport.on('data', (chunk: Buffer) => {
      this.#received++
      if (!this.push(chunk) && !this.#hasWriteFailed) transport.pause()
    })
    transport.on('end', () => this.push(null))
    transport.on('error', error => this.destroy(error))
    transport.on('close', () => this.destroy())
  }

  override _read(): void {
    this.#transport.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#transport.write(chunk, encoding, callback)
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    const last = chunks.length - 1
    this.#transport.cork()
    chunks.forEach(({ chunk }, index) => this.#transport.write(chunk, index === last ? callback : undefined))
    this.#transport.uncork()
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#transport.end(callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#transport.destroy()
    callback(error)
  }

  /** The TLS layer, too, would stop reading if it knew. */
  readonly #onWriteError = (error: Error): void => {
    if (this.#hasWriteFailed) return
    this.#hasWriteFailed = true
    this.#transport.resume()
    this.#readOut(error)
  }

  /** A transport whose writes fail should come to its end soon; one that does not is given up when nothing comes. */
  #readOut(error: Error): void {
    const before = this.#received
    afterPoll(() => {
      if (this.destroyed || this.#transport.readableEnded) return
      if (this.#received === before) this.destroy(error)
      else this.#readOut(error)
    })
  }
}

/**
 * Watches for close_notify.
 *
 * @param socket is the TLS socket over `below`.
 * @returns tells whether it has come.
 */
export function watchForCloseNotify(socket: TLSSocket, below: BelowTLS): () => boolean {
  let hasCome = false
  // The TLS layer reports its end by this call and no event: 'end' comes only when all before it has been read. It is
  // given all bytes before it is given the FIN, so an end before that was announced. If Node should ever report
  // it in another way, every end counts as broken, which is the safe side.
  const push = socket.push.bind(socket)
  socket.push = (chunk, encoding) => {
    if (chunk === null && !below.readableEnded && !below.destroyed) hasCome = true
    return push(chunk, encoding)
  }
  return () => hasCome
}
