// Owns the way from bytes to text in which one char is one byte.

type Slice = (this: Uint8Array, start: number, end: number) => string

/** What `toString('latin1')` calls in the end; calling it directly saves a look-up of the encoding for every head. */
const slice: Slice =
  (Buffer.prototype as unknown as { latin1Slice?: Slice }).latin1Slice ??
  function (start, end) {
    return Buffer.from(this.buffer, this.byteOffset + start, end - start).toString('latin1')
  }

/** The bytes from `start` to `end`, one char each. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return slice.call(bytes, start, end)
}
