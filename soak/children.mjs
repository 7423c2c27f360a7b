// Owns the processes beside the one that is judged: how they are started, asked, and ended.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ANSWERS_WITHIN_MS = 60_000

export class Child {
  #name
  #process
  #onLost
  #exited
  #isEnding = false
  port = 0

  /** @param {string} name of the module @param {string[]} args @param {(what: string) => void} onLost it ended or hangs */
  constructor(name, args, onLost) {
    this.#name = name
    this.#onLost = onLost
    this.#process = fork(fileURLToPath(new URL(name, import.meta.url)), args, { serialization: 'advanced' })
    this.#exited = once(this.#process, 'exit').then(([status, signal]) => {
      if (!this.#isEnding) onLost(`${name} ended with ${signal ?? `status ${status}`}`)
    })
  }

  /** Starts one, and waits until it listens to its `port`. @param {ConstructorParameters<typeof Child>} how @returns {Promise<Child>} */
  static async start(...how) {
    const child = new Child(...how)
    child.port = (await child.#message())?.port ?? 0
    return child
  }

  /** @returns {Promise<any>} the next message; undefined if it ends or hangs instead */
  async #message() {
    const over = new AbortController()
    const late = sleep(ANSWERS_WITHIN_MS, undefined, over).then(() =>
      this.#onLost(`${this.#name} does not answer`),
    )
    const message = once(this.#process, 'message').then(([message]) => message)
    const first = await Promise.race([message, this.#exited, late])
    over.abort()
    return first
  }

  /** @returns {Promise<any>} its totals; undefined if it has none to tell any more */
  totals() {
    const answer = this.#message()
    this.tell('totals')
    return answer
  }

  /** @param {string} what */
  tell(what) {
    // It may be gone.
    this.#process.send(what, () => {})
  }

  async end() {
    this.#isEnding = true
    this.#process.kill('SIGKILL')
    await this.#exited
  }
}
