// Owns the report as people read it in a terminal.
import type { LatencySummary, Report } from './report'

const COLUMNS = ['p50', 'p75', 'p90', 'p99', 'p99.9', 'p99.99', 'max'] as const
const LABEL_WIDTH = 13

/** @returns lines that end with a line feed */
export function formatReport(report: Report): string {
  const { requests, load, latencyMs, connections, depth } = report
  const lines = [
    `${report.method} ${report.url}`,
    line('Load', `${describeLoad(load)}, ${report.measuredSeconds} s${ending(report)}`),
    '',
    line(
      'Requests',
      `asked ${whole(requests.asked)} = answered ${whole(requests.answered)} + failed ${whole(requests.failed)} + unfinished ${whole(requests.unfinished)}`,
    ),
    line(
      '',
      `sent ${whole(requests.sent)}, of these again ${whole(requests.resent)}${warmup(requests.warmup)}`,
    ),
  ]
  if (requests.failed > 0) lines.push(line('Failures', list(report.failures)))
  if (requests.answered > 0) lines.push(line('Statuses', list(report.statuses)))
  lines.push(line('Answers', `${whole(Math.round(report.answersPerSecond))} a second`), '')
  if (requests.answered > 0) {
    lines.push(
      latencyHead(),
      latencyLine('in all', latencyMs.total),
      latencyLine('  waiting for a place', latencyMs.waiting),
      latencyLine('  on the wire', latencyMs.onWire),
      latencyLine("  behind others' bodies", latencyMs.behindBodies),
      '',
    )
  }
  lines.push(
    line('Bytes', `sent ${bytes(report.bytes.sent)}, received ${bytes(report.bytes.received)}`),
    line('Connections', `opened ${whole(connections.opened)}${dialsFailed(connections.dialsFailed)}`),
  )
  if (Object.keys(connections.ended).length > 0) lines.push(line('', list(connections.ended)))
  lines.push(
    line('Depth', `${depth.mean.toFixed(1)} on average, ${depth.max} at most, ${load.depth} allowed`),
  )
  for (const [index, { threshold, measured, unit, isMet }] of report.thresholds.entries()) {
    const value = measured === null ? 'nothing measured' : `${Number(measured.toFixed(3))}${unit}`
    lines.push(
      line(index === 0 ? 'Thresholds' : '', `${isMet ? 'met   ' : 'MISSED'} ${threshold} (${value})`),
    )
  }
  return lines.join('\n') + '\n'
}

function line(label: string, text: string): string {
  return label.padEnd(LABEL_WIDTH) + text
}

function describeLoad({ connections, depth, threads, ratePerSecond }: Report['load']): string {
  const rate = ratePerSecond === null ? 'as fast as answers come' : `${ratePerSecond} requests a second`
  const parts = [`${connections} connection${connections === 1 ? '' : 's'}`, `depth ${depth}`, rate]
  if (threads > 1) parts.push(`${threads} threads`)
  return parts.join(', ')
}

function ending({ isInterrupted, givenUp }: Report): string {
  if (givenUp !== null) return ', given up'
  return isInterrupted ? ', interrupted' : ''
}

function warmup(count: number): string {
  return count === 0 ? '' : `; not counted: ${whole(count)} to warm up`
}

function dialsFailed(count: number): string {
  return count === 0 ? '' : `; could not be opened ${whole(count)} times`
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name}: ${whole(count)}`)
    .join(', ')
}

function latencyHead(): string {
  return 'Latency, ms'.padEnd(25) + COLUMNS.map(name => name.padStart(10)).join('')
}

function latencyLine(name: string, summary: LatencySummary): string {
  return name.padEnd(25) + COLUMNS.map(column => summary[column].toFixed(2).padStart(10)).join('')
}

export function whole(count: number): string {
  return count.toLocaleString('en-US')
}

/** Decimal units, as everybody's network is sold. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let index = 0
  while (count >= 1000 && index < units.length - 1) {
    count /= 1000
    index++
  }
  return `${index === 0 ? count : count.toFixed(1)} ${units[index]}`
}
