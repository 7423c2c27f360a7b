// One connection of the soak: drives it in one of the three ways, judges each answer by its id, and settles what became of every request.
import { ConnectionClosed, HTTPConnection } from 'httpio'
import { getEventListeners } from 'node:events'
import { answerTo, textOf } from './answers.mjs'

/** @typedef {import('./account.mjs').Account} Account */
/** @typedef {import('./numbers.mjs').Random} Random */
/** @typedef {import('httpio').HTTPResponse} HTTPResponse */
/** @typedef {{ id: number, method: string, path: string, body: import('httpio').ExchangeOptions['body'], expect100: boolean }} Request */

/** Nothing here takes as long: whatever does, hangs. */
const TIMEOUT_MS = 120_000
const MOST_REQUESTS = 3_000
const MOST_BATCH = 400
const ENOUGH_BUFFERED_BYTES = [2_000, 65_536, 1_048_576]

/** @param {string} text @param {number} size */
function* pieces(text, size) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1')
}

/** @param {Account} account @param {Random} random @param {boolean} mayStream may the body come from a source? @returns {Request} */
function draw(account, random, mayStream) {
  const id = account.nextId()
  const path = `/${id}`
  const lot = random.below(100)
  if (lot >= 22) return { id, method: 'GET', path, body: null, expect100: false }
  if (lot >= 12) return { id, method: 'HEAD', path, body: null, expect100: false }
  const text = textOf('request', id, random.skewed(lot === 0 ? 200_000 : 3_000))
  const isStreamed = mayStream && lot < 4
  const body = isStreamed ? pieces(text, 1 + random.below(20_000)) : Buffer.from(text, 'latin1')
  return { id, method: 'POST', path, body, expect100: isStreamed && text !== '' && lot === 3 }
}

export class Session {
  #account
  #random
  #connection
  /** Requests given to the library and not answered, oldest first. @type {Request[]} */
  #given = []
  #answered = 0
  /** The client ends the connection itself, without asking what became of the rest. */
  #isAbandoned = false

  /** @param {number} port @param {Account} account @param {Random} random */
  constructor(port, account, random) {
    this.#account = account
    this.#random = random
    this.#connection = new HTTPConnection('127.0.0.1', {
      port,
      timeoutMs: TIMEOUT_MS,
      maxBufferedBytes: ENOUGH_BUFFERED_BYTES[random.below(ENOUGH_BUFFERED_BYTES.length)],
    })
    account.connections++
  }

  async run() {
    const count = 1 + this.#random.skewed(MOST_REQUESTS)
    const way = [this.#pipeline, this.#requests, this.#steps][this.#random.below(3)]
    try {
      await way.call(this, count)
    } catch (error) {
      if (error instanceof ConnectionClosed) this.#settle(error)
      else this.#account.fault(`${error instanceof Error ? error.stack : error}`)
    } finally {
      await this.#connection.close()
    }
    if (this.#isAbandoned) {
      for (const { id } of this.#given) if (!this.#account.isSettled(id)) this.#account.note(id, 'abandoned')
    }
  }

  /** @param {boolean} mayStream @returns {Request} */
  #draw(mayStream) {
    const request = draw(this.#account, this.#random, mayStream)
    this.#given.push(request)
    return request
  }

  /** @param {number} count */
  async #pipeline(count) {
    const draw = () => this.#draw(true)
    function* requests() {
      for (let n = 0; n < count; n++) yield draw()
    }
    const depth = 1 + this.#random.below(100)
    const leaveAfter = this.#random.happens(0.1) ? this.#random.below(count) : Infinity
    for await (const response of this.#connection.pipeline(requests(), { depth })) {
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
    for (let left = count; left > 0;) {
      const size = Math.min(left, 1 + this.#random.below(MOST_BATCH))
      left -= size
      const controller = new AbortController()
      const abortsAll = this.#random.happens(0.05)
      const batch = Array.from({ length: size }, () => this.#draw(true))
      const outcomes = batch.map(({ method, path, body, expect100 }) => {
        const signal = abortsAll || this.#random.happens(0.01) ? controller.signal : undefined
        return this.#connection.request(method, path, { body, expect100, signal })
      })
      const timer = setTimeout(() => controller.abort('enough'), this.#random.below(20))
      const settled = await Promise.allSettled(outcomes)
      clearTimeout(timer)
      if (getEventListeners(controller.signal, 'abort').length > 0) {
        this.#account.fault('a listener was left on a signal')
      }
      let isOver = false
      for (const [n, outcome] of settled.entries()) {
        if (outcome.status === 'fulfilled') await this.#read(batch[n], outcome.value)
        else if (outcome.reason === 'enough') this.#account.note(batch[n].id, 'aborted')
        else if (outcome.reason instanceof ConnectionClosed) {
          isOver = true
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
    let wake = () => {}
    const sending = (async () => {
      for (let n = 0; n < count; n++) {
        const { method, path, body } = this.#draw(false)
        const sent = connection.sendRequest(method, path, { body: /** @type {Buffer | null} */ (body) })
        wake()
        await sent
      }
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
      for (; this.#answered < count && !this.#isAbandoned; this.#answered++) {
        while (this.#answered === this.#given.length && !isRefused) {
          await new Promise(resolve => (wake = () => resolve(undefined)))
        }
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
  async #read({ id, method, path }, response) {
    const expected = answerTo(id)
    const wrong = (/** @type {string} */ what) => {
      throw new Error(`${method} ${path} was given ${what}`)
    }
    if (response.path !== path || response.method !== method) {
      wrong(`the answer to ${response.method} ${response.path}`)
    }
    if (response.headers.get('x-id') !== String(id)) wrong(`the answer to ${response.headers.get('x-id')}`)
    if (response.status !== expected.status) wrong(`status ${response.status}, not ${expected.status}`)
    const text = method === 'HEAD' ? '' : textOf('answer', id, expected.length)
    const lot = this.#random.below(10)
    if (lot === 0) {
      let at = 0
      for await (const part of response) {
        if (part.toString('latin1') !== text.slice(at, at + part.length)) wrong('other bytes')
        at += part.length
      }
      if (at !== text.length) wrong(`${at} of ${text.length} bytes`)
    } else if (lot === 1) {
      await response.discard()
    } else {
      const body = await response.readAll()
      if (body.toString('latin1') !== text) wrong('another body')
    }
    if (expected.hasTrailers && method !== 'HEAD' && ![204, 304].includes(expected.status)) {
      if (response.trailers.get('x-trailer') !== String(id)) wrong('no trailer of its own')
    }
    this.#account.bodyBytes += text.length
    this.#account.note(id, 'answered')
  }

  /** The end of the connection, as one error tells it: every request without answer must be accounted for, in order. @param {ConnectionClosed} error */
  #settle(error) {
    const rest = this.#given.slice(this.#answered).filter(({ id }) => !this.#account.isSettled(id))
    for (const [n, { method, path }] of error.unanswered.entries()) {
      if (rest[n]?.path !== path || rest[n].method !== method) {
        this.#account.fault(`unanswered[${n}] is ${method} ${path}, not ${rest[n]?.method} ${rest[n]?.path}`)
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
    else if (entry.outcome === 'partial-reply') this.#account.note(id, 'partial reply')
    else if (entry.outcome === 'no-reply') this.#account.note(id, 'no reply')
    else this.#account.fault(`request ${id} is unsent, but may have been processed`)
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
