// Owns the drawing of one chart as SVG: axes, marks, lines. What the numbers mean is its caller's matter.

export interface Chart {
  readonly label: string
  readonly x: {
    readonly max: number
    readonly marks: readonly { readonly at: number; readonly text: string }[]
  }
  /** Of the vertical axis, which begins at 0. */
  readonly unit: string
  readonly lines: readonly {
    readonly className: string
    readonly name: string
    readonly points: readonly (readonly [number, number])[]
  }[]
}

const WIDTH = 800
const HEIGHT = 280
const LEFT = 70
const RIGHT = 20
const TOP = 24
const BOTTOM = 30
const ROWS = 4

/** Texts must be free of markup. */
export function drawChart({ label, x, unit, lines }: Chart): string {
  const highest = Math.max(...lines.flatMap(({ points }) => points.map(([, value]) => value)), 1e-3)
  const step = niceStep(highest / ROWS)
  const top = Math.ceil(highest / step) * step
  const toX = (at: number): number => LEFT + (at / (x.max || 1)) * (WIDTH - LEFT - RIGHT)
  const toY = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)
  const parts = [`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">`]
  for (let value = 0; value <= top * 1.001; value += step) {
    const y = fixed(toY(value))
    parts.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`)
    parts.push(
      `<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end">${Number(value.toPrecision(4))} ${unit}</text>`,
    )
  }
  for (const { at, text } of x.marks) {
    const px = fixed(toX(at))
    parts.push(
      `<line class="grid" x1="${px}" x2="${px}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM + 5}"/>`,
    )
    parts.push(`<text x="${px}" y="${HEIGHT - 8}" text-anchor="middle">${text}</text>`)
  }
  for (const [index, { className, name, points }] of lines.entries()) {
    const path = points.map(([at, value]) => `${fixed(toX(at))},${fixed(toY(value))}`).join(' ')
    parts.push(`<polyline class="${className}" points="${path}"><title>${name}</title></polyline>`)
    parts.push(
      `<line class="${className}" x1="${LEFT + index * 160}" x2="${LEFT + 20 + index * 160}" y1="10" y2="10"/>`,
    )
    parts.push(`<text x="${LEFT + 26 + index * 160}" y="14">${name}</text>`)
  }
  return parts.join('\n') + '\n</svg>'
}

function fixed(value: number): number {
  return Number(value.toFixed(1))
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= least * 0.999)!
}
