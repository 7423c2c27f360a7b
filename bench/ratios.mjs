// The figures that a run is judged by: ratios between clients of one row, and a few absolute ones. Each may have a
// target; all are compared with the recorded ones by --check.
import { median, valuesOf } from './statistics.mjs'

/** @typedef {import('./statistics.mjs').Measure} Measure */
/**
 * @typedef {object} Ratio
 * @property {string} row
 * @property {string} of a client of the row; of the row `figures`, the figure's name
 * @property {string} [against] another client of the row; without it, the value itself counts
 * @property {Measure} measure
 * @property {number} [atMost] lower is better unless `atLeast` is given
 * @property {number} [atLeast]
 */
/**
 * @typedef {object} Verdict
 * @property {string} id
 * @property {string} sentence
 * @property {number} value median over the rounds of the ratio within each round
 * @property {number} [atMost]
 * @property {number} [atLeast]
 * @property {boolean} [met] where there is a target
 * @property {'lower' | 'higher'} better
 * @property {boolean} isVolatile depends on what else the machine does, so that --check does not look at it
 */
/** @typedef {{ row: import('./rows.mjs').Row, results: import('./run-row.mjs').EntrantResult[] }} RowResult */

/** What depends on which processors client and server get, and on what they get besides. */
const VOLATILE_MEASURES = new Set(['p50', 'p99', 'wall'])
/** What the raw socket and tools that are not written in JavaScript cost doubles from run to run. */
const VOLATILE_SIDES = new Set(['raw', 'h2load', 'fasthttp'])

const ours = ['low-level', 'request', 'pipeline']
const MB = 1_000_000

/** @type {Ratio[]} */
const ratios = [
  ...ours.flatMap(of => [
    /** @type {Ratio} */ ({ row: 'depth-64', of, against: 'undici-request', measure: 'cpu', atMost: 1 / 8 }),
    /** @type {Ratio} */ ({ row: 'depth-64', of, against: 'fasthttp', measure: 'cpu', atMost: 1 / 3 }),
    /** @type {Ratio} */ ({ row: 'depth-64', of, against: 'h2load', measure: 'cpu', atMost: 2.5 }),
    /** @type {Ratio} */ ({ row: 'depth-64', of, against: 'raw', measure: 'cpu' }),
    /** @type {Ratio} */ ({ row: 'headers', of: `${of}, headers`, against: of, measure: 'cpu', atMost: 1.5 }),
    /** @type {Ratio} */ ({ row: 'tls', of, against: 'undici-request', measure: 'cpu', atMost: 1 / 4 }),
    /** @type {Ratio} */ ({ row: 'nginx', of, against: 'undici-request', measure: 'cpu' }),
    /** @type {Ratio} */ ({ row: 'tiny', of, against: 'undici-request', measure: 'cpu' }),
    /** @type {Ratio} */ ({ row: 'trailers', of, against: 'undici-request', measure: 'cpu' }),
    /** @type {Ratio} */ ({
      row: 'connections',
      of,
      against: `${of}, one connection`,
      measure: 'cpu',
      atMost: 1.1,
    }),
  ]),
  ...['low-level', 'request'].flatMap(of => [
    /** @type {Ratio} */ ({ row: 'depth-1', of, against: 'node-http', measure: 'cpu', atMost: 1 }),
    /** @type {Ratio} */ ({ row: 'depth-1', of, against: 'node-http', measure: 'wall', atMost: 1 }),
    /** @type {Ratio} */ ({ row: 'depth-1', of, against: 'node-http', measure: 'p50', atMost: 1 }),
    /** @type {Ratio} */ ({ row: 'depth-1', of, against: 'node-http', measure: 'p99', atMost: 1 }),
    /** @type {Ratio} */ ({ row: 'depth-1', of, against: 'node-http', measure: 'rss' }),
    /** @type {Ratio} */ ({ row: 'depth-1', of, against: 'undici-request', measure: 'p50', atMost: 1 }),
  ]),
  ...[3, 4, 5].map(
    power =>
      /** @type {Ratio} */ ({
        row: 'scale',
        of: 'pipeline, 10^6',
        against: `pipeline, 10^${power}`,
        measure: 'cpu',
        atMost: 1.1,
      }),
  ),
  { row: 'connections', of: 'raw', against: 'raw, one connection', measure: 'cpu' },
  { row: 'scale', of: 'low-level, 10^5 ahead', against: 'low-level, 10^3 ahead', measure: 'cpu' },
  { row: 'scale', of: 'request, 10^5 at once', against: 'request, 10^3 at once', measure: 'cpu' },
  ...['read', 'readInto', 'discard'].flatMap(how => [
    /** @type {Ratio} */ ({
      row: 'length',
      of: `download, ${how}`,
      against: 'raw-download, data events',
      measure: 'bytesPerSecond',
      atLeast: 0.9,
    }),
    /** @type {Ratio} */ ({
      row: 'chunked',
      of: `download, ${how}`,
      against: 'raw-download, data events',
      measure: 'bytesPerSecond',
      atLeast: 0.8,
    }),
    /** @type {Ratio} */ ({
      row: 'small-chunks',
      of: `download, ${how}`,
      against: 'undici-download',
      measure: 'bytesPerSecond',
      atLeast: 1.5,
    }),
  ]),
  ...['write', 'sendBody', 'request'].flatMap(how => [
    /** @type {Ratio} */ ({
      row: 'upload',
      of: `upload, ${how}`,
      against: 'raw-upload',
      measure: 'bytesPerSecond',
      atLeast: 0.9,
    }),
    /** @type {Ratio} */ ({ row: 'upload', of: `upload, ${how}`, measure: 'rss', atMost: 100 * MB }),
  ]),
  ...['length', 'chunked', 'small-chunks'].flatMap(row =>
    ['read', 'readInto', 'iterate', 'discard'].flatMap(how => [
      /** @type {Ratio} */ ({
        row,
        of: `download, ${how}`,
        against: 'undici-download',
        measure: 'cpuPerGiB',
      }),
      /** @type {Ratio} */ ({ row, of: `download, ${how}`, measure: 'rss', atMost: 100 * MB }),
    ]),
  ),
]

/** @param {number} value */
const rounded = value => Number(value.toPrecision(4))

/** @param {Ratio} ratio @param {number} value @returns {Verdict} */
function judge(ratio, value) {
  const { row, of, against, measure, atMost, atLeast } = ratio
  const higher = atLeast !== undefined
  return {
    id: [row, measure, of, ...(against ? [against] : [])].join(' / '),
    sentence: `${row}: ${measure} of ${of}${against ? ` against ${against}` : ''}`,
    value: rounded(value),
    atMost: atMost && rounded(atMost),
    atLeast,
    ...((higher || atMost !== undefined) && { met: higher ? value >= atLeast : value <= (atMost ?? 0) }),
    better: higher ? 'higher' : 'lower',
    isVolatile: VOLATILE_MEASURES.has(measure) || VOLATILE_SIDES.has(against ?? ''),
  }
}

/** All ratios for which the run has both sides. @param {RowResult[]} rowResults @returns {Verdict[]} */
export function judgeRows(rowResults) {
  const verdicts = []
  for (const ratio of ratios) {
    const results = rowResults.find(({ row }) => row.name === ratio.row)?.results
    const of = results?.find(({ name }) => name === ratio.of)
    const against = results?.find(({ name }) => name === ratio.against)
    if (!of || of.failure || (ratio.against !== undefined && (!against || against.failure))) continue
    const ofValues = valuesOf(of.samples, ratio.measure)
    const againstValues = against ? valuesOf(against.samples, ratio.measure) : ofValues.map(() => 1)
    verdicts.push(judge(ratio, median(ofValues.map((value, round) => value / againstValues[round]))))
  }
  return verdicts
}

/** @param {import('./figures.mjs').Figure[]} figures @returns {Verdict[]} */
export const judgeFigures = figures =>
  figures.map(({ name, title, unit, value, atMost }) => ({
    id: `figures / ${name}`,
    sentence: `${title} (${unit})`,
    value: rounded(value),
    atMost,
    ...(atMost !== undefined && { met: value <= atMost }),
    better: 'lower',
    isVolatile: unit === 'ms',
  }))

/**
 * What got worse than recorded by more than `tolerance` (0.15 = 15 %).
 * @param {Verdict[]} verdicts @param {Record<string, number>} recorded @param {number} tolerance
 */
export function losses(verdicts, recorded, tolerance) {
  return verdicts.flatMap(({ id, sentence, value, better, isVolatile }) => {
    const before = recorded[id]
    if (before === undefined || isVolatile) return []
    const lost = better === 'lower' ? value > before * (1 + tolerance) : value < before / (1 + tolerance)
    return lost ? [`${sentence}: ${value}, recorded ${before}`] : []
  })
}
