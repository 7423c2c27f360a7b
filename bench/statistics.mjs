// What a sample says, by name, and medians over rounds.

/** @typedef {import('./run-row.mjs').Sample} Sample */
/** @typedef {'cpu' | 'cpuPerGiB' | 'perSecond' | 'bytesPerSecond' | 'wall' | 'rss' | 'p50' | 'p99' | 'perRead'} Measure */

const GIB = 1_073_741_824

/** @type {Record<Measure, (sample: Sample) => number>} */
const measures = {
  /** µs of CPU a response */
  cpu: sample => sample.cpuMicros / sample.responses,
  /** s of CPU a GiB */
  cpuPerGiB: sample => sample.cpuMicros / 1e6 / (sample.bodyBytes / GIB),
  /** responses a second */
  perSecond: sample => (sample.responses / sample.wallMicros) * 1e6,
  bytesPerSecond: sample => (sample.bodyBytes / sample.wallMicros) * 1e6,
  /** µs a response */
  wall: sample => sample.wallMicros / sample.responses,
  /** bytes */
  rss: sample => sample.peakRssBytes,
  /** µs */
  p50: sample => sample.latency?.p50Micros ?? NaN,
  /** µs */
  p99: sample => sample.latency?.p99Micros ?? NaN,
  /** requests */
  perRead: sample => sample.perRead ?? NaN,
}

/** @param {Sample[]} samples @param {Measure} measure */
export const valuesOf = (samples, measure) => samples.map(measures[measure])

/** @param {number[]} values NaN where there are none */
export function median(values) {
  if (values.length === 0) return NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** @param {Sample[]} samples @param {Measure} measure */
export const medianOf = (samples, measure) => median(valuesOf(samples, measure))
