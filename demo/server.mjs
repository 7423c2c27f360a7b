// The demo's server: node:http in a process of its own. Answers /item/N as content.mjs says, a few milliseconds late,
// and counts how often a request came while others on the same connection still waited; /wire tells and forgets it.
import { createServer } from 'node:http'
import { item } from './content.mjs'

/** @typedef {{ requests: number, together: number, most: number }} Wire */

/** @returns {Wire} */
const nothingYet = () => ({ requests: 0, together: 0, most: 0 })
let wire = nothingYet()
/** How many requests wait on a connection. @type {WeakMap<import('node:net').Socket, number>} */
const waiting = new WeakMap()

/** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
function count({ socket }, response) {
  const now = (waiting.get(socket) ?? 0) + 1
  waiting.set(socket, now)
  wire.requests++
  if (now > 1) wire.together++
  if (now > wire.most) wire.most = now
  response.on('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
}

/** @param {import('node:http').ServerResponse} response @param {import('./content.mjs').Item} found */
function answer(response, found) {
  response.statusCode = found.status
  if (found.status === 304) response.setHeader('ETag', `"${found.path}"`)
  else if (!found.chunked) response.setHeader('Content-Length', found.length)
  if (!found.chunked || found.body.length === 0) return response.end(found.body)
  const half = found.body.length >> 1
  response.write(found.body.subarray(0, half))
  response.end(found.body.subarray(half))
}

const server = createServer((request, response) => {
  if (request.url === '/wire') {
    response.end(JSON.stringify(wire))
    wire = nothingYet()
    return
  }
  const n = /^\/item\/(\d{1,9})$/.exec(request.url ?? '')?.[1]
  if (n === undefined) {
    response.statusCode = 404
    response.end()
    return
  }
  count(request, response)
  const found = item(Number(n))
  setTimeout(answer, found.latencyMs, response, found)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit())
