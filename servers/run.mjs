// npm run test:servers: real servers, each in the foreground on free loopback ports with a configuration of its own, and what this
// library makes of them. Ends with a table; exits with 1 if anything is wrong.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeContent } from './content.mjs'
import { install, missingPackages } from './packages.mjs'
import { printTable } from './table.mjs'
import { targets } from './targets/index.mjs'

/** @typedef {import('./checks/standard.mjs').Check} Check */
/**
 * What all targets share.
 * @typedef {object} Stage
 * @property {ReturnType<typeof writeContent>} content
 * @property {{ chain: string, key: string, ca: string }} certificate files of the server's, and the text to be trusted
 * @property {number} seed
 * @property {boolean} isShort
 */
/**
 * @typedef {object} Started
 * @property {Check[]} checks
 * @property {() => Promise<void>} stop
 * @property {() => string[]} [actedUpon] after the stop: the ids of the requests that the server acted upon
 */
/**
 * @typedef {object} Target
 * @property {string} title
 * @property {Record<string, string>} needs programs or files, and the Debian package of each
 * @property {() => string} version
 * @property {(stage: Stage, folder: string) => Promise<Started>} start in a folder of its own
 */
/** @typedef {{ title: string, cells: Record<string, string[]>, passed: number, failed: number, seconds: number }} Row */

const usage = `usage: npm run test:servers [-- [--short] [--seed N] [--only NAME[,NAME...]] [--no-install] [--keep]]
  --short       one way of calling instead of three, smaller bodies
  --only        those whose title contains one of the names
  --no-install  leave out what is not installed
  --keep        leave configurations and logs in place
`

/** @param {string[]} args */
function readOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        short: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        only: { type: 'string', default: '' },
        'no-install': { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    })
    if (!/^\d+$/.test(values.seed)) throw new Error('--seed takes a whole number')
    return values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}`)
    process.exit(1)
  }
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof Error)) return String(error)
  const { code } = /** @type {{ code?: string }} */ (error)
  return `${code === undefined ? '' : `${code}: `}${error.message}`
}

/** @param {string} root @returns {Stage} */
function makeStage(root) {
  const certificates = fileURLToPath(new URL('../spec/support/certs/', import.meta.url))
  return {
    content: writeContent(join(root, 'documents')),
    certificate: {
      chain: join(certificates, 'localhost.pem'),
      key: join(certificates, 'key.pem'),
      ca: readFileSync(join(certificates, 'ca.pem'), 'utf8'),
    },
    seed: Number(options.seed),
    isShort: options.short,
  }
}

/** What the server's own log says of the ids. @param {Set<string>} actedUpon @param {string[]} answered @param {string[]} unprocessed */
function compareWithLog(actedUpon, answered, unprocessed) {
  const untrue = unprocessed.filter(id => actedUpon.has(id))
  if (untrue.length > 0) {
    throw new Error(
      `the server acted upon ${untrue.length} requests of which it was said that it did not: ${untrue[0]}`,
    )
  }
  const unknown = answered.filter(id => !actedUpon.has(id))
  if (unknown.length > 0)
    throw new Error(`the server knows nothing of ${unknown.length} requests: ${unknown[0]}`)
}

/** @param {Target} target @param {Stage} stage @param {string} root @returns {Promise<Row>} */
async function runTarget(target, stage, root) {
  const began = performance.now()
  /** @type {Row} */
  const row = {
    title: `${target.title} ${target.version()}`.trim(),
    cells: {},
    passed: 0,
    failed: 0,
    seconds: 0,
  }
  /** @type {string[]} */
  const answered = []
  /** @type {string[]} */
  const unprocessed = []
  /** @param {string} name @param {() => Promise<string>} run */
  const attempt = async (name, run) => {
    const start = performance.now()
    try {
      const note = await run()
      row.passed++
      console.log(
        `ok    ${target.title}: ${name} (${note}; ${((performance.now() - start) / 1000).toFixed(1)} s)`,
      )
    } catch (error) {
      row.failed++
      console.log(`WRONG ${target.title}: ${name}: ${explain(error)}`)
    }
  }
  const folder = join(root, target.title.replaceAll(/\W+/g, '-'))
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  /** @type {Started | null} */
  let started = null
  await attempt('starts', async () => ((started = await target.start(stage, folder)), 'listens'))
  if (started !== null) {
    const { checks, stop, actedUpon } = /** @type {Started} */ (started)
    try {
      for (const { name, column, run } of checks) {
        await attempt(name, async () => {
          const findings = await run()
          answered.push(...(findings.answered ?? []))
          unprocessed.push(...(findings.unprocessed ?? []))
          const notes = (row.cells[column] ??= [])
          if (!notes.includes(findings.note)) notes.push(findings.note)
          return findings.note
        })
      }
    } finally {
      await stop()
    }
    if (actedUpon !== undefined) {
      await attempt("agrees with the server's log", async () => {
        compareWithLog(new Set(actedUpon()), answered, unprocessed)
        return `${answered.length} answered, ${unprocessed.length} not acted upon`
      })
    }
  }
  row.seconds = (performance.now() - began) / 1000
  return row
}

const options = readOptions(process.argv.slice(2))
const wanted = options.only.toLowerCase().split(',')
const chosen = targets.filter(({ title }) => wanted.some(name => title.toLowerCase().includes(name)))
const missing = [...new Set(chosen.flatMap(missingPackages))]
if (missing.length > 0 && !options['no-install']) {
  console.log(`installing ${missing.join(', ')}`)
  const reason = install(missing)
  if (reason !== null) console.log(`could not install them: ${reason}`)
}
const root = mkdtempSync(join(tmpdir(), 'httpio-servers-'))
chmodSync(root, 0o755)
process.on('exit', () => {
  if (options.keep) console.log(`left in place: ${root}`)
  else rmSync(root, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

/** @type {Row[]} */
const rows = []
/** @type {string[]} */
const skipped = []
const stage = makeStage(root)
for (const target of chosen) {
  const lacking = missingPackages(target)
  if (lacking.length > 0) {
    skipped.push(`${target.title}: not installed: ${lacking.join(', ')}`)
    continue
  }
  rows.push(await runTarget(target, stage, root))
}
printTable(rows)
for (const line of skipped) console.log(`skipped ${line}`)
const failed = rows.reduce((sum, row) => sum + row.failed, 0)
const passed = rows.reduce((sum, row) => sum + row.passed, 0)
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`)
process.exitCode = failed > 0 || rows.length === 0 ? 1 : 0
