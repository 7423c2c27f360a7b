// Owns every error class of the package. Errors are values here: nothing in this file knows a connection.
import type { HTTPResponse } from './response'

/** What became of a request that has no complete response. */
export interface UnansweredRequest {
  readonly method: string
  /** As the caller gave it. */
  readonly path: string
  /**
   * `unsent`: no byte of it was written; `no-reply`: no byte of its final response came; `partial-reply`: some did, or may have, since up to
   * `HTTP/1.1 ` an interim response looks the same.
   */
  readonly outcome: 'unsent' | 'no-reply' | 'partial-reply'
  /**
   * `no` only where it is certain that the server did not act on it: no byte of it was written, or the server announced
   * `Connection: close` on an earlier response (RFC 9112 section 9.6). `maybe` otherwise.
   */
  readonly processed: 'no' | 'maybe'
}

/** Base of the errors below. `code` is part of the interface, the wording of `message` is not. */
export abstract class HTTPError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: { cause?: unknown }) {
    super(
      message,
      options !== undefined && options.cause !== undefined ? { cause: options.cause } : undefined,
    )
  }
}

/**
 * The one error for every way to lose a connection: end of file, reset, broken pipe, a local `close()`, the end of TLS,
 * and a response that announced `Connection: close`. It sticks until `close()`; then the next request dials anew.
 */
export class ConnectionClosed extends HTTPError {
  readonly code = 'ERR_HTTPIO_CONNECTION_CLOSED'
  /** Every request whose response had not arrived completely, oldest first. */
  readonly unanswered: readonly UnansweredRequest[]

  constructor(message: string, options?: { cause?: unknown; unanswered?: readonly UnansweredRequest[] }) {
    super(message, options)
    this.unanswered = options?.unanswered ?? []
  }
}

/**
 * Correct HTTP that this client does not speak: another version, another transfer coding, a body without framing, an
 * upgrade. It sticks until `close()`; the socket stays open for `readRaw`.
 */
export class UnsupportedResponse extends HTTPError {
  readonly code: string = 'ERR_HTTPIO_UNSUPPORTED_RESPONSE'
  /** The head, where one was parsed. */
  readonly response?: HTTPResponse

  constructor(message: string, options?: { cause?: unknown; response?: HTTPResponse }) {
    super(message, options)
    if (options?.response !== undefined) this.response = options.response
  }
}

/** Bytes that are not HTTP/1.1, or that no request asked for. It sticks until `close()`. */
export class InvalidResponse extends UnsupportedResponse {
  override readonly code = 'ERR_HTTPIO_INVALID_RESPONSE'
  /** llhttp's name for the fault (`HPE_…`), or our own, documented in docs/errors.md. */
  readonly reason: string

  constructor(message: string, options: { cause?: unknown; response?: HTTPResponse; reason: string }) {
    super(message, options)
    this.reason = options.reason
  }
}

/** A pending operation saw no byte move in either direction for `timeoutMs`, or dialling took longer than it may. */
export class ConnectionTimedOut extends HTTPError {
  readonly code = 'ERR_HTTPIO_TIMED_OUT'
  readonly operation: 'connect' | 'send' | 'receive'

  constructor(message: string, options: { cause?: unknown; operation: 'connect' | 'send' | 'receive' }) {
    super(message, options)
    this.operation = options.operation
  }
}

/** A response body was longer than `maxBodyBytes`. The connection goes on. */
export class BodyTooLong extends HTTPError {
  readonly code = 'ERR_HTTPIO_BODY_TOO_LONG'
  /** The head of the response whose body was given up. */
  readonly response: HTTPResponse

  constructor(message: string, options: { cause?: unknown; response: HTTPResponse }) {
    super(message, options)
    this.response = options.response
  }
}

/** A call that does not fit the state of the connection. Nothing was sent or read by it. */
export class StateError extends HTTPError {
  readonly code: string = 'ERR_HTTPIO_STATE'
}

/** More body bytes than were announced. Nothing of the chunk was sent. */
export class ExcessBodyData extends StateError {
  override readonly code = 'ERR_HTTPIO_EXCESS_BODY_DATA'
}

/** The proxy answered CONNECT with a status other than 2xx. */
export class TunnelFailed extends HTTPError {
  readonly code = 'ERR_HTTPIO_TUNNEL_FAILED'
  /** The status of the proxy's answer. */
  readonly status: number

  constructor(message: string, options: { cause?: unknown; status: number }) {
    super(message, options)
    this.status = options.status
  }
}

/** The resolver says that the name does not exist. */
export class HostnameNotResolvable extends HTTPError {
  readonly code = 'ERR_HTTPIO_HOSTNAME_NOT_RESOLVABLE'
  readonly hostname: string

  constructor(message: string, options: { cause?: unknown; hostname: string }) {
    super(message, options)
    this.hostname = options.hostname
  }
}

/** The resolver could not answer; the name may well exist. */
export class DNSUnavailable extends HTTPError {
  readonly code = 'ERR_HTTPIO_DNS_UNAVAILABLE'
  readonly hostname: string

  constructor(message: string, options: { cause?: unknown; hostname: string }) {
    super(message, options)
    this.hostname = options.hostname
  }
}

// `name` belongs to the class, not to each error.
for (const [name, errorClass] of Object.entries({
  HTTPError,
  ConnectionClosed,
  UnsupportedResponse,
  InvalidResponse,
  ConnectionTimedOut,
  BodyTooLong,
  StateError,
  ExcessBodyData,
  TunnelFailed,
  HostnameNotResolvable,
  DNSUnavailable,
})) {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true })
}
