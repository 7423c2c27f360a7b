// Expect: 100-continue, accepted and refused, and bodies that are refused while they are being sent.
import { BodyFollowing, ConnectionClosed, HTTPConnection } from 'httpio'
import { noise } from '../content.mjs'
import { judgeDigest } from './uploads.mjs'

/** @typedef {import('../delivery.mjs').Door} Door */

/** Far longer than any of these servers takes for a 100; whoever needs as long was not sent one. */
const CONTINUE_MS = 10_000
const REFUSED_BYTES = 5_000_000
const ROUNDS = 20

/** @param {boolean} condition @param {string} otherwise */
export function check(condition, otherwise) {
  if (!condition) throw new Error(otherwise)
}

/**
 * @template T
 * @param {Door} door @param {(connection: HTTPConnection) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withConnection({ hostname, options }, use) {
  const connection = new HTTPConnection(hostname, { timeoutMs: 20_000, ...options })
  try {
    return await use(connection)
  } finally {
    await connection.close()
  }
}

/** The body waits for the 100 and is then received whole. @param {Door} door @param {string} path */
export const checkAccepted = (door, path) =>
  withConnection(door, async connection => {
    const body = noise(50_000, 1)
    const began = performance.now()

    await connection.sendRequest('POST', path, { body: new BodyFollowing(body.length), expect100: true })
    check(
      await connection.waitForContinue(CONTINUE_MS),
      'waitForContinue said that a final response is there',
    )
    await connection.write(body)
    const answer = await connection.readResponse()
    check(judgeDigest(answer, await answer.readAll(), body) === null, 'the body did not arrive whole')

    await connection.sendRequest('POST', path, { body: new BodyFollowing(body.length), expect100: true })
    const interim = await connection.readResponse()
    check(interim.status === 100, `the first response is ${interim.status}, not 100`)
    await connection.sendBody([body])
    const second = await connection.readResponse()
    check(judgeDigest(second, await second.readAll(), body) === null, 'the body did not arrive whole')

    const whole = await connection.request('POST', path, { body, expect100: { timeoutMs: CONTINUE_MS } })
    check(judgeDigest(whole, await whole.readAll(), body) === null, 'the body did not arrive whole')
    check(performance.now() - began < CONTINUE_MS, 'the 100 was not seen in time')
  })

/** The answer is final, and no byte of the body leaves. @param {Door} door @param {string} path @param {number} status */
export const checkRefused = (door, path, status) =>
  withConnection(door, async connection => {
    await connection.sendRequest('POST', path, { body: new BodyFollowing(REFUSED_BYTES), expect100: true })
    check(!(await connection.waitForContinue(CONTINUE_MS)), 'waitForContinue said that the body is wanted')
    const response = await connection.readResponse()
    check(response.status === status, `status ${response.status}, not ${status}`)
    await response.discard()
    const error = await connection.sendRequest('GET', '/').catch(reason => reason)
    check(
      error instanceof ConnectionClosed,
      `after a refused body the next request was not refused: ${error}`,
    )
    await connection.close()

    let isAskedFor = false
    function* source() {
      isAskedFor = true
      yield noise(REFUSED_BYTES, 2)
    }
    const whole = await connection.request('POST', path, {
      headers: { 'Content-Length': String(REFUSED_BYTES) },
      body: source(),
      expect100: { timeoutMs: CONTINUE_MS },
    })
    check(whole.status === status, `status ${whole.status}, not ${status}`)
    check(!isAskedFor, 'the source was asked for a body that nobody wanted')
  })

/**
 * Without Expect: the answer comes while the body is being sent, and must be read although sending fails.
 * @param {Door} door @param {string} path @param {number[]} allowed statuses
 */
export async function checkRefusedWhileSending(door, path, allowed) {
  const body = noise(REFUSED_BYTES, 3)
  for (let round = 0; round < ROUNDS; round++) {
    await withConnection(door, async connection => {
      const answers = await Promise.all([
        connection.request('GET', '/files/1024-0.bin'),
        connection.request('POST', path, { body: round % 2 === 0 ? body : [body] }),
      ])
      const statuses = answers.map(({ status }) => status)
      check(
        statuses[0] === 200 && allowed.includes(statuses[1]),
        `round ${round}: statuses ${statuses.join(', ')}`,
      )
    })
  }
}
