// Records memory over a run, and judges whether it is flat once all is warm.

/** The first part of a run is not judged, but no more than so much of it. */
const WARM_UP_SHARE = 1 / 3
const WARM_UP_SECONDS = 90
/** From the first to the last quarter of what is judged, memory may grow by a part and by an amount: garbage comes and goes. */
const GROWTH_SHARE = 0.1
const GROWTH_MIB = 16
/** Younger runs say nothing. */
const FEWEST_SAMPLES = 20
const MIB = 1_048_576

/** @param {number[]} values */
const median = values => values.toSorted((one, other) => one - other)[values.length >> 1]

export class MemoryRecord {
  #ownBytes
  /** @type {number[]} */
  #rssMiB = []
  /** @type {number[]} */
  #heapMiB = []

  /** @param {() => number} ownBytes what the record of the run itself has come to: not the library's */
  constructor(ownBytes) {
    this.#ownBytes = ownBytes
  }

  sample() {
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    this.#rssMiB.push((rss - this.#ownBytes()) / MIB)
    this.#heapMiB.push(heapUsed / MIB)
  }

  get lastMiB() {
    return Math.round(this.#rssMiB.at(-1) ?? 0)
  }

  /** @param {number[]} samples @returns {[number, number]} medians of the first and the last quarter after warm-up */
  #quarters(samples) {
    const warm = samples.slice(Math.min(samples.length * WARM_UP_SHARE, WARM_UP_SECONDS))
    const quarter = Math.max(1, warm.length >> 2)
    return [median(warm.slice(0, quarter)), median(warm.slice(-quarter))]
  }

  /** @returns {string | null} */
  fault() {
    if (this.#rssMiB.length < FEWEST_SAMPLES) return null
    for (const [name, samples] of /** @type {const} */ ([
      ['resident memory', this.#rssMiB],
      ['the heap', this.#heapMiB],
    ])) {
      const [first, last] = this.#quarters(samples)
      if (last > first * (1 + GROWTH_SHARE) + GROWTH_MIB) {
        return `${name} grew from ${first.toFixed(0)} to ${last.toFixed(0)} MiB`
      }
    }
    return null
  }

  summary() {
    if (this.#rssMiB.length < FEWEST_SAMPLES) return 'memory         not judged: too short a run'
    const [rss, heap] = [this.#quarters(this.#rssMiB), this.#quarters(this.#heapMiB)].map(pair =>
      pair.map(value => value.toFixed(0)).join(' to '),
    )
    return `memory         resident ${rss} MiB, heap ${heap} MiB, from the first to the last quarter after warm-up`
  }
}
