// Owns the checks of the sizes and targets that callers give to reads.
import { types } from 'node:util'

/** Null if `maxBytes` is a positive integer or Infinity. */
export function sizeError(maxBytes: number): RangeError | null {
  if (maxBytes === Infinity || (Number.isSafeInteger(maxBytes) && maxBytes > 0)) return null
  return new RangeError(`maxBytes must be a positive integer, not ${String(maxBytes)}`)
}

/** Null if `target` is a Uint8Array with room for something. */
export function targetError(target: Uint8Array): TypeError | RangeError | null {
  if (!types.isUint8Array(target)) return new TypeError('the target must be a Uint8Array')
  return target.length > 0 ? null : new RangeError('the target is empty: there is nothing to read into')
}
