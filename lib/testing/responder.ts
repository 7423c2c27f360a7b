// Owns the answering of requests by a handler: which request is whose, and the order of the answers. It must not know
// the socket.
import { setImmediate } from 'node:timers'
import { encodeResponse, type FakeResponse } from './fake-response'
import { RequestReader, type FakeRequest } from './request-reader'

export type FakeHandler = (request: FakeRequest) => FakeResponse | Promise<FakeResponse>

const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

export class Responder {
  /** Called for each request that is complete from now on. */
  handler: FakeHandler
  readonly #send: (bytes: Buffer) => void
  readonly #fail: (error: unknown) => void
  readonly #reader: RequestReader
  /** Settles when every answer owed so far has been sent. */
  #sent: Promise<void> = Promise.resolve()

  constructor(handler: FakeHandler, send: (bytes: Buffer) => void, fail: (error: unknown) => void) {
    this.handler = handler
    this.#send = send
    this.#fail = fail
    this.#reader = new RequestReader({
      onExpectContinue: () => this.#answer(async () => CONTINUE),
      onRequest: request => this.#answer(async () => encodeResponse(await this.handler(request), request)),
    })
  }

  feed(bytes: Uint8Array): void {
    try {
      this.#reader.feed(bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Makes an answer a loop turn later, as if it came over a network, and sends it when its turn has come. */
  #answer(make: () => Promise<Buffer>): void {
    const answer = new Promise<void>(resolve => setImmediate(resolve)).then(make)
    // A failure is reported in its turn: until then nobody listens.
    answer.catch(() => undefined)
    this.#sent = this.#sent.then(async () => this.#send(await answer)).catch(this.#fail)
  }
}
