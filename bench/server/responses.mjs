// The bytes that the canned server sends: made once, at start. Knows nothing of sockets.

const RESPONSE_BYTES = 160
const SMALL_BODY_BYTES = 23

/** A response of 160 bytes on the wire: six header fields and a body of 23 bytes. */
export function smallResponse() {
  const response = Buffer.from(
    'HTTP/1.1 200 OK\r\n' +
      'Server: canned\r\n' +
      'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n' +
      'Content-Type: text/plain\r\n' +
      `Content-Length: ${SMALL_BODY_BYTES}\r\n` +
      'Age: 0\r\n' +
      'ETag: "1"\r\n' +
      '\r\n' +
      'twenty-three bytes here',
  )
  if (response.length !== RESPONSE_BYTES) throw new Error(`the response has ${response.length} bytes`)
  return response
}

/** The same body in one chunk, with two trailer fields behind it. */
export function trailersResponse() {
  return Buffer.from(
    'HTTP/1.1 200 OK\r\n' +
      'Server: canned\r\n' +
      'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n' +
      'Content-Type: text/plain\r\n' +
      'Transfer-Encoding: chunked\r\n' +
      '\r\n' +
      '17\r\ntwenty-three bytes here\r\n' +
      '0\r\nServer-Timing: db;dur=1\r\nX-Checksum: 1\r\n\r\n',
  )
}

const BLOCK_BYTES = 262_144

/**
 * A long body as a head, a block that is sent again and again, and an end.
 * @param {number} bodyBytes a multiple of 256 KiB
 * @param {number} chunkBytes 0 for a body by Content-Length
 */
export function largeResponse(bodyBytes, chunkBytes) {
  const blocks = bodyBytes / BLOCK_BYTES
  if (!Number.isInteger(blocks)) throw new RangeError(`${bodyBytes} is not a multiple of ${BLOCK_BYTES}`)
  const framing = chunkBytes === 0 ? `Content-Length: ${bodyBytes}` : 'Transfer-Encoding: chunked'
  const head = Buffer.from(
    `HTTP/1.1 200 OK\r\nServer: canned\r\nContent-Type: application/octet-stream\r\n${framing}\r\n\r\n`,
  )
  if (chunkBytes === 0)
    return { head, block: Buffer.alloc(BLOCK_BYTES, 'httpio'), blocks, end: Buffer.alloc(0) }
  const chunk = Buffer.concat([
    Buffer.from(`${chunkBytes.toString(16)}\r\n`),
    Buffer.alloc(chunkBytes, 'httpio'),
    Buffer.from('\r\n'),
  ])
  const block = Buffer.concat(Array.from({ length: BLOCK_BYTES / chunkBytes }, () => chunk))
  return { head, block, blocks, end: Buffer.from('0\r\n\r\n') }
}
