// Owns one attempt to dial: how long it may take, who may give it up, and the streams it opened, which are all destroyed
// when it fails. It must not know what they are streams of.
import { ConnectionClosed, ConnectionTimedOut } from '../errors'
import type { Duplex } from 'node:stream'

/** The longest delay that `setTimeout` takes; above it, it fires at once. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff

export interface AttemptLimits {
  /** For the whole attempt; 0 = none. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Where to, for messages. */
  target: string
}

/** What the steps of an attempt see of it. */
export interface Attempt {
  /**
   * Takes charge of a stream: it is destroyed if the attempt fails. Its errors count as heard from here on, so that none
   * is unheard between the steps.
   *
   * @throws what ended the attempt, if it has ended; the stream is destroyed then.
   */
  own<T extends Duplex>(stream: T): T

  /**
   * Resolves when a stream that it owns emits the event.
   *
   * @throws the stream's own error, or `ConnectionClosed` if it closes without one.
   */
  reached(stream: Duplex, event: string): Promise<void>
}

/**
 * Does the work within its limits.
 *
 * @throws what the work throws, `ConnectionTimedOut` (operation `connect`), or the signal's reason. Everything that the
 * attempt owned, or comes to own when it is over already, is destroyed then.
 */
export function attempt<T>(limits: AttemptLimits, work: (attempt: Attempt) => Promise<T>): Promise<T> {
  const { signal, timeoutMs, target } = limits
  const owned: Duplex[] = []
  let failure: { reason: unknown } | null = null

  const steps: Attempt = {
    own(stream) {
      stream.on('error', ignore)
      if (failure !== null) {
        stream.destroy()
        throw failure.reason
      }
      owned.push(stream)
      return stream
    },
    reached(stream, event) {
      return reached(stream, event, target)
    },
  }

  return new Promise<T>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined

    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (reason: unknown) => {
      if (failure !== null) return
      failure = { reason }
      settle()
      reject(reason)
      // The newest first: it knows best how to end what is below it.
      for (const stream of owned.reverse()) stream.destroy()
    }
    const onAbort = () => fail(signal?.reason)

    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    if (timeoutMs > 0) {
      const message = `connecting to ${target} took longer than ${timeoutMs} ms`
      const onTimeout = () => fail(new ConnectionTimedOut(message, { operation: 'connect' }))
      timer = setTimeout(onTimeout, Math.min(timeoutMs, LONGEST_TIMEOUT_MS))
    }
    work(steps).then(result => {
      settle()
      resolve(result)
    }, fail)
  })
}

function reached(stream: Duplex, event: string, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      stream.off(event, onReached)
      stream.off('error', onError)
      stream.off('close', onClose)
    }
    const onReached = () => {
      settle()
      resolve()
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const onClose = () => {
      settle()
      reject(new ConnectionClosed(`the connection to ${target} was closed while it was being made`))
    }
    stream.on(event, onReached)
    stream.on('error', onError)
    stream.on('close', onClose)
  })
}

/** Hears an error that something else acts upon, or nothing any more. */
function ignore(): void {}
