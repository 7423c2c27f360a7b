// Drives one connection through requests and a scripted stream, without a network, and notes all that the caller can see.
// It judges nothing: specs compare what it notes with a table, a model, or the reference decoder.
import { BodyFollowing, HTTPConnection, HTTPError, InvalidResponse } from '../../lib/index'
import type { ConnectionOptions, HTTPResponse } from '../../lib/index'
import { farEnd, type FarEnd, type FarEnding, type Via } from './far-ends'
import type { ReferenceHead, ReferenceResponse } from './reference-decoder'

export interface DrivenRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
  /** The body waits for a 100; only that of the last request can. */
  readonly expect100?: true
}

/**
 * What a server does: bytes (latin1); `turn` = the event loop goes round once before the next; `received` = nothing more before
 * that has been received. `call` = something else happens.
 */
export type Act =
  | string
  | { readonly turn: true }
  | { readonly end: FarEnding }
  | { readonly received: string }
  | { readonly call: () => void }

export interface SeenError {
  readonly code: string
  readonly reason?: string
}

export interface Seen {
  readonly responses: ReferenceResponse[]
  readonly informational: ReferenceHead[]
  /** The head that was handed out before the error. */
  head?: ReferenceHead
  /** The 100 that `readResponse` gave. */
  continued?: ReferenceHead
  /** What was read of its body. */
  bodySoFar: string
  error?: SeenError
  /** The first operation whose promise did not settle. */
  unsettled?: string
  /** The answer to one more request, sent when all the others had been answered without an error. */
  next?: ReferenceResponse
  /** What the server received. */
  received: string
}

/** Every byte that was handed out, to be compared once more at the end: nothing may have written over it. */
interface Handed {
  readonly buffer: Buffer
  readonly copy: string
}

/** A promise that is still pending when nothing more can happen. */
class Unsettled extends Error {}

/** Far more turns of the event loop than the library may need to settle anything; with TLS on the way each step takes some. */
const TURNS: Record<Via, number> = { given: 40, TCP: 40, TLS: 200 }

const nextTurn = setImmediate

export const turn = (): Promise<void> => new Promise(resolve => nextTurn(resolve))

/** The code of an error of the library; anything else that is thrown is shown as what it is. */
export function seenError(error: unknown): SeenError {
  if (error instanceof InvalidResponse) return { code: error.code, reason: error.reason }
  if (error instanceof HTTPError) return { code: error.code }
  return { code: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
}

export const headOf = (response: HTTPResponse): ReferenceHead => ({
  status: response.status,
  reason: response.reason,
  headers: [...response.headers],
})

export const optionsOf = (request: DrivenRequest) =>
  request.body === undefined ? {} : { body: Buffer.from(request.body, 'latin1') }

const stepOptionsOf = (request: DrivenRequest) =>
  request.expect100 === true
    ? { body: new BodyFollowing(request.body!.length), expect100: true }
    : optionsOf(request)

/** What one more request is answered with. */
export const NEXT = 'HTTP/1.1 200 OK\r\nX-Next: yes\r\nContent-Length: 4\r\n\r\nnext'
export const NEXT_READ: ReferenceResponse = {
  status: 200,
  reason: 'OK',
  headers: [
    ['X-Next', 'yes'],
    ['Content-Length', '4'],
  ],
  body: 'next',
  trailers: [],
}

/** How a caller gets at the responses. */
export interface Reading {
  /** Whole exchanges, or responses one step at a time, their bodies by that method. */
  readonly by: 'read' | 'readInto' | 'readAll' | 'iteration' | 'request'
  /** What each `read` or `readInto` asks for. */
  readonly maxBytes?: number
  /** Does the caller begin to read only when the server has done everything? */
  readonly isLate?: boolean
  /** How long `waitForContinue` waits for a 100, in milliseconds; undefined = `readResponse` gives it. */
  readonly continueMs?: number
}

const AT_ONCE: Reading = { by: 'read' }

/** A connection, with what happened on it. */
export class Driven {
  readonly connection: HTTPConnection
  readonly seen: Seen = { responses: [], informational: [], bodySoFar: '', received: '' }
  readonly #handed: Handed[] = []
  readonly #via: Via
  readonly #far: FarEnd
  /** While the server has more to do, nothing counts as unsettled. */
  #playing = false

  constructor(options: ConnectionOptions = {}, via: Via = 'given') {
    this.#via = via
    this.#far = farEnd(via)
    this.connection = new HTTPConnection('example.test', {
      ...options,
      ...this.#far.options,
      onInformational: response => this.seen.informational.push(headOf(response)),
    })
  }

  /** The outcome of a promise, which must settle without any time passing. */
  async settled<T>(what: string, promise: Promise<T>): Promise<T> {
    let pending = true
    const done = () => {
      pending = false
    }
    promise.then(done, done)
    await Promise.resolve()
    for (let turns = 0; pending && turns < TURNS[this.#via]; turns += this.#playing ? 0 : 1) await turn()
    if (pending) throw new Unsettled(what)
    return promise
  }

  /** Does what the server does. */
  async play(acts: readonly Act[]): Promise<void> {
    this.#playing = true
    for (const act of acts) {
      if (typeof act === 'string') this.#far.send(act)
      else if ('turn' in act) await turn()
      else if ('end' in act) this.#far.end(act.end)
      else if ('call' in act) act.call()
      else await this.#receive(act.received)
    }
    this.#playing = false
  }

  /** Waits until the client has sent that, which it must do without any time passing. */
  async #receive(text: string): Promise<void> {
    this.#playing = false
    const arrival = this.#far.waitFor(text).catch(() => {})
    await this.#note(async () => {
      await this.settled('a body that waited for a 100', arrival)
    })
    this.#playing = true
  }

  /** Sends every request without waiting for any, and then waits for all. */
  async send(requests: readonly DrivenRequest[]): Promise<void> {
    const sent = requests.map(request =>
      this.connection.sendRequest(request.method, request.path, stepOptionsOf(request)),
    )
    for (const promise of sent) promise.catch(() => {})
    await this.#note(async () => {
      for (const promise of sent) await this.settled('sendRequest', promise)
      await this.#written(requests[requests.length - 1])
    })
  }

  /** Reads the responses to these requests, or up to the first error; a body that waits for a 100 goes out when that came. */
  async read(requests: readonly DrivenRequest[], reading: Reading = AT_ONCE): Promise<void> {
    const { connection, seen } = this
    await this.#note(async () => {
      for (const { body, expect100 } of requests) {
        if (expect100 === true && reading.continueMs !== undefined) {
          const wait = connection.waitForContinue(reading.continueMs)
          if (await this.settled('waitForContinue', wait)) await this.#write(body!)
        }
        let response = await this.#readOne(reading)
        if (expect100 === true && response.status === 100) {
          const { status, reason, headers } = response
          seen.continued = { status, reason, headers }
          await this.#write(body!)
          response = await this.#readOne(reading)
        }
        seen.responses.push(response)
      }
    })
  }

  async #write(body: string): Promise<void> {
    await this.settled('write', this.connection.write(Buffer.from(body, 'latin1')))
  }

  /** Asks for whole exchanges, all at once; the server acts when it has all of them. */
  async request(requests: readonly DrivenRequest[], acts: readonly Act[]): Promise<void> {
    const { connection, seen } = this
    const asked = requests.map(async request => {
      const response = await connection.request(request.method, request.path, optionsOf(request))
      const body = (await response.readAll()).toString('latin1')
      return { ...headOf(response), body, trailers: [...response.trailers] }
    })
    for (const promise of asked) promise.catch(() => {})
    await this.#written(requests[requests.length - 1])
    await this.play(acts)
    await this.#note(async () => {
      for (const promise of asked) seen.responses.push(await this.settled('request', promise))
    })
    if (seen.error === undefined) return
    // Those behind the fault are unanswered; none of them may have got anything.
    const behind = await this.settled(
      'all requests',
      Promise.allSettled(asked.slice(seen.responses.length + 1)),
    )
    for (const outcome of behind) {
      const code = outcome.status === 'rejected' ? seenError(outcome.reason).code : 'a response'
      if (code !== 'ERR_HTTPIO_CONNECTION_CLOSED') seen.error = { code: `${code} behind ${seen.error.code}` }
    }
  }

  /** Sends one more request if nothing went wrong so far, and reads its answer. */
  async askNext(): Promise<void> {
    const { seen, connection } = this
    if (seen.error !== undefined || seen.unsettled !== undefined) return
    await this.#note(async () => {
      await this.settled('sendRequest', connection.sendRequest('GET', '/next'))
      await this.#written({ method: 'GET', path: '/next' })
      if (this.#far.isHeard) this.#far.send(NEXT)
      seen.next = await this.#readOne()
    })
  }

  /** Waits until the server has that request, or the connection has ended. */
  async #written({ method, path }: DrivenRequest): Promise<void> {
    const arrival = this.#far.waitFor(`${method} ${path} HTTP/1.1\r\n`).catch(() => {})
    await this.settled('the request to be written', arrival)
  }

  async #readOne(reading: Reading = AT_ONCE): Promise<ReferenceResponse> {
    const { connection, seen } = this
    const response = await this.settled('readResponse', connection.readResponse())
    const head = headOf(response)
    seen.head = head
    await this.#readBody(response, reading)
    const read = { ...head, body: seen.bodySoFar, trailers: [...response.trailers] }
    delete seen.head
    seen.bodySoFar = ''
    return read
  }

  async #readBody(response: HTTPResponse, { by, maxBytes }: Reading): Promise<void> {
    const take = (piece: Buffer) => {
      this.#handed.push({ buffer: piece, copy: piece.toString('latin1') })
      this.seen.bodySoFar += piece.toString('latin1')
      return piece.length
    }
    if (by === 'readAll') {
      take(await this.settled('readAll', response.readAll()))
    } else if (by === 'iteration') {
      const iterator = response[Symbol.asyncIterator]()
      for (;;) {
        const { value, done } = await this.settled('next', iterator.next())
        if (done === true) break
        take(value)
      }
    } else if (by === 'readInto') {
      const target = Buffer.alloc(maxBytes ?? 4096)
      for (;;) {
        const bytes = await this.settled('readInto', response.readInto(target))
        if (take(Buffer.from(target.subarray(0, bytes))) === 0) break
      }
    } else {
      while (take(await this.settled('read', response.read(maxBytes))) > 0);
    }
  }

  /** Notes what of `work` rejects first. */
  async #note(work: () => Promise<void>): Promise<void> {
    if (this.seen.error !== undefined || this.seen.unsettled !== undefined) return
    try {
      await work()
    } catch (error) {
      if (error instanceof Unsettled) this.seen.unsettled = error.message
      else this.seen.error = seenError(error)
    }
  }

  /** Ends everything, and says what was seen. */
  async finish(): Promise<Seen> {
    this.seen.received = this.#far.received
    for (const { buffer, copy } of this.#handed) {
      if (buffer.toString('latin1') !== copy)
        this.seen.error = { code: 'a Buffer changed after it was handed out' }
    }
    await this.settled('close', this.connection.close())
    this.#far.close()
    return this.seen
  }
}

/** Sends the requests, reads the responses of a server that acts like this, and then tries one request more. */
export async function drive(
  requests: readonly DrivenRequest[],
  acts: readonly Act[],
  options: ConnectionOptions = {},
  reading: Reading = AT_ONCE,
  via: Via = 'given',
): Promise<Seen> {
  const driven = new Driven(options, via)
  // A handshake takes as long as it takes.
  if (via === 'TLS') await driven.connection.connect()
  if (reading.by === 'request') {
    await driven.request(requests, acts)
  } else {
    await driven.send(requests)
    const read = () => driven.read(requests, reading)
    const early = reading.isLate === true ? undefined : read()
    await driven.play(acts)
    await (early ?? read())
  }
  await driven.askNext()
  return driven.finish()
}
