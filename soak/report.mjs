// Puts into words what a run has come to: how far it is, the table at its end, and what explains each fault.
import { readEvidence } from './evidence.mjs'

/** @typedef {import('./account.mjs').Fault} Fault */
/** @typedef {import('./session.mjs').SessionEvidence} SessionEvidence */
/** @typedef {import('./proxy.mjs').ProxyEvidence} ProxyEvidence */

const MOST_EXPLAINED = 5
/** Where nobody looks on, progress is said only so often. */
const SAYS_EVERY_MS = 10_000

/** @param {number} value */
export const number = value => Math.round(value).toLocaleString('en-US')

export class Progress {
  #saidAt = performance.now()

  /** @param {() => string} state */
  say(state) {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${state()}`)
    } else if (performance.now() - this.#saidAt >= SAYS_EVERY_MS) {
      this.#saidAt = performance.now()
      process.stderr.write(`${state()}\n`)
    }
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

/** Prints a table that a page can take as it is. @param {[string, string][]} rows */
export function printTable(rows) {
  console.log('| what | how many |\n| --- | ---: |')
  for (const [what, value] of rows) console.log(`| ${what} | ${value} |`)
}

/** @param {import('./evidence.mjs').Passed | null} passed */
const passedText = passed =>
  passed === null
    ? 'nothing'
    : `${number(passed.bytes)} bytes, the last of them ${JSON.stringify(passed.last)}`

/**
 * Prints what is wrong, and of the connections concerned how they went on both sides of the network.
 *
 * @param {Fault[]} faults @param {number} count @param {string} clientLog @param {string} networkLog
 */
export async function printFaults(faults, count, clientLog, networkLog) {
  /** @type {Map<number, SessionEvidence>} */
  const sessions = new Map()
  const concerned = new Set(
    faults.map(({ connection }) => connection).filter(connection => connection !== null),
  )
  const explained = new Set([...concerned].slice(0, MOST_EXPLAINED))
  if (explained.size > 0) {
    await readEvidence(clientLog, (/** @type {SessionEvidence} */ record) => {
      if (explained.has(record.connection)) sessions.set(record.connection, record)
    })
  }
  const passages = await passagesOf([...sessions.values()], networkLog)
  for (const { what, connection } of faults) {
    console.log(`WRONG: ${what}${connection === null ? '' : ` (connection ${connection})`}`)
  }
  if (count > faults.length) console.log(`and ${number(count - faults.length)} more`)
  for (const session of sessions.values()) explain(session, passages.get(session) ?? null)
}

/**
 * A port is used again and again; so the network knows a connection by its port and the time.
 *
 * @param {SessionEvidence[]} sessions @param {string} networkLog
 */
async function passagesOf(sessions, networkLog) {
  /** @type {Map<SessionEvidence, ProxyEvidence>} */
  const passages = new Map()
  if (sessions.length === 0) return passages
  await readEvidence(networkLog, (/** @type {ProxyEvidence} */ record) => {
    for (const session of sessions) {
      if (record.port !== session.port) continue
      const before = passages.get(session)
      const isNearer =
        before === undefined ||
        Math.abs(record.connectedAt - session.connectedAt) <
          Math.abs(before.connectedAt - session.connectedAt)
      if (isNearer) passages.set(session, record)
    }
  })
  return passages
}

/** @param {SessionEvidence} session @param {ProxyEvidence | null} passage */
function explain(session, passage) {
  const { connection, way, port, given, answered, end, unanswered, sentBytes, received } = session
  console.log(`
connection ${connection}, port ${port}, used by ${way}: ${given} requests, ${answered} answered
  ended by: ${end}
  unanswered: ${unanswered.length === 0 ? 'none' : unanswered.join('; ')}
  the library sent ${number(sentBytes)} bytes
  the network passed on to the server: ${passedText(passage?.toServer ?? null)}
  the network passed on to the client: ${passedText(passage?.toClient ?? null)}
  then it was ${passage?.end ?? 'never seen by the network'}
  the library received: ${passedText(received)}`)
}
