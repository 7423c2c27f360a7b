// Draws one row as a bar chart: CPU µs a response, as SVG that follows the reader's light or dark theme.
import { medianOf } from './statistics.mjs'

const WIDTH = 790
const LABEL_WIDTH = 330
const VALUE_WIDTH = 70
const BAR_HEIGHT = 20
const STEP = 28
const TOP = 56
/** Bars longer than this many times the median bar are broken off, or all others would be slivers. */
const LONGEST = 4

/** @param {string} text */
const escaped = text => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')

/** @param {import('./ratios.mjs').RowResult} rowResult */
export function chart({ row, results }) {
  const bars = results
    .filter(({ samples }) => samples.length > 0)
    .map(({ title, ours, samples }) => ({ title, ours, value: medianOf(samples, 'cpu') }))
    .sort((a, b) => a.value - b.value)
  const middle = bars[bars.length >> 1].value
  const end = Math.max(...bars.map(({ value }) => value).filter(value => value <= middle * LONGEST))
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
  const lines = bars.map(({ title, ours, value }, n) => {
    const y = TOP + n * STEP
    const broken = value > end
    const length = Math.max(1, broken ? room : (value / end) * room * 0.92)
    const x = LABEL_WIDTH + length
    const gap = `<path class="gap" d="M${x - 22} ${y - 2}l-6 ${BAR_HEIGHT + 4}h6l6 -${BAR_HEIGHT + 4}z"/>`
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${y + 15}" text-anchor="end">${escaped(title)}</text>`,
      `<rect class="${ours ? 'ours' : 'peer'}" x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
      ...(broken ? [gap] : []),
      `<text class="value" x="${(x + 8).toFixed(1)}" y="${y + 15}">${value.toFixed(value < 10 ? 2 : 1)}</text>`,
    ].join('\n')
  })
  const height = TOP + bars.length * STEP + 12
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">CPU time per response: ${escaped(row.title)}</title>
<style>
  svg { background: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .heading { font-weight: 600; font-size: 15px }
  .value { font-variant-numeric: tabular-nums }
  .ours { fill: #0969da }
  .peer { fill: #afb8c1 }
  .gap { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #e6edf3 }
    .ours { fill: #4493f8 }
    .peer { fill: #545d68 }
    .gap { fill: #0d1117 }
  }
</style>
<text class="heading" x="10" y="22">CPU µs per response in the client; shorter is better</text>
<text x="10" y="42">${escaped(row.title)}</text>
${lines.join('\n')}
</svg>
`
}
