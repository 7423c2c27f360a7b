// Owns the waiting between tries. It knows neither requests nor connections. Timers are the globals, so that fake timers work.
import { soon } from '../turns'

/** The longest that a timer of Node can be set to. */
const MAX_TIMER_MS = 0x7fff_ffff

export class Backoff {
  readonly #delayMs: (attempt: number) => number
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()

  /** @param delayMs - how long to wait, given how many tries have failed */
  constructor(delayMs: (attempt: number) => number) {
    this.#delayMs = delayMs
  }

  /** Calls back when it is time for another try; never at once. */
  wait(failures: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      callback()
    }, this.#delay(failures))
    this.#timers.add(timer)
  }

  /** Calls nobody back any more. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  /** The function is the caller's: what it throws is reported as uncaught, and what is no duration counts as none. */
  #delay(failures: number): number {
    try {
      const delay = this.#delayMs(failures)
      return delay > 0 ? Math.min(delay, MAX_TIMER_MS) : 0
    } catch (error) {
      soon(() => {
        throw error
      })
      return 0
    }
  }
}
