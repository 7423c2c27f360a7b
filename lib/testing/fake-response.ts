// Owns the bytes of what a handler answers.
import { HTTPHeaders, type HeadersInput } from '../headers'
import { latin1 } from './received'
import type { FakeRequest } from './request-reader'

/**
 * What a handler answers. A string (latin1) or bytes are the whole response as it goes on the wire, right or wrong; an
 * empty one answers nothing.
 *
 * An object is made into a correct response: `status` is 200 and `reason` the usual one unless given; a string `body` is
 * sent as UTF-8; `Content-Length` is added unless the headers frame the body themselves, and with
 * `Transfer-Encoding: chunked` the body goes as one chunk. To HEAD the same headers go without the body, and statuses
 * that have no body (1xx, 204, 304) go without it and without length.
 */
export type FakeResponse =
  | string
  | Uint8Array
  | { status?: number; reason?: string; headers?: HeadersInput; body?: string | Uint8Array }

/**
 * @throws TypeError or RangeError when the answer cannot be a response.
 */
export function encodeResponse(response: FakeResponse, request: FakeRequest): Buffer {
  if (typeof response === 'string') return latin1(response)
  if (response instanceof Uint8Array) return Buffer.from(response)
  if (typeof response !== 'object' || response === null) {
    throw new TypeError(
      `The answer to ${request.method} ${request.path} is ${String(response)}, which is no response`,
    )
  }
  const { status = 200, reason = usualReason(status), body: content = '' } = response
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(`A status has three digits, unlike ${status}`)
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(reason)) {
    throw new TypeError(`Invalid reason phrase ${JSON.stringify(reason)}`)
  }
  const headers = new HTTPHeaders(response.headers)
  const body = Buffer.from(content as Uint8Array)
  const bodyless = hasNoBody(status, request.method)
  const chunked = headers.get('transfer-encoding')?.toLowerCase() === 'chunked'
  if (!bodyless && !headers.has('transfer-encoding') && !headers.has('content-length')) {
    headers.set('Content-Length', body.length)
  }
  let head = `HTTP/1.1 ${status} ${reason}\r\n`
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`
  const parts: Buffer[] = [Buffer.from(`${head}\r\n`, 'latin1')]
  if (!bodyless && request.method !== 'HEAD') parts.push(...(chunked ? asChunks(body) : [body]))
  return Buffer.concat(parts)
}

/** Is it a response that never has a body, whatever its headers say (RFC 9110 sections 6.4.1 and 9.3.6)? */
function hasNoBody(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 304 || (method === 'CONNECT' && status < 300)
}

function asChunks(body: Buffer): Buffer[] {
  const end = Buffer.from('0\r\n\r\n')
  return body.length === 0
    ? [end]
    : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n'), end]
}

/** Node's table, loaded when the first answer needs it: few programs that import this module have node:http loaded. */
function usualReason(status: number): string {
  return process.getBuiltinModule('node:http').STATUS_CODES[status] ?? ''
}
