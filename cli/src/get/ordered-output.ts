// Owns whose turn it is to write to the standard output: one after the other, in the order of the URLs. It writes nothing itself.

/** There will be no further turn. */
export class TurnsOver extends Error {}

export class OrderedOutput {
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }[]>()
  #next = 0
  #isStopped = false

  /** Resolves when all before `index` have left. @throws TurnsOver if that will not happen any more */
  turn(index: number): Promise<void> {
    if (this.#isStopped) return Promise.reject(new TurnsOver())
    if (index <= this.#next) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(index)
      if (waiting === undefined) this.#waiting.set(index, [{ resolve, reject }])
      else waiting.push({ resolve, reject })
    })
  }

  /** The one whose turn it is has written all it has. */
  leave(): void {
    this.#next++
    for (const { resolve } of this.#waiting.get(this.#next) ?? []) resolve()
    this.#waiting.delete(this.#next)
  }

  /** Nobody gets a turn any more. */
  stop(): void {
    this.#isStopped = true
    for (const waiting of this.#waiting.values()) for (const { reject } of waiting) reject(new TurnsOver())
    this.#waiting.clear()
  }
}
