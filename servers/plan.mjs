// Requests for the files of content.mjs, drawn at random from a seed, each with what its answer must be.
import { random, sha256 } from './content.mjs'

/** @typedef {import('httpio').HTTPResponse} HTTPResponse */
/** @typedef {import('./content.mjs').File} File */
/** @typedef {'get' | 'head' | 'match' | 'since' | 'range' | 'missing' | 'gzip' | 'upload'} Kind */
/** @typedef {{ etag: string | null, modified: string | null }} Validators */
/**
 * One request that is to be answered once. Each time it is sent its path says so: `id=NUMBER.ATTEMPT`.
 * @typedef {object} Item
 * @property {Kind} kind
 * @property {string} method
 * @property {string} path without the id
 * @property {Record<string, string>} headers
 * @property {boolean} decompress
 * @property {() => import('httpio').ExchangeOptions['body']} body made anew for each sending
 * @property {(response: HTTPResponse, body: Buffer) => string | null} judge what is wrong with an answer
 */

/** Servers answer ranges of short files in ways of their own. */
const SHORTEST_RANGED_BYTES = 1_024

/** @param {HTTPResponse} response @param {number} status */
const judgeStatus = (response, status) =>
  response.status === status ? null : `status ${response.status}, not ${status}`

/** @param {Buffer} body @param {string} digest @param {number} length */
const judgeBody = (body, digest, length) => {
  if (body.length !== length) return `${body.length} bytes, not ${length}`
  return sha256(body) === digest ? null : 'another body'
}

/** @param {Partial<Item> & Pick<Item, 'kind' | 'path' | 'judge'>} parts @returns {Item} */
export const item = parts => ({ method: 'GET', headers: {}, decompress: false, body: () => null, ...parts })

/** @param {File} file @returns {Item} */
export function get({ path, bytes, sha256: digest }) {
  return item({
    kind: 'get',
    path,
    judge: (response, body) => judgeStatus(response, 200) ?? judgeBody(body, digest, bytes.length),
  })
}

/** @param {File} file @returns {Item} */
function head({ path, bytes }) {
  return item({
    kind: 'head',
    method: 'HEAD',
    path,
    judge(response, body) {
      const announced = response.headers.get('content-length')
      if (announced !== null && Number(announced) !== bytes.length) return `announces ${announced} bytes`
      return judgeStatus(response, 200) ?? (body.length === 0 ? null : 'a body')
    },
  })
}

/** @param {'match' | 'since'} kind @param {File} file @param {Record<string, string>} headers @returns {Item} */
function conditional(kind, { path }, headers) {
  return item({
    kind,
    path,
    headers,
    judge: (response, body) => judgeStatus(response, 304) ?? (body.length === 0 ? null : 'a body'),
  })
}

/** @param {File} file @param {(limit: number) => number} next @returns {Item} */
function range({ path, bytes }, next) {
  const first = next(bytes.length)
  const last = first + next(bytes.length - first)
  const part = bytes.subarray(first, last + 1)
  return item({
    kind: 'range',
    path,
    headers: { Range: `bytes=${first}-${last}` },
    judge(response, body) {
      const wanted = `bytes ${first}-${last}/${bytes.length}`
      const given = response.headers.get('content-range')
      if (response.status === 206 && given !== wanted) return `Content-Range ${given}, not ${wanted}`
      return judgeStatus(response, 206) ?? judgeBody(body, sha256(part), part.length)
    },
  })
}

/** @param {number} n @returns {Item} */
const missing = n =>
  item({ kind: 'missing', path: `/files/none-${n}.bin`, judge: response => judgeStatus(response, 404) })

/** @param {File} file @returns {Item} */
function gzip({ path, bytes, sha256: digest }) {
  return item({
    kind: 'gzip',
    path,
    decompress: true,
    judge(response, body) {
      if (response.headers.get('content-encoding') === null) return 'not compressed'
      return judgeStatus(response, 200) ?? judgeBody(body, digest, bytes.length)
    },
  })
}

/**
 * @param {object} options
 * @param {number} options.count
 * @param {number} options.seed
 * @param {{ files: File[], texts: File[] }} options.content
 * @param {ReadonlySet<Kind>} options.kinds what the server can do
 * @param {Map<string, Validators>} options.validators of each file
 * @returns {Item[]}
 */
export function drawPlan({ count, seed, content, kinds, validators }) {
  const next = random(seed)
  /** @param {File[]} files */
  const pick = files => files[next(files.length)]
  const ranged = content.files.filter(file => file.bytes.length >= SHORTEST_RANGED_BYTES)
  /** @param {number} n @returns {Item} */
  const draw = n => {
    const file = pick(content.files)
    const { etag, modified } = validators.get(file.path) ?? { etag: null, modified: null }
    const lot = next(20)
    if (lot < 2 && kinds.has('head')) return head(file)
    if (lot < 4 && kinds.has('match') && etag !== null)
      return conditional('match', file, { 'If-None-Match': etag })
    if (lot < 6 && kinds.has('since') && modified !== null)
      return conditional('since', file, { 'If-Modified-Since': modified })
    if (lot < 8 && kinds.has('range')) return range(pick(ranged), next)
    if (lot < 9 && kinds.has('missing')) return missing(n)
    if (lot < 10 && kinds.has('gzip')) return gzip(pick(content.texts))
    return get(file)
  }
  return Array.from({ length: count }, (_, n) => draw(n))
}
