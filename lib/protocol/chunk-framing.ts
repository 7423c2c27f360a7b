// Owns what stands between the data of a chunked body (RFC 9112 section 7.1): sizes, extensions, the trailer section. llhttp checks the
// grammar; here are the limits and the few things that it lets through.
import type { Exchange } from './exchange'
import { latin1 } from './latin1'
import { invalid, type Fault } from './fault'

const LF = 0x0a
const CR = 0x0d
const DEL = 0x7f
/** As much framing comes with a chunk in any case: CRLF, 16 digits, CRLF. It may be pending beyond the limit. */
const FREE_BYTES_PER_CHUNK = 20

export class ChunkFraming {
  readonly #maxBytes: number
  #budget: number
  #lastByte = 0
  /** Framing since the last data; the last of it holds the trailer section. */
  #text = ''

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#budget = maxBytes + FREE_BYTES_PER_CHUNK
  }

  /** Reads a piece of framing. */
  read(segment: Buffer, start: number, end: number): Fault | null {
    if (start === end) return null
    let last = this.#lastByte
    for (let at = start; at < end; at++) {
      const byte = segment[at]
      if (byte === DEL) return invalid('CONTROL_IN_CHUNK_FRAMING', 'a DEL in the framing of a chunked body')
      if ((last === CR) !== (byte === LF))
        return invalid('CR_WITHOUT_LF', 'a CR or an LF alone in chunk framing')
      last = byte
    }
    this.#lastByte = last
    this.#budget -= end - start
    if (this.#budget < 0) {
      const message = `chunk extensions and trailers of more than ${this.#maxBytes} bytes`
      return invalid('CHUNK_FRAMING_TOO_LARGE', message)
    }
    this.#text += latin1(segment, start, end)
    return null
  }

  /** Data follows: what was read last belonged to a chunk, and only its extensions count towards the limit. */
  endOfFraming(): void {
    if (this.#text === '') return
    const extensionsAt = this.#text.indexOf(';')
    this.#budget += extensionsAt === -1 ? this.#text.length : extensionsAt + '\r\n'.length
    this.#text = ''
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
