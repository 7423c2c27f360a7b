// What the upload rows send: one block again and again.

const BLOCK = Buffer.alloc(65_536, 'httpio')

/** @param {number} bodyBytes a multiple of 64 KiB */
export function* blocks(bodyBytes) {
  for (let left = bodyBytes; left > 0; left -= BLOCK.length) yield BLOCK
}
