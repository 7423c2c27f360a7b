// Owns what stands between the data of a chunked body (RFC 9112 section 7.1): sizes, extensions, the trailer section. llhttp checks the
// grammar; here are the limits and the few things that it lets through.
import type { Exchange } from './exchange'
import { latin1 } from './latin1'
import { invalid, type Fault } from './fault'

const LF = 0x0a
const CR = 0x0d
const SEMICOLON = 0x3b
const DEL = 0x7f
/** As much framing comes with a chunk in any case: CRLF, 16 digits, CRLF. It may be pending beyond the limit. */
const FREE_BYTES_PER_CHUNK = 20

export class ChunkFraming {
  readonly #maxBytes: number
  /** What is left of the limit. */
  #budget: number
  #lastByte = 0
  /** Framing since the last data: its length, and its text where no data follow in the same step. */
  #length = 0
  #extensionBytes = 0
  #text = ''

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#budget = maxBytes + FREE_BYTES_PER_CHUNK
  }

  /** Reads framing that may go on, or be the last: its text is kept. */
  read(segment: Buffer, start: number, end: number): Fault | null {
    if (start === end) return null
    this.#text += latin1(segment, start, end)
    return this.#check(segment, start, end)
  }

  /**
   * Reads framing, possibly none, that data follow upon. It belongs to a chunk: its text is not needed, and only its extensions count
   * towards the limit.
   */
  readBeforeData(segment: Buffer, start: number, end: number): Fault | null {
    if (start === end && this.#length === 0) return null
    const fault = this.#check(segment, start, end)
    if (this.#extensionBytes > 0) this.#budget -= this.#extensionBytes - '\r\n'.length
    this.#length = this.#extensionBytes = 0
    this.#text = ''
    return fault
  }

  #check(segment: Buffer, start: number, end: number): Fault | null {
    let last = this.#lastByte
    let extensionsAt = this.#extensionBytes > 0 ? start : end
    for (let at = start; at < end; at++) {
      const byte = segment[at]
      if (byte === DEL) return invalid('CONTROL_IN_CHUNK_FRAMING', 'a DEL in the framing of a chunked body')
      if ((last === CR) !== (byte === LF)) {
        return invalid('CR_WITHOUT_LF', 'a CR or an LF alone in chunk framing')
      }
      if (byte === SEMICOLON && at < extensionsAt) extensionsAt = at
      last = byte
    }
    this.#lastByte = last
    this.#extensionBytes += end - extensionsAt
    this.#length += end - start
    if (this.#length <= this.#budget) return null
    const message = `chunk extensions and trailers of more than ${this.#maxBytes} bytes`
    return invalid('CHUNK_FRAMING_TOO_LARGE', message)
  }

  /** Puts the trailer section aside; only called behind the last chunk. */
  takeTrailers(exchange: Exchange): Fault | null {
    // [CRLF of the last data] "0" [extensions] CRLF [fields] CRLF
    const lastChunk = this.#text.search(/[0-9]/)
    const trailers = this.#text.slice(this.#text.indexOf('\n', lastChunk) + 1)
    if (trailers.length > 2) {
      const field = /^(content-length|transfer-encoding):/im.exec(trailers)
      if (field !== null) return invalid('FRAMING_FIELD_IN_TRAILERS', `${field[1]} in the trailer section`)
      exchange.trailers = trailers
    }
    return null
  }
}
