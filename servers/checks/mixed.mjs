// 1,000 pipelined requests of all kinds over one connection, every answer judged.
import { deliver } from '../delivery.mjs'
import { drawPlan } from '../plan.mjs'
import { learnValidators } from './validators.mjs'

export const MIXED_REQUESTS = 1_000

/** @typedef {import('../delivery.mjs').Way} Way */

/**
 * @param {object} options
 * @param {import('../delivery.mjs').Door} options.door
 * @param {Way} options.way
 * @param {ReadonlySet<import('../plan.mjs').Kind>} options.kinds
 * @param {import('../run.mjs').Stage} options.stage
 */
export async function checkMixed({ door, way, kinds, stage }) {
  const { content, seed } = stage
  const validators = await learnValidators(door, content.files)
  const items = drawPlan({ count: MIXED_REQUESTS, seed, content, kinds, validators })
  const delivery = await deliver(door, items, way)
  if (!door.mayClose && delivery.connections > 1) {
    throw new Error(`one connection was to do, ${delivery.connections} were used`)
  }
  return delivery
}
