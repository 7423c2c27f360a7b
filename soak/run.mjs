// npm run soak: many connections pipeline for a time over a network that delays, splits, cuts and resets. At the end nothing may be lost or
// misattributed, nothing left open, and memory must be flat. Exits with 1 otherwise.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Account } from './account.mjs'
import { MemoryRecord } from './memory.mjs'
import { Random } from './numbers.mjs'
import { Session } from './session.mjs'

const SETTLES_WITHIN_MS = 10_000
const usage =
  'usage: npm run soak [-- [--minutes N] [--seed N] [--connections N]]\nDefaults: 10 minutes, seed 1, 200 connections.\n'

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        seed: { type: 'string', default: '1' },
        connections: { type: 'string', default: '200' },
      },
    })
    const options = {
      minutes: Number(values.minutes),
      seed: Number(values.seed),
      connections: Number(values.connections),
    }
    if (!(options.minutes > 0)) throw new Error('--minutes takes a number above 0')
    if (!Number.isSafeInteger(options.seed)) throw new Error('--seed takes a whole number')
    if (!(Number.isSafeInteger(options.connections) && options.connections > 0)) {
      throw new Error('--connections takes a whole number above 0')
    }
    return options
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}`)
    process.exit(1)
  }
}

/** @param {string} name @param {string[]} args */
async function start(name, args) {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), args, { serialization: 'advanced' })
  const [{ port }] = await once(child, 'message')
  return { child, port: /** @type {number} */ (port) }
}

/** @param {import('node:child_process').ChildProcess} child */
async function ask(child) {
  const answer = once(child, 'message')
  child.send('end')
  return (await answer)[0]
}

/** What keeps this process alive, by kind. */
function openThings() {
  /** @type {Record<string, number>} */
  const counts = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  const { _getActiveHandles } = /** @type {{ _getActiveHandles: () => unknown[] }} */ (
    /** @type {unknown} */ (process)
  )
  counts['active handles'] = _getActiveHandles.call(process).length
  return counts
}

/** Waits until no more is open than before; says what is, if that does not come. @param {Record<string, number>} before */
async function leftOpen(before) {
  const deadline = Date.now() + SETTLES_WITHIN_MS
  for (;;) {
    await turn()
    const now = openThings()
    const left = Object.entries(now).filter(([kind, count]) => count > (before[kind] ?? 0))
    if (left.length === 0 || Date.now() > deadline) {
      return left.map(([kind, count]) => `${count - (before[kind] ?? 0)} of ${kind} left`)
    }
    await sleep(50)
  }
}

const options = readOptions()
const account = new Account()
process.on('warning', warning => account.fault(`warning: ${warning.message}`))
process.on('unhandledRejection', reason => account.fault(`unhandled rejection: ${reason}`))

const server = await start('server.mjs', [])
const proxy = await start('proxy.mjs', [String(server.port), String(options.seed)])
// Whatever is made once and kept is there after the first session.
await new Session(proxy.port, account, new Random(options.seed)).run()
await sleep(100)
const before = openThings()

const began = performance.now()
const endsAt = began + options.minutes * 60_000
const memory = new MemoryRecord(() => account.ids)
const ticker = setInterval(() => {
  memory.sample()
  if (!process.stderr.isTTY) return
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stderr.write(
    `\r${seconds} s, ${account.ids.toLocaleString('en-US')} requests, ${account.connections.toLocaleString('en-US')} connections, ${memory.lastMiB} MiB `,
  )
}, 1_000)

await Promise.all(
  Array.from({ length: options.connections }, async (_, n) => {
    const random = new Random(options.seed * 100_003 + n)
    while (performance.now() < endsAt) await new Session(proxy.port, account, random).run()
  }),
)
clearInterval(ticker)
const seconds = (performance.now() - began) / 1000
if (process.stderr.isTTY) process.stderr.write('\n')

for (const left of await leftOpen(before)) account.fault(left)
const network = await ask(proxy.child)
const { requests, badBodies, acted } = await ask(server.child)
const counts = account.close(acted)
if (badBodies > 0) account.fault(`the server received ${badBodies} bodies that were not as sent`)
const memoryFault = memory.fault()
if (memoryFault !== null) account.fault(memoryFault)
for (const { child } of [proxy, server]) {
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

/** @param {number} value */
const number = value => Math.round(value).toLocaleString('en-US')
console.log(`seed ${options.seed}, ${options.connections} connections at a time, ${number(seconds)} s`)
console.log(`requests       ${number(account.ids)} (${number(account.ids / seconds)} a second)`)
for (const [fate, count] of Object.entries(counts)) console.log(`  ${fate.padEnd(14)} ${number(count)}`)
console.log(
  `the server acted upon ${number(requests)}; answers carried ${number(account.bodyBytes / 1e6)} MB`,
)
console.log(
  `connections    ${number(account.connections)}, in ${number(network.pieces)} pieces; ended by the network:`,
)
for (const [fate, count] of Object.entries(network.met)) console.log(`  ${fate.padEnd(14)} ${number(count)}`)
console.log(memory.summary())
for (const fault of account.faults) console.log(`WRONG: ${fault}`)
if (account.faultCount > account.faults.length) {
  console.log(`and ${account.faultCount - account.faults.length} more`)
}
console.log(account.faultCount === 0 ? 'nothing lost, nothing misattributed, nothing left open' : 'FAILED')
process.exitCode = account.faultCount === 0 ? 0 : 1
