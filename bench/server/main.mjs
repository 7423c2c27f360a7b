// The canned server, in a process of its own: listens on a free loopback port, says which, and tells its counts when
// it is asked. What it answers is in handlers.mjs. Ends with its parent.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { handlerFor } from './handlers.mjs'

/** @typedef {import('./handlers.mjs').Behaviour & { tls?: boolean }} ServerSpec */

/** @returns {import('./handlers.mjs').Counts} */
const noCounts = () => ({ connections: 0, requests: 0, bodyBytes: 0, reads: 0, mostPerRead: 0, mostHeld: 0 })

/** @type {ServerSpec} */
const spec = JSON.parse(process.argv[2])
const handler = handlerFor(spec)
const counts = noCounts()

/** @param {import('node:net').Socket} socket */
function onConnection(socket) {
  counts.connections++
  socket.setNoDelay(true)
  // A client that was ended resets the connection; the next one is not concerned.
  socket.on('error', () => {})
  handler(socket, counts)
}

/** @param {string} name */
const pem = name => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url))

const server = spec.tls
  ? createTlsServer({ key: pem('key'), cert: pem('certificate'), ALPNProtocols: ['http/1.1'] }, onConnection)
  : createServer(onConnection)

server.listen(0, '127.0.0.1', 1024, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('message', () => {
  process.send?.({ ...counts })
  Object.assign(counts, noCounts())
})
process.on('disconnect', () => process.exit())
