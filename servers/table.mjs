// The table at the end of a run.

const COLUMNS = /** @type {const} */ ({
  mixed: 'mixed requests',
  closes: 'closed in the middle',
  uploads: 'uploads',
  expect: 'Expect and refusals',
  other: 'further',
})

/** @param {import('./run.mjs').Row[]} rows */
export function printTable(rows) {
  const lines = [
    ['server', ...Object.values(COLUMNS), 'checks', 'seconds'],
    ...rows.map(({ title, cells, passed, failed, seconds }) => [
      title,
      ...Object.keys(COLUMNS).map(column => cells[column]?.join('; ') ?? ''),
      failed > 0 ? `${failed} of ${passed + failed} WRONG` : `${passed} ok`,
      seconds.toFixed(1),
    ]),
  ]
  const widths = lines[0].map((_, n) => Math.max(...lines.map(line => line[n].length)))
  console.log()
  for (const [n, line] of lines.entries()) {
    console.log(`| ${line.map((cell, k) => cell.padEnd(widths[k])).join(' | ')} |`)
    if (n === 0) console.log(`| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`)
  }
  console.log()
}
