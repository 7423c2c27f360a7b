// npm run bench: runs the rows asked for, prints their tables, and leaves reports/bench.json and reports/bench.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chart } from './chart.mjs'
import { figures } from './figures.mjs'
import { judgeFigures, judgeRows, losses } from './ratios.mjs'
import { asJson, asMarkdown, busyWarning, rowText, verdictText } from './report.mjs'
import { rows } from './rows.mjs'
import { runRow } from './run-row.mjs'
import { findTools } from './tools.mjs'

const USAGE = `usage: npm run bench -- [options]
  --only ROW,...     only these rows: ${[...rows.map(({ name }) => name), ...Object.keys(figures)].join(', ')}
  --rounds N         rounds of each row; 5, or 3 with --short
  --short            fewer requests, and only the rows that show most
  --check            compare with bench/recorded.json; exit with 1 when a median got worse by more than 15 %
                     (with --short, when it doubled)
  --publish          write bench/recorded.json, docs/performance.svg and the tables of docs/performance.md
  --profile FOLDER   leave CPU profiles of Node's clients there`

const root = fileURLToPath(new URL('..', import.meta.url))
const recordedFile = join(root, 'bench/recorded.json')
const ROUNDS = 5
const SHORT_ROUNDS = 3
const SHORT_SIZE = 0.25
const TOLERANCE = 0.15
/** A short run on a busy machine says little about a few percent. */
const SHORT_TOLERANCE = 1

/** @param {string} sentence @returns {never} */
function refuse(sentence) {
  console.error(`bench: ${sentence}\n${USAGE}`)
  process.exit(2)
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        rounds: { type: 'string' },
        short: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        publish: { type: 'boolean', default: false },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

/** @param {ReturnType<typeof readOptions>} options */
function chosen(options) {
  const known = [...rows.map(({ name }) => name), ...Object.keys(figures)]
  const names = options.only?.split(',') ?? known
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0) refuse(`no such row: ${unknown.join(', ')}`)
  const all = options.only !== undefined || !options.short
  return {
    chosenRows: rows.filter(row => names.includes(row.name) && (all || row.short)),
    chosenFigures: Object.keys(figures).filter(name => names.includes(name)),
  }
}

/** @param {string} line overwritten by the next one; on a terminal only */
function showProgress(line) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
}

/** @param {string} text */
function print(text) {
  showProgress('')
  console.log(text)
}

const TABLES_BEGIN = '<!-- tables -->'
const TABLES_END = '<!-- end of tables -->'

/** Replaces what stands between the two marks in docs/performance.md. @param {string} tables */
function writeTables(tables) {
  const file = join(root, 'docs/performance.md')
  const text = readFileSync(file, 'utf8')
  const begin = text.indexOf(TABLES_BEGIN)
  const end = text.indexOf(TABLES_END)
  if (begin === -1 || end < begin) throw new Error('docs/performance.md has lost its marks')
  writeFileSync(file, `${text.slice(0, begin)}${TABLES_BEGIN}\n\n${tables}\n\n${text.slice(end)}`)
}

const options = readOptions()
if (options.help) {
  console.log(USAGE)
  process.exit()
}
const rounds = Number(options.rounds ?? (options.short ? SHORT_ROUNDS : ROUNDS))
if (!Number.isInteger(rounds) || rounds < 1) refuse('--rounds takes a whole number')
if (options.publish && (options.only !== undefined || options.short))
  refuse('only a whole run can be published')
if (options.check && !existsSync(recordedFile))
  refuse('there is no bench/recorded.json yet; --publish writes it')
const { chosenRows, chosenFigures } = chosen(options)

const { installed, missing } = await findTools()
if (busyWarning) console.log(busyWarning)
for (const reason of missing) console.log(`not measured: ${reason}`)
const settings = {
  rounds,
  size: options.short ? SHORT_SIZE : 1,
  installed,
  profileFolder: options.profile,
}

const rowResults = []
for (const row of chosenRows) {
  if (row.server === 'nginx' && !installed.has('nginx')) continue
  const results = await runRow(row, settings, (done, all) => showProgress(`${row.name} ${done}/${all}`))
  rowResults.push({ row, results })
  print(rowText({ row, results }))
}
const measuredFigures = []
for (const name of chosenFigures) {
  showProgress(name)
  measuredFigures.push(...(await figures[name](rounds)))
}
const verdicts = [...judgeRows(rowResults), ...judgeFigures(measuredFigures)]
print(verdictText(verdicts))

mkdirSync(join(root, 'reports'), { recursive: true })
const tables = asMarkdown(rowResults, verdicts, missing, rounds)
writeFileSync(join(root, 'reports/bench.json'), asJson(rowResults, verdicts, missing, rounds))
writeFileSync(join(root, 'reports/bench.md'), `${tables}\n`)

if (options.publish) {
  const recorded = Object.fromEntries(verdicts.map(({ id, value }) => [id, value]))
  writeFileSync(recordedFile, `${JSON.stringify(recorded, null, 2)}\n`)
  writeTables(tables)
  const main = rowResults.find(({ row }) => row.name === 'depth-64')
  if (main) writeFileSync(join(root, 'docs/performance.svg'), chart(main))
}

const failed = rowResults.flatMap(({ row, results }) =>
  results.flatMap(({ name, failure }) => (failure === undefined ? [] : [`${row.name}: ${name} failed`])),
)
const lost = options.check
  ? losses(
      verdicts,
      JSON.parse(readFileSync(recordedFile, 'utf8')),
      options.short ? SHORT_TOLERANCE : TOLERANCE,
    ).map(loss => `worse than recorded: ${loss}`)
  : []
for (const line of [...failed, ...lost]) console.log(line)
if (options.check && lost.length === 0) console.log('no ratio got worse than recorded')
const missed = verdicts.filter(({ met }) => met === false).length
console.log(`${verdicts.filter(({ met }) => met === true).length} targets met, ${missed} missed`)
process.exitCode = failed.length + lost.length > 0 ? 1 : 0
