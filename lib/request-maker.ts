// Owns the making of whole exchanges, for `request` and `pipeline`: the head, and the body in the form in which it will be sent.
import { encodeBody, type EncodedBody } from './body'
import { ACCEPT_ENCODING } from './decompress'
import { HTTPHeaders } from './headers'
import { checkExchangeOptions, type ExchangeOptions } from './options'
import type { Exchange } from './protocol/exchange'
import { latin1 } from './protocol/latin1'
import type { RequestHead, RequestHeadWriter } from './protocol/request-head'

/** Bodies up to this size are copied at once and go out in one piece with their head. */
export const JOINED_BYTES = 16_384

/** A request ready to be queued, and what its response must be held against. */
export interface PreparedRequest extends RequestHead {
  /** A body that goes out with the head; it is not changed before it has been sent, or is copied then. */
  readonly bytes: Uint8Array | null
  /** A body that is sent when the head has been written. */
  readonly following: EncodedBody | null
  readonly lengthBytes: number | null
  readonly expectMs: number | null
  readonly maxBodyBytes: number
  readonly decompress: boolean
}

/** @throws TypeError or RangeError for whatever may not be sent */
export function prepare(
  writer: RequestHeadWriter,
  method: string,
  path: string,
  options: ExchangeOptions,
): PreparedRequest {
  const { body, expectMs, maxBodyBytes, decompress } = checkExchangeOptions(options)
  const encoded = encodeBody(body)
  let { headers } = options
  if (decompress) {
    const asking = new HTTPHeaders(headers)
    if (!asking.has('accept-encoding')) asking.set('Accept-Encoding', ACCEPT_ENCODING)
    headers = asking
  }
  let lengthBytes = encoded === null ? 0 : encoded.lengthBytes
  if (lengthBytes === null) {
    const claimed = new HTTPHeaders(headers).get('content-length')
    if (claimed !== null && /^(0|[1-9][0-9]{0,15})$/.test(claimed)) lengthBytes = Number(claimed)
  }
  // Nothing is to be sent, so nothing is to be waited for.
  const waitMs = lengthBytes === 0 ? null : expectMs
  const announced = encoded === null ? null : { lengthBytes, contentType: encoded.contentType }
  const head = writer.write(method, path, headers, announced, waitMs !== null)
  const common = { isLast: head.isLast, lengthBytes, maxBodyBytes, decompress }
  if (encoded === null) {
    return { ...common, text: head.text, bytes: null, following: null, expectMs: null }
  }
  if (encoded.bytes === null || waitMs !== null) {
    return { ...common, text: head.text, bytes: null, following: encoded, expectMs: waitMs }
  }
  const { bytes } = encoded
  if (bytes.length > JOINED_BYTES)
    return { ...common, text: head.text, bytes, following: null, expectMs: null }
  const text = head.text + latin1(bytes)
  return { ...common, text, bytes: null, following: null, expectMs: null }
}

/** Gives an exchange the parts of its request that are not in its head. */
export function attachBody(exchange: Exchange, prepared: PreparedRequest): void {
  if (prepared.bytes !== null) {
    exchange.unsentBody = { data: prepared.bytes, next: null, isWaitedFor: false, isHandedOver: false }
  }
  if (prepared.following !== null) {
    exchange.isBodyOpen = true
    exchange.awaitsContinue = prepared.expectMs !== null
  }
}
