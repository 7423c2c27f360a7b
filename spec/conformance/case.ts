// Owns the form of a conformance case: what a server sends on one connection, and what must become of the requests
// that are waiting for it. It must not know the library: the same table judges other clients.

/** How the server ends the connection after the last segment. The two `tls-` ends need a real TLS connection. */
export type CaseEnd = 'open' | 'fin' | 'reset' | 'tls-close-notify' | 'tls-truncated'

/** A request as the caller gives it; every one is sent before the first segment arrives. */
export interface CaseRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
  /** The body waits for a 100 (RFC 9110 section 10.1.1). Only the last request can. */
  readonly expect100?: true
}

/** Status line and header section, with names and values exactly as they were on the wire. */
export interface ExpectedHead {
  readonly status: number
  readonly reason: string
  readonly headers: readonly (readonly [string, string])[]
}

/** A complete response. `body` is latin1 text: one character, one byte. */
export interface ExpectedResponse extends ExpectedHead {
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
}

export type ErrorCode =
  'ERR_HTTPIO_CONNECTION_CLOSED' | 'ERR_HTTPIO_UNSUPPORTED_RESPONSE' | 'ERR_HTTPIO_INVALID_RESPONSE'

export interface ExpectedError {
  readonly code: ErrorCode
  /** `InvalidResponse.reason`; compared only where it is given. */
  readonly reason?: string
}

export interface ConformanceCase {
  /** Unique; reads as a sentence about the client. */
  readonly name: string
  /** Where it is written that the bytes are right or wrong. */
  readonly rfc: string
  readonly requests: readonly CaseRequest[]
  /** What arrives on the idle connection before the first request is made. */
  readonly early: readonly string[]
  /** What arrives when all requests have been sent, but for a body that waits for a 100; latin1. */
  readonly segments: readonly string[]
  /** What arrives when that body has been received, too. Where nothing arrives before it, the client has waited long enough. */
  readonly afterBody: readonly string[]
  /** Does the body that waits go out before anything else happens, or never? Undefined = as the client likes, or there is none. */
  readonly sendsBody?: boolean
  readonly end: CaseEnd
  readonly options: { readonly closeDelimited?: 'accept'; readonly maxHeaderBytes?: number }
  /** The complete responses, in the order of the requests. */
  readonly responses: readonly ExpectedResponse[]
  /** The 100 that was waited for, as it came; compared only where it is given. */
  readonly continued?: ExpectedHead
  /** Interim responses that are reported beside the final ones. */
  readonly informational: readonly ExpectedHead[]
  /** The head that is still handed out before the error: of a body that fails, or of an unsupported response. */
  readonly head?: ExpectedHead
  /** With what everything after `responses` and `head` rejects; undefined = the connection goes on. */
  readonly error?: ExpectedError
}

/** What a table row may say beyond its name, source and bytes. */
export type CaseExtras = Partial<Omit<ConformanceCase, 'name' | 'rfc' | 'segments'>>

export const invalid: ExpectedError = { code: 'ERR_HTTPIO_INVALID_RESPONSE' }
export const unsupported: ExpectedError = { code: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE' }
export const closed: ExpectedError = { code: 'ERR_HTTPIO_CONNECTION_CLOSED' }

/** `InvalidResponse` with this `reason`. */
export const invalidBy = (reason: string): ExpectedError => ({ ...invalid, reason })

export const get = (path: string): CaseRequest => ({ method: 'GET', path })
export const head = (path: string): CaseRequest => ({ method: 'HEAD', path })
/** An upload that waits for a 100. */
export const put = (path: string, body = 'some data'): CaseRequest => ({
  method: 'PUT',
  path,
  body,
  expect100: true,
})

/** Header lines as they are on the wire, one name and value each. */
type Fields = readonly (readonly [string, string])[]

export const headOf = (status: number, reason: string, headers: Fields = []): ExpectedHead => ({
  status,
  reason,
  headers,
})

export const responseOf = (
  status: number,
  reason: string,
  headers: Fields = [],
  body = '',
  trailers: Fields = [],
): ExpectedResponse => ({ status, reason, headers, body, trailers })

/** A 200 with that body, framed by Content-Length: what most rows expect of the responses that are not in question. */
export const plain = (body: string): ExpectedResponse =>
  responseOf(200, 'OK', [['Content-Length', String(body.length)]], body)

/** A 200 in chunks. */
export const chunked = (body: string, trailers: Fields = []): ExpectedResponse =>
  responseOf(200, 'OK', [['Transfer-Encoding', 'chunked']], body, trailers)

function rowOf(
  name: string,
  rfc: string,
  stream: string | readonly string[],
  extras: CaseExtras,
): ConformanceCase {
  return {
    requests: [get('/1')],
    early: [],
    afterBody: [],
    end: 'open',
    options: {},
    responses: [],
    informational: [],
    ...extras,
    name,
    rfc,
    segments: typeof stream === 'string' ? [stream] : stream,
  }
}

/** A row whose last outstanding request must not get a response. The error is `InvalidResponse` unless given. */
export const refused = (
  name: string,
  rfc: string,
  stream: string | readonly string[],
  extras: CaseExtras = {},
): ConformanceCase => rowOf(name, rfc, stream, { error: invalid, ...extras })

/** A row in which every request gets its response. */
export const accepted = (
  name: string,
  rfc: string,
  stream: string | readonly string[],
  responses: readonly ExpectedResponse[],
  extras: CaseExtras = {},
): ConformanceCase => rowOf(name, rfc, stream, { responses, ...extras })

/** Every byte that `keep` wants, in order, as latin1 text. */
export const bytesThat = (keep: (byte: number) => boolean): string =>
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter(keep)).toString('latin1')

/** Is a request left without a response, or the connection at fault behind the last one? */
export const isRefusal = (row: ConformanceCase): boolean =>
  row.responses.length < row.requests.length || (row.error !== undefined && row.error.code !== closed.code)
