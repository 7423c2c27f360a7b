// Owns the body of a request that the caller sends step by step: how much of it is missing, and whether it may be sent yet. It knows
// nothing of responses but that a 100 or a final one came.
//
//   state    what happens                                       next
//   -------  -------------------------------------------------  -------
//   -        a request with expect100                           held
//   -        a request without                                  open
//   held     a 100 came, or waiting for it has taken too long   open
//   held     a final response came                              refused
//   open     all that was announced has been queued, or the end done
import { iterateSource, type BodyFollowing, type BodySource, type SourceIterator } from './body'
import { ExcessBodyData, StateError } from './errors'
import type { HeadersInput } from './headers'
import type { Link } from './link'
import type { Exchange } from './protocol/exchange'
import { latin1 } from './protocol/latin1'
import { chunkHead, lastChunk } from './protocol/request-head'
import { JOINED_BYTES } from './request-maker'
import { types } from 'node:util'

/** The most that framing adds to a chunk: 14 hexadecimal digits and two CRLF. */
const CHUNK_OVERHEAD_BYTES = 18

/** The state of a body; see the table above. */
type BodyState = 'held' | 'open' | 'refused' | 'done'

interface Body {
  readonly exchange: Exchange
  readonly lengthBytes: number | null
  sentBytes: number
  state: BodyState
}

/** Queues a copy of bytes of a body; in the chunked coding as one chunk. */
function queueCopy({ outbox }: Link, exchange: Exchange, chunk: Uint8Array, isChunked: boolean): void {
  const text = latin1(chunk)
  outbox.append(exchange, isChunked ? `${chunkHead(chunk.length)}${text}\r\n` : text)
}

/** Queues bytes of a body; in the chunked coding as one chunk. The promise is settled when the bytes may be changed. */
export function queueBytes(
  link: Link,
  exchange: Exchange,
  chunk: Uint8Array,
  isChunked: boolean,
  now: number,
): Promise<void> {
  const { outbox } = link
  if (chunk.length <= JOINED_BYTES) {
    queueCopy(link, exchange, chunk, isChunked)
    return outbox.whenRoom(now, exchange)
  }
  if (!isChunked) return outbox.appendAndWait(exchange, chunk, now)
  outbox.append(exchange, chunkHead(chunk.length))
  const taken = outbox.appendAndWait(exchange, chunk, now)
  outbox.append(exchange, '\r\n')
  return taken
}

export class BodyWriter {
  readonly #link: Link
  readonly #hooks: { now(): number; onWaiting(): void }
  #body: Body | null = null
  /** The source that `sendBody` is reading. */
  #source: SourceIterator | null = null

  constructor(link: Link, hooks: { now(): number; onWaiting(): void }) {
    this.#link = link
    this.#hooks = hooks
  }

  /** Must the body be finished before anything else is sent? */
  get isOpen(): boolean {
    return this.#body !== null && (this.#body.state === 'open' || this.#body.state === 'held')
  }

  /** A request is queued; `following` says what body is to come. */
  begin(exchange: Exchange, following: BodyFollowing | null, expects100: boolean): void {
    if (following === null) {
      this.#body = null
      return
    }
    const { lengthBytes } = following
    const state = lengthBytes === 0 ? 'done' : expects100 ? 'held' : 'open'
    this.#body = { exchange, lengthBytes, sentBytes: 0, state }
  }

  /** The 100 has been handed to the caller. */
  onContinue(exchange: Exchange): void {
    if (this.#body?.exchange === exchange && this.#body.state === 'held') this.#body.state = 'open'
  }

  /** A final response came. If a 100 came before it, it is for the caller to say what he makes of that. */
  onFinal(exchange: Exchange): void {
    if (exchange.awaitsContinue) this.refuse(exchange)
  }

  /** The body will not be sent. The server may wait for it for ever (RFC 9110 section 10.1.1). */
  refuse(exchange: Exchange): void {
    if (this.#body?.exchange !== exchange || this.#body.state !== 'held') return
    this.#body.state = 'refused'
    this.#link.refuse(
      'a final response came before the body was sent, which the server may still be waiting for',
    )
  }

  /** Nothing can be sent any more. */
  onSendsEnd(): void {
    void this.#source?.return()
  }

  /** The exchange whose 100 can be awaited; false if its final response is there already, true if the body may be sent. */
  heldExchange(): Exchange | boolean {
    const body = this.#body
    if (body === null) throw new StateError('no request with a body to follow has been sent')
    if (body.state === 'held') return body.exchange
    return body.state !== 'refused'
  }

  write(chunk: Uint8Array, partial: boolean): Promise<number> {
    if (this.#source !== null) return Promise.reject(new StateError('sendBody is under way'))
    return this.#write(chunk, partial)
  }

  #write(chunk: Uint8Array, partial: boolean): Promise<number> {
    if (!types.isUint8Array(chunk)) return Promise.reject(new TypeError('a chunk must be a Uint8Array'))
    const body = this.#body
    const refusal = this.#refusal(body)
    if (refusal !== null) return Promise.reject(refusal)
    const { exchange, lengthBytes, sentBytes } = body!
    const isChunked = lengthBytes === null
    if (!isChunked && chunk.length > lengthBytes - sentBytes) {
      const message = `${chunk.length} bytes where ${lengthBytes - sentBytes} of ${lengthBytes} are missing`
      return Promise.reject(new ExcessBodyData(message))
    }
    let size = chunk.length
    if (partial) {
      const room = this.#link.outbox.roomBytes - (isChunked ? CHUNK_OVERHEAD_BYTES : 0)
      size = Math.min(size, Math.max(0, room))
    }
    if (size === 0) return Promise.resolve(0)
    let queued: Promise<void> | null = null
    // Should the connection end before they are sent, the next call says so.
    if (partial) queueCopy(this.#link, exchange, chunk.subarray(0, size), isChunked)
    else queued = queueBytes(this.#link, exchange, chunk, isChunked, this.#hooks.now())
    body!.sentBytes += size
    if (body!.sentBytes === lengthBytes) this.#finish(body!)
    if (queued === null) return Promise.resolve(size)
    this.#hooks.onWaiting()
    return queued.then(() => size)
  }

  #refusal(body: Body | null): Error | null {
    if (body === null) return new StateError('no request with a body to follow has been sent')
    const sendError = body.state === 'done' ? null : this.#link.sendError()
    if (sendError !== null && this.#blocks(body)) return sendError
    if (body.state === 'held')
      return new StateError('the body waits for a 100: waitForContinue or readResponse')
    if (body.state === 'done' && body.lengthBytes === null) return new StateError('the body has been ended')
    return null
  }

  /** A request that was the last one by announcement may still send its own body. */
  #blocks(body: Body): boolean {
    return this.#link.error !== null || this.#link.cannotSend || body.state === 'refused'
  }

  async sendBody(source: BodySource): Promise<void> {
    if (this.#source !== null) throw new StateError('sendBody is under way')
    const body = this.#body
    const refusal = this.#refusal(body)
    if (refusal !== null) throw refusal
    const iterator = (this.#source = iterateSource(source))
    try {
      for (;;) {
        const step = iterator.isAsync ? await iterator.next() : iterator.next()
        if (step.done === true) break
        await this.#write(step.value, false)
      }
      const lost = this.#refusal(body)
      if (lost !== null) throw lost
    } catch (error) {
      void iterator.return()
      throw error
    } finally {
      this.#source = null
    }
    const { lengthBytes, sentBytes } = body!
    if (lengthBytes === null) return this.endBody()
    if (sentBytes < lengthBytes) {
      throw new StateError(`the source gave ${sentBytes} of ${lengthBytes} bytes; the body is still open`)
    }
  }

  endBody(trailers?: HeadersInput): Promise<void> {
    const body = this.#body
    const refusal = this.#source !== null ? new StateError('sendBody is under way') : this.#refusal(body)
    if (refusal !== null) return Promise.reject(refusal)
    const { exchange, lengthBytes, sentBytes, state } = body!
    if (lengthBytes !== null) {
      if (trailers !== undefined) return Promise.reject(new StateError('only a chunked body has trailers'))
      if (state === 'done') return Promise.resolve()
      return Promise.reject(new StateError(`${sentBytes} of ${lengthBytes} bytes have been sent`))
    }
    try {
      this.#link.outbox.append(exchange, lastChunk(trailers))
    } catch (error) {
      return Promise.reject(error)
    }
    this.#finish(body!)
    const room = this.#link.outbox.whenRoom(this.#hooks.now())
    this.#hooks.onWaiting()
    return room
  }

  #finish(body: Body): void {
    body.state = 'done'
    body.exchange.isBodyOpen = false
    this.#link.outbox.bodyEnded()
  }
}
