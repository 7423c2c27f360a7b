// Owns the reading of one chunked body: steps of llhttp, what it found turned into ranges of data, and the checks of the framing
// between them. Data of large chunks never enter llhttp, which would only count them.
import type { ResponseParser } from '../llhttp/parser'
import { ChunkFraming } from './chunk-framing'
import type { Exchange } from './exchange'
import { invalid, llhttpFault, type Fault } from './fault'

/** A rest of this length makes a chunk a large one. */
const LARGE_CHUNK_BYTES = 4096
/** In a large chunk llhttp is shown as much at a time: enough for the end of one chunk and the size of the next. */
const GLANCE_BYTES = 256

export class ChunkedReader {
  readonly #parser: ResponseParser
  readonly #framing: ChunkFraming
  #isInLargeChunk = false

  /** After a step: index of the first byte that was not taken. */
  position = 0
  /** After a step: data that it added. */
  addedBytes = 0
  /** Is the body complete, trailers included? */
  isComplete = false

  constructor(parser: ResponseParser, maxFramingBytes: number) {
    this.#parser = parser
    this.#framing = new ChunkFraming(maxFramingBytes)
  }

  /** Reads on; the data are added to the exchange. */
  step(exchange: Exchange, segment: Buffer, start: number, end: number): Fault | null {
    const parser = this.#parser
    const framing = this.#framing
    const step = parser.execute(
      segment,
      start,
      this.#isInLargeChunk ? Math.min(end, start + GLANCE_BYTES) : end,
    )
    const position = (this.position = parser.position)
    exchange.noteRaw(segment, start, position)
    this.addedBytes = 0
    const isTooLarge = step !== 'error' && this.#chunkSizeSeen() > Number.MAX_SAFE_INTEGER
    const spanCount = isTooLarge ? 0 : parser.spanCount
    let at = start
    for (let i = 0; i < spanCount; i++) {
      const dataStart = parser.spanStart(i)
      const dataEnd = dataStart + parser.spanLength(i)
      const fault = framing.readBeforeData(segment, at, dataStart)
      if (fault !== null) return fault
      if (dataEnd > dataStart) exchange.addBody(segment, dataStart, dataEnd)
      this.addedBytes += dataEnd - dataStart
      at = dataEnd
    }
    const fault = framing.read(segment, at, position)
    if (isTooLarge) return invalid('CHUNK_SIZE_TOO_LARGE', 'a chunk size above 2^53 - 1')
    if (fault !== null) return fault
    if (step === 'error') return llhttpFault(parser)
    if (step === 'complete') {
      this.isComplete = true
      return framing.takeTrailers(exchange)
    }
    this.#isInLargeChunk = at === position && this.#skipData(exchange, segment, end)
    return null
  }

  /**
   * The size of the chunk that is being read, if it began in the last step: what is left of it, and its data in this step. A chunk of
   * impossible size never ends, so it is the one whose rest is still in the parser.
   */
  #chunkSizeSeen(): number {
    const parser = this.#parser
    const remaining = parser.chunkRemaining()
    const last = parser.spanCount - 1
    if (remaining === 0 || last < 0) return remaining
    const isCut = parser.spanStart(last) + parser.spanLength(last) === parser.position
    return isCut ? remaining + parser.spanLength(last) : remaining
  }

  /** Takes data that llhttp has not seen; says whether the chunk had so much of them that the next is likely to be large, too. */
  #skipData(exchange: Exchange, segment: Buffer, end: number): boolean {
    const remaining = this.#parser.chunkRemaining()
    const skipped = Math.min(remaining, end - this.position)
    if (skipped > 0) {
      exchange.addBody(segment, this.position, this.position + skipped)
      this.#parser.skipChunkData(skipped)
      this.position += skipped
      this.addedBytes += skipped
    }
    return remaining >= LARGE_CHUNK_BYTES
  }
}
