// The rows of the bench: which server, which clients, how many requests. Only data; nothing here runs anything.
import { smallResponse, trailersResponse, largeResponse } from './server/responses.mjs'

/**
 * @typedef {object} RowEntrant one line of a row's table
 * @property {string} name unique in the row: the entrant's, or that with a variant behind it
 * @property {string} entrant a key of entrants.mjs
 * @property {Partial<import('./measure.mjs').Task>} [task]
 */
/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} title
 * @property {'responses' | 'bytes'} unit what the cost is counted by: a response, or a GiB of body
 * @property {import('./server/main.mjs').ServerSpec | 'nginx'} server
 * @property {boolean} [probe] also let a server that holds its answers count what each client puts on the wire
 * @property {boolean} [short] also part of a short run
 * @property {number} [seconds] each client's measured part takes about so long; or
 * @property {number} [requests] so many requests for every client
 * @property {Partial<import('./measure.mjs').Task>} task for all entrants
 * @property {RowEntrant[]} entrants
 */

const GIB = 1_073_741_824
const SMALL = String(smallResponse().length)
const TRAILERS = String(trailersResponse().length)

/** @param {string} entrant @param {RowEntrant['task']} [task] @param {string} [variant] @returns {RowEntrant} */
const one = (entrant, task, variant) => ({
  name: variant ? `${entrant}, ${variant}` : entrant,
  entrant,
  task,
})
const ours = ['low-level', 'request', 'pipeline']
const raw = one('raw', { how: SMALL })

/** @param {string} name @param {string} title @param {number} bodyBytes @param {number} chunkBytes @returns {Row} */
function download(name, title, bodyBytes, chunkBytes) {
  const { head, block, blocks, end } = largeResponse(bodyBytes, chunkBytes)
  const wireBytes = head.length + block.length * blocks + end.length
  return {
    name,
    title,
    unit: 'bytes',
    server: { kind: 'large', bodyBytes, chunkBytes },
    requests: 1,
    task: { bodyBytes, depth: 1 },
    entrants: [
      one('raw-download', { how: `data ${wireBytes}` }, 'data events'),
      one('raw-download', { how: `onread ${wireBytes}` }, 'onread'),
      ...['read', 'readInto', 'iterate', 'discard'].map(how => one('download', { how }, how)),
      one('undici-download'),
    ],
  }
}

/** @param {string} entrant @param {number[]} sizes @param {string} [ahead] names the variant that has all on their way at once */
const atEachSize = (entrant, sizes, ahead) =>
  sizes.map(requests =>
    one(
      entrant,
      { requests, repeat: Math.min(200, Math.max(1, 2e5 / requests)), ...(ahead && { depth: requests }) },
      `10^${Math.log10(requests)}${ahead ? ` ${ahead}` : ''}`,
    ),
  )

/** @type {Row[]} */
export const rows = [
  {
    name: 'depth-64',
    title: '160-byte responses with six headers, one connection, depth 64',
    short: true,
    unit: 'responses',
    server: { kind: 'small' },
    probe: true,
    seconds: 0.5,
    task: { depth: 64 },
    entrants: [
      raw,
      ...[...ours, 'undici-request', 'undici-dispatch', 'node-http', 'autocannon', 'h2load'].map(name =>
        one(name),
      ),
      // Above 10^6 responses a second on one connection wrk 4.1 never ends: it divides by the microseconds between two.
      one('wrk', { connections: 2, depth: 32 }),
      one('fasthttp'),
    ],
  },
  {
    name: 'headers',
    title: 'the same, reading three headers of each response',
    short: true,
    unit: 'responses',
    server: { kind: 'small' },
    seconds: 0.3,
    task: { depth: 64 },
    entrants: [
      ...ours.flatMap(name => [one(name), one(name, { how: 'headers' }, 'headers')]),
      one('undici-request', { how: 'headers' }, 'headers'),
    ],
  },
  {
    name: 'depth-1',
    title: 'one request at a time',
    short: true,
    unit: 'responses',
    server: { kind: 'small' },
    requests: 8_000,
    task: { depth: 1, latency: true },
    entrants: [raw, one('low-level'), one('request'), one('undici-request'), one('node-http')],
  },
  {
    name: 'nginx',
    title: 'nginx as the server, one connection, depth 64',
    unit: 'responses',
    server: 'nginx',
    requests: 40_000,
    task: { depth: 64 },
    entrants: [...ours, 'undici-request', 'undici-dispatch', 'h2load', 'fasthttp'].map(name => one(name)),
  },
  {
    name: 'tls',
    title: 'TLS, one connection, depth 64',
    short: true,
    unit: 'responses',
    server: { kind: 'small', tls: true },
    seconds: 0.3,
    task: { depth: 64, tls: true },
    entrants: [raw, ...ours.map(name => one(name)), one('undici-request'), one('undici-dispatch')],
  },
  {
    name: 'tiny',
    title: 'responses in segments of seven bytes, depth 64',
    unit: 'responses',
    server: { kind: 'tiny' },
    requests: 3_000,
    task: { depth: 64 },
    entrants: [raw, ...ours.map(name => one(name)), one('undici-request')],
  },
  {
    name: 'trailers',
    title: 'chunked responses with two trailers, one of them read, depth 64',
    short: true,
    unit: 'responses',
    server: { kind: 'trailers' },
    seconds: 0.3,
    task: { depth: 64, how: 'trailers' },
    entrants: [one('raw', { how: TRAILERS }), ...ours.map(name => one(name)), one('undici-request')],
  },
  {
    name: 'connections',
    title: '200 connections, depth 16 each',
    unit: 'responses',
    server: { kind: 'small' },
    seconds: 0.4,
    task: { depth: 16, connections: 200 },
    entrants: [
      raw,
      ...ours.map(name => one(name)),
      ...['raw', ...ours].map(name =>
        one(name, { connections: 1, ...(name === 'raw' && { how: SMALL }) }, 'one connection'),
      ),
      ...['undici-request', 'h2load', 'fasthttp'].map(name => one(name)),
    ],
  },
  {
    name: 'client',
    title: 'HTTPClient beside the connection it stands on, one connection, depth 64',
    unit: 'responses',
    server: { kind: 'small' },
    seconds: 0.5,
    task: { depth: 64 },
    entrants: [
      one('request'),
      one('client'),
      one('pipeline'),
      one('client', { how: 'pipeline' }, 'pipeline'),
    ],
  },
  {
    name: 'scale',
    title: 'from 10^3 to 10^6 requests: pipeline at depth 64, and all sent before the first answer is read',
    unit: 'responses',
    server: { kind: 'small' },
    requests: 1,
    task: { depth: 64, warmUp: 300_000 },
    entrants: [
      ...atEachSize('pipeline', [1e3, 1e4, 1e5, 1e6]),
      ...atEachSize('low-level', [1e3, 1e5], 'ahead'),
      ...atEachSize('request', [1e3, 1e5], 'at once'),
    ],
  },
  download('length', '1 GiB by Content-Length', GIB, 0),
  download('chunked', '1 GiB in chunks of 16 KiB', GIB, 16_384),
  download('small-chunks', '1 GiB in chunks of 256 bytes', GIB, 256),
  {
    name: 'upload',
    title: '1 GiB sent by Content-Length in blocks of 64 KiB',
    unit: 'bytes',
    server: { kind: 'sink' },
    requests: 1,
    task: { bodyBytes: GIB, depth: 1 },
    entrants: [
      one('raw-upload'),
      ...['write', 'sendBody', 'request'].map(how => one('upload', { how }, how)),
      one('undici-upload'),
    ],
  },
]
