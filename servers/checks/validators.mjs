// Learns the validators of each file, by one pipelined HEAD for each.
import { deliver } from '../delivery.mjs'
import { item } from '../plan.mjs'

/**
 * @param {import('../delivery.mjs').Door} door
 * @param {import('../content.mjs').File[]} files
 * @returns {Promise<Map<string, import('../plan.mjs').Validators>>}
 */
export async function learnValidators(door, files) {
  /** @type {Map<string, import('../plan.mjs').Validators>} */
  const validators = new Map()
  const items = files.map(({ path }) =>
    item({
      kind: 'head',
      method: 'HEAD',
      path,
      judge({ status, headers }) {
        validators.set(path, { etag: headers.get('etag'), modified: headers.get('last-modified') })
        return status === 200 ? null : `status ${status}`
      },
    }),
  )
  await deliver(door, items, 'request')
  return validators
}
