// Owns the judgement whether a failure may be gone the next time. It must not know who asks, or wait, or try again.
import { ConnectionClosed, ConnectionTimedOut, DNSUnavailable, HTTPError, TunnelFailed } from '../errors'
import { isNoSuchName } from './resolver'

/** By which system errors the network says that it, or the peer, cannot be reached now, or went away. */
const TEMPORARY_CODES = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EINTR',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOLINK',
  'ENONET',
  'ENOTCONN',
  'ENXIO',
  'EPIPE',
  'EREMCHG',
  'ESHUTDOWN',
  'ETIMEDOUT',
  // Node's own names for a connection that was lost, or not made in time.
  'ERR_SOCKET_CLOSED',
  'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_SSL_UNEXPECTED_EOF_WHILE_READING',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** A gateway's own words for "not now" (RFC 9110 section 15.6.3 to 15.6.5). */
const TEMPORARY_TUNNEL_STATUS = new Set([502, 503, 504])

/**
 * Is it a failure of the network that may be gone when the same is tried again?
 *
 * True for `ConnectionClosed`, `ConnectionTimedOut`, `DNSUnavailable`, a `TunnelFailed` of status 502, 503 or 504, system errors
 * such as ECONNREFUSED and ENETUNREACH, and failures of the resolver other than that it knows no such name. False for the
 * other errors of this package, failed verification, and all else. An error that is none of these is
 * judged by its `cause`, and an `AggregateError` by its `errors`, of which one is enough.
 *
 * It says nothing on whether a request may be sent again; `ConnectionClosed.unanswered` does.
 */
export function isTemporaryNetworkError(error: unknown): boolean {
  return isTemporary(error, new Set())
}

function isTemporary(error: unknown, seen: Set<unknown>): boolean {
  if (typeof error !== 'object' || error === null || seen.has(error)) return false
  seen.add(error)

  // Ours have the last word on what they wrap.
  if (error instanceof TunnelFailed) return TEMPORARY_TUNNEL_STATUS.has(error.status)
  if (error instanceof HTTPError) {
    return (
      error instanceof ConnectionClosed ||
      error instanceof ConnectionTimedOut ||
      error instanceof DNSUnavailable
    )
  }

  const { code, syscall, cause, errors } = error as NodeJS.ErrnoException & { errors?: unknown }
  if (typeof code === 'string' && TEMPORARY_CODES.has(code)) return true
  // What nobody knows of the resolver's failures counts as temporary: a name is gone only when the resolver says so.
  if (typeof syscall === 'string' && /^(getaddrinfo|query)/.test(syscall) && !isNoSuchName(code)) return true
  if (Array.isArray(errors) && errors.some(inner => isTemporary(inner, seen))) return true
  return isTemporary(cause, seen)
}
