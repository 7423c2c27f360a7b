// Owns what connections have to know of a URL that is to be fetched. Where its bytes go is the job's own matter.
import type { HTTPResponse } from 'httpio'

/**
 * Bodies of so many bytes are read into memory, and their connection goes on at once; larger ones go where they are to be as they come, or, if
 * nobody wants them, are not read to their end.
 */
export const MEMORY_BYTES = 1024 * 1024

/** What is left to do once a body has been read: nothing of it concerns the connection. */
export interface Rest {
  /** Bytes that it keeps in memory until then. */
  readonly heldBytes: number
  /** Settles the job, one way or the other. Never rejects. */
  finish(): Promise<void>
}

/** One URL. */
export interface Job {
  /** Jobs are asked for in this order. */
  readonly index: number
  readonly path: string
  /** Is it known what becomes of it? Then a response that still comes is dropped. */
  readonly isSettled: boolean
  /** From now on its time runs: nothing before it is waited for. */
  begin(): void
  /** The fields of the request as it has to be made now. */
  headers(): readonly (readonly [string, string])[]
  /**
   * Reads the body to its end.
   *
   * @param wait - for what has to happen before the body can be read; it rejects with `GaveWay` if the connection cannot wait so long
   * @throws what the connection throws, and anything else for which this job has failed
   */
  receive(response: HTTPResponse, wait: (turn: Promise<void>) => Promise<void>): Promise<Rest>
  /** A try has failed. @returns whether there may be another */
  mayTryAgain(): boolean
  /** There will be no other. Resolves when it is settled. */
  fail(error: unknown): Promise<void>
}

/** A connection was needed for jobs that come before the one on it. */
export class GaveWay extends Error {}
