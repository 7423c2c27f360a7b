// One stage of the demo: so many requests at one depth over one connection, every answer checked.
import { ConnectionClosed, HTTPConnection } from 'httpio'
import { sha256 } from './content.mjs'

/**
 * @typedef {object} StageResult
 * @property {number} depth
 * @property {number} responses
 * @property {number} seconds
 * @property {number} connections
 * @property {number} together answers that came while further requests were on their way
 * @property {number} most requests on their way at once
 * @property {string[]} faults
 */

const CONNECT_TIMEOUT_MS = 5_000
const IDLE_TIMEOUT_MS = 5_000
const MOST_FAULTS = 10

/** @param {import('./targets.mjs').Expected} expected @param {import('httpio').HTTPResponse} response */
async function faultOf(expected, response) {
  const body = await response.readAll()
  const what = `${expected.method} ${expected.path}`
  if (response.method !== expected.method || response.path !== expected.path) {
    return `${what}: answered as ${response.method} ${response.path}`
  }
  if (response.status !== expected.status) return `${what}: status ${response.status}, not ${expected.status}`
  if (expected.hash !== null && sha256(body) !== expected.hash)
    return `${what}: the body (${body.length} bytes) differs`
  return null
}

/**
 * @param {import('./targets.mjs').Target} target
 * @param {{ depth: number, requests: number, longestMs: number }} plan
 * @param {(responses: number) => void} onProgress
 * @returns {Promise<StageResult>}
 * @throws what ends a connection, unless the target may close between two answers
 */
export async function runStage(target, { depth, requests, longestMs }, onProgress) {
  const connection = new HTTPConnection(target.hostname, {
    port: target.port,
    tls: target.tls,
    timeoutMs: IDLE_TIMEOUT_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  })
  /** @type {StageResult} */
  const result = { depth, responses: 0, seconds: 0, connections: 0, together: 0, most: 0, faults: [] }
  // Computed before the clock runs: hashing what must come back is not the client's work.
  const expected = Array.from({ length: requests }, (_, n) => target.expected(n))

  await connection.connect()
  const start = performance.now()
  const isLate = () => performance.now() - start > longestMs
  /** @param {number} count */
  function* next(count) {
    for (let n = result.responses; count > 0 && n < requests && !isLate(); n++, count--) yield expected[n]
  }
  result.connections = 1
  let answeredBefore = 0
  /** After a lost connection the next one carries one request alone first (RFC 9112 section 9.3.2). */
  let isFresh = false
  while (result.responses < requests && !isLate() && result.faults.length < MOST_FAULTS) {
    try {
      for await (const response of connection.pipeline(next(isFresh ? 1 : requests), { depth })) {
        const onTheirWay = connection.pendingRequests.length
        if (onTheirWay > 1) result.together++
        if (onTheirWay > result.most) result.most = onTheirWay
        const fault = await faultOf(expected[result.responses], response)
        if (fault !== null) result.faults.push(fault)
        onProgress(++result.responses)
        if (result.faults.length === MOST_FAULTS) break
      }
      isFresh = false
    } catch (error) {
      const goesOn = target.mayClose && error instanceof ConnectionClosed && result.responses > answeredBefore
      if (!goesOn) throw error
      await connection.close()
      answeredBefore = result.responses
      isFresh = true
      result.connections++
    }
  }
  result.seconds = (performance.now() - start) / 1000
  await connection.close()
  return result
}
