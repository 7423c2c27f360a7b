// Owns one listener for each AbortSignal in use, however many requests share it: more than ten listeners on one signal make Node warn.

export class AbortRegistry<T> {
  readonly #onAbort: (member: T, reason: unknown) => void
  readonly #groups = new Map<AbortSignal, { readonly members: Set<T>; readonly listener: () => void }>()

  constructor(onAbort: (member: T, reason: unknown) => void) {
    this.#onAbort = onAbort
  }

  /** Calls back for `member` when `signal` aborts; it must not have aborted already. */
  add(signal: AbortSignal, member: T): void {
    const group = this.#groups.get(signal)
    if (group !== undefined) {
      group.members.add(member)
      return
    }
    const members = new Set([member])
    const listener = (): void => {
      this.#groups.delete(signal)
      for (const each of members) this.#onAbort(each, signal.reason)
    }
    this.#groups.set(signal, { members, listener })
    signal.addEventListener('abort', listener, { once: true })
  }

  remove(signal: AbortSignal, member: T): void {
    const group = this.#groups.get(signal)
    if (group === undefined || !group.members.delete(member) || group.members.size > 0) return
    this.#groups.delete(signal)
    signal.removeEventListener('abort', group.listener)
  }
}
