// Owns the names of our own faults. A fault is a description; the connection makes the error of it.
import type { ResponseParser } from '../llhttp/parser'

/** Reasons that are ours and not llhttp's. Each is explained in docs/errors.md. */
export type OwnReason =
  | 'BLANK_LINE_BEFORE_STATUS_LINE'
  | 'NOT_HTTP'
  | 'STATUS_BELOW_100'
  | 'CONTROL_IN_REASON'
  | 'CR_WITHOUT_LF'
  | 'HEADER_SECTION_TOO_LARGE'
  | 'CONTENT_LENGTH_TOO_LARGE'
  | 'CHUNK_SIZE_TOO_LARGE'
  | 'CHUNK_FRAMING_TOO_LARGE'
  | 'CONTROL_IN_CHUNK_FRAMING'
  | 'FRAMING_FIELD_IN_TRAILERS'
  | 'TOO_MANY_INTERIM_RESPONSES'
  | 'UNEXPECTED_DATA'

/** Why a stream of responses cannot be read on. */
export type Fault =
  | { readonly kind: 'invalid'; readonly reason: string; readonly message: string }
  | { readonly kind: 'unsupported'; readonly message: string; readonly hasHead: boolean }

/** The fault that llhttp met in its last step. */
export function llhttpFault(parser: ResponseParser): Fault {
  const { name, message } = parser.describeError()
  return { kind: 'invalid', reason: name, message }
}

export function invalid(reason: OwnReason, message: string): Fault {
  return { kind: 'invalid', reason, message }
}
