// Owns the names and payloads of what the library publishes on node:diagnostics_channel. It must not know who publishes,
// nor when a connection does what.
import { channel } from 'node:diagnostics_channel'
import type { Duplex } from 'node:stream'
import type { HTTPHeaders } from './headers'

/**
 * Which channel carries what. A subscriber gets every message of every connection in the process:
 *
 * ```js
 * import { subscribe } from 'node:diagnostics_channel'
 * subscribe('httpio:response:head', ({ request, status }) => console.log(request.path, status))
 * ```
 *
 * Messages are published synchronously, in the order in which things happen; take the time in the subscriber. What a
 * subscriber throws does not reach the connection: Node reports it as an uncaught exception.
 */
export interface DiagnosticMessages {
  'httpio:connect': ConnectMessage
  'httpio:request:sent': RequestSentMessage
  'httpio:response:head': ResponseHeadMessage
  'httpio:response:complete': ResponseCompleteMessage
  'httpio:close': CloseMessage
}

/** What every message tells. */
export interface ConnectionMessage {
  /** The `HTTPConnection`: the same object in all its messages, through reconnecting too. A key for a `WeakMap`. */
  readonly connection: object
}

/** A request, as the caller gave it. */
export interface DiagnosticRequest {
  readonly method: string
  readonly path: string
}

/** What every message about one request and its response tells. */
export interface ExchangeMessage extends ConnectionMessage {
  /** The same object in all messages about this request, and in no other. A key for a `WeakMap`. */
  readonly request: DiagnosticRequest
}

/** A connection has a transport that is ready for requests: dialled, with TLS and tunnel, or given as `socket`. */
export interface ConnectMessage extends ConnectionMessage {
  readonly hostname: string
  readonly port: number
  /** The transport. Reading from it or writing to it breaks the connection. */
  readonly socket: Duplex
}

/** The head of a request was handed to the transport. Its body may still follow; the peer may not have it yet. */
export type RequestSentMessage = ExchangeMessage

/** The head of a final response (not 1xx) arrived. */
export interface ResponseHeadMessage extends ExchangeMessage {
  readonly status: number
  /** A copy: changing it changes nothing for the caller. */
  readonly headers: HTTPHeaders
}

/** The last byte of a response arrived, trailers included, whether or not the caller has read it yet. */
export interface ResponseCompleteMessage extends ExchangeMessage {
  readonly status: number
}

/** A connection that had been ready has come to its end. */
export interface CloseMessage extends ConnectionMessage {
  /** What its operations are rejected with from now on; a `ConnectionClosed` after `close()` too. */
  readonly error: Error
}

/**
 * One channel as its publisher sees it. Publishers ask `hasSubscribers` first and make the message only then, so that
 * nothing is spent when nobody listens.
 * @internal
 */
export interface DiagnosticChannel<Message> {
  readonly hasSubscribers: boolean
  publish(message: Message): void
}

function typed<Name extends keyof DiagnosticMessages>(
  name: Name,
): DiagnosticChannel<DiagnosticMessages[Name]> {
  return channel(name)
}

/** @internal */
export const connect = typed('httpio:connect')
/** @internal */
export const requestSent = typed('httpio:request:sent')
/** @internal */
export const responseHead = typed('httpio:response:head')
/** @internal */
export const responseComplete = typed('httpio:response:complete')
/** @internal */
export const close = typed('httpio:close')

const requests = new WeakMap<DiagnosticRequest, DiagnosticRequest>()

/**
 * What stands for the request of an exchange in all messages, without the exchange's inside.
 * @internal
 */
export function requestOf(exchange: DiagnosticRequest): DiagnosticRequest {
  let request = requests.get(exchange)
  if (request === undefined) {
    request = Object.freeze({ method: exchange.method, path: exchange.path })
    requests.set(exchange, request)
  }
  return request
}
