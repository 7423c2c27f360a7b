// Keeps on disk how each connection of a run went, so that whatever turns out to be wrong at its end explains itself. It must not know
// what is wrong.
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

const TAIL_BYTES = 400
const WRITTEN_AT_ONCE_CHARS = 65_536

/** @typedef {{ bytes: number, last: string }} Passed bytes that went by, and the last of them as latin1 */

/** The last bytes that went by in one direction. */
export class Tail {
  #bytes = 0
  #ring = Buffer.allocUnsafe(TAIL_BYTES)

  /** @param {Uint8Array} data */
  add(data) {
    const kept = data.length > TAIL_BYTES ? data.subarray(data.length - TAIL_BYTES) : data
    const at = (this.#bytes + data.length - kept.length) % TAIL_BYTES
    const room = TAIL_BYTES - at
    this.#ring.set(kept.subarray(0, room), at)
    if (kept.length > room) this.#ring.set(kept.subarray(room), 0)
    this.#bytes += data.length
  }

  /** @returns {string} */
  get last() {
    const at = this.#bytes % TAIL_BYTES
    const isFull = this.#bytes >= TAIL_BYTES
    return (isFull ? this.#ring.toString('latin1', at) : '') + this.#ring.toString('latin1', 0, at)
  }

  /** @returns {Passed} */
  toJSON() {
    return { bytes: this.#bytes, last: this.last }
  }
}

/** A file with one record a line. */
export class EvidenceLog {
  #file
  #text = ''

  /** @param {string} path */
  constructor(path) {
    this.#file = openSync(path, 'wx')
  }

  /** @param {object} record */
  add(record) {
    this.#text += `${JSON.stringify(record)}\n`
    if (this.#text.length >= WRITTEN_AT_ONCE_CHARS) this.flush()
  }

  flush() {
    writeSync(this.#file, this.#text)
    this.#text = ''
  }

  close() {
    this.flush()
    closeSync(this.#file)
  }
}

/**
 * @template Evidence
 * @param {string} path @param {(record: Evidence) => void} take is given each record
 */
export async function readEvidence(path, take) {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    take(JSON.parse(line))
  }
}
