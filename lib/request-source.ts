// Owns the reading of a pipeline's source, whichever kind of iterable it is.
import type { PipelineRequest } from './options'

type Step = IteratorResult<PipelineRequest, unknown>

/** The requests of a source, one at a time. `return` ends it early; how it takes that is nobody's concern. */
export type RequestIterator =
  | { readonly isAsync: false; next(): Step; return(): void }
  | { readonly isAsync: true; next(): Promise<Step>; return(): void }

/** @throws TypeError for what is no iterable */
export function iterateRequests(
  requests: Iterable<PipelineRequest> | AsyncIterable<PipelineRequest>,
): RequestIterator {
  if (typeof requests === 'object' && requests !== null) {
    if (Symbol.asyncIterator in requests) {
      const iterator = requests[Symbol.asyncIterator]()
      const giveUp = async (): Promise<void> => {
        await iterator.return?.()
      }
      return {
        isAsync: true,
        next: () => iterator.next(),
        return: () => void giveUp().catch(() => undefined),
      }
    }
    if (Symbol.iterator in requests) {
      const iterator = requests[Symbol.iterator]()
      const giveUp = (): void => {
        try {
          iterator.return?.()
        } catch {
          // Nobody wants to know how a source fails that was given up.
        }
      }
      return { isAsync: false, next: () => iterator.next(), return: giveUp }
    }
  }
  // A string would be iterated letter by letter.
  throw new TypeError('the requests of a pipeline must be an iterable, such as an array of paths')
}
