// Owns how a proxy is named by its user. It must not know how one is spoken to.
import { HTTPHeaders } from '../headers'
import { bareHostname } from './hostname'
import type { HeadersInput } from '../headers'

/** A forwarding HTTP proxy. */
export interface Proxy {
  /** Without brackets, and safe to be written into a request. */
  hostname: string
  port: number
  /** Meant for the proxy alone, valid, in order. */
  headers: [name: string, value: string][]
}

// Fields by which the request that carries them would be framed or routed in another way than we think.
const NOT_FOR_CALLERS = [
  'connection',
  'content-length',
  'expect',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

const DEFAULT_PORT = 80

/**
 * Checks what a caller gave as `proxy`.
 *
 * @param input is an `http:` URL, whose user and password become `Proxy-Authorization: Basic` (RFC 7617) and whose path means
 * nothing, or the parts.
 * @throws TypeError for any other URL, for an invalid hostname or header, and for a header that frames or routes a
 * message; RangeError for a port outside 1 to 65535.
 */
export function normaliseProxy(
  input: string | URL | { hostname: string; port: number; headers?: HeadersInput },
): Proxy {
  const { hostname, port, headers } =
    typeof input === 'string' || input instanceof URL ? partsOf(input) : input
  if (typeof hostname !== 'string') throw new TypeError('The hostname of a proxy must be a string')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`The port of a proxy must be an integer from 1 to 65535, not ${port}`)
  }
  const fields = new HTTPHeaders(headers)
  const refused = NOT_FOR_CALLERS.find(name => fields.has(name))
  if (refused !== undefined) throw new TypeError(`The header ${refused} cannot be set for a proxy`)
  return { hostname: bareHostname(hostname), port, headers: [...fields] }
}

function partsOf(input: string | URL): { hostname: string; port: number; headers: [string, string][] } {
  const url = toURL(input)
  if (url.protocol !== 'http:') throw new TypeError(`A proxy is an http: URL, not ${url.protocol}`)
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port)
  const { hostname, username, password } = url
  if (username === '' && password === '') return { hostname, port, headers: [] }

  const user = decode(username)
  if (user.includes(':')) throw new TypeError('The user of a proxy cannot have a colon in it')
  const credentials = Buffer.from(`${user}:${decode(password)}`, 'utf8').toString('base64')
  return { hostname, port, headers: [['Proxy-Authorization', `Basic ${credentials}`]] }
}

function toURL(input: string | URL): URL {
  try {
    return new URL(input)
  } catch {
    // Not with what was given: there may be a password in it.
    throw new TypeError('A proxy is an http: URL, and this is no URL')
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError('The user or password of a proxy is not percent-encoded UTF-8')
  }
}
