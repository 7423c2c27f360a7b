// Owns waiting for the event loop. Taken when the module is loaded, so that fake timers of test frameworks do not stop a connection.
const { queueMicrotask, setImmediate } = globalThis

/** Calls back in the check phase that follows: whatever else this turn of the loop brings comes first. */
export function afterTurn(callback: () => void): void {
  setImmediate(callback)
}

/**
 * Calls back after at least one whole poll for input. One `setImmediate` is no poll: from a callback of a socket it runs before the
 * loop polls again.
 */
export function afterPoll(callback: () => void): void {
  setImmediate(() => setImmediate(callback))
}

/**
 * Calls back outside of what is running now, so that what it throws is nobody else's, and before anybody hears of a promise that is
 * settled later.
 */
export function soon(callback: () => void): void {
  queueMicrotask(callback)
}
