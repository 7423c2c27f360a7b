// Owns the report as a page: one file that needs nothing else, with its charts as SVG.
import { drawChart, niceStep } from './svg'
import type { LatencySummary, Report } from './report'
import { bytes, formatReport, whole } from './report-text'

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #667085; --line: #d5dae1; --one: #1769c4; --two: #c4321a; --page: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --dim: #98a2b3; --line: #3a4352; --one: #6fb1ff; --two: #ff8a70; --page: #14181f } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.25rem; overflow-wrap: anywhere } h2 { font-size: 1rem; margin: 2rem 0 .5rem }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0 }
dt { color: var(--dim); font-size: .8rem } dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line) } th:first-child, td:first-child { text-align: left }
.missed { color: var(--two) } .scroll { overflow-x: auto } pre { font-size: .8rem; overflow-x: auto }
svg { width: 100%; height: auto; display: block } svg text { fill: var(--dim); font-size: 12px } svg .grid { stroke: var(--line) }
svg .one { stroke: var(--one); fill: none; stroke-width: 2 } svg .two { stroke: var(--two); fill: none; stroke-width: 2 }
`

export function formatPage(report: Report): string {
  const { requests, latencyMs } = report
  const title = `${report.method} ${report.url}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
<dl>
${figure('asked', whole(requests.asked))}
${figure('answered', whole(requests.answered))}
${figure('failed', whole(requests.failed))}
${figure('unfinished', whole(requests.unfinished))}
${figure('answers a second', whole(Math.round(report.answersPerSecond)))}
${figure('latency p50', `${latencyMs.total.p50.toFixed(2)} ms`)}
${figure('latency p99', `${latencyMs.total.p99.toFixed(2)} ms`)}
${figure('received', bytes(report.bytes.received))}
</dl>
${thresholds(report)}
<h2>Latency by percentile</h2>
${latencyChart(report)}
${latencyTable(report)}
<h2>Answers over time</h2>
${throughputChart(report)}
<h2>All figures</h2>
<pre>${escape(formatReport(report))}</pre>
<p>Started ${escape(report.startedAt)}.</p>
</body>
</html>
`
}

export function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, char => entities[char])
}

function figure(name: string, value: string): string {
  return `<div><dt>${name}</dt><dd>${value}</dd></div>`
}

function thresholds({ thresholds }: Report): string {
  if (thresholds.length === 0) return ''
  const items = thresholds.map(({ threshold, measured, unit, isMet }) => {
    const value = measured === null ? 'nothing measured' : `${Number(measured.toFixed(3))}${unit}`
    return `<li${isMet ? '' : ' class="missed"'}>${escape(threshold)}: ${isMet ? 'met' : 'missed'} (${value})</li>`
  })
  return `<h2>Thresholds</h2>\n<ul>${items.join('\n')}</ul>`
}

function latencyTable({ latencyMs }: Report): string {
  const columns = ['p50', 'p75', 'p90', 'p99', 'p99.9', 'p99.99', 'max'] as const
  const row = (name: string, summary: LatencySummary): string =>
    `<tr><td>${name}</td>${columns.map(column => `<td>${summary[column].toFixed(2)}</td>`).join('')}</tr>`
  return `<div class="scroll"><table>
<thead><tr><th>milliseconds</th>${columns.map(column => `<th>${column}</th>`).join('')}</tr></thead>
<tbody>
${row('in all', latencyMs.total)}
${row('waiting for a place', latencyMs.waiting)}
${row('on the wire', latencyMs.onWire)}
${row('behind others’ bodies', latencyMs.behindBodies)}
</tbody>
</table></div>`
}

/** Each step to the right is ten times fewer requests that took longer. */
function latencyChart({ curve }: Report): string {
  if (curve.length === 0) return '<p>No request was answered.</p>'
  const nines = (percentile: number): number => -Math.log10(Math.max(1e-9, 1 - percentile / 100))
  const last = nines(curve[curve.length - 1].percentile)
  const marks = [0, 50, 90, 99, 99.9, 99.99, 99.999].filter(percentile => nines(percentile) <= last + 0.05)
  return drawChart({
    label: 'Latency in milliseconds by percentile',
    x: { max: last, marks: marks.map(percentile => ({ at: nines(percentile), text: `${percentile}%` })) },
    unit: 'ms',
    lines: [
      {
        className: 'one',
        name: 'in all',
        points: curve.map(({ percentile, ms }) => [nines(percentile), ms]),
      },
    ],
  })
}

function throughputChart({ throughput }: Report): string {
  if (throughput.length === 0) return '<p>Nothing was answered.</p>'
  const last = Math.max(0.1, throughput[throughput.length - 1].atSeconds)
  const step = niceStep(last / 6)
  const marks = []
  for (let at = 0; at <= last * 1.001; at += step) marks.push({ at, text: `${Number(at.toFixed(2))} s` })
  const lines = [
    {
      className: 'one',
      name: 'answers a second',
      points: throughput.map(({ atSeconds, answersPerSecond }): [number, number] => [
        atSeconds,
        answersPerSecond,
      ]),
    },
  ]
  if (throughput.some(({ failuresPerSecond }) => failuresPerSecond > 0)) {
    lines.push({
      className: 'two',
      name: 'failures a second',
      points: throughput.map(({ atSeconds, failuresPerSecond }): [number, number] => [
        atSeconds,
        failuresPerSecond,
      ]),
    })
  }
  return drawChart({ label: 'Answers a second over time', x: { max: last, marks }, unit: '/s', lines })
}
