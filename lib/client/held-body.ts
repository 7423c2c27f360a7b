// Owns a body that can be read only once, for as long as nobody has begun to: a request of which nothing was sent goes out again, and
// needs it then.
import { iterateSource, type BodySource, type EncodedBody, type SourceIterator } from '../body'

export class HeldBody implements EncodedBody, AsyncIterable<Uint8Array> {
  readonly bytes = null
  readonly lengthBytes: number | null
  readonly contentType: string | null
  readonly #source: BodySource
  #iterator: SourceIterator | null = null

  constructor(body: EncodedBody) {
    this.lengthBytes = body.lengthBytes
    this.contentType = body.contentType
    this.#source = body.open()
  }

  /** Can it still be had from its beginning? */
  get repeatable(): boolean {
    return this.#iterator === null
  }

  open(): BodySource {
    return this
  }

  /** Nobody needs it any more. */
  end(): void {
    try {
      void this.#begin().return()
    } catch {
      // A stream that is in use elsewhere is not ours to end.
    }
  }

  #begin(): SourceIterator {
    return (this.#iterator ??= iterateSource(this.#source))
  }

  /** A connection that never came to read it leaves it untouched. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => this.#begin().next(),
      return: async () => this.#iterator?.return() ?? { done: true, value: undefined },
    }
  }
}
