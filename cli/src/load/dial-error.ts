// Owns the sentences about connections that could not be made: what happened, and what the user can do.
import { ConnectionTimedOut, DNSUnavailable, HostnameNotResolvable } from 'httpio'
import type { Plan } from './plan'

const BY_CODE: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there: is the server running, and the port right?',
  EHOSTUNREACH: 'there is no route to that host',
  ENETUNREACH: 'there is no route to that network',
  ECONNRESET: 'the connection was reset while it was made: is the scheme right, http or https?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS is spoken there: use http:// instead of https://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no TLS is spoken there: use http:// instead of https://',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate signed itself: give --cacert FILE, or --insecure for tests',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted: give --cacert FILE, or --insecure for tests',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is not trusted: give --cacert FILE, or --insecure for tests',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  EMFILE: 'too many open files: allow more with `ulimit -n`, or use fewer connections',
}

/** One line that ends with what to do. */
export function describeDialError(
  error: unknown,
  { hostname, port }: Pick<Plan, 'hostname' | 'port'>,
): string {
  const where = `could not connect to ${hostname}:${port}`
  if (error instanceof HostnameNotResolvable) return `${where}: no such host: check the name`
  if (error instanceof DNSUnavailable) return `${where}: the name could not be looked up: check the network`
  if (error instanceof ConnectionTimedOut) {
    return `${where}: no answer in time: check host and port, or give a longer --timeout`
  }
  const { code, message } = firstCause(error)
  return `${where}: ${(code === undefined ? undefined : BY_CODE[code]) ?? message}`
}

/** An address for IPv4 and one for IPv6 fail together; the first says it all. */
function firstCause(error: unknown): { code?: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return firstCause(error.errors[0])
  if (!(error instanceof Error)) return { message: String(error) }
  const { code } = error as NodeJS.ErrnoException
  return { code, message: error.message.split('\n')[0] }
}
