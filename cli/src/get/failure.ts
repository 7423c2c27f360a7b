// Owns how a failed transfer is told: one line that says what to do. It knows no transfers.
import {
  ConnectionClosed,
  ConnectionTimedOut,
  DNSUnavailable,
  HostnameNotResolvable,
  TunnelFailed,
  type HTTPResponse,
} from 'httpio'

/** A transfer that failed for a reason that is no error of the library. */
export class TransferFailed extends Error {
  constructor(
    message: string,
    /** The status of the response, where it was that. */
    readonly status: number | null = null,
  ) {
    super(message)
  }
}

/** Longer than the user allowed. */
export class TookTooLong extends Error {
  constructor() {
    super('it took longer than --max-time allows')
  }
}

/** What a status other than 2xx means for a transfer. */
export function failedStatus({ status, reason, headers }: HTTPResponse): TransferFailed {
  const location = headers.get('location')
  if (status >= 300 && status < 400 && location !== null) {
    return new TransferFailed(`status ${status}, which leads to ${location}: fetch that`, status)
  }
  if (status === 206) return new TransferFailed('the server sent a part that nobody asked for', status)
  return new TransferFailed(`status ${status}${reason === '' ? '' : ` ${reason}`}`, status)
}

/** What the usual system errors mean to somebody who wants a file. */
const MEANINGS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there: is the server running, and the port right?',
  ECONNRESET: 'the connection was reset: try again',
  EHOSTUNREACH: 'the host cannot be reached: check the network',
  ENETUNREACH: 'the network cannot be reached: check the network',
  ENOENT: 'no such file or folder',
  ENOSPC: 'the disk is full',
  EACCES: 'permission denied: check who may write there',
  EISDIR: 'there is a folder of that name',
  ENOTDIR: 'a file of that name is where a folder should be',
  EEXIST: 'a file of that name is where a folder should be',
  ENAMETOOLONG: 'its name is too long for a file',
  EROFS: 'nothing can be written there',
  EMFILE:
    'too many open files: allow more with `ulimit -n`, or use fewer --connections and a smaller --depth',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed: give it with --cacert if you trust it',
  SELF_SIGNED_CERT_IN_CHAIN: 'a certificate is self-signed: give it with --cacert if you trust it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate cannot be verified: give the authority with --cacert',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host',
}

/** One line. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof HostnameNotResolvable) return `there is no host ${error.hostname}: check the name`
  if (error instanceof DNSUnavailable)
    return `the name ${error.hostname} could not be looked up: check the network`
  if (error instanceof TunnelFailed) return `the proxy refused a tunnel with status ${error.status}`
  if (error instanceof ConnectionTimedOut)
    return `${oneLine(error.message)}: try again, or allow more with --timeout`
  if (error instanceof ConnectionClosed)
    return `${oneLine(error.message)}: try again, or allow more --retries`
  const { code } = error as NodeJS.ErrnoException
  const inner =
    error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException | undefined) : undefined
  return MEANINGS[code ?? inner?.code ?? ''] ?? oneLine(error.message || (code ?? error.name))
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}
