// `npm run conformance [-- --only TEXT]`: plays the table to every client on this machine and writes docs/conformance.md.
// Ends with 1 if this library was wrong on a row. A client that hangs is a row's result.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { cases, groups } from '../cases'
import type { ConformanceCase } from '../case'
import { ca } from '../../support/tls'
import { availablePeers, PeerProcess } from './peers'
import type { Peer } from './peers'
import { reportOf } from './report'
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

async function columnOf(peer: Peer, rows: readonly ConformanceCase[]): Promise<Column> {
  const verdicts: Verdict[] = []
  let taken = 0
  const lane = async () => {
    const client = new PeerProcess(peer)
    while (taken < rows.length) {
      const index = taken++
      const isAsked = peer.canPipeline || rows[index].requests.length === 1
      verdicts[index] = isAsked ? await judgeRow(rows[index], client) : 'not asked'
    }
    client.stop()
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return { name: peer.name, verdicts }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } })
  const wanted = cases.filter(row => row.name.includes(values.only ?? ''))
  const columns: Column[] = []
  for (const peer of availablePeers()) {
    const column = await columnOf(peer, wanted)
    columns.push(column)
    const faults = column.verdicts.filter(isFault).length
    console.log(`${peer.name}: ${wanted.length - faults} of ${wanted.length} rows without fault`)
    if (values.only !== undefined || columns.length === 1) {
      for (const [index, verdict] of column.verdicts.entries()) {
        if (isFault(verdict) || values.only !== undefined) console.log(`  ${verdict}: ${wanted[index].name}`)
      }
    }
  }
  if (values.only === undefined) {
    const page = path.join(__dirname, '..', '..', '..', 'docs', 'conformance.md')
    writeFileSync(page, reportOf(groups, columns))
  }
  if (columns[0].verdicts.some(isFault)) process.exitCode = 1
}

void main()
