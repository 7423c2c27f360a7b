// Owns the options of a connection and of a request as callers give them, and their checks and defaults.
import type { Duplex } from 'node:stream'
import type { ConnectionOptions as TLSOptions } from 'node:tls'
import type { BodyFollowing, BodySource, ExchangeBody } from './body'
import type { HeadersInput } from './headers'
import { checkTimeout } from './idle-timer'
import type { HTTPResponse } from './response'

/** How a connection is made and what it may cost. Durations are milliseconds, lengths bytes. */
export interface ConnectionOptions {
  /** 80, or 443 with `tls`. */
  port?: number
  /** `true` = Node's defaults: peer and hostname verified, SNI, ALPN `http/1.1`. */
  tls?: boolean | TLSOptions
  /** A plain proxy gets requests in absolute form; with `tls` it is asked for a tunnel by CONNECT. */
  proxy?: string | URL | { hostname: string; port: number; headers?: HeadersInput }
  /** Path of a unix domain socket to be dialled instead of the host. */
  socketPath?: string
  /**
   * A ready transport used instead of dialling; with `tls` the handshake is done over it. A function is called for every connection, a
   * Duplex serves for one.
   */
  socket?: Duplex | (() => Duplex | Promise<Duplex>)
  /** Idle limit on any pending operation; 0 = none. */
  timeoutMs?: number
  /** Limit on dialling: DNS, TCP, TLS and tunnel together; 0 = `timeoutMs`. */
  connectTimeoutMs?: number
  /** Sent with every request unless the request sets the same name. */
  headers?: HeadersInput
  /** Status line and header section of one response, and one trailer section, may be as long; 65,535. */
  maxHeaderBytes?: number
  /** As many received but unread bytes are kept before the socket is paused; 1,048,576. */
  maxBufferedBytes?: number
  /** What to make of bodies that end only with the connection (RFC 9112 section 6.3); `reject`. */
  closeDelimited?: 'reject' | 'accept'
  /** Is given each 1xx response other than an awaited 100, such as 103 Early Hints (RFC 8297). */
  onInformational?: (response: HTTPResponse) => void
}

export interface RequestOptions {
  headers?: HeadersInput
  /** The whole body, or the announcement of one. */
  body?: Uint8Array | BodyFollowing | null
  /** Ask for a 100 before the body is sent; only with `BodyFollowing`. */
  expect100?: boolean
}

export interface ExchangeOptions {
  headers?: HeadersInput
  body?: Uint8Array | string | URLSearchParams | Blob | FormData | BodySource | null
  /** Wait for a 100 before the body is sent, at most so long; `true` = 1000 ms. */
  expect100?: boolean | { timeoutMs: number }
  signal?: AbortSignal
  /** A longer response body rejects with `BodyTooLong`; default unlimited. */
  maxBodyBytes?: number
  /** Ask for and undo gzip, deflate and br; default false. */
  decompress?: boolean
}

/** A request of a pipeline; a string is the path of a GET. */
export type PipelineRequest = string | ({ method?: string; path: string } & Omit<ExchangeOptions, 'signal'>)

export interface RequestLine {
  readonly method: string
  readonly path: string
}

/** Options with all defaults filled in. */
export interface CheckedOptions {
  readonly port: number
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxHeaderBytes: number
  readonly maxBufferedBytes: number
  readonly acceptCloseDelimited: boolean
}

function checkBytes(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (value === Infinity) return Number.MAX_SAFE_INTEGER
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new RangeError(`${name} must be a positive number of bytes, not ${String(value)}`)
  }
  return value
}

/** @throws RangeError or TypeError for values that cannot be meant */
export function checkConnectionOptions(options: ConnectionOptions): CheckedOptions {
  const { port = options.tls ? 443 : 80, closeDelimited = 'reject', onInformational } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`port must be an integer from 0 to 65535, not ${String(port)}`)
  }
  if (closeDelimited !== 'reject' && closeDelimited !== 'accept') {
    throw new TypeError(`closeDelimited must be 'reject' or 'accept', not ${String(closeDelimited)}`)
  }
  if (onInformational !== undefined && typeof onInformational !== 'function') {
    throw new TypeError('onInformational must be a function')
  }
  return {
    port,
    timeoutMs: checkTimeout('timeoutMs', options.timeoutMs ?? 0),
    connectTimeoutMs: checkTimeout('connectTimeoutMs', options.connectTimeoutMs ?? 0),
    maxHeaderBytes: checkBytes('maxHeaderBytes', options.maxHeaderBytes, 65_535),
    maxBufferedBytes: checkBytes('maxBufferedBytes', options.maxBufferedBytes, 1_048_576),
    acceptCloseDelimited: closeDelimited === 'accept',
  }
}

/** What an exchange asks for beside its head. */
export interface CheckedExchange {
  readonly body: ExchangeBody
  /** How long to wait for a 100, possibly Infinity; null = it is not asked for. */
  readonly expectMs: number | null
  readonly maxBodyBytes: number
  readonly decompress: boolean
}

const DEFAULT_EXPECT_MS = 1000

/** @throws TypeError or RangeError for values that cannot be meant */
export function checkExchangeOptions(options: ExchangeOptions): CheckedExchange {
  const { body, expect100 = false, maxBodyBytes = Infinity, decompress = false } = options
  if (maxBodyBytes !== Infinity && !(Number.isSafeInteger(maxBodyBytes) && maxBodyBytes >= 0)) {
    throw new RangeError(`maxBodyBytes must be a number of bytes from 0 on, not ${String(maxBodyBytes)}`)
  }
  let expectMs: number | null = null
  if (expect100 !== false) {
    if (body === undefined || body === null) throw new TypeError('expect100 needs a body')
    const limitMs = expect100 === true ? DEFAULT_EXPECT_MS : expect100.timeoutMs
    expectMs = limitMs === Infinity ? Infinity : checkTimeout('expect100.timeoutMs', limitMs)
  }
  return { body, expectMs, maxBodyBytes, decompress }
}
