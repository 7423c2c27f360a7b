// Runs one row: starts its server, lets the clients take turns, round after round, and checks that each read what it
// was asked to read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './child.mjs'
import { entrants } from './entrants.mjs'
import { startCanned, startNginx } from './servers.mjs'
import { tools } from './tools.mjs'

/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {import('./rows.mjs').RowEntrant} RowEntrant */
/**
 * @typedef {import('./measure.mjs').Measurement & { perRead?: number }} Sample `perRead`: requests that the server
 *   found in one read, on average
 */
/**
 * @typedef {object} EntrantResult
 * @property {string} name
 * @property {string} title
 * @property {boolean} ours
 * @property {Sample[]} samples one a round
 * @property {number} depth that was asked for
 * @property {number} [onTheWire] requests that were sent before the first answer, a connection
 * @property {string} [failure]
 */
/**
 * @typedef {object} Settings
 * @property {number} rounds
 * @property {number} size 1, or less for a short run
 * @property {Set<string>} installed
 * @property {string} [profileFolder] where Node's clients leave CPU profiles
 */

const here = fileURLToPath(new URL('.', import.meta.url))
const certificate = readFileSync(new URL('tls/certificate.pem', import.meta.url), 'utf8')
const FEWEST_REQUESTS = 500

/** @param {Row} row @param {RowEntrant} entrant @param {import('./servers.mjs').Server} server @param {Settings} settings */
function taskFor(row, entrant, server, settings) {
  const { nominalMicros } = entrants[entrant.entrant]
  const wanted = row.requests ?? ((row.seconds ?? 1) * 1e6) / nominalMicros
  const requests =
    row.unit === 'bytes' ? wanted : Math.max(FEWEST_REQUESTS, Math.round(wanted * settings.size))
  /** @type {import('./measure.mjs').Task} */
  const task = {
    host: '127.0.0.1',
    port: server.port,
    path: '/',
    tls: false,
    ca: certificate,
    depth: 1,
    connections: 1,
    requests,
    repeat: 1,
    warmUp: requests,
    latency: false,
    bodyBytes: server.bodyBytes,
    how: '',
    ...row.task,
    ...entrant.task,
  }
  // Rounded up, so that every connection gets the same number.
  task.requests = Math.ceil(task.requests / task.connections) * task.connections
  return task
}

/** @param {unknown} error */
const messageOf = error => (error instanceof Error ? error.message : String(error))

/**
 * @param {import('./entrants.mjs').Entrant} entrant @param {import('./measure.mjs').Task} task
 * @param {string} [profileFolder]
 * @returns {Promise<Sample>}
 */
async function runClient(entrant, task, profileFolder) {
  if (entrant.tool) return tools[entrant.tool](task)
  const flags = profileFolder ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`] : []
  const client = join(here, 'clients', `${entrant.file}.mjs`)
  const { stdout } = await run(process.execPath, [...flags, client, JSON.stringify(task)])
  return JSON.parse(stdout)
}

/** @param {import('./entrants.mjs').Entrant} entrant @param {import('./measure.mjs').Task} task @param {Sample} sample */
function checkReceived(entrant, task, sample) {
  if (entrant.tool === 'wrk') return
  const wanted = task.requests * task.repeat
  const missing = wanted - sample.responses
  const allowed = entrant.countsRoughly ? task.depth : 0
  if (missing < 0 || missing > allowed) throw new Error(`${sample.responses} of ${wanted} answered`)
  if (sample.bodyBytes !== sample.responses * task.bodyBytes)
    throw new Error(`${sample.bodyBytes} body bytes`)
}

/** How many requests each client puts on the wire before it has an answer. @param {Row} row @param {EntrantResult[]} results @param {Settings} settings */
async function probeDepth(row, results, settings) {
  const server = await startCanned({ kind: 'hold' })
  try {
    for (const [n, entrant] of row.entrants.entries()) {
      const task = taskFor(row, entrant, server, settings)
      task.requests = 4 * task.depth
      task.warmUp = 0
      try {
        await runClient(entrants[entrant.entrant], task)
        results[n].onTheWire = (await server.takeCounts())?.mostHeld
      } catch (error) {
        results[n].failure = messageOf(error)
      }
    }
  } finally {
    await server.stop()
  }
}

/**
 * @param {Row} row @param {Settings} settings @param {(done: number, all: number) => void} onProgress
 * @returns {Promise<EntrantResult[]>}
 */
export async function runRow(row, settings, onProgress) {
  const present = row.entrants.filter(({ entrant }) => {
    const { tool } = entrants[entrant]
    return tool === undefined || settings.installed.has(tool)
  })
  const runnable = { ...row, entrants: present }
  /** @type {EntrantResult[]} */
  const results = present.map(({ name, entrant, task }) => {
    const { title, ours } = entrants[entrant]
    const depth = task?.depth ?? row.task.depth ?? 1
    return { name, title: title + name.slice(entrant.length), ours, depth, samples: [] }
  })
  if (row.probe) await probeDepth(runnable, results, settings)
  const server = await (row.server === 'nginx' ? startNginx() : startCanned(row.server))
  try {
    for (let round = 0; round < settings.rounds; round++) {
      for (let n = 0; n < present.length; n++) {
        // Each round begins with another client, so that none always follows the same one.
        const turn = (n + round) % present.length
        const entrant = entrants[present[turn].entrant]
        const result = results[turn]
        if (result.failure !== undefined) continue
        const task = taskFor(row, present[turn], server, settings)
        try {
          const sample = await runClient(entrant, task, settings.profileFolder)
          checkReceived(entrant, task, sample)
          const counts = await server.takeCounts()
          if (counts && counts.reads > 0) sample.perRead = counts.requests / counts.reads
          result.samples.push(sample)
        } catch (error) {
          result.failure = messageOf(error)
        }
        onProgress(round * present.length + n + 1, settings.rounds * present.length)
      }
    }
  } finally {
    await server.stop()
  }
  return results
}
