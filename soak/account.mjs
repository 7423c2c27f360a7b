// Keeps, for every id, what the client was told of it and on which connection, and compares that with what the server did.

/** What a client can be told of a request. @typedef {keyof typeof FATES} Fate */
export const FATES = /** @type {const} */ ({
  /** Nothing: that must not happen. */
  lost: 0,
  answered: 1,
  /** `processed: 'no'`, whatever the outcome. */
  'not processed': 2,
  'no reply': 3,
  'partial reply': 4,
  /** The same, but what came were at most nine bytes: the server may have been about to say 100 Continue. */
  'first bytes of a reply': 5,
  /** The connection did not take it: it is in no account. */
  refused: 6,
  /** Aborted by its signal. */
  aborted: 7,
  /** The client closed the connection, or left the pipeline, and did not ask. */
  abandoned: 8,
})
const NAMES = /** @type {Fate[]} */ (Object.keys(FATES))
/** How often the server may have acted upon a request of that fate: least and most. @type {Record<Fate, [number, number]>} */
const ACTED = {
  lost: [1, 0],
  answered: [1, 1],
  'not processed': [0, 0],
  'no reply': [0, 1],
  'partial reply': [1, 1],
  'first bytes of a reply': [1, 1],
  refused: [0, 0],
  aborted: [0, 1],
  abandoned: [0, 1],
}
const PAGE_BITS = 20
const PAGE_IDS = 1 << PAGE_BITS
const FAULTS_IN_WORDS = 20

/** @typedef {{ what: string, connection: number | null }} Fault */

export class Account {
  /** By the upper bits of an id. @type {{ fates: Uint8Array, connections: Uint32Array }[]} */
  #pages = []
  ids = 0
  connections = 0
  connectionsNotMade = 0
  bodyBytes = 0
  /** Changes whenever something is settled. */
  settled = 0
  /** What went wrong, the first few in words. @type {Fault[]} */
  faults = []
  faultCount = 0

  /** What all this comes to in memory, most of it only while it is touched. */
  get bytes() {
    return this.#pages.length * PAGE_IDS * 5
  }

  /** @returns {number} of a connection that begins */
  nextConnection() {
    return this.connections++
  }

  /** @param {number} connection @returns {number} an id that was not used yet */
  nextId(connection) {
    const id = this.ids++
    if (id >>> PAGE_BITS === this.#pages.length) {
      // Filled, since pages that were never touched are no resident memory.
      this.#pages.push({
        fates: new Uint8Array(PAGE_IDS).fill(FATES.lost),
        connections: new Uint32Array(PAGE_IDS).fill(0xffff_ffff),
      })
    }
    this.#pages[id >>> PAGE_BITS].connections[id % PAGE_IDS] = connection
    return id
  }

  /** @param {number} id @param {Fate} fate */
  note(id, fate) {
    const { fates, connections } = this.#pages[id >>> PAGE_BITS]
    const before = NAMES[fates[id % PAGE_IDS]]
    if (before !== 'lost' && before !== fate) {
      this.fault(`request ${id} was ${before} and then ${fate}`, connections[id % PAGE_IDS])
    }
    fates[id % PAGE_IDS] = FATES[fate]
    this.settled++
  }

  /** @param {number} id @returns {boolean} has anything been said of it? */
  isSettled(id) {
    return this.#pages[id >>> PAGE_BITS].fates[id % PAGE_IDS] !== FATES.lost
  }

  /** Has so much gone wrong that there is no point in going on? */
  get isHopeless() {
    return this.faultCount >= FAULTS_IN_WORDS
  }

  /** @param {string} what @param {number | null} connection */
  fault(what, connection = null) {
    this.faultCount++
    if (this.faults.length < FAULTS_IN_WORDS) this.faults.push({ what, connection })
  }

  /**
   * @param {Uint8Array} acted how often the server acted upon each id
   * @param {ReadonlySet<number>} continued to these it said 100 Continue, and then did not act upon them
   * @returns {Record<Fate, number>} how many met each fate
   */
  close(acted, continued) {
    const counts = /** @type {Record<Fate, number>} */ (Object.fromEntries(NAMES.map(name => [name, 0])))
    for (let id = 0; id < this.ids; id++) {
      const { fates, connections } = this.#pages[id >>> PAGE_BITS]
      const fate = NAMES[fates[id % PAGE_IDS]]
      counts[fate]++
      const times = acted[id] ?? 0
      const [least, most] = ACTED[fate]
      const isInterim = fate === 'first bytes of a reply' && times === 0 && continued.has(id)
      if ((times < least && !isInterim) || times > most) {
        this.fault(
          `request ${id} is ${fate}; the server acted upon it ${times} times`,
          connections[id % PAGE_IDS],
        )
      }
    }
    return counts
  }
}
