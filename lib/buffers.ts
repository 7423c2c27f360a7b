// Owns the rules for Buffers that go to the caller, and the checks of sizes that come from one.
import { types } from 'node:util'

/** A view that keeps less than a quarter of such a large piece of memory alive is copied instead. */
const LARGE_BYTES = 16_384

/** Bytes that the caller may keep: not a small view that pins a large segment. */
export function ownedBuffer(view: Buffer): Buffer {
  const pinnedBytes = view.buffer.byteLength
  return pinnedBytes > LARGE_BYTES && view.length * 4 < pinnedBytes ? Buffer.from(view) : view
}

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
