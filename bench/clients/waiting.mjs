// This library: how many bytes a request holds while it waits for its answer. Run with --expose-gc against a server
// that reads and never answers.
import { connect } from './httpio-connection.mjs'

/** @type {import('../measure.mjs').Task} */
const task = JSON.parse(process.argv[2])
const collect = /** @type {() => void} */ (globalThis.gc)
const QUIET_MS = 100

/** Waits until the socket has handed everything on, and counts what lives on then. */
async function heldBytes() {
  await new Promise(resolve => setTimeout(resolve, QUIET_MS))
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const connection = await connect(task)
/** @param {number} requests */
async function send(requests) {
  for (let n = 0; n < requests; n++) {
    if (task.how === 'request') void connection.request('GET', task.path)
    else await connection.sendRequest('GET', task.path)
  }
}
// Everything that is made once, and compiled code, is there before the count starts.
await send(task.warmUp)
const before = await heldBytes()
await send(task.requests)
const after = await heldBytes()
console.log(JSON.stringify({ bytesPerRequest: (after - before) / task.requests }))
process.exit()
