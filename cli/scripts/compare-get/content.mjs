// The files that are served, the same on every machine, and what is found of them in a folder later. It knows nothing of servers and tools.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const SEED = 20_250_102
const LEAST_BYTES = 1_000
const MOST_BYTES = 100_000

/** Numbers from 0 to 2^32 - 1, by mulberry32. @param {number} seed */
function makeRandom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** @param {Buffer} bytes */
const digestOf = bytes => createHash('sha256').update(bytes).digest('hex')

/**
 * @typedef {object} Content
 * @property {string} folder
 * @property {number} bytes of all files together
 * @property {Map<string, string>} digests by name, which is the number of the file with zeros before it
 */

/** Writes files of 1 to 100 kB with nothing in them that repeats itself. @param {string} folder @param {number} files @returns {Content} */
export function makeContent(folder, files) {
  mkdirSync(folder, { recursive: true })
  const random = makeRandom(SEED)
  const digests = new Map()
  let bytes = 0
  for (let number = 1; number <= files; number++) {
    const body = new Uint32Array(MOST_BYTES / 4)
    for (let index = 0; index < body.length; index++) body[index] = random()
    const lengthBytes = LEAST_BYTES + (random() % (MOST_BYTES - LEAST_BYTES + 1))
    const file = Buffer.from(body.buffer, 0, lengthBytes)
    const name = String(number).padStart(String(files).length, '0')
    writeFileSync(join(folder, name), file)
    digests.set(name, digestOf(file))
    bytes += lengthBytes
  }
  return { folder, bytes, digests }
}

/**
 * What is in a folder that was fetched into.
 * @typedef {object} Found
 * @property {number} whole right to the byte, under their names
 * @property {number} wrong under the names of files, but not what they should be
 * @property {number} marked those among the wrong that have a file beside them which says that they are not whole
 * @property {number} others files with other names: temporary ones, notes
 */

/** @param {string} folder @param {Content} content @returns {Found} */
export function lookInto(folder, { digests }) {
  const found = { whole: 0, wrong: 0, marked: 0, others: 0 }
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const digest = digests.get(name)
    if (digest === undefined) {
      found.others++
    } else if (digestOf(readFileSync(join(folder, name))) === digest) {
      found.whole++
    } else {
      found.wrong++
      if (existsSync(join(folder, `${name}.aria2`))) found.marked++
    }
  }
  return found
}
