// Writes the comparison as a page: counts first, then every row. Knows such a page that is out of date.
import { isRefusal } from '../case'
import type { ConformanceCase } from '../case'
import { isFault } from './verdict'
import type { Verdict } from './verdict'

export interface Column {
  readonly name: string
  /** One for each row, in the order of the table. */
  readonly verdicts: readonly Verdict[]
}

const MEANINGS: Record<Verdict, string> = {
  right: 'what the table says',
  delivered: 'gave out as a response what must be refused',
  poisoned: 'answered another request with bytes that were not its answer',
  failed: 'failed on a stream that is in order',
  lost: 'refused what must be refused, and with it a response before it that was complete',
  garbled: 'gave out something else than was sent',
  hung: 'had not answered after five seconds',
  waits:
    'goes on reading correct HTTP that httpio does not speak, a body that ends with the connection; no fault',
  'speaks it': 'reads correct HTTP that httpio does not speak; no fault',
  'not asked':
    'a row about several requests, and the client cannot pipeline, or about 100-continue, and it cannot wait',
}

const cell = (verdict: Verdict) => (isFault(verdict) ? `**${verdict}**` : verdict)
const row = (cells: readonly string[]) => `| ${cells.map(text => text.replaceAll('|', '\\|')).join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

export function reportOf(
  groups: readonly (readonly [string, readonly ConformanceCase[]])[],
  columns: readonly Column[],
): string {
  const cases = groups.flatMap(([, rows]) => rows)
  const count = (column: Column, wanted: (verdict: Verdict, at: ConformanceCase) => boolean) =>
    String(column.verdicts.filter((verdict, index) => wanted(verdict, cases[index])).length)
  const refusals = cases.filter(isRefusal).length
  const names = columns.map(column => column.name)
  const summary: [string, (verdict: Verdict, at: ConformanceCase) => boolean][] = [
    [`right on streams to refuse (of ${refusals})`, (v, at) => isRefusal(at) && v === 'right'],
    [`right on valid streams (of ${cases.length - refusals})`, (v, at) => !isRefusal(at) && v === 'right'],
    ...(
      [
        'delivered',
        'poisoned',
        'failed',
        'lost',
        'garbled',
        'hung',
        'speaks it',
        'waits',
        'not asked',
      ] as const
    ).map(wanted => [wanted, (v: Verdict) => v === wanted] as [string, (verdict: Verdict) => boolean]),
  ]
  let start = 0
  const sections = groups.map(([title, rows]) => {
    const first = start
    start += rows.length
    const lines = rows.map((at, index) => [
      at.name,
      at.rfc,
      ...columns.map(column => cell(column.verdicts[first + index])),
    ])
    return `## ${title}\n\n${table(['row', 'source', ...names], lines)}\n`
  })
  return `# Conformance

${cases.length} streams that a server may send, ${refusals} of them to be refused and ${cases.length - refusals} unusual but valid, each played over a
loopback socket to this library and to other clients. Made by \`npm run conformance\`; the streams are in
\`spec/conformance/cases/\`, where the specs run each of them also byte by byte and cut at every position. Where a
client's limit of the header section can be set, it is set to the same. undici pipelines with \`blocking: false\`; node:http and
http.client cannot. A body can wait for a 100 with httpio and node:http alone.

${table(
  ['', ...names],
  summary.map(([what, wanted]) => [what, ...columns.map(column => count(column, wanted))]),
)}

${Object.entries(MEANINGS)
  .map(([verdict, meaning]) => `- *${verdict}*: ${meaning}`)
  .join('\n')}

${sections.join('\n')}`
}

/**
 * The first line of a page that does not say what a page of the first column alone says; undefined if there is none. What it says of other
 * clients does not count.
 */
export function outdatedIn(page: string, own: string): string | undefined {
  const lines = page.split('\n')
  const ownLines = own.split('\n')
  const isSame = (line: string | undefined, own: string): boolean =>
    own.startsWith('|') ? line?.startsWith(own) === true : line === own
  const at = ownLines.findIndex((own, index) => !isSame(lines[index], own))
  if (at < 0) return lines[ownLines.length]
  return `line ${at + 1}: ${lines[at] ?? 'none'}`
}
