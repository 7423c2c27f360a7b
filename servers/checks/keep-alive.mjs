// A server that takes a few requests on each connection while a hundred more are on the wire: who is told what about the rest, and is
// that true?
import { deliver } from '../delivery.mjs'
import { drawPlan } from '../plan.mjs'
import { learnValidators } from './validators.mjs'

const LIMITED_REQUESTS = 210

/**
 * @typedef {object} Limited
 * @property {import('../delivery.mjs').Door} door of a server that closes connections in the middle
 * @property {number} limit after so many answers
 * @property {boolean} announced does it say so?
 * @property {boolean} [resets] what it had said may be lost when it closes, so that no number of connections is certain
 */

/**
 * @param {object} options
 * @param {Limited} options.limited
 * @param {import('../delivery.mjs').Door} options.plain the same files without limit
 * @param {import('../delivery.mjs').Way} options.way
 * @param {ReadonlySet<import('../plan.mjs').Kind>} options.kinds
 * @param {import('../run.mjs').Stage} options.stage
 */
export async function checkKeepAlive({ limited, plain, way, kinds, stage }) {
  const { content, seed } = stage
  const validators = await learnValidators(plain, content.files)
  const items = drawPlan({ count: LIMITED_REQUESTS, seed: seed + 1, content, kinds, validators })
  const delivery = await deliver(limited.door, items, way)
  if (limited.resets) return delivery
  const connections = Math.ceil(LIMITED_REQUESTS / limited.limit)
  if (delivery.connections !== connections) {
    throw new Error(
      `${connections} connections of ${limited.limit} answers were to do, ${delivery.connections} were used`,
    )
  }
  const announced = limited.announced ? connections - 1 : 0
  if (delivery.announced !== announced) {
    throw new Error(`${announced} closes were announced, ${delivery.announced} were recognised`)
  }
  return delivery
}
