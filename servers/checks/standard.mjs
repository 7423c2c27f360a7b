// Puts together the checks that every server of files goes through, by what it can do.
import { checkAccepted, checkRefused, checkRefusedWhileSending } from './expect.mjs'
import { checkKeepAlive } from './keep-alive.mjs'
import { checkMixed } from './mixed.mjs'
import { checkUploads } from './uploads.mjs'

/** @typedef {import('../delivery.mjs').Door} Door */
/** @typedef {import('../delivery.mjs').Way} Way */
/**
 * What a check has seen, for the truth about it in the server's log.
 * @typedef {object} Findings
 * @property {string} note
 * @property {string[]} [answered] ids
 * @property {string[]} [unprocessed] ids
 */
/** @typedef {{ name: string, column: 'mixed' | 'closes' | 'uploads' | 'expect' | 'other', run: () => Promise<Findings> }} Check */

/** @type {Way[]} */
const WAYS = ['pipeline', 'request', 'steps']

/** @param {number} count @param {string} one */
export const plural = (count, one) => `${count.toLocaleString('en-US')} ${one}${count === 1 ? '' : 's'}`

/**
 * @param {object} server
 * @param {import('../run.mjs').Stage} server.stage
 * @param {Record<string, Door>} server.doors by what distinguishes them: the first is the plain one
 * @param {ReadonlySet<import('../plan.mjs').Kind>} server.kinds
 * @param {import('./keep-alive.mjs').Limited[]} [server.limited]
 * @param {import('./uploads.mjs').Target[]} [server.uploads]
 * @param {string} [server.accepting] path where a body is asked for by a 100
 * @param {{ door: Door, path: string, statuses?: number[] }} [server.refusing] where it is refused by 413, and what else may come
 * while it is being sent; an empty list: nothing certain
 * @returns {Check[]}
 */
export function standardChecks({ stage, doors, kinds, limited = [], uploads = [], accepting, refusing }) {
  const [plain] = Object.values(doors)
  const ways = stage.isShort ? WAYS.slice(0, 1) : WAYS
  /** @type {Check[]} */
  const checks = []
  for (const [kind, door] of Object.entries(doors)) {
    for (const way of ways.filter(one => door.ways?.includes(one) ?? true)) {
      checks.push({
        name: `mixed requests by ${way}, ${kind}`,
        column: 'mixed',
        async run() {
          const delivery = await checkMixed({ door, way, kinds, stage })
          const { answered, connections } = delivery
          return {
            ...delivery,
            note: `${plural(answered.length, 'answer')}, ${plural(connections, 'connection')}`,
          }
        },
      })
    }
  }
  for (const one of limited) {
    for (const way of WAYS) {
      checks.push({
        name: `${one.announced ? 'announced' : 'silent'} close after ${plural(one.limit, 'answer')}, by ${way}`,
        column: 'closes',
        async run() {
          const delivery = await checkKeepAlive({ limited: one, plain, way, kinds, stage })
          return { ...delivery, note: plural(delivery.connections, 'connection') }
        },
      })
    }
  }
  for (const target of uploads) {
    checks.push({
      name: `uploads to ${target.path}`,
      column: 'uploads',
      async run() {
        const { answered, uploads: count } = await checkUploads({ door: target.door ?? plain, target, stage })
        return { answered, note: plural(count, 'body').replace('bodys', 'bodies') }
      },
    })
  }
  if (accepting !== undefined) {
    checks.push({
      name: 'Expect: 100-continue, accepted',
      column: 'expect',
      run: async () => (await checkAccepted(plain, accepting), { note: '100' }),
    })
  }
  if (refusing !== undefined) {
    checks.push({
      name: 'Expect: 100-continue, refused',
      column: 'expect',
      run: async () => (await checkRefused(refusing.door, refusing.path, 413), { note: '413' }),
    })
    const { statuses = [413] } = refusing
    if (statuses.length > 0) {
      checks.push({
        name: 'bodies refused while they are sent',
        column: 'expect',
        run: async () => (
          await checkRefusedWhileSending(refusing.door, refusing.path, statuses),
          { note: `${statuses.join(' or ')} while sending` }
        ),
      })
    }
  }
  return checks
}
