// One connection of the soak: drives it in one of three ways, has each answer checked, and settles what became of every request.
import { ConnectionClosed, HTTPConnection } from 'httpio'
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkAnswer, draw } from './exchanges.mjs'
import { tapOf } from './taps.mjs'

/** @typedef {import('./account.mjs').Account} Account */
/** @typedef {import('./numbers.mjs').Random} Random */
/** @typedef {import('httpio').HTTPResponse} HTTPResponse */
/**
 * What all sessions share.
 * @typedef {object} Stage
 * @property {number} port
 * @property {Account} account
 * @property {import('./evidence.mjs').EvidenceLog} evidence
 * @property {AbortSignal} signal lives as long as the run, and is never aborted
 * @property {boolean} isEnding no further requests are to be made
 * @property {(thing: object) => void} watch sees to it that this is not kept alive for ever
 */
/**
 * @typedef {object} SessionEvidence
 * @property {number} connection
 * @property {string} way
 * @property {number} port of this side; 0 if it was never connected
 * @property {number} connectedAt by `Date.now()`
 * @property {number} sentBytes
 * @property {import('./evidence.mjs').Passed | null} received
 * @property {number} given requests @property {number} answered of these
 * @property {string} end
 * @property {string[]} unanswered the first few
 */
/** @typedef {import('./exchanges.mjs').Request} Request */

/** Nothing here takes as long: whatever does, hangs. */
const TIMEOUT_MS = 75_000
const MOST_REQUESTS = 3_000
const MOST_BATCH = 400
const ENOUGH_BUFFERED_BYTES = [2_000, 65_536, 1_048_576]
/** The start of a reply that may be interim or final. */
const AMBIGUOUS_START = /H(T(T(P(\/(1(\.(1( )?)?)?)?)?)?)?)?$/
const UNANSWERED_KEPT = 5
const DIALS_AGAIN_AFTER_MS = 200
const WAYS = /** @type {const} */ (['pipeline', 'request', 'single steps'])

/** Such as EADDRNOTAVAIL: the machine has run out of ports. @param {unknown} error */
const isOfDialling = error => /** @type {{ syscall?: string }} */ (error)?.syscall === 'connect'

export class Session {
  #stage
  #account
  #random
  #connection
  /** Its number in the account. */
  #number
  /** How it is used. */
  #way
  /** Requests given to the library and not answered, oldest first. @type {Request[]} */
  #given = []
  #answered = 0
  /** The client ends the connection itself, without asking what became of the rest. */
  #isAbandoned = false
  /** How the connection ended. @type {unknown} */
  #end = 'this side closed it'

  /** @param {Stage} stage @param {Random} random */
  constructor(stage, random) {
    const { port, account } = stage
    this.#stage = stage
    this.#account = account
    this.#random = random
    this.#number = account.nextConnection()
    this.#connection = new HTTPConnection('127.0.0.1', {
      port,
      timeoutMs: TIMEOUT_MS,
      maxBufferedBytes: ENOUGH_BUFFERED_BYTES[random.below(ENOUGH_BUFFERED_BYTES.length)],
    })
    stage.watch(this.#connection)
    this.#way = WAYS[random.below(WAYS.length)]
  }

  async run() {
    const count = 1 + this.#random.skewed(MOST_REQUESTS)
    try {
      if (this.#way === 'pipeline') await this.#pipeline(count)
      else if (this.#way === 'request') await this.#requests(count)
      else await this.#steps(count)
    } catch (error) {
      this.#end = error
      if (error instanceof ConnectionClosed) this.#settle(error)
      else if (isOfDialling(error)) await this.#waitBeforeDialling()
      else {
        this.#fault(`${error instanceof Error ? error.stack : error}`)
        // That says it all: of the rest of its requests nothing is known.
        this.#isAbandoned = true
      }
    } finally {
      await this.#connection.close()
    }
    if (this.#isAbandoned) {
      for (const { id } of this.#given) if (!this.#account.isSettled(id)) this.#account.note(id, 'abandoned')
    }
    this.#leaveEvidence()
  }

  /** There was no connection, so that nothing was sent. */
  async #waitBeforeDialling() {
    for (const { id } of this.#given) this.#account.note(id, 'refused')
    this.#account.connectionsNotMade++
    await sleep(DIALS_AGAIN_AFTER_MS)
  }

  /** It hangs. @returns {number} the number of the connection */
  giveUp() {
    this.#end = 'it hangs'
    this.#leaveEvidence()
    return this.#number
  }

  /** @param {string} what */
  #fault(what) {
    this.#account.fault(what, this.#number)
  }

  #leaveEvidence() {
    const tap = tapOf(this.#connection)
    const end = this.#end
    const unanswered = end instanceof ConnectionClosed ? end.unanswered : []
    this.#stage.evidence.add(
      /** @type {SessionEvidence} */ ({
        connection: this.#number,
        way: this.#way,
        port: tap?.port ?? 0,
        connectedAt: tap?.connectedAt ?? 0,
        sentBytes: tap?.socket.bytesWritten ?? 0,
        received: tap?.received.toJSON() ?? null,
        given: this.#given.length,
        answered: this.#answered,
        end: String(end),
        unanswered: unanswered
          .slice(0, UNANSWERED_KEPT)
          .map(
            ({ method, path, outcome, processed }) => `${method} ${path} ${outcome}, processed: ${processed}`,
          ),
      }),
    )
  }

  /** @param {boolean} mayStream @returns {Request} */
  #draw(mayStream) {
    const request = draw(this.#account.nextId(this.#number), this.#random, mayStream)
    this.#given.push(request)
    return request
  }

  /** @param {number} count */
  async #pipeline(count) {
    const stage = this.#stage
    const draw = () => this.#draw(true)
    function* requests() {
      for (let n = 0; n < count && !stage.isEnding; n++) yield draw()
    }
    const depth = 1 + this.#random.below(100)
    const signal = this.#random.happens(0.5) ? stage.signal : undefined
    const leaveAfter = this.#random.happens(0.1) ? this.#random.below(count) : Infinity
    for await (const response of this.#connection.pipeline(requests(), { depth, signal })) {
      await this.#read(this.#given[this.#answered], response)
      this.#answered++
      if (this.#answered > leaveAfter) {
        this.#isAbandoned = true
        break
      }
    }
  }

  /** Batches of whole exchanges, some of them aborted. @param {number} count */
  async #requests(count) {
    for (let left = count; left > 0 && !this.#stage.isEnding;) {
      const size = Math.min(left, 1 + this.#random.below(MOST_BATCH))
      left -= size
      const controller = new AbortController()
      this.#stage.watch(controller.signal)
      const abortsAll = this.#random.happens(0.05)
      const batch = Array.from({ length: size }, () => this.#draw(true))
      const outcomes = batch.map(({ method, path, body, expect100 }) => {
        const isAborted = abortsAll || this.#random.happens(0.01)
        const signal = isAborted
          ? controller.signal
          : this.#random.happens(0.1)
            ? this.#stage.signal
            : undefined
        return this.#connection.request(method, path, { body, expect100, signal })
      })
      const timer = setTimeout(() => controller.abort('enough'), this.#random.below(20))
      const settled = await Promise.allSettled(outcomes)
      clearTimeout(timer)
      if (getEventListeners(controller.signal, 'abort').length > 0) {
        this.#fault('a listener was left on a signal')
      }
      let isOver = false
      for (const [n, outcome] of settled.entries()) {
        if (outcome.status === 'fulfilled') {
          await this.#read(batch[n], outcome.value)
          this.#answered++
        } else if (outcome.reason === 'enough') this.#account.note(batch[n].id, 'aborted')
        else if (outcome.reason instanceof ConnectionClosed) {
          isOver = true
          this.#end = outcome.reason
          this.#settleOne(batch[n], outcome.reason)
        } else throw outcome.reason
      }
      if (isOver) return
    }
  }

  /** @param {number} count */
  async #steps(count) {
    const connection = this.#connection
    let isRefused = false
    let isAllGiven = false
    let wake = () => {}
    const sending = (async () => {
      for (let n = 0; n < count && !this.#stage.isEnding; n++) {
        const { method, path, body } = this.#draw(false)
        const sent = connection.sendRequest(method, path, { body: /** @type {Buffer | null} */ (body) })
        wake()
        await sent
      }
      isAllGiven = true
      wake()
    })().catch(error => {
      isRefused = true
      wake()
      if (!(error instanceof ConnectionClosed) && !this.#isAbandoned) throw error
    })
    const closesAfterMs = this.#random.happens(0.1) ? this.#random.below(50) : null
    const timer =
      closesAfterMs === null
        ? null
        : setTimeout(() => {
            this.#isAbandoned = true
            void connection.close()
          }, closesAfterMs)
    try {
      for (; !this.#isAbandoned; this.#answered++) {
        while (this.#answered === this.#given.length && !isRefused && !isAllGiven) {
          await new Promise(resolve => (wake = () => resolve(undefined)))
        }
        if (this.#answered === this.#given.length && isAllGiven) break
        const response = await connection.readResponse()
        await this.#read(this.#given[this.#answered], response)
      }
    } catch (error) {
      // After close() the connection knows nothing any more of what it was used for.
      if (!this.#isAbandoned || error instanceof ConnectionClosed) throw error
    } finally {
      if (timer !== null) clearTimeout(timer)
      await sending
    }
  }

  /** @param {Request} request @param {HTTPResponse} response */
  async #read(request, response) {
    const bodyBytes = await checkAnswer(request, response, this.#random)
    this.#account.bodyBytes += bodyBytes
    this.#account.note(request.id, 'answered')
  }

  /** The end of the connection, as one error tells it: every request without answer must be accounted for, in order. @param {ConnectionClosed} error */
  #settle(error) {
    const rest = this.#given.slice(this.#answered).filter(({ id }) => !this.#account.isSettled(id))
    for (const [n, { method, path }] of error.unanswered.entries()) {
      if (rest[n]?.path !== path || rest[n].method !== method) {
        this.#fault(`unanswered[${n}] is ${method} ${path}, not ${rest[n]?.method} ${rest[n]?.path}`)
        return
      }
    }
    for (const request of rest) this.#settleOne(request, error)
  }

  /** @param {Request} request @param {ConnectionClosed} error */
  #settleOne({ id, path }, error) {
    const entry = accountOf(error).get(path)
    if (entry === undefined) this.#account.note(id, 'refused')
    else if (entry.processed === 'no') this.#account.note(id, 'not processed')
    else if (entry.outcome === 'no-reply') this.#account.note(id, 'no reply')
    else if (entry.outcome === 'partial-reply') {
      const isAmbiguous = AMBIGUOUS_START.test(tapOf(this.#connection)?.received.last ?? '')
      this.#account.note(id, isAmbiguous ? 'first bytes of a reply' : 'partial reply')
    } else this.#fault(`request ${id} is unsent, but may have been processed`)
  }
}

/** @type {WeakMap<ConnectionClosed, Map<string, import('httpio').UnansweredRequest>>} */
const accounts = new WeakMap()

/** @param {ConnectionClosed} error */
function accountOf(error) {
  let account = accounts.get(error)
  if (account === undefined) {
    account = new Map(error.unanswered.map(entry => [entry.path, entry]))
    accounts.set(error, account)
  }
  return account
}
