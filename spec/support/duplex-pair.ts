// Two streams without handles, each the other's peer.
import { Duplex } from 'node:stream'

class End extends Duplex {
  other: End | null = null
  #callback: (() => void) | null = null

  override _read(): void {
    const callback = this.#callback
    this.#callback = null
    callback?.()
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: () => void): void {
    const other = this.other as End
    if (other.push(chunk)) process.nextTick(callback)
    else other.#callback = callback
  }

  override _final(callback: () => void): void {
    this.other?.push(null)
    callback()
  }
}

export function duplexPair(): [Duplex, Duplex] {
  const a = new End()
  const b = new End()
  a.other = b
  b.other = a
  return [a, b]
}
