// Owns what a failure of the resolver means. It must not know sockets; it asks nobody but the resolver it was given.
import { DNSUnavailable, HostnameNotResolvable } from '../errors'
import { builtins } from './builtins'
import type { LookupFunction } from 'node:net'

/** By these the resolver says that there is no such name, or that it has no address. */
const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA'])

/** Is it an answer of the resolver, and one that will be the same the next time? */
export function isNoSuchName(code: unknown): boolean {
  return typeof code === 'string' && NO_SUCH_NAME.has(code)
}

/**
 * The same resolver, failing with `HostnameNotResolvable` or `DNSUnavailable`; the original error is the `cause`.
 *
 * @param lookup is the caller's own; `dns.lookup` if there is none.
 */
export function resolverOf(lookup: LookupFunction | undefined): LookupFunction {
  return (hostname, options, callback) => {
    const resolve = lookup ?? builtins.dns.lookup
    resolve(hostname, options, (error, address, family) => {
      if (error) return callback(resolverError(hostname, error), '')
      // Node reads the first of them without looking.
      if (Array.isArray(address) && address.length === 0) {
        const message = `the resolver knows no address of ${hostname}`
        return callback(new HostnameNotResolvable(message, { hostname }), '')
      }
      callback(null, address, family)
    })
  }
}

function resolverError(hostname: string, cause: NodeJS.ErrnoException): Error {
  const code = cause.code ?? cause.message
  return isNoSuchName(cause.code)
    ? new HostnameNotResolvable(`the resolver knows no ${hostname} (${code})`, { cause, hostname })
    : new DNSUnavailable(`the resolver could not tell the address of ${hostname} (${code})`, {
        cause,
        hostname,
      })
}
