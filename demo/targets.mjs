// The two kinds of server that the demo may run against: its own, and one that the user names.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { get as getPlain } from 'node:http'
import { get as getTls } from 'node:https'
import { fileURLToPath } from 'node:url'
import { item, sha256 } from './content.mjs'

/**
 * @typedef {object} Expected one request and what must come back
 * @property {string} method
 * @property {string} path
 * @property {number} status
 * @property {string | null} hash of the body; null where it may be anything
 */
/**
 * @typedef {object} Target
 * @property {string} title
 * @property {string} hostname
 * @property {number} port
 * @property {boolean} tls
 * @property {boolean} mayClose whether it may end a connection between two answers
 * @property {(n: number) => Expected} expected the nth request
 * @property {() => Promise<import('./server.mjs').Wire | null>} takeWire since it was last asked; null where the server
 *   does not tell
 * @property {() => Promise<void>} stop
 */

const REFERENCE_TIMEOUT_MS = 5_000

/** One answer by Node's own client. @param {URL} url @returns {Promise<{ status: number, body: Buffer }>} */
function reference(url) {
  return new Promise((resolve, reject) => {
    const get = url.protocol === 'https:' ? getTls : getPlain
    const request = get(url, { agent: false, headers: { 'Accept-Encoding': 'identity' } }, response => {
      /** @type {Buffer[]} */
      const pieces = []
      response.on('data', piece => pieces.push(piece))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces) }))
      response.on('error', reject)
    })
    request.setTimeout(REFERENCE_TIMEOUT_MS, () =>
      request.destroy(new Error(`no answer within ${REFERENCE_TIMEOUT_MS} ms`)),
    )
    request.on('error', reject)
  })
}

/** @returns {Promise<Target>} */
export async function ownServer() {
  const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)))
  const [{ port }] = await once(child, 'message')
  const wire = new URL(`http://127.0.0.1:${port}/wire`)
  return {
    title: `a node:http server in a process of its own, ${wire.host}`,
    hostname: wire.hostname,
    port,
    tls: false,
    mayClose: false,
    expected: n => {
      const { method, path, status, body } = item(n)
      return { method, path, status, hash: sha256(body) }
    },
    takeWire: async () => JSON.parse((await reference(wire)).body.toString()),
    stop: async () => {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

/**
 * The server behind `url`. What it must answer is asked twice from Node's own client; where the two answers differ,
 * bodies are only checked to be whole.
 * @param {URL} url
 * @returns {Promise<Target>}
 * @throws when it cannot be reached
 */
export async function namedServer(url) {
  const first = await reference(url)
  const second = await reference(url)
  const same = first.status === second.status && first.body.equals(second.body)
  const tls = url.protocol === 'https:'
  const expected = {
    method: 'GET',
    path: url.pathname + url.search,
    status: first.status,
    hash: same ? sha256(first.body) : null,
  }
  const note = same ? '' : '; its answers vary, so bodies are checked for wholeness only'
  return {
    title: `${url.href}, status ${first.status}, ${first.body.length} bytes${note}`,
    // Brackets belong to the URL, not to the address.
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (tls ? 443 : 80)),
    tls,
    mayClose: true,
    expected: () => expected,
    takeWire: async () => null,
    stop: async () => {},
  }
}
