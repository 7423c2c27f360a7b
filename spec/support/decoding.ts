// Plays a stream of responses to a decoder in every way in which it can arrive, and says what came of it.
import { isDeepStrictEqual } from 'node:util'
import { Exchange, type ExchangeOwner } from '../../lib/protocol/exchange'
import type { Fault } from '../../lib/protocol/fault'
import { ResponseDecoder, type DecoderOptions, type DecoderSink } from '../../lib/protocol/response-decoder'

/** A response as it came out; latin1, one char a byte. */
export interface Decoded {
  readonly head: string
  readonly body: string
  readonly trailers: string
  readonly interim: readonly string[]
}

/** All that came out of a stream. */
export interface Outcome {
  /** Complete ones. */
  readonly responses: readonly Decoded[]
  /** The one that was begun and is not complete, and how its body ends. */
  readonly begun: Decoded | null
  readonly framing: string | null
  /** What stopped the reading. */
  readonly fault: string | null
  /** May anything more come? */
  readonly isOver: boolean
}

const owner: ExchangeOwner = {
  onInformational() {},
  onHeadWritten() {},
  onHead() {},
  onBody: () => true,
  onComplete() {},
}

/** A sink that reads each body as it comes, or at the end. */
export class Decoding implements DecoderSink {
  readonly decoder: ResponseDecoder
  readonly exchanges: readonly Exchange[]
  readonly #bodies: string[]
  readonly #interim: string[][]
  readonly #isReadAtOnce: boolean
  #answered = 0
  #heads = 0
  #fault: Fault | null = null
  isLast = false
  rest = ''

  constructor(methods: readonly string[], options: Partial<DecoderOptions> = {}, isReadAtOnce = false) {
    this.decoder = new ResponseDecoder(this, {
      maxHeaderBytes: 65_535,
      acceptCloseDelimited: false,
      ...options,
    })
    this.exchanges = methods.map((method, i) => new Exchange(owner, method, `/${i}`, ''))
    this.#bodies = methods.map(() => '')
    this.#interim = methods.map(() => [])
    this.#isReadAtOnce = isReadAtOnce
  }

  expectedExchange(): Exchange | null {
    return this.exchanges[this.#answered] ?? null
  }

  onInformational(exchange: Exchange, status: number, head: string): void {
    assertSame(head.slice(9, 12), String(status))
    assertSame(exchange.isAnswering, false)
    this.#interim[this.exchanges.indexOf(exchange)].push(head)
  }

  onHead(exchange: Exchange, announcesClose: boolean): void {
    assertSame(exchange, this.expectedExchange())
    assertSame(this.#heads++, this.#answered)
    this.isLast = announcesClose
  }

  onBody(exchange: Exchange, addedBytes: number): void {
    this.#read(exchange, addedBytes)
  }

  onComplete(exchange: Exchange, addedBytes: number): void {
    assertSame(exchange.isComplete, true)
    this.#read(exchange, addedBytes)
    this.#answered++
  }

  onFault(fault: Fault, exchange: Exchange | null, rest: Buffer): void {
    assertSame(this.#fault, null)
    assertSame(exchange, this.expectedExchange())
    this.#fault = fault
    this.rest = this.decoder.takePartialHead() + rest.toString('latin1')
  }

  #read(exchange: Exchange, addedBytes: number): void {
    if (!this.#isReadAtOnce) return
    assertSame(exchange.availableBytes, addedBytes)
    this.#take(exchange)
  }

  #take(exchange: Exchange): void {
    const part = Buffer.alloc(exchange.availableBytes)
    assertSame(exchange.copyBody(part, 0), part.length)
    this.#bodies[this.exchanges.indexOf(exchange)] += part.toString('latin1')
  }

  #decoded(exchange: Exchange): Decoded {
    this.#take(exchange)
    const i = this.exchanges.indexOf(exchange)
    const { head, trailers } = exchange
    return { head, body: this.#bodies[i], trailers, interim: this.#interim[i] }
  }

  /** The sentence about what stopped the reading. */
  get message(): string | null {
    return this.#fault === null ? null : this.#fault.message
  }

  outcome(): Outcome {
    const answered = this.exchanges.slice(0, this.#answered)
    const begun = this.exchanges[this.#answered]
    const isBegun = begun !== undefined && begun.framing !== 'awaited'
    return {
      responses: answered.map(exchange => this.#decoded(exchange)),
      begun: isBegun ? this.#decoded(begun) : null,
      framing: isBegun ? begun.framing : null,
      fault: this.#fault === null ? null : nameOf(this.#fault),
      isOver: this.#fault !== null || (this.isLast && !isBegun),
    }
  }
}

function nameOf(fault: Fault): string {
  return fault.kind === 'invalid' ? fault.reason : `${fault.kind}${fault.hasHead ? '' : ', without head'}`
}

/** Ways to cut a stream: whole, byte by byte, and in two at every position. */
export function cuts(bytes: string): string[][] {
  const inTwo = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, i) => [
    bytes.slice(0, i + 1),
    bytes.slice(i + 1),
  ])
  return [[bytes], [...bytes], ...inTwo]
}

const NEXT = 'HTTP/1.1 299 Next\r\nContent-Length: 4\r\n\r\nnext'
const NEXT_DECODED: Decoded = {
  head: NEXT.slice(0, -4),
  body: 'next',
  trailers: '',
  interim: [],
}

export interface Stream {
  readonly methods: readonly string[]
  readonly bytes: string
  readonly options?: Partial<DecoderOptions>
}

/**
 * Plays a stream in all ways, by itself and with one more response behind it, and expects the same of each.
 *
 * @returns that outcome
 */
export function everyWay({ methods, bytes, options }: Stream): Outcome {
  const whole = play(methods, [bytes], options, false)
  for (const pieces of cuts(bytes)) {
    for (const isReadAtOnce of [false, true])
      same(pieces, play(methods, pieces, options, isReadAtOnce), whole)
  }
  if (whole.fault === null && whole.begun !== null) return whole
  const isRead = whole.fault === null && !whole.isOver
  const behind = isRead ? { ...whole, responses: [...whole.responses, NEXT_DECODED] } : whole
  const asked = methods.length === 0 ? [] : [...methods, 'GET']
  for (const pieces of cuts(bytes + NEXT)) same(pieces, play(asked, pieces, options, false), behind)
  return whole
}

/** Asks jest only where there is something to tell: it takes its time. */
function same(pieces: readonly string[], outcome: Outcome, expected: Outcome): void {
  if (!isDeepStrictEqual(outcome, expected)) expect({ pieces, ...outcome }).toEqual({ pieces, ...expected })
}

/** As `expect(actual).toBe(expected)`, for what is done a million times. */
function assertSame(actual: unknown, expected: unknown): void {
  if (actual !== expected) expect(actual).toBe(expected)
}

function play(
  methods: readonly string[],
  pieces: readonly string[],
  options: Partial<DecoderOptions> | undefined,
  isReadAtOnce: boolean,
): Outcome {
  const decoding = new Decoding(methods, options, isReadAtOnce)
  const segments = pieces.map(piece => Buffer.from(piece, 'latin1'))
  for (const segment of segments) decoding.decoder.push(segment)
  const outcome = decoding.outcome()
  for (const [i, segment] of segments.entries()) assertSame(segment.toString('latin1'), pieces[i])
  decoding.decoder.stop()
  return outcome
}
