// What the demo's server has under each path. Client and server both compute it, so that every body can be checked by
// its hash on the side that received it.
import { createHash } from 'node:crypto'

/**
 * @typedef {object} Item
 * @property {string} method
 * @property {string} path
 * @property {number} status
 * @property {Buffer} body as it comes with the answer: empty for HEAD, 304 and some others
 * @property {number} length what the header says, also for HEAD
 * @property {boolean} chunked
 * @property {number} latencyMs
 */

const COMMON_BYTES = 8_192
const RARE_BYTES = 262_144

/** @param {Uint8Array} data */
export const sha256 = data => createHash('sha256').update(data).digest('hex')

/** The nth request of the demo and the answer that belongs to it. @param {number} n @returns {Item} */
export function item(n) {
  const path = `/item/${n}`
  const seed = createHash('sha256').update(path).digest()
  const status = seed[0] < 20 ? 304 : seed[0] < 40 ? 404 : 200
  const method = status !== 304 && seed[1] < 25 ? 'HEAD' : 'GET'
  const length = seed[2] === 0 ? RARE_BYTES : seed.readUInt16LE(3) % COMMON_BYTES
  const hasBody = status !== 304 && method !== 'HEAD'
  return {
    method,
    path,
    status,
    body: hasBody ? Buffer.alloc(length, seed) : Buffer.alloc(0),
    length,
    chunked: seed[5] < 100,
    latencyMs: 1 + (seed[6] % 4),
  }
}
