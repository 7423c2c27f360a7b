// Owns what is the same for every generator of responses that is written by hand: how it is ended from outside. It knows neither requests
// nor where the responses come from.
import type { HTTPResponse } from './response'

/** What a `next` resolves with. */
export type Step = IteratorResult<HTTPResponse, void>

export const DONE: Step = { done: true, value: undefined }

export abstract class ResponseGenerator implements AsyncGenerator<HTTPResponse, void> {
  abstract next(): Promise<Step>

  /** Ends the generator, and the source of its requests, unless that has been done. Nothing is handed out after it. */
  protected abstract end(): void

  async return(): Promise<Step> {
    this.end()
    return DONE
  }

  async throw(error: unknown): Promise<Step> {
    this.end()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
  }
}
