// What is asked for, drawn at random, and whether an answer is the one to it.
import { answerTo, textOf } from './answers.mjs'

/** @typedef {import('./numbers.mjs').Random} Random */
/** @typedef {{ id: number, method: string, path: string, body: import('httpio').ExchangeOptions['body'], expect100: boolean }} Request */

/** @param {string} text @param {number} size */
function* pieces(text, size) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1')
}

/** @param {number} id @param {Random} random @param {boolean} mayStream may the body come from a source? @returns {Request} */
export function draw(id, random, mayStream) {
  const path = `/${id}`
  const lot = random.below(100)
  if (lot >= 22) return { id, method: 'GET', path, body: null, expect100: false }
  if (lot >= 12) return { id, method: 'HEAD', path, body: null, expect100: false }
  const text = textOf('request', id, random.skewed(lot === 0 ? 200_000 : 3_000))
  const isStreamed = mayStream && lot < 4
  const body = isStreamed ? pieces(text, 1 + random.below(20_000)) : Buffer.from(text, 'latin1')
  return { id, method: 'POST', path, body, expect100: isStreamed && text !== '' && lot === 3 }
}

/**
 * Reads an answer in one of the ways there are, and throws if it is not what belongs to the request.
 *
 * @param {Request} request @param {import('httpio').HTTPResponse} response @param {Random} random
 * @returns {Promise<number>} bytes of body
 */
export async function checkAnswer({ id, method, path }, response, random) {
  const expected = answerTo(id)
  const wrong = (/** @type {string} */ what) => {
    throw new Error(`${method} ${path} was given ${what}`)
  }
  if (response.path !== path || response.method !== method) {
    wrong(`the answer to ${response.method} ${response.path}`)
  }
  if (response.headers.get('x-id') !== String(id)) wrong(`the answer to ${response.headers.get('x-id')}`)
  if (response.status !== expected.status) wrong(`status ${response.status}, not ${expected.status}`)
  const text = method === 'HEAD' ? '' : textOf('answer', id, expected.length)
  const lot = random.below(10)
  if (lot === 0) {
    let at = 0
    for await (const part of response) {
      if (part.toString('latin1') !== text.slice(at, at + part.length)) wrong('other bytes')
      at += part.length
    }
    if (at !== text.length) wrong(`${at} of ${text.length} bytes`)
  } else if (lot === 1) {
    await response.discard()
  } else {
    const body = await response.readAll()
    if (body.toString('latin1') !== text) wrong('another body')
  }
  if (expected.hasTrailers && method !== 'HEAD' && ![204, 304].includes(expected.status)) {
    if (response.trailers.get('x-trailer') !== String(id)) wrong('no trailer of its own')
  }
  return text.length
}
