// Owns what the comparison and the client processes say to each other: one JSON line each way for a row.
import { createInterface } from 'node:readline'

export interface TaskRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
  /** The body waits for a 100, or until this has taken too long. */
  readonly expect100?: true
}

/** What a client is to do: its requests, in order and at once if it can, and then one more to `/next`. */
export interface Task {
  readonly port: number
  readonly requests: readonly TaskRequest[]
  /** Make a first request, wait for its answer, and leave the connection idle for a while. */
  readonly early: boolean
  readonly closeDelimited?: 'accept'
  readonly maxHeaderBytes: number
  /** The certificate to trust; absent = no TLS. */
  readonly ca?: string
}

/** How long a body waits for a 100 before it is sent all the same. */
export const CONTINUE_MS = 1000

/** A complete response, or an error in words. Body in latin1. */
export type Answer = { readonly status: number; readonly body: string } | { readonly error: string }

export interface Result {
  readonly answers: readonly Answer[]
  readonly next: Answer
}

/** How long an idle connection is left alone before it is used again, so that what is on its way to it has arrived. */
export const IDLE_MS = 60

export const idle = (): Promise<void> => new Promise(resolve => setTimeout(resolve, IDLE_MS))

/** Waits for a promise of an answer. */
export const answerOf = (promise: Promise<{ status: number; body: string }>): Promise<Answer> =>
  promise.catch((error: Error & { code?: string }) => ({
    error: `${error.name} ${error.code ?? error.message}`,
  }))

/** The answer to one more request, which a caller asks for again when the connection turns out to be at its end. */
export async function askedAgain(ask: () => Promise<{ status: number; body: string }>): Promise<Answer> {
  const answer = await answerOf(ask())
  return 'error' in answer ? answerOf(ask()) : answer
}

/** What a client process says first: from then on its time is its own. */
export const READY = 'ready'

/** Serves tasks from standard input until it ends. */
export function serveTasks(work: (task: Task) => Promise<Result>): void {
  process.on('uncaughtException', () => {})
  createInterface({ input: process.stdin }).on('line', line => {
    void work(JSON.parse(line) as Task).then(result => process.stdout.write(`${JSON.stringify(result)}\n`))
  })
  process.stdout.write(`${READY}\n`)
}
