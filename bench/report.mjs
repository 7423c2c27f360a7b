// Turns results into text: tables for the terminal, the same in Markdown, and the JSON file.
import { cpus, loadavg, totalmem } from 'node:os'
import { medianOf } from './statistics.mjs'

/** @typedef {import('./ratios.mjs').RowResult} RowResult */
/** @typedef {import('./ratios.mjs').Verdict} Verdict */
/** @typedef {import('./run-row.mjs').EntrantResult} EntrantResult */
/** @typedef {{ title: string, cell: (result: EntrantResult) => string }} Column */

/** How many processes wanted a processor in the minute before the run. */
const loadBefore = loadavg()[0]
const BUSY = 1

/** What has to be said about a machine that has something else to do; empty if it has not. */
export const busyWarning =
  loadBefore > BUSY
    ? `The machine was busy with something else (load average ${loadBefore.toFixed(1)} before the run): throughput and latency are worse, and all figures noisier, than on an idle one.`
    : ''

/** @param {number} value @param {number} digits */
const fixed = (value, digits) => (Number.isNaN(value) ? '' : value.toFixed(digits))
/** @param {number} value */
const whole = value => (Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en-US'))

/** @type {Column} */
const client = { title: 'client', cell: ({ title }) => title }
/** @type {Column} */
const rss = { title: 'peak RSS MB', cell: ({ samples }) => whole(medianOf(samples, 'rss') / 1e6) }

/** @type {Column[]} */
const responseColumns = [
  client,
  { title: 'CPU µs/response', cell: ({ samples }) => fixed(medianOf(samples, 'cpu'), 2) },
  { title: 'responses/s', cell: ({ samples }) => whole(medianOf(samples, 'perSecond')) },
  rss,
  { title: 'requests/read', cell: ({ samples }) => fixed(medianOf(samples, 'perRead'), 1) },
  { title: 'on the wire', cell: ({ onTheWire }) => (onTheWire === undefined ? '' : String(onTheWire)) },
  { title: 'p50 µs', cell: ({ samples }) => fixed(medianOf(samples, 'p50'), 0) },
  { title: 'p99 µs', cell: ({ samples }) => fixed(medianOf(samples, 'p99'), 0) },
]

/** @type {Column[]} */
const byteColumns = [
  client,
  { title: 'CPU s/GiB', cell: ({ samples }) => fixed(medianOf(samples, 'cpuPerGiB'), 2) },
  { title: 'MB/s', cell: ({ samples }) => whole(medianOf(samples, 'bytesPerSecond') / 1e6) },
  rss,
]

/** @param {RowResult} rowResult @returns {string[][]} the heading and a line per client */
function tableOf({ row, results }) {
  const columns = row.unit === 'bytes' ? byteColumns : responseColumns
  const lines = results.map(result => columns.map(({ cell }) => cell(result)))
  const used = columns.map((_, n) => lines.some(line => line[n] !== ''))
  return [columns.map(({ title }) => title), ...lines].map(line => line.filter((_, n) => used[n]))
}

/** @param {string[][]} table */
function alignedText(table) {
  const widths = table[0].map((_, n) => Math.max(...table.map(line => line[n].length)))
  return table
    .map(line =>
      line.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join('  '),
    )
    .join('\n')
}

/** @param {string[][]} table */
function markdown([heading, ...lines]) {
  const rule = heading.map((_, n) => (n === 0 ? '---' : '---:'))
  return [heading, rule, ...lines].map(line => `| ${line.join(' | ')} |`).join('\n')
}

/** What has to be said beside the figures. @param {RowResult} rowResult */
function remarks({ results }) {
  return results.flatMap(({ title, depth, onTheWire, failure }) => [
    ...(failure === undefined ? [] : [`${title} failed: ${failure}`]),
    ...(onTheWire === undefined || onTheWire >= depth
      ? []
      : [
          `${title} did not pipeline as asked: ${onTheWire} of ${depth} requests on the wire before the first answer`,
        ]),
  ])
}

/** @param {Verdict} verdict */
const limit = ({ atMost, atLeast }) =>
  atMost !== undefined ? `≤ ${atMost}` : atLeast !== undefined ? `≥ ${atLeast}` : ''
/** @param {Verdict} verdict */
const outcome = ({ met }) => (met === undefined ? '' : met ? 'met' : 'missed')

/** @param {Verdict[]} verdicts */
const verdictTable = verdicts => [
  ['figure', 'value', 'target', ''],
  ...verdicts.map(verdict => [verdict.sentence, String(verdict.value), limit(verdict), outcome(verdict)]),
]

/** @param {RowResult} rowResult */
export const rowText = rowResult =>
  [
    `\n${rowResult.row.name}: ${rowResult.row.title}`,
    alignedText(tableOf(rowResult)),
    ...remarks(rowResult),
  ].join('\n')

/** @param {Verdict[]} verdicts */
export const verdictText = verdicts =>
  verdicts.length === 0 ? '' : `\n${alignedText(verdictTable(verdicts))}`

/** @param {RowResult[]} rowResults @param {Verdict[]} verdicts @param {string[]} missing @param {number} rounds */
export function asMarkdown(rowResults, verdicts, missing, rounds) {
  const { node, processors, model, memoryGB } = machine()
  return [
    `Node ${node}, ${processors} processors (${model}), ${memoryGB} GB; medians of ${rounds} rounds.`,
    ...(busyWarning ? [busyWarning] : []),
    ...missing.map(reason => `Not measured: ${reason}.`),
    ...rowResults.map(rowResult =>
      [
        `### ${rowResult.row.title}`,
        markdown(tableOf(rowResult)),
        ...remarks(rowResult).map(remark => `- ${remark}`),
      ].join('\n\n'),
    ),
    '### Targets',
    markdown(verdictTable(verdicts)),
  ].join('\n\n')
}

function machine() {
  return {
    node: process.version,
    processors: cpus().length,
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGB: Math.round(totalmem() / 1e9),
    loadBefore,
  }
}

/** @param {RowResult[]} rowResults @param {Verdict[]} verdicts @param {string[]} missing @param {number} rounds */
export function asJson(rowResults, verdicts, missing, rounds) {
  const rows = rowResults.map(({ row, results }) => ({ name: row.name, title: row.title, clients: results }))
  return `${JSON.stringify({ machine: machine(), rounds, missing, rows, ratios: verdicts }, null, 2)}\n`
}
