// This library: what readInto() allocates. Run with a young generation so large that nothing is collected meanwhile.
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expectOk } from '../measure.mjs'
import { connect } from './httpio-connection.mjs'

/** @type {import('../measure.mjs').Task} */
const task = JSON.parse(process.argv[2])
const target = Buffer.allocUnsafe(65_536)
let collections = 0
new PerformanceObserver(list => (collections += list.getEntries().length)).observe({ entryTypes: ['gc'] })

const connection = await connect(task)
async function download() {
  await connection.sendRequest('GET', task.path)
  expectOk((await connection.readResponse()).status)
  let calls = 0
  while ((await connection.readInto(target)) > 0) calls++
  return calls
}
await download()
await nextTurn()
collections = 0
const before = process.memoryUsage()
const calls = await download()
const after = process.memoryUsage()
await nextTurn()
console.log(
  JSON.stringify({
    collections,
    calls,
    heapBytesPerCall: (after.heapUsed - before.heapUsed) / calls,
    bufferBytes: after.arrayBuffers - before.arrayBuffers,
  }),
)
await connection.close()
