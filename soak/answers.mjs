// What belongs to a request by its id alone: the bytes of its body, and everything about its answer. Server and client both know it, so
// that an answer to another request is always seen.
import { mix } from './numbers.mjs'

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {number} length of its body, unless it is the answer to a HEAD
 * @property {boolean} isChunked
 * @property {boolean} hasTrailers
 * @property {boolean} isPreceded by a 103
 * @property {'keep' | 'close' | 'hang up'} ending of the connection: none, announced, not announced
 */

/** @param {number} id @returns {Answer} */
export function answerTo(id) {
  const bits = mix(id)
  const lot = bits % 100
  const status = lot < 3 ? 204 : lot < 6 ? 304 : lot < 8 ? 404 : 200
  const isLarge = (bits >>> 8) % 400 === 0
  const isChunked = (bits >>> 4) % 4 === 0
  const fate = (bits >>> 7) % 4_000
  return {
    status,
    length: status === 204 || status === 304 ? 0 : isLarge ? (bits >>> 3) % 300_000 : (bits >>> 12) % 300,
    isChunked,
    hasTrailers: isChunked && (bits >>> 6) % 8 === 0,
    isPreceded: (bits >>> 5) % 200 === 0,
    ending: fate === 0 ? 'close' : fate === 1 ? 'hang up' : 'keep',
  }
}

/** Text that holds the id everywhere. @param {string} what @param {number} id @param {number} length @returns {string} */
export function textOf(what, id, length) {
  const word = `${what} ${id};`
  return word.repeat(Math.ceil(length / word.length)).slice(0, length)
}
