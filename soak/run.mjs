// npm run soak: many connections pipeline for a time over a network that delays, splits, cuts and resets. The time is divided into rounds;
// after each, when all is quiet, nothing may be left open, and memory is measured. At the end every request is accounted for.
// Exits with 1 if anything is wrong.
import { setMaxListeners } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Account } from './account.mjs'
import { Child } from './children.mjs'
import { EvidenceLog } from './evidence.mjs'
import { Leaks } from './leaks.mjs'
import { MemoryRecord, watchWebAssembly } from './memory.mjs'
import { Random } from './numbers.mjs'
import { number, printFaults, printTable, Progress } from './report.mjs'
import { Session } from './session.mjs'
import { tapSockets } from './taps.mjs'

const FEWEST_ROUNDS = 12
const LONGEST_ROUND_MS = 15_000
/** In so many seconds in a row in which nothing was settled, all that is left hangs. Seconds in which this process was kept waiting count as one. */
const HANGS_AFTER_SECONDS = 100
/** By then the server has seen the end of every connection. */
const SERVER_SETTLES_WITHIN_MS = 60_000
/** In as many connections the network must have done everything that it does. */
const NETWORK_SHOWS_ALL_IN = 1_000
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
    if (!(options.minutes > 0 && options.minutes < Infinity))
      throw new Error('--minutes takes a number above 0')
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

const options = readOptions()
if (globalThis.gc === undefined)
  throw new Error('memory can be measured only with --expose-gc, as npm run soak has it')
const folder = mkdtempSync(join(tmpdir(), 'httpio-soak-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => process.exit(1))
const clientLog = join(folder, 'client')
const networkLog = join(folder, 'network')

const account = new Account()
process.on('warning', warning => account.fault(`warning: ${warning.message}`))
process.on('unhandledRejection', reason => account.fault(`unhandled rejection: ${reason}`))
const evidence = new EvidenceLog(clientLog)
/** Is there no server, or no network, any more? */
let isStageLost = false
/** @param {string} what */
function onStageLost(what) {
  account.fault(what)
  isStageLost = true
}
const server = await Child.start('server.mjs', [], onStageLost)
const networkArgs = [String(server.port), String(options.seed), networkLog]
const proxy = await Child.start('proxy.mjs', networkArgs, onStageLost)
const { signal } = new AbortController()
setMaxListeners(0, signal)
const progress = new Progress()
progress.say(() => 'begins')
const leaks = new Leaks(signal)
const memory = new MemoryRecord(() => account.bytes)
watchWebAssembly()
tapSockets(socket => leaks.watch(socket))
/** @type {import('./session.mjs').Stage} */
const stage = {
  port: proxy.port,
  account,
  evidence,
  signal,
  isEnding: false,
  watch: thing => leaks.watch(thing),
}
const randoms = Array.from({ length: options.connections }, (_, n) => new Random(options.seed * 100_003 + n))
/** @type {Set<Session>} */
const running = new Set()

/** One after the other, until no more is wanted. @param {Random} random */
async function runSessions(random) {
  while (!stage.isEnding && !isStageLost && !account.isHopeless) {
    const session = new Session(stage, random)
    running.add(session)
    await session.run()
    running.delete(session)
  }
}

/** Resolves when nothing has been settled for too long. @param {AbortSignal} over */
async function standstill(over) {
  let settled = -1
  for (let seconds = 0; seconds < HANGS_AFTER_SECONDS; seconds++) {
    await sleep(1_000, undefined, { signal: over })
    if (settled !== account.settled) seconds = 0
    settled = account.settled
    progress.say(
      () =>
        `${number((performance.now() - began) / 1000)} s: ${number(account.ids)} requests on ${number(account.connections)} connections, ` +
        `${memory.lastMiB === null ? '' : `resident memory when quiet ${memory.lastMiB} MiB, `}${account.faultCount} wrong`,
    )
  }
}

/** @param {number} milliseconds @returns {Promise<boolean>} may there be another round? */
async function runRound(milliseconds) {
  stage.isEnding = false
  proxy.tell('go on')
  const sessions = Promise.all(randoms.map(runSessions))
  const over = new AbortController()
  const ending = sleep(milliseconds, undefined, over).then(() => {
    stage.isEnding = true
    proxy.tell('hurry')
  })
  const isDone = await Promise.race([sessions.then(() => true), standstill(over.signal).then(() => false)])
  over.abort()
  await ending.catch(() => {})
  if (!isDone) {
    for (const session of running) account.fault('a session hangs', session.giveUp())
    return false
  }
  const left = await leaks.left()
  for (const what of left) account.fault(what)
  await memory.sample()
  return left.length === 0 && !isStageLost && !account.isHopeless
}

/** @param {number} rounds @returns {Promise<boolean>} were there as many? */
async function runRounds(rounds) {
  for (let n = 0; n < rounds; n++) {
    if (!(await runRound((options.minutes * 60_000) / rounds))) return false
  }
  return true
}

/** What the server did, when it has done all; undefined if it cannot be known any more. */
async function serverTotals() {
  const deadline = performance.now() + SERVER_SETTLES_WITHIN_MS
  for (;;) {
    const totals = await server.totals()
    if (totals === undefined || totals.openConnections === 0 || performance.now() > deadline) return totals
    await sleep(100)
  }
}

const began = performance.now()
const rounds = Math.max(FEWEST_ROUNDS, Math.ceil((options.minutes * 60_000) / LONGEST_ROUND_MS))
let isComplete = await runRounds(rounds)
let memoryFaults = memory.faults()
if (isComplete && memoryFaults.length > 0) {
  // What has found its level stays there; a leak goes on.
  process.stderr.write(
    `${memoryFaults.join('\n')}\nGoes on for as long again, to see whether that goes on.\n`,
  )
  memory.startAgain()
  isComplete = await runRounds(rounds)
  memoryFaults = memory.faults()
}
if (isComplete) for (const fault of memoryFaults) account.fault(fault)
progress.end()
const seconds = (performance.now() - began) / 1000
evidence.close()

const network = await proxy.totals()
const served = await serverTotals()
if (network !== undefined && served !== undefined) {
  const { requests, badBodies, openConnections, acted, continued } = served
  if (badBodies > 0) account.fault(`the server received ${badBodies} bodies that were not as sent`)
  if (openConnections > 0) account.fault(`${openConnections} connections of the server are left`)
  if (account.connections >= NETWORK_SHOWS_ALL_IN) {
    for (const [what, count] of Object.entries({ ...network.met, delayed: network.delays })) {
      if (count === 0) account.fault(`the network did not do all: ${what} 0 times`)
    }
  }
  const counts = account.close(acted, continued)
  if (counts.answered === 0) account.fault('nothing was answered')
  console.log(
    `Node ${process.versions.node}, ${availableParallelism()} processors, seed ${options.seed}, ${options.connections} connections at a time, ${number(seconds)} s\n`,
  )
  /** @param {string} what @param {Record<string, number>} numbers @returns {[string, string][]} */
  const partRows = (what, numbers) =>
    Object.entries(numbers).map(([name, count]) => [`… ${what}${name}`, number(count)])
  printTable([
    ['requests', `${number(account.ids)} (${number(account.ids / seconds)} a second)`],
    ...partRows('', counts),
    ['acted upon by the server', number(requests)],
    ['bodies of the answers', `${number(account.bodyBytes / 1e6)} MB`],
    ['connections', number(account.connections)],
    ['… that could not be made', number(account.connectionsNotMade)],
    ...partRows('ended by the network: ', network.met),
    ['pieces that the network passed on', number(network.pieces)],
    ['… of which delayed', number(network.delays)],
    ...memory.rows(),
    ['wrong', number(account.faultCount)],
  ])
}
await proxy.end()
await server.end()
await printFaults(account.faults, account.faultCount, clientLog, networkLog)
console.log(
  account.faultCount === 0 ? '\nnothing lost, nothing misattributed, nothing left open' : '\nFAILED',
)
process.exit(account.faultCount === 0 ? 0 : 1)
