// Judges what a client made of a row.
import type { ConformanceCase } from '../case'
import { isRefusal, unsupported } from '../case'
import { NEXT_BODY } from './row-server'
import type { Answer, Result } from './task'

export type Verdict =
  /** The client did what the table says. */
  | 'right'
  /** It gave out as a response what must be refused. */
  | 'delivered'
  /** It gave out as a response what is correct HTTP that this library does not speak. */
  | 'speaks it'
  /** The next request, or one behind the fault, was answered with bytes that were not its answer. */
  | 'poisoned'
  /** It failed on a stream that is in order. */
  | 'failed'
  /** It refused what must be refused, and a response before it that was complete. */
  | 'lost'
  /** It gave out a response that is not the one that was sent. */
  | 'garbled'
  /** It goes on reading what is correct HTTP that this library does not speak: a body that ends with the connection. */
  | 'waits'
  /** It had not answered when its time was up. */
  | 'hung'
  /** It cannot pipeline, and the row is about several requests; or no body can wait for a 100, and the row is about that. */
  | 'not asked'

const FAULTS: readonly Verdict[] = ['delivered', 'poisoned', 'failed', 'lost', 'garbled', 'hung']

/** Is this the client's fault? */
export const isFault = (verdict: Verdict): boolean => FAULTS.includes(verdict)

const isResponse = (answer: Answer): answer is { status: number; body: string } => 'status' in answer
/** Answered on another connection, by a client that sends again by itself. */
const isResent = (answer: Answer) => isResponse(answer) && answer.body === NEXT_BODY

/** `undefined` = the client hung. */
export function judge(row: ConformanceCase, result: Result | undefined): Verdict {
  if (result === undefined) return row.error === unsupported ? 'waits' : 'hung'
  const { answers, next } = result
  for (const [index, expected] of row.responses.entries()) {
    const answer = answers[index]
    if (!isResponse(answer) || isResent(answer)) return isRefusal(row) ? 'lost' : 'failed'
    if (answer.status !== expected.status || answer.body !== expected.body) return 'garbled'
  }
  const [atFault, ...behind] = answers.slice(row.responses.length)
  if (behind.some(answer => isResponse(answer) && !isResent(answer))) return 'poisoned'
  if (atFault !== undefined && isResponse(atFault) && !isResent(atFault)) {
    return row.error === unsupported ? 'speaks it' : 'delivered'
  }
  if (isResponse(next) && next.body !== NEXT_BODY) return 'poisoned'
  if (!isResponse(next) && !isRefusal(row)) return 'failed'
  return 'right'
}
