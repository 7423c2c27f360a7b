// npm start: pipelines thousands of requests over one connection, against a server of its own or one that the user
// names, checks every answer, and shows what pipelining gained. Exits with 1 if anything is wrong.
import { SingleBar } from 'cli-progress'
import { runStage } from './stage.mjs'
import { namedServer, ownServer } from './targets.mjs'

/** @typedef {import('./stage.mjs').StageResult} StageResult */
/** @typedef {import('./server.mjs').Wire} Wire */

const LONGEST_MS = 8_000
const STAGES = [
  { depth: 1, requests: 1_000 },
  { depth: 8, requests: 4_000 },
  { depth: 64, requests: 4_000 },
]

/** @param {unknown} error @returns {string} */
function explain(error) {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? `${error.code}` : error.name
  const inner = error instanceof AggregateError ? error.errors.map(explain).join('; ') : error.message
  return inner.includes(code) ? inner : `${code}: ${inner}`
}

/** @param {string} argument */
function parseUrl(argument) {
  const url = URL.canParse(argument) ? new URL(argument) : null
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  console.error(
    `"${argument}" is not an http:// or https:// URL.\nusage: npm start [-- http://host:port/path]`,
  )
  process.exit(1)
}

/** @param {string[][]} lines */
function printTable(lines) {
  const widths = lines[0].map((_, n) => Math.max(...lines.map(line => line[n].length)))
  for (const line of lines) {
    console.log(
      line.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join('   '),
    )
  }
}

/** @param {StageResult} result @param {Wire | null} wire @param {number} base responses a second, one at a time */
function tableLine(result, wire, base) {
  const perSecond = result.responses / result.seconds
  const { together, most } = wire ?? result
  return [
    result.depth === 1 ? 'one at a time' : `pipelined, depth ${result.depth}`,
    String(result.responses),
    result.seconds.toFixed(2),
    Math.round(perSecond).toLocaleString('en-US'),
    `${(perSecond / base).toFixed(1)}x`,
    `${Math.round((together / result.responses) * 100)} %`,
    String(most),
    String(result.connections),
  ]
}

/** @param {import('./targets.mjs').Target} target @returns {Promise<boolean>} whether all was right */
async function demonstrate(target) {
  console.log(`Server: ${target.title}`)
  const bar = new SingleBar({ format: '{stage} |{bar}| {value}/{total} answers checked', hideCursor: true })
  const lines = []
  /** @type {string[]} */
  const faults = []
  let base = 0
  for (const stage of STAGES) {
    bar.start(stage.requests, 0, { stage: `depth ${stage.depth}`.padEnd(8) })
    let result
    try {
      result = await runStage(target, { ...stage, longestMs: LONGEST_MS }, done => bar.update(done))
    } finally {
      bar.stop()
    }
    const wire = await target.takeWire()
    base ||= result.responses / result.seconds
    lines.push(tableLine(result, wire, base))
    faults.push(...result.faults)
    if (wire && wire.requests !== result.responses) {
      faults.push(`the server received ${wire.requests} requests for ${result.responses} answers`)
    }
    if (wire && stage.depth > 1 && wire.together === 0)
      faults.push('the wire never carried more than one request')
    if (!target.mayClose && result.responses < stage.requests) {
      faults.push(`only ${result.responses} of ${stage.requests} answers in ${LONGEST_MS / 1000} s`)
    }
  }
  printTable([
    ['', 'answers', 'seconds', 'answers/s', 'gain', 'wire shared', 'most at once', 'connections'],
    ...lines,
  ])
  console.log('Wire shared: how many requests were on the wire together with others, and how many at most.')
  for (const fault of faults) console.error(`wrong: ${fault}`)
  if (faults.length === 0)
    console.log('Every answer came in order, with the right status and the right body.')
  return faults.length === 0
}

const argument = process.argv[2]
const url = argument === undefined ? null : parseUrl(argument)
/** @type {import('./targets.mjs').Target} */
let target
try {
  target = url ? await namedServer(url) : await ownServer()
} catch (error) {
  console.error(`The server ${url?.host ?? ''} cannot be reached: ${explain(error)}`)
  process.exit(1)
}
try {
  process.exitCode = (await demonstrate(target)) ? 0 : 1
} catch (error) {
  console.error(`The demonstration broke off: ${explain(error)}`)
  process.exitCode = 1
} finally {
  await target.stop()
}
