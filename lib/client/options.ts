// Owns what a client is given: its origin, its options with their checks and defaults, and what it tells of itself. It knows no
// connections.
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from '../options'

/** How many connections a client uses, how, and what it sends again. Everything else is as for each connection. */
export interface ClientOptions extends Omit<ConnectionOptions, 'port' | 'socket'> {
  /** As many connections are open at once at most; 1. */
  connections?: number
  /** As many requests are on the wire of one connection at most, counted until their responses are complete; 64. 1 = no pipelining. */
  depth?: number
  /** Gives the transport for each new connection instead of dialling. */
  connect?: () => Duplex | Promise<Duplex>
  /** What is sent again after a connection was lost; `false` = nothing that the server may have acted upon. */
  resend?: false | ResendOptions
}

export interface ResendOptions {
  /** As often a request is tried at most, the first time included; 3. Failed attempts to connect count. */
  attempts?: number
  /**
   * How long to wait before the next try, in milliseconds, given how many have failed. By default a random time up to
   * 100 ms · 2^(attempt − 1), at most 10 s.
   */
  delayMs?: (attempt: number) => number
  /** Methods of which a request may be sent again although the server may have acted on it; GET HEAD OPTIONS TRACE PUT DELETE. */
  methods?: readonly string[]
}

/** What a client has done so far. */
export interface ClientStats {
  /** Connections that were ready for requests. */
  readonly connectionsOpened: number
  /** Requests of which a byte was written, each time one was. */
  readonly requestsWritten: number
  /** Those among them that had been written before. */
  readonly requestsResent: number
  /** Responses that arrived completely, wanted or not. */
  readonly responses: number
  /** Handed to the transports, and received from them; without what TLS adds. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** As many requests the next connection would carry at once at first, by what is known of the server. */
  readonly depth: number
}

/** Options with all defaults filled in. */
export interface CheckedClientOptions {
  readonly connections: number
  readonly depth: number
  readonly attempts: number
  readonly methods: ReadonlySet<string>
  readonly delayMs: (attempt: number) => number
  /** For each connection. */
  readonly connection: ConnectionOptions
}

/** RFC 9110 section 9.2.2: what may be done more than once. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']
const DEFAULT_ATTEMPTS = 3
const DEFAULT_DEPTH = 64
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000

/** Full jitter: many clients that were thrown out together do not come back together. */
export function fullJitter(attempt: number): number {
  return Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1))
}

function checkCount(name: string, value: number): number {
  if (!(Number.isSafeInteger(value) && value > 0)) {
    throw new RangeError(`${name} must be a positive integer, not ${String(value)}`)
  }
  return value
}

/** @throws TypeError or RangeError for values that cannot be meant */
export function checkClientOptions(origin: URL, options: ClientOptions): CheckedClientOptions {
  const { connections = 1, depth = DEFAULT_DEPTH, connect, resend = {}, ...rest } = options
  const {
    attempts = DEFAULT_ATTEMPTS,
    methods = IDEMPOTENT,
    delayMs = fullJitter,
  } = resend || { attempts: 1 }
  if (connect !== undefined && typeof connect !== 'function')
    throw new TypeError('connect must be a function')
  if (typeof delayMs !== 'function') throw new TypeError('resend.delayMs must be a function')
  for (const name of ['port', 'socket']) {
    if (name in rest) throw new TypeError(`a client takes no ${name}: the origin and connect say where to`)
  }
  const isSecure = origin.protocol === 'https:'
  const { tls = isSecure } = rest
  if (Boolean(tls) !== isSecure) throw new TypeError(`tls does not go with an origin of ${origin.protocol}`)
  const port = origin.port === '' ? (isSecure ? 443 : 80) : Number(origin.port)
  return {
    connections: checkCount('connections', connections),
    depth: checkCount('depth', depth),
    attempts: attempts === Infinity ? attempts : checkCount('resend.attempts', attempts),
    methods: new Set(methods),
    delayMs,
    connection: { ...rest, tls, port, socket: connect },
  }
}

/** @throws TypeError for what is no origin of http or https */
export function checkOrigin(origin: string | URL): URL {
  let url: URL
  try {
    url = new URL(origin)
  } catch {
    // Not with what was given: there may be a password in it.
    throw new TypeError('an origin is a URL such as https://example.com:8443')
  }
  const { protocol, username, password, pathname, search, hash } = url
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TypeError(`an origin is an http: or https: URL, not ${protocol}`)
  }
  if (username !== '' || password !== '') throw new TypeError('an origin has no user and no password')
  if (pathname !== '/' || search !== '' || hash !== '') {
    throw new TypeError('an origin ends with its host: paths belong to the requests')
  }
  return url
}
