// Owns the reading of responses: bytes in, events out. It looks at each byte once, when it arrives, and is strict; it knows no
// sockets, timers or promises, and never who waits for what.
//
// Its states (docs/design.md shows them as a diagram); what arrives in `over` is ignored, or kept as raw bytes.
//
//   state        what happens                                          next
//   -----------  ----------------------------------------------------  -----------
//   -            the connection is made                                head
//   head         an interim response; a final one without body         head
//   head         a head with Content-Length, not 0                     counted
//   head         a head with the transfer coding chunked               chunked
//   head         a head without framing that announces the close       until-close
//   counted      the last byte of the body                             head
//   chunked      the end of the trailer section                        head
//   until-close  a clean end of the connection                         over
//   any          a fault; the end of a response that announced a close over
import { ResponseParser } from '../llhttp/parser'
import { ChunkedReader } from './chunked-reader'
import type { Exchange } from './exchange'
import { latin1 } from './latin1'
import { invalid, llhttpFault, type Fault } from './fault'
import { announcesClose, decideFraming, statusLineFault } from './framing'

/** What happens in the stream. The decoder may be stopped from within any of these. */
export interface DecoderSink {
  /** The exchange that the next response answers, if its request has been handed to the transport. */
  expectedExchange(): Exchange | null
  onInformational(exchange: Exchange, status: number, head: string): void
  /** Final head. `announcesClose`: the server will end the connection after this response. */
  onHead(exchange: Exchange, announcesClose: boolean): void
  /** `addedBytes` of body have been added to the exchange. */
  onBody(exchange: Exchange, addedBytes: number): void
  /** The response is complete; `addedBytes` of body were added last. */
  onComplete(exchange: Exchange, addedBytes: number): void
  /** Nothing can be read on. `rest` is what was not taken. */
  onFault(fault: Fault, exchange: Exchange | null, rest: Buffer): void
}

export interface DecoderOptions {
  readonly maxHeaderBytes: number
  readonly acceptCloseDelimited: boolean
}

/** As many interim responses may precede a final one (or follow one another). */
const MAX_INTERIM_RESPONSES = 32
const DIGIT_ONE = 0x31
/** A version that is well-formed and that llhttp does not know. */
const UNKNOWN_VERSION = /^HTTP\/(?!0\.9|1\.[01]|2\.0)\d\.\d/
/** What a head begins with that is not yet part of the final response. */
const INTERIM_START = 'HTTP/1.1 1'
const LETTER_H = 0x48
const TAB = 0x09
const LF = 0x0a

type State = 'head' | 'counted' | 'chunked' | 'until-close' | 'over'

export class ResponseDecoder {
  readonly #sink: DecoderSink
  readonly #maxHeaderBytes: number
  readonly #acceptCloseDelimited: boolean
  readonly #parser = new ResponseParser()
  #state: State = 'head'
  #exchange: Exchange | null = null
  /** The part of a cut head that came with earlier segments, and whether its status line is in it. */
  #headSoFar = ''
  #hasStatusLine = false
  #remaining = 0
  #interimCount = 0
  #closeAnnounced = false
  #chunked: ChunkedReader | null = null
  /** Index of the first TAB in the segment at or behind the last head looked at; -1 = not looked for. */
  #tabAt = -1

  constructor(sink: DecoderSink, options: DecoderOptions) {
    this.#sink = sink
    this.#maxHeaderBytes = options.maxHeaderBytes
    this.#acceptCloseDelimited = options.acceptCloseDelimited
  }

  /** Reads a segment to its end, or to a fault. The segment must not be changed afterwards. */
  push(segment: Buffer): void {
    const end = segment.length
    let position = 0
    this.#parser.begin()
    this.#tabAt = -1
    while (position < end) {
      switch (this.#state) {
        case 'head':
          position = this.#readHead(segment, position, end)
          break
        case 'counted':
          position = this.#readCounted(segment, position, end)
          break
        case 'chunked':
          position = this.#readChunked(segment, position, end)
          break
        case 'until-close':
          this.#exchange!.addBody(segment, position, end)
          this.#sink.onBody(this.#exchange!, end - position)
          return
        case 'over':
          return
      }
    }
  }

  /** The connection ended cleanly, and with it the response that is being read, if it is one that ends so. */
  finish(): void {
    if (this.#state === 'until-close') this.#complete(0)
  }

  /** Reads nothing any more and gives the parser back. */
  stop(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#parser.release()
  }

  /** The bytes of a head that has not arrived completely. */
  takePartialHead(): string {
    const head = this.#headSoFar
    this.#headSoFar = ''
    return head
  }

  #readHead(segment: Buffer, start: number, end: number): number {
    if (this.#headSoFar === '') {
      const exchange = this.#sink.expectedExchange()
      if (exchange === null) {
        return this.#fail(
          invalid('UNEXPECTED_DATA', 'bytes arrived that no request asked for'),
          segment,
          start,
        )
      }
      this.#exchange = exchange
      if (segment[start] !== LETTER_H) return this.#failNotHttp(segment, start)
    }
    const step = this.#executeHead(segment, start, end)
    const position = this.#parser.position
    if (step === 'error') return this.#failHead(segment, start, position)
    const exchange = this.#exchange!
    if (this.#headSoFar.length + position - start > this.#maxHeaderBytes) {
      exchange.isAnswering = true
      const message = `a header section of more than ${this.#maxHeaderBytes} bytes`
      return this.#fail(invalid('HEADER_SECTION_TOO_LARGE', message), segment, start)
    }
    if (step === 'more') {
      const isStart = this.#headSoFar.length < INTERIM_START.length
      const piece = latin1(segment, start, position)
      // To look for it in all that came so far would join that anew for every piece.
      this.#hasStatusLine ||= piece.includes('\n')
      this.#headSoFar += piece
      if (isStart) exchange.isAnswering = !this.#headSoFar.startsWith(INTERIM_START)
      return position
    }
    if (this.#headSoFar === '') {
      exchange.setHead(segment, start, position)
      return this.#takeHead(segment, start, segment, position)
    }
    const head = Buffer.from(this.#headSoFar + latin1(segment, start, position), 'latin1')
    this.#headSoFar = ''
    this.#hasStatusLine = false
    exchange.setHead(head, 0, head.length)
    return this.#takeHead(head, 0, segment, position)
  }

  /**
   * TAB and space mean the same round a value and in it (RFC 9110 section 5.6.3), but this llhttp takes a TAB behind a Content-Length or
   * `close` for part of it. So it is shown spaces, behind the status line: in names and at the start of lines both are refused alike.
   */
  #executeHead(segment: Buffer, start: number, end: number): ReturnType<ResponseParser['execute']> {
    if (this.#tabAt < start) {
      const found = segment.indexOf(TAB, start)
      this.#tabAt = found === -1 ? Infinity : found
    }
    if (this.#tabAt >= end) return this.#parser.execute(segment, start, end)
    const headEnd = segment.indexOf('\r\n\r\n', start, 'latin1')
    const stop = headEnd === -1 ? end : headEnd + 4
    // A head that is cut before its blank line reads the whole segment.
    const shown = Buffer.from(segment.subarray(start, stop))
    let at = 0
    if (!this.#hasStatusLine) {
      const statusLineEnd = shown.indexOf(LF)
      at = statusLineEnd === -1 ? shown.length : statusLineEnd
    }
    for (at = shown.indexOf(TAB, at); at !== -1; at = shown.indexOf(TAB, at)) shown[at] = 0x20
    this.#parser.begin()
    const step = this.#parser.execute(shown, 0, shown.length)
    this.#parser.position += start
    this.#parser.begin()
    return step
  }

  /** The complete head lies in `head` from `headStart` on; what follows it begins in `segment` at `position`. */
  #takeHead(head: Buffer, headStart: number, segment: Buffer, position: number): number {
    const exchange = this.#exchange!
    const parser = this.#parser
    const { status, flags } = parser
    const fault = statusLineFault(head, headStart, status)
    exchange.isAnswering = true
    if (fault !== null) return this.#fail(fault, segment, position)
    exchange.status = status
    // What begins with an H and was taken by llhttp has the form HTTP/d.d.
    if (head[headStart + 5] !== DIGIT_ONE || head[headStart + 7] !== DIGIT_ONE) {
      const version = exchange.head.slice(0, 8)
      return this.#failUnsupported(`version ${version} instead of HTTP/1.1`, segment, position)
    }
    if (status < 200 && status !== 101) return this.#takeInterim(exchange, status, segment, position)
    this.#interimCount = 0
    this.#closeAnnounced = announcesClose(exchange, flags)
    if (status === 101) {
      return this.#failUnsupported('a switch of protocols that was not asked for', segment, position)
    }
    if (exchange.method === 'HEAD' || status === 204 || status === 304) {
      exchange.framing = 'none'
    } else {
      const problem = decideFraming(exchange, parser, this.#closeAnnounced, this.#acceptCloseDelimited)
      if (problem !== null) {
        if (problem.kind === 'unsupported') return this.#failUnsupported(problem.message, segment, position)
        return this.#fail(problem, segment, position)
      }
    }
    return this.#enterBody(exchange, position)
  }

  #takeInterim(exchange: Exchange, status: number, segment: Buffer, position: number): number {
    if (++this.#interimCount > MAX_INTERIM_RESPONSES) {
      const message = `more than ${MAX_INTERIM_RESPONSES} interim responses in a row`
      return this.#fail(invalid('TOO_MANY_INTERIM_RESPONSES', message), segment, position)
    }
    this.#parser.reset()
    exchange.isAnswering = false
    this.#exchange = null
    const { head } = exchange
    exchange.forgetHead()
    this.#sink.onInformational(exchange, status, head)
    return position
  }

  #enterBody(exchange: Exchange, position: number): number {
    const { framing } = exchange
    if (framing === 'chunked') {
      this.#parser.resume()
      this.#chunked = new ChunkedReader(this.#parser, this.#maxHeaderBytes)
      this.#state = 'chunked'
    } else {
      this.#parser.reset()
      if (framing === 'counted' && exchange.lengthBytes! > 0) {
        this.#remaining = exchange.lengthBytes!
        this.#state = 'counted'
      } else if (framing === 'until-close') {
        this.#state = 'until-close'
      }
    }
    if (this.#state === 'head') exchange.settleHead()
    this.#sink.onHead(exchange, this.#closeAnnounced)
    if (this.#state === 'head') this.#complete(0)
    return position
  }

  #readCounted(segment: Buffer, start: number, end: number): number {
    const taken = Math.min(this.#remaining, end - start)
    const exchange = this.#exchange!
    exchange.addBody(segment, start, start + taken)
    this.#remaining -= taken
    if (this.#remaining > 0) this.#sink.onBody(exchange, taken)
    else this.#complete(taken)
    return start + taken
  }

  /** Whoever waits is told once a segment: what a step finds is often a small part of it. */
  #readChunked(segment: Buffer, start: number, end: number): number {
    const exchange = this.#exchange!
    const chunked = this.#chunked!
    let position = start
    let addedBytes = 0
    do {
      const fault = chunked.step(exchange, segment, position, end)
      position = chunked.position
      if (fault !== null) {
        if (addedBytes > 0) this.#sink.onBody(exchange, addedBytes)
        return this.#fail(fault, segment, position)
      }
      addedBytes += chunked.addedBytes
    } while (position < end && !chunked.isComplete)
    if (chunked.isComplete) {
      this.#parser.reset()
      this.#complete(addedBytes)
    } else if (addedBytes > 0) {
      this.#sink.onBody(exchange, addedBytes)
    }
    return position
  }

  #complete(addedBytes: number): void {
    const exchange = this.#exchange!
    exchange.isComplete = true
    this.#exchange = null
    this.#state = 'head'
    if (this.#closeAnnounced) this.stop()
    this.#sink.onComplete(exchange, addedBytes)
  }

  #failNotHttp(segment: Buffer, start: number): number {
    const first = segment[start]
    if (first === 0x0d || first === LF) {
      const message = 'a blank line where a status line was expected'
      return this.#fail(invalid('BLANK_LINE_BEFORE_STATUS_LINE', message), segment, start)
    }
    return this.#fail(invalid('NOT_HTTP', 'bytes that are no HTTP/1.1 status line'), segment, start)
  }

  /** llhttp refuses versions that it does not know; they are correct HTTP all the same if they have the form. */
  #failHead(segment: Buffer, start: number, position: number): number {
    this.#exchange!.isAnswering = true
    const version = UNKNOWN_VERSION.exec(this.#headSoFar + latin1(segment, start, position))
    if (version === null) return this.#fail(llhttpFault(this.#parser), segment, start)
    const message = `version ${version[0]} instead of HTTP/1.1`
    return this.#fail({ kind: 'unsupported', message, hasHead: false }, segment, start)
  }

  #failUnsupported(message: string, segment: Buffer, position: number): number {
    this.#exchange!.framing = 'unsupported'
    this.#exchange!.lengthBytes = null
    return this.#fail({ kind: 'unsupported', message, hasHead: true }, segment, position)
  }

  #fail(fault: Fault, segment: Buffer, position: number): number {
    const exchange = this.#exchange
    this.stop()
    this.#sink.onFault(fault, exchange, segment.subarray(position))
    return segment.length
  }
}
