// Owns what an answer to a range request says of itself, and whether that fits what is there already. It knows no files.
import type { HTTPResponse } from 'httpio'

/** What `Content-Range` says; `total` null = not known. RFC 9110 section 14.4 */
export interface ContentRange {
  readonly first: number
  readonly last: number
  readonly total: number | null
}

/** @returns null for what is no range of bytes */
export function parseContentRange(value: string | null): ContentRange | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(value ?? '')
  if (match === null) return null
  const [first, last] = [Number(match[1]), Number(match[2])]
  const total = match[3] === '*' ? null : Number(match[3])
  return first <= last && (total === null || last < total) ? { first, last, total } : null
}

/** The length that a 416 gives; null if it gives none. */
export function parseUnsatisfied(value: string | null): number | null {
  const match = /^bytes \*\/(\d{1,15})$/.exec(value ?? '')
  return match === null ? null : Number(match[1])
}

/** What If-Range can hold of a response: a strong entity tag, else a date (RFC 9110 section 13.1.5); null if there is neither. */
export function validatorOf(response: HTTPResponse): string | null {
  const tag = response.headers.get('etag')
  if (tag !== null && tag.startsWith('"')) return tag
  return response.headers.get('last-modified')
}

/** Why a 206 cannot go on where `lengthBytes` end; null if it can. */
export function mismatch(response: HTTPResponse, lengthBytes: number, validator: string): string | null {
  const range = parseContentRange(response.headers.get('content-range'))
  if (range === null) return 'the server sent a part without saying which (Content-Range)'
  if (range.first !== lengthBytes)
    return `the server sent bytes from ${range.first} on instead of ${lengthBytes}`
  if (range.total === null || range.last !== range.total - 1) return 'the server did not send all of the rest'
  if (response.length !== null && response.length !== range.last - range.first + 1) {
    return 'the lengths in Content-Range and Content-Length differ'
  }
  const now = validatorOf(response)
  if (now !== null && now !== validator) return 'the server sent a part of another version'
  return null
}
