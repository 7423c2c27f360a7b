// `npm run conformance`: plays the table to every client on this machine and writes docs/conformance.md. Ends with 1 if this library
// was wrong on a row. A client that hangs is a row's result.
//
//   -- --only TEXT   plays the rows whose names have that in them, and writes nothing
//   -- --check       plays the table to this library alone, and to the others enough to see that they can be asked; writes nothing, and
//                    ends with 1 also if the page does not list these rows with these results
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { cases, groups } from '../cases'
import { isRefusal } from '../case'
import type { ConformanceCase } from '../case'
import { ca } from '../../support/tls'
import { availablePeers, PeerProcess } from './peers'
import type { Peer } from './peers'
import { outdatedIn, reportOf } from './report'
import type { Column } from './report'
import { RowServer } from './row-server'
import { isFault, judge } from './verdict'
import type { Verdict } from './verdict'

/** How long a client may take for a row. */
const LIMIT_MS = 5000
/** Rows in progress at once; they mostly wait. */
const LANES = 6

async function judgeRow(row: ConformanceCase, client: PeerProcess): Promise<Verdict> {
  const server = await RowServer.start(row)
  try {
    const result = await client.run(
      {
        port: server.port,
        requests: row.requests,
        early: row.early.length > 0,
        maxHeaderBytes: 65_535,
        ...row.options,
        ...(row.end.startsWith('tls-') ? { ca } : {}),
      },
      LIMIT_MS,
    )
    return judge(row, result)
  } finally {
    server.close()
  }
}

function canBeAsked({ canPipeline, canExpect }: Peer, { requests }: ConformanceCase): boolean {
  if (!canExpect && requests.some(({ expect100 }) => expect100 === true)) return false
  return canPipeline || requests.length === 1
}

async function columnOf(peer: Peer, rows: readonly ConformanceCase[]): Promise<Column> {
  const verdicts: Verdict[] = []
  let taken = 0
  const lane = async () => {
    const client = new PeerProcess(peer)
    while (taken < rows.length) {
      const index = taken++
      const isAsked = canBeAsked(peer, rows[index])
      verdicts[index] = isAsked ? await judgeRow(rows[index], client) : 'not asked'
    }
    client.stop()
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return { name: peer.name, verdicts }
}

const PAGE = path.join(__dirname, '..', '..', '..', 'docs', 'conformance.md')

function tell(
  { name, verdicts }: Column,
  rows: readonly ConformanceCase[],
  shown: (verdict: Verdict) => boolean,
) {
  const faults = verdicts.filter(isFault).length
  console.log(`${name}: ${rows.length - faults} of ${rows.length} rows without fault`)
  for (const [index, verdict] of verdicts.entries()) {
    if (shown(verdict)) console.log(`  ${verdict}: ${rows[index].name}`)
  }
}

/** Rows that need a server's patience can be upset by a machine that is busy with something else: what is wrong is wrong again. */
async function columnCheckedTwice(peer: Peer): Promise<Column> {
  const { name, verdicts } = await columnOf(peer, cases)
  const wrong = cases.filter((_, index) => isFault(verdicts[index]))
  const again = await columnOf(peer, wrong)
  return { name, verdicts: cases.map((row, index) => again.verdicts[wrong.indexOf(row)] ?? verdicts[index]) }
}

/** Is everything as it should be? */
async function check([own, ...others]: readonly Peer[]): Promise<boolean> {
  // Whoever cannot be started throws. What it makes of a row is its own affair.
  const [first] = cases.filter(row => !isRefusal(row))
  for (const other of others) await columnOf(other, [first])
  const column = await columnCheckedTwice(own)
  tell(column, cases, isFault)
  const outdated = outdatedIn(readFileSync(PAGE, 'utf8'), reportOf(groups, [column]))
  if (outdated !== undefined)
    console.log(`docs/conformance.md is out of date: npm run conformance\n  ${outdated}`)
  return outdated === undefined && !column.verdicts.some(isFault)
}

/** Plays the rows to each; is this library right on all? */
async function compare(peers: readonly Peer[], only: string | undefined): Promise<boolean> {
  const rows = cases.filter(row => row.name.includes(only ?? ''))
  const columns: Column[] = []
  for (const peer of peers) {
    const column = await columnOf(peer, rows)
    const isOwn = columns.push(column) === 1
    tell(column, rows, verdict => only !== undefined || (isOwn && isFault(verdict)))
  }
  if (only === undefined) writeFileSync(PAGE, reportOf(groups, columns))
  return !columns[0].verdicts.some(isFault)
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, check: { type: 'boolean' } } })
  const peers = availablePeers()
  const isFine = values.check === true ? await check(peers) : await compare(peers, values.only)
  if (!isFine) process.exitCode = 1
}

void main()
