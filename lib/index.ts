// The public face of the package: what API users may import, and nothing else.
export { BodyFollowing, type BodySource } from './body'
export { HTTPClient } from './client'
export type { ClientOptions, ClientStats, ResendOptions } from './client/options'
export { HTTPConnection } from './connection'
export type {
  CloseMessage,
  ConnectMessage,
  ConnectionMessage,
  DiagnosticMessages,
  DiagnosticRequest,
  ExchangeMessage,
  RequestSentMessage,
  ResponseCompleteMessage,
  ResponseHeadMessage,
} from './diagnostics'
export {
  BodyTooLong,
  ConnectionClosed,
  ConnectionTimedOut,
  DNSUnavailable,
  ExcessBodyData,
  HostnameNotResolvable,
  HTTPError,
  InvalidResponse,
  StateError,
  TunnelFailed,
  UnsupportedResponse,
  type UnansweredRequest,
} from './errors'
export { HTTPHeaders, type HeadersInput } from './headers'
export { isTemporaryNetworkError } from './net/temporary'
export type {
  ConnectionOptions,
  ExchangeOptions,
  PipelineRequest,
  RequestLine,
  RequestOptions,
} from './options'
export { HTTPResponse } from './response'
