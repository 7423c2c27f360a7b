// Records memory over a run, each time when all is quiet, and judges whether it is flat once all is warm. When all is quiet, nothing
// depends on how fast the machine is just then.
import { setTimeout as sleep } from 'node:timers/promises'

/** So much of a run is not judged. */
const WARM_UP_SHARE = 1 / 4
/** Fewer samples say nothing: half of them are compared with the other half. */
const FEWEST_SAMPLES = 4
const MIB = 1_048_576

/**
 * What is measured, and by how much each may grow from the one half to the other: by a part of it, and by an amount. What JavaScript holds is
 * known exactly, and there are never more parsers than connections; the resident memory is what the allocator thinks fit.
 */
const KINDS = /** @type {const} */ ([
  { kind: 'resident memory', part: 0.1, mib: 16 },
  { kind: 'heap and buffers', part: 0, mib: 4 },
  { kind: 'memory of the parsers', part: 0, mib: 0 },
])
/** @typedef {typeof KINDS[number]['kind']} Kind */
/** @typedef {Record<Kind, number>} Sample in MiB */

/** The compiler's libraries for Node do not declare it. */
const { WebAssembly } = /** @type {any} */ (globalThis)
/** Every memory of WebAssembly that the library makes. @type {{ buffer: ArrayBuffer }[]} */
const memories = []

/** To be called before the library is used. */
export function watchWebAssembly() {
  WebAssembly.Instance = class extends WebAssembly.Instance {
    /** @param {object} module @param {object} [imports] */
    constructor(module, imports) {
      super(module, imports)
      for (const thing of Object.values(this.exports))
        if (thing instanceof WebAssembly.Memory) memories.push(thing)
    }
  }
}

/** @param {number[]} values */
const median = values => values.toSorted((one, other) => one - other)[values.length >> 1]

export class MemoryRecord {
  #ownBytes
  /** @type {Sample[]} */
  #samples = []

  /** @param {() => number} ownBytes what the record of the run itself has come to: not the library's */
  constructor(ownBytes) {
    this.#ownBytes = ownBytes
  }

  async sample() {
    globalThis.gc?.()
    // Buffers are let go of in a turn of their own.
    await sleep(20)
    globalThis.gc?.()
    const { rss, heapUsed, external } = process.memoryUsage()
    const own = this.#ownBytes()
    const parsers = memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
    this.#samples.push({
      'resident memory': (rss - own) / MIB,
      'heap and buffers': (heapUsed + external - own) / MIB,
      'memory of the parsers': parsers / MIB,
    })
  }

  get lastMiB() {
    const last = this.#samples.at(-1)
    return last === undefined ? null : Math.round(last['resident memory'])
  }

  /** Forgets what was measured so far: what comes is judged by itself. */
  startAgain() {
    this.#samples = []
  }

  /** @param {Kind} kind @returns {[number, number]} medians of the first and the second half of what is judged */
  #halves(kind) {
    const all = this.#samples.map(sample => sample[kind])
    const warm = all.slice(Math.floor(all.length * WARM_UP_SHARE))
    const half = warm.length >> 1
    return [median(warm.slice(0, half)), median(warm.slice(-half))]
  }

  /** @returns {string[]} what grew */
  faults() {
    if (this.#samples.length < FEWEST_SAMPLES) return ['memory was not measured often enough to be judged']
    return KINDS.flatMap(({ kind, part, mib }) => {
      const [first, second] = this.#halves(kind)
      if (second <= first * (1 + part) + mib) return []
      const samples = this.#samples.map(sample => sample[kind].toFixed(2)).join(' ')
      return [`${kind} grew from ${first.toFixed(2)} to ${second.toFixed(2)} MiB: ${samples}`]
    })
  }

  /** @returns {[string, string][]} what was measured, and how it went */
  rows() {
    if (this.#samples.length < FEWEST_SAMPLES) return []
    return KINDS.map(({ kind }) => {
      const [first, second] = this.#halves(kind).map(value => value.toFixed(2))
      return [`${kind}, when quiet, first to second half after warm-up`, `${first} to ${second} MiB`]
    })
  }
}
