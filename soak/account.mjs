// Keeps, for every id, what the client was told of it, and compares that with what the server did.

/** What a client can be told of a request. @typedef {keyof typeof FATES} Fate */
export const FATES = /** @type {const} */ ({
  /** Nothing: that must not happen. */
  lost: 0,
  answered: 1,
  /** `processed: 'no'`, whatever the outcome. */
  'not processed': 2,
  'no reply': 3,
  'partial reply': 4,
  /** The connection did not take it: it is in no account. */
  refused: 5,
  /** Aborted by its signal. */
  aborted: 6,
  /** The client closed the connection, or left the pipeline, and did not ask. */
  abandoned: 7,
})
const NAMES = /** @type {Fate[]} */ (Object.keys(FATES))
/** How often the server may have acted upon a request of that fate: least and most. @type {Record<Fate, [number, number]>} */
const ACTED = {
  lost: [1, 0],
  answered: [1, 1],
  'not processed': [0, 0],
  'no reply': [0, 1],
  'partial reply': [1, 1],
  refused: [0, 0],
  aborted: [0, 1],
  abandoned: [0, 1],
}
/** Room for all ids of a run; pages that are not touched cost nothing. */
const MOST_IDS = 1 << 27

export class Account {
  #fates = new Uint8Array(MOST_IDS)
  ids = 0
  connections = 0
  bodyBytes = 0
  /** What went wrong, the first few in words. @type {string[]} */
  faults = []
  faultCount = 0

  /** @returns {number} an id that was not used yet */
  nextId() {
    if (this.ids === MOST_IDS) throw new Error('no ids are left')
    return this.ids++
  }

  /** @param {number} id @param {Fate} fate */
  note(id, fate) {
    const before = NAMES[this.#fates[id]]
    if (before !== 'lost' && before !== fate) this.fault(`request ${id} was ${before} and then ${fate}`)
    this.#fates[id] = FATES[fate]
  }

  /** @param {number} id @returns {boolean} has anything been said of it? */
  isSettled(id) {
    return this.#fates[id] !== FATES.lost
  }

  /** @param {string} what */
  fault(what) {
    this.faultCount++
    if (this.faults.length < 20) this.faults.push(what)
  }

  /** @param {Uint8Array} acted how often the server acted upon each id @returns {Record<Fate, number>} how many met each fate */
  close(acted) {
    const counts = /** @type {Record<Fate, number>} */ (Object.fromEntries(NAMES.map(name => [name, 0])))
    for (let id = 0; id < this.ids; id++) {
      const fate = NAMES[this.#fates[id]]
      counts[fate]++
      const times = acted[id] ?? 0
      const [least, most] = ACTED[fate]
      if (times < least || times > most)
        this.fault(`request ${id} is ${fate}; the server acted upon it ${times} times`)
    }
    return counts
  }
}
