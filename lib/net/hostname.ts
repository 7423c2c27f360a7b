// Owns the forms of a hostname: with and without brackets, as part of `host:port`, and as TLS wants it. It must not know
// what is dialled.
import { builtins } from './builtins'

// Letters, digits and unreserved marks (RFC 3986 section 2.3). What else RFC 3986 has in a reg-name occurs in no name that
// resolves, and some of it has a meaning in a request.
const REG_NAME = /^[0-9A-Za-z._~-]+$/
// An IPv6 zone (RFC 6874) goes no further than the resolver, but appears in messages.
const ZONE = /^[0-9A-Za-z._~-]+$/

/**
 * The hostname without the brackets that an IPv6 literal has in URLs, safe to be written into a request.
 *
 * @throws TypeError if it is no string, is empty, or has a character that is in no hostname (a space, a control, `/`, `@`, ...).
 * Names in other scripts must be given in their ASCII form.
 */
export function bareHostname(hostname: string): string {
  if (typeof hostname !== 'string')
    throw new TypeError(`The hostname must be a string, not ${typeof hostname}`)
  const bare = hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname
  if (bare === hostname && REG_NAME.test(bare)) return bare
  const percent = bare.indexOf('%')
  if (builtins.net.isIPv6(bare) && (percent === -1 || ZONE.test(bare.slice(percent + 1)))) return bare
  throw new TypeError(`Invalid hostname ${JSON.stringify(hostname)}`)
}

/** `host:port` of a bare hostname, IPv6 in brackets and without its zone, which means nothing to anyone else. */
export function authorityOf(hostname: string, port: number): string {
  return `${hostname.includes(':') ? `[${hostname.split('%', 1)[0]}]` : hostname}:${port}`
}

/** A bare hostname in a Host field: with the port unless it is the usual one (RFC 9110 section 7.2). */
export function hostOf(hostname: string, port: number, defaultPort: number): string {
  const authority = authorityOf(hostname, port)
  return port === defaultPort ? authority.slice(0, authority.lastIndexOf(':')) : authority
}

/** What a bare hostname is in the TLS server name extension: no trailing dot, and nothing for addresses (RFC 6066 section 3). */
export function serverNameOf(hostname: string): string | undefined {
  if (builtins.net.isIP(hostname) !== 0) return undefined
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
}
