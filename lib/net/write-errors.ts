// Owns that a failed write leaves the read side of a stream alone. It must not know what the bytes are.
import type { Duplex } from 'node:stream'

type WriteCallback = (error?: Error | null) => void
type WriteMethod = (this: unknown, ...args: unknown[]) => void

/**
 * Takes the errors of writing away from the stream. Otherwise a `net.Socket` destroys itself when a write fails, and with it goes
 * what the peer had said before it closed.
 *
 * A write that failed stays pending for ever: nothing can be written after it, and the stream is to be destroyed when
 * all has been read.
 *
 * @param onError is called for each failed write.
 */
export function interceptWriteErrors(stream: Duplex, onError: (error: Error) => void): void {
  const target = stream as unknown as Record<string, unknown>
  for (const name of ['_write', '_writev']) {
    const original = target[name] as WriteMethod | null | undefined
    if (typeof original !== 'function') continue
    target[name] = function (this: unknown, ...args: unknown[]): void {
      const callback = args[args.length - 1] as WriteCallback
      args[args.length - 1] = (error?: Error | null): void => {
        if (error) onError(error)
        else callback()
      }
      original.apply(this, args)
    }
  }
}
