// Compares what a caller saw with what the reference decoder says about the same bytes.
import { isDeepStrictEqual } from 'node:util'
import { NEXT_READ } from '../support/drive'
import type { Reading, Seen } from '../support/drive'
import type { Decoded, Verdict } from '../support/reference-decoder'

const CODES: Record<Exclude<Verdict, 'open'>, string> = {
  ConnectionClosed: 'ERR_HTTPIO_CONNECTION_CLOSED',
  UnsupportedResponse: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE',
  InvalidResponse: 'ERR_HTTPIO_INVALID_RESPONSE',
}

/** In words, what does not agree; undefined = all agrees. `asked` = how many requests were sent. */
export function disagreement(
  decoded: Decoded,
  seen: Seen,
  asked: number,
  reading: Reading,
): string | undefined {
  if (!isDeepStrictEqual(seen.responses, decoded.responses)) return 'other responses'
  if (!isDeepStrictEqual(seen.informational, decoded.informational)) return 'other interim responses'
  const verdicts = [decoded.verdict, ...decoded.alternatives]
  const isWaiting = seen.error === undefined && seen.unsettled !== undefined
  if (seen.error === undefined) {
    if (!verdicts.includes('open')) return `no error, but ${decoded.verdict}`
    const isAnswered = decoded.responses.length === asked
    if (isAnswered && !isDeepStrictEqual(seen.next, NEXT_READ))
      return 'the next request got no answer, or another one'
    if (!isAnswered && !isWaiting) return 'a response out of nowhere'
  } else if (!verdicts.some(verdict => verdict !== 'open' && CODES[verdict] === seen.error?.code)) {
    return `${seen.error.code}, not ${decoded.verdict}`
  }
  // A whole exchange is handed out whole.
  if (reading.by === 'request') return undefined
  return unfinishedDisagreement(decoded, seen, reading)
}

/** The head of a response that was not whole must be handed out once it is there, and all that came of its body. */
function unfinishedDisagreement(
  { unfinished, verdict, alternatives }: Decoded,
  seen: Seen,
  { by }: Reading,
): string | undefined {
  if (unfinished === undefined) {
    const mayHaveHead = verdict === 'UnsupportedResponse' && alternatives.length > 0
    return seen.head === undefined || mayHaveHead ? undefined : 'a head that is not there'
  }
  if (!isDeepStrictEqual(seen.head, unfinished.head)) return 'another head of the unfinished response'
  // `readAll` hands out all or nothing.
  if (by === 'readAll' || verdict === 'InvalidResponse' || verdict === 'UnsupportedResponse') {
    return unfinished.bodySoFar.startsWith(seen.bodySoFar)
      ? undefined
      : 'another body of the unfinished response'
  }
  return seen.bodySoFar === unfinished.bodySoFar ? undefined : 'another body of the unfinished response'
}
