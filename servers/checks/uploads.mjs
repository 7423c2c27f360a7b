// Request bodies of every form and of awkward lengths, alone and between other requests; the server says what it received.
import { BodyFollowing, HTTPConnection } from 'httpio'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { noise, sha256 } from '../content.mjs'
import { deliver } from '../delivery.mjs'
import { get, item } from '../plan.mjs'

/** @typedef {import('../delivery.mjs').Door} Door */
/** @typedef {import('../plan.mjs').Item} Item */
/** @typedef {'digest' | 'store'} Answer the digest of what was received, or a file that can be read back */
/**
 * Where bodies go to.
 * @typedef {object} Target
 * @property {string} path
 * @property {Answer} answer
 * @property {boolean} chunked does it take chunked ones?
 * @property {Door} [door] if not the plain one
 * @property {boolean} [isFragile] not for large ones
 */

const LENGTHS = [0, 1, 2, 1_000, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000]
const LARGE_BYTES = 30_000_000

/** @param {Uint8Array} bytes @param {number} size */
function* pieces(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** @param {Uint8Array} bytes @param {number} size */
async function* slowPieces(bytes, size) {
  for (const piece of pieces(bytes, size)) {
    await new Promise(resolve => setImmediate(resolve))
    yield piece
  }
}

/** The forms a body may have, with the ways of sources to come. @type {Record<string, (bytes: Buffer) => import('httpio').ExchangeOptions['body']>} */
const FORMS = {
  bytes: bytes => bytes,
  string: bytes => bytes.toString('hex'),
  generator: bytes => pieces(bytes, 7_000),
  async: bytes => slowPieces(bytes, 20_000),
  readable: bytes => Readable.from(pieces(bytes, 50_000)),
  web: bytes => /** @type {*} */ (ReadableStream.from(slowPieces(bytes, 10_000))),
  blob: bytes => new Blob([new Uint8Array(bytes)]),
}
const WITHOUT_LENGTH = new Set(['generator', 'async', 'readable', 'web'])

/** @param {import('httpio').HTTPResponse} response @param {Buffer} body @param {Uint8Array} sent @returns {string | null} */
export function judgeDigest({ status }, body, sent) {
  if (status !== 200) return `status ${status}`
  const { bytes, sha256: digest } = JSON.parse(body.toString())
  if (bytes !== sent.length) return `the server received ${bytes} of ${sent.length} bytes`
  return digest === sha256(sent) ? null : 'the server received other bytes'
}

/** @param {Target} target @param {number} n @param {Buffer} bytes @param {string} form @param {boolean} chunked @returns {Item[]} */
function upload({ path, answer }, n, bytes, form, chunked) {
  const sent = form === 'string' ? Buffer.from(bytes.toString('hex')) : bytes
  /** @type {Record<string, string>} */
  const headers = chunked || !WITHOUT_LENGTH.has(form) ? {} : { 'Content-Length': String(sent.length) }
  const parts = { kind: /** @type {const} */ ('upload'), headers, body: () => FORMS[form](bytes) }
  if (answer === 'digest') {
    return [
      item({ ...parts, method: 'POST', path, judge: (response, body) => judgeDigest(response, body, sent) }),
    ]
  }
  const name = `${path}/${n}.bin`
  return [
    item({
      ...parts,
      method: 'PUT',
      path: name,
      judge: ({ status }) => ([200, 201, 204].includes(status) ? null : `status ${status}`),
    }),
    get({ path: name, bytes: sent, sha256: sha256(sent) }),
  ]
}

/**
 * @param {object} options
 * @param {Door} options.door
 * @param {Target} options.target
 * @param {import('../run.mjs').Stage} options.stage
 */
export async function checkUploads({ door, target, stage }) {
  const { content, seed, isShort } = stage
  /** @type {Item[]} */
  const items = []
  let n = 0
  for (const length of LENGTHS) {
    for (const form of Object.keys(FORMS)) {
      for (const chunked of target.chunked && WITHOUT_LENGTH.has(form) ? [false, true] : [false]) {
        items.push(...upload(target, n, noise(length, seed + n), form, chunked))
        items.push(get(content.files[n % content.files.length]))
        n++
      }
    }
  }
  const byRequest = await deliver(door, items, 'request')
  const byPipeline = await deliver(door, items, 'pipeline')
  if (!door.mayClose && byRequest.connections + byPipeline.connections > 2) {
    throw new Error(
      `one connection each was to do, ${byRequest.connections} and ${byPipeline.connections} were used`,
    )
  }
  if (target.answer === 'digest' && !target.isFragile)
    await uploadInSteps(door, target, isShort ? LARGE_BYTES / 10 : LARGE_BYTES)
  return { answered: [...byRequest.answered, ...byPipeline.answered], uploads: 2 * n }
}

/** Large bodies, by the calls of one step each. @param {Door} door @param {Target} target @param {number} length */
async function uploadInSteps({ hostname, options }, { path, chunked }, length) {
  const bytes = noise(1_000_003, length)
  const whole = Buffer.concat(Array.from({ length: Math.ceil(length / bytes.length) }, () => bytes))
  const connection = new HTTPConnection(hostname, { timeoutMs: 20_000, ...options })
  const answer = async () => {
    const response = await connection.readResponse()
    const fault = judgeDigest(response, await response.readAll(), whole)
    if (fault !== null) throw new Error(`${whole.length} bytes in steps: ${fault}`)
  }
  try {
    await connection.sendRequest('POST', path, { body: new BodyFollowing(whole.length) })
    for (const piece of pieces(whole, 333_333)) await connection.write(piece)
    await answer()
    await connection.sendRequest('POST', path, { body: new BodyFollowing(whole.length) })
    for (let at = 0; at < whole.length;) {
      const taken = await connection.write(whole.subarray(at, at + 100_000), { partial: true })
      at += taken
      if (taken === 0) await new Promise(resolve => setImmediate(resolve))
    }
    await answer()
    if (!chunked) return
    await connection.sendRequest('POST', path, { body: new BodyFollowing() })
    for (const piece of pieces(whole, 333_333)) await connection.write(piece)
    await connection.endBody({ 'X-Checked': 'yes' })
    await answer()
  } finally {
    await connection.close()
  }
}
