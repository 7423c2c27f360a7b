// Owns the answer of a proxy to CONNECT: where its head ends, and what it says. It must not know sockets. The answer has no
// body that anyone reads, so this is all the HTTP there is to it.
import { InvalidResponse } from '../errors'

/** Status line and header section of one answer. */
const MAX_HEAD_BYTES = 65_535
const MAX_INTERIM = 32

const CR = 0x0d
const LF = 0x0a

/** What every answer begins with. */
const PREFIX = Buffer.from('HTTP/1.')
// status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4). Proxies that say HTTP/1.0 are common, and
// the space before an empty reason is often left out.
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/
// field-line = field-name ":" OWS field-value OWS (RFC 9112 section 5)
const FIELD_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/

export interface TunnelReply {
  status: number
  /** In latin1, without controls. */
  reason: string
  /** What came behind the head: of the tunnel, if there is one now. */
  rest: Buffer
}

/** Reads the final answer, however it is cut. */
export class TunnelReplyReader {
  #pieces: Buffer[] = []
  #lengthBytes = 0
  /** Bytes of the CR LF CR LF that ends the head seen so far. */
  #matched = 0
  #interim = 0

  /**
   * Takes bytes as they come.
   *
   * @returns the answer, when it is complete; after that there is nothing more to be given.
   * @throws InvalidResponse if this is no HTTP/1 head, or one of more than 65535 bytes, or there are over 32 interim ones.
   */
  push(bytes: Buffer): TunnelReply | null {
    for (;;) {
      const end = this.#findEnd(bytes)
      if (end === -1) {
        this.#pieces.push(bytes)
        return null
      }
      const head = Buffer.concat([...this.#pieces, bytes.subarray(0, end)]).toString('latin1')
      const { status, reason } = parseHead(head)
      const rest = bytes.subarray(end)
      // 101 is not on the way to anything: what follows it is another protocol.
      if (status >= 200 || status === 101) return { status, reason, rest }

      if (++this.#interim > MAX_INTERIM) {
        throw invalid(`sent more than ${MAX_INTERIM} interim responses`, 'TUNNEL_TOO_MANY_INTERIM')
      }
      this.#pieces = []
      this.#lengthBytes = 0
      this.#matched = 0
      bytes = rest
    }
  }

  /** The index behind the head, or -1. Looks at each byte once. */
  #findEnd(bytes: Buffer): number {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]
      const index = this.#lengthBytes++
      if (index < PREFIX.length && byte !== PREFIX[index]) {
        throw invalid('did not answer in HTTP/1.x', 'TUNNEL_STATUS_LINE')
      }
      if (this.#lengthBytes > MAX_HEAD_BYTES) {
        throw invalid(`sent a head of more than ${MAX_HEAD_BYTES} bytes`, 'TUNNEL_HEAD_TOO_LONG')
      }
      const isLFNext = this.#matched === 1 || this.#matched === 3
      if (isLFNext !== (byte === LF)) throw invalid('sent a bare CR or LF', 'TUNNEL_BARE_CR_OR_LF')
      if (byte === LF || byte === CR) this.#matched++
      else this.#matched = 0
      if (this.#matched === 4) return i + 1
    }
    return -1
  }
}

function parseHead(head: string): { status: number; reason: string } {
  const [statusLine, ...fieldLines] = head.slice(0, -4).split('\r\n')
  const match = STATUS_LINE.exec(statusLine)
  if (match === null) throw invalid('sent a malformed status line', 'TUNNEL_STATUS_LINE')
  if (!fieldLines.every(line => FIELD_LINE.test(line))) {
    throw invalid('sent a malformed header field', 'TUNNEL_HEADER_FIELD')
  }
  return { status: Number(match[1]), reason: match[2] ?? '' }
}

function invalid(what: string, reason: string): InvalidResponse {
  return new InvalidResponse(`the proxy ${what}`, { reason })
}
