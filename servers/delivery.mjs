// Has every item answered once, over as many connections as that takes, and holds the library to its word: answers in order, each
// right, and at the end of each connection an account of the requests without answer that is complete and true.
import { ConnectionClosed, HTTPConnection } from 'httpio'

/** @typedef {import('httpio').HTTPResponse} HTTPResponse */
/** @typedef {import('./plan.mjs').Item} Item */
/**
 * Where and how a server is reached.
 * @typedef {object} Door
 * @property {string} hostname
 * @property {import('httpio').ConnectionOptions} options
 * @property {boolean} [mayClose] connections may end in the middle
 * @property {Way[]} [ways] if not by all
 */
/** @typedef {'pipeline' | 'request' | 'steps'} Way */
/** @typedef {{ item: Item, method: string, path: string }} Sending */
/** @typedef {(response: HTTPResponse, body: Buffer) => void} Take is given each answer, in order */
/**
 * @typedef {object} Delivery
 * @property {number} connections
 * @property {number} announced how many of them ended with an announced close
 * @property {string[]} answered ids of the sendings that were answered
 * @property {string[]} unprocessed ids of which it was said that the server did not act on them
 */

/** A server that hangs must not make the run hang. */
const IDLE_MS = 20_000
const DEPTH = 64
/** As many connections in a row may bring nothing. */
const MOST_BARREN = 5

let plans = 0

/** @param {Item} item */
const optionsOf = ({ headers, decompress, body }) => ({ headers, decompress, body: body() })

/** @type {Record<Way, (connection: HTTPConnection, sendings: Sending[], take: Take) => Promise<void>>} */
const ways = {
  async pipeline(connection, sendings, take) {
    function* requests() {
      for (const { item, method, path } of sendings) yield { method, path, ...optionsOf(item) }
    }
    for await (const response of connection.pipeline(requests(), { depth: DEPTH })) {
      take(response, await response.readAll())
    }
  },

  async request(connection, sendings, take) {
    const outcomes = await Promise.allSettled(
      sendings.map(({ item, method, path }) => connection.request(method, path, optionsOf(item))),
    )
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason
      take(outcome.value, await outcome.value.readAll())
    }
  },

  async steps(connection, sendings, take) {
    let sent = 0
    let isRefused = false
    let wake = () => {}
    const sending = (async () => {
      for (const { item, method, path } of sendings) {
        const { headers } = item
        const isSent = connection.sendRequest(method, path, {
          headers: item.decompress ? { ...headers, 'Accept-Encoding': 'identity' } : headers,
          body: /** @type {Uint8Array | null} */ (item.body() ?? null),
        })
        sent++
        wake()
        await isSent
      }
    })().catch(error => {
      if (!(error instanceof ConnectionClosed)) throw error
      isRefused = true
      wake()
    })
    for (let n = 0; n < sendings.length; n++) {
      while (n === sent && !isRefused) await new Promise(resolve => (wake = () => resolve(undefined)))
      const response = await connection.readResponse()
      take(response, await response.readAll())
    }
    await sending
  },
}

/** What a way cannot ask for it does not judge. @param {Item} item @param {Way} way @param {HTTPResponse} response @param {Buffer} body */
function judge(item, way, response, body) {
  if (way === 'steps' && item.decompress) return response.status === 200 ? null : `status ${response.status}`
  return item.judge(response, body)
}

/**
 * The account must be the requests that were sent and not answered, in order; of the one sent last it may not say anything, if the
 * connection did not take it any more.
 * @param {ConnectionClosed} error @param {Sending[]} rest
 */
function checkAccount({ unanswered }, rest) {
  for (const [n, { method, path }] of unanswered.entries()) {
    if (rest[n]?.path !== path || rest[n].method !== method) {
      throw new Error(`unanswered[${n}] is ${method} ${path}, not ${rest[n]?.method} ${rest[n]?.path}`)
    }
  }
}

/**
 * @param {Door} door
 * @param {Item[]} items
 * @param {Way} way
 * @returns {Promise<Delivery>}
 */
export async function deliver(door, items, way) {
  const plan = ++plans
  /** @type {Delivery} */
  const delivery = { connections: 0, announced: 0, answered: [], unprocessed: [] }
  let done = 0
  let barren = 0
  while (done < items.length) {
    const attempt = ++delivery.connections
    const before = done
    // Where a connection was lost before anything had come, the next request goes alone (RFC 9112 section 9.3.2).
    const sendings = items.slice(done, barren > 0 ? done + 1 : undefined).map((item, n) => ({
      item,
      method: item.method,
      path: `${item.path}${item.path.includes('?') ? '&' : '?'}id=${plan}.${before + n}.${attempt}`,
    }))
    const connection = new HTTPConnection(door.hostname, { timeoutMs: IDLE_MS, ...door.options })
    try {
      await ways[way](connection, sendings, (response, body) => {
        const { item, method, path } = sendings[done - before]
        if (response.method !== method || response.path !== path) {
          throw new Error(`${method} ${path} was given the answer to ${response.method} ${response.path}`)
        }
        const fault = judge(item, way, response, body)
        if (fault !== null) throw new Error(`${item.kind}: ${method} ${path}: ${fault}`)
        delivery.answered.push(idOf(path))
        done++
      })
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error
      checkAccount(error, sendings.slice(done - before))
      const certain = error.unanswered.filter(({ processed }) => processed === 'no')
      delivery.unprocessed.push(...certain.map(({ path }) => idOf(path)))
      if (certain.length > 0 && certain.length === error.unanswered.length) delivery.announced++
    } finally {
      await connection.close()
    }
    barren = done === before ? barren + 1 : 0
    if (barren === MOST_BARREN) {
      throw new Error(`${MOST_BARREN} connections in a row brought no answer to ${sendings[0].path}`)
    }
  }
  return delivery
}

/** @param {string} path @returns {string} */
export const idOf = path => /[?&]id=(\d+\.\d+\.\d+)/.exec(path)?.[1] ?? ''
