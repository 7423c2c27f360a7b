// Knows what was open before a run, and says what more is open when nothing should be: sockets, timers, listeners, and objects that
// something still holds on to.
import { getEventListeners } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Only what stays open for as long is a leak: a busy machine takes its time. */
const SETTLES_WITHIN_MS = 60_000
const LOOKS_EVERY_MS = 20
const FILE_DESCRIPTORS = '/proc/self/fd'

export class Leaks {
  #signal
  #before
  #alive = 0
  #registry = new FinalizationRegistry(() => this.#alive--)

  /** @param {AbortSignal} signal that is shared by all: nobody may be left listening to it */
  constructor(signal) {
    this.#signal = signal
    this.#before = this.#openThings()
  }

  /** Counts this for as long as something keeps it alive. @param {object} thing */
  watch(thing) {
    this.#alive++
    this.#registry.register(thing, undefined)
  }

  #openThings() {
    /** @type {Record<string, number>} */
    const counts = {}
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
    // Those that do not keep the process alive are among these alone.
    if (existsSync(FILE_DESCRIPTORS)) counts['file descriptors'] = readdirSync(FILE_DESCRIPTORS).length
    for (const name of process.eventNames()) {
      counts[`listeners to ${String(name)} of the process`] = process.listenerCount(name)
    }
    counts['listeners to a signal'] = getEventListeners(this.#signal, 'abort').length
    counts['connections, sockets or signals that are over'] = this.#alive
    return counts
  }

  /** Waits until no more is open than before. @returns {Promise<string[]>} what is left, if that does not come */
  async left() {
    const deadline = performance.now() + SETTLES_WITHIN_MS
    for (;;) {
      globalThis.gc?.()
      // Finalizers run in a turn of their own.
      await sleep(LOOKS_EVERY_MS)
      const more = Object.entries(this.#openThings())
        .map(([kind, count]) => ({ kind, count: count - (this.#before[kind] ?? 0) }))
        .filter(({ count }) => count > 0)
      if (more.length === 0) return []
      if (performance.now() > deadline) return more.map(({ kind, count }) => `${count} ${kind} left`)
    }
  }
}
