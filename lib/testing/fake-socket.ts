// Owns the connection's end of the fake transport: a Duplex that hands everything to its far end.
import { Duplex } from 'node:stream'
// From the module, not the global: fake timers replace only the latter.
import { setImmediate } from 'node:timers'
import { FarEnd, type FakePeer } from './fake-peer'

/**
 * A transport whose other end is scripted by a test, with no network, no timer and no handle: it works under fake timers
 * and keeps no process alive. It behaves like a `net.Socket` made with `allowHalfOpen: true`, but exactly: a write is
 * received before `write` returns, and each `peer.send` arrives as one `'data'` event.
 */
export class FakeSocket extends Duplex {
  /** The server's end. */
  readonly peer: FakePeer
  readonly #farEnd: FarEnd

  /** @param options - `highWaterMark` in bytes, of both directions; default as for any Node stream. */
  constructor(options?: { highWaterMark?: number }) {
    super({ allowHalfOpen: true, emitClose: false, highWaterMark: options?.highWaterMark })
    this.#farEnd = new FarEnd(this)
    this.peer = this.#farEnd
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the type that Node's own declaration gives it
  override read(size?: number): any {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment
    const chunk = super.read(size)
    this.#farEnd.afterRead()
    return chunk
  }

  override _read(): void {
    this.#farEnd.wantMore()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#farEnd.take([chunk], callback)
  }

  override _writev(
    writes: readonly { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#farEnd.take(
      writes.map(write => write.chunk),
      callback,
    )
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#farEnd.finish()
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const release = this.#farEnd.lost(error)
    callback(error)
    // As net.Socket does: a write under way is called back without an error, and 'close' comes a loop turn later.
    setImmediate(() => {
      release()
      this.emit('close', error !== null)
    })
  }
}
