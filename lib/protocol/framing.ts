// Owns the decision where a response ends, from what llhttp found and from the header text. Where the two disagree, no
// framing is trusted.
import {
  FLAG_CHUNKED,
  FLAG_CONNECTION_CLOSE,
  FLAG_CONTENT_LENGTH,
  FLAG_TRANSFER_ENCODING,
} from '../llhttp/parser'
import { invalid, type Fault } from './fault'
import type { Exchange, Framing } from './exchange'

/** A complete head as llhttp left it. */
export interface ParsedHead {
  readonly status: number
  readonly flags: number
  readonly contentLength: number
  readonly hasEmptyValue: boolean
}

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const DEL = 0x7f
/** `HTTP/1.1 nnn` */
const STATUS_END = 12

/**
 * What llhttp's strict mode lets through in a status line and may not pass (RFC 9112 section 4): a status below 100, controls in the
 * reason, a line that ends with a CR alone. Null if all is well. The version is looked at elsewhere.
 */
export function statusLineFault(bytes: Buffer, start: number, status: number): Fault | null {
  if (status < 100) return invalid('STATUS_BELOW_100', `the status ${status} is below 100`)
  let at = start + STATUS_END
  let byte = bytes[at]
  while (byte !== CR) {
    if ((byte < SPACE && byte !== TAB) || byte === DEL) {
      return invalid('CONTROL_IN_REASON', `byte 0x${byte.toString(16)} in the reason phrase`)
    }
    byte = bytes[++at]
  }
  // llhttp 9.2 takes a second CR for the end of the status line: the header section would begin in another place.
  return bytes[at + 1] === LF ? null : invalid('CR_WITHOUT_LF', 'a CR without LF ends the status line')
}

/** Every value of the Transfer-Encoding fields in a head, blanks included. */
function transferCodings(head: string): string[] {
  return Array.from(head.matchAll(/\r\ntransfer-encoding:([^\r]*)/gi), match => match[1])
}

/** `close` among the options of a Connection field. */
const CONNECTION_CLOSE = /\r\nconnection:(?:[^\r]*,)?[ \t]*close[ \t]*[,\r]/i

/** Does a head announce the end of the connection? llhttp's flag says so of `Proxy-Connection: close` as well, which does not. */
export function announcesClose(exchange: Exchange, flags: number): boolean {
  return (flags & FLAG_CONNECTION_CLOSE) !== 0 && CONNECTION_CLOSE.test(exchange.head)
}

function noteFraming(exchange: Exchange, framing: Framing, lengthBytes: number | null): null {
  exchange.framing = framing
  exchange.lengthBytes = lengthBytes
  return null
}

const LENGTH_WITH_CODING: Fault = {
  kind: 'invalid',
  reason: 'HPE_INVALID_CONTENT_LENGTH',
  message: 'a Content-Length beside a Transfer-Encoding',
}

function unsupported(message: string): Fault {
  return { kind: 'unsupported', message, hasHead: true }
}

/**
 * Decides where the body ends of a final response with status 200 or above, not 204 or 304, that does not answer HEAD (RFC 9112
 * section 6.3), and notes it in the exchange.
 *
 * @param isLast - does the head announce the end of the connection?
 * @param acceptCloseDelimited - may a body end with the connection?
 * @returns why it does not end in a way that this client speaks; null if it does
 */
export function decideFraming(
  exchange: Exchange,
  parsed: ParsedHead,
  isLast: boolean,
  acceptCloseDelimited: boolean,
): Fault | null {
  const { flags, contentLength } = parsed
  if ((flags & FLAG_TRANSFER_ENCODING) !== 0 || parsed.hasEmptyValue) {
    const codings = transferCodings(exchange.head)
    // Blanks may stand round a value, but llhttp frames `chunked<TAB>` unlike everyone else: behind it only spaces may stand.
    const isChunked = codings.length === 1 && /^[ \t]*chunked *$/i.test(codings[0])
    if (isChunked && (flags & FLAG_CHUNKED) !== 0) return noteFraming(exchange, 'chunked', null)
    // llhttp refuses the two fields together, but does not notice an empty Transfer-Encoding that comes first.
    if (codings.length > 0 && (flags & FLAG_CONTENT_LENGTH) !== 0) return LENGTH_WITH_CODING
    if (codings.length > 0) return unsupported(`transfer coding ${JSON.stringify(codings.join(', ').trim())}`)
  }
  if ((flags & FLAG_CONTENT_LENGTH) !== 0) {
    if (contentLength > Number.MAX_SAFE_INTEGER) {
      return invalid('CONTENT_LENGTH_TOO_LARGE', 'a Content-Length above 2^53 - 1')
    }
    return noteFraming(exchange, 'counted', contentLength)
  }
  if (!isLast) {
    return unsupported('a body without Content-Length or chunked coding on a connection that is kept open')
  }
  if (!acceptCloseDelimited) return unsupported('a body that ends only with the connection')
  return noteFraming(exchange, 'until-close', null)
}
