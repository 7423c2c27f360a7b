// Owns the record of one exchange (a request and its response) and the queue of those in flight. It decides nothing.
import { BodyStore, LARGE_BYTES, ownedPart } from './body-store'
import { latin1 } from './latin1'
import type { UnansweredRequest } from '../errors'

/**
 * How the body of a response ends (RFC 9112 section 6.3). `awaited`: no final head yet.
 * `unsupported`: it does not end in a way that this client speaks.
 */
export type Framing = 'awaited' | 'none' | 'counted' | 'chunked' | 'until-close' | 'unsupported'

/** Whoever made an exchange is told here what happens to it; one object serves any number of exchanges. */
export interface ExchangeOwner {
  /** An interim response; `isAwaited` = a 100 that the request asked for. */
  onInformational(exchange: Exchange, status: number, head: string, isAwaited: boolean): void
  /** The head was handed to the transport, and a body is to follow it. */
  onHeadWritten(exchange: Exchange): void
  /** The final head is there. */
  onHead(exchange: Exchange): void
  /** `addedBytes` of body were added to the exchange. False = they have all been copied or dropped. */
  onBody(exchange: Exchange, addedBytes: number): boolean
  /** The response has arrived completely; `addedBytes` of body were added last. */
  onComplete(exchange: Exchange, addedBytes: number): void
}

/** One request, and what is known of its response. Rare things live in objects of their own: there may be a million. */
export class Exchange {
  /** The one behind it; cleared when it is taken out, so that a dead exchange keeps nothing alive. */
  next: Exchange | null = null

  /** Request line, header section and, if it is small, the body; empty once handed over. One char is one byte. */
  unsentHead: string
  /** Has its first byte been handed to the transport? */
  isWritten = false
  /** Are more body bytes to be queued? */
  declare isBodyOpen: boolean
  /** Body bytes that are queued but not handed over. */
  declare unsentBody: OutgoingChunk | null
  /** Is a 100 expected, and was neither it nor a final response seen? */
  declare awaitsContinue: boolean

  framing: Framing = 'awaited'
  status = 0
  /** The raw head of the response, as text once somebody asked for it, and where it lies until then. */
  #headText = ''
  #headSegment: Buffer | null = null
  #headStart = 0
  headLengthBytes = 0
  /** The raw trailer section. */
  declare trailers: string
  /** Of the body as framed; null if not known. */
  lengthBytes: number | null = 0
  /** Has any byte of the final response been seen? */
  isAnswering = false
  isComplete = false

  /** The usual body lies in one segment: its unread range. */
  segment: Buffer | null = null
  bodyStart = 0
  bodyEnd = 0
  /** Any other body. */
  declare store: BodyStore | null
  /** For the raw view: where the first unread bytes of a chunked body lie, framing included, while it has no store. */
  declare rawSegment: Buffer | null
  declare rawStart: number
  declare rawEnd: number

  constructor(
    readonly owner: ExchangeOwner,
    readonly method: string,
    readonly path: string,
    unsentHead: string,
  ) {
    this.unsentHead = unsentHead
  }

  /** Status line to blank line of the response, one char a byte; empty while there is none. */
  get head(): string {
    if (this.#headSegment !== null) {
      this.#headText = latin1(this.#headSegment, this.#headStart, this.#headStart + this.headLengthBytes)
      this.#headSegment = null
    }
    return this.#headText
  }

  /** Most callers never look at a head: it is made text when they do, or when it alone would keep a large segment alive. */
  setHead(segment: Buffer, start: number, end: number): void {
    this.#headSegment = segment
    this.#headStart = start
    this.headLengthBytes = end - start
  }

  /** No body lies in the segment of the head, or none that is unread. */
  settleHead(): void {
    if (this.#headSegment !== null && this.#headSegment.length > LARGE_BYTES) void this.head
  }

  /** It was that of an interim response. */
  forgetHead(): void {
    this.#headText = ''
    this.#headSegment = null
    this.headLengthBytes = 0
  }

  /** Unread body bytes that have arrived. */
  get availableBytes(): number {
    return this.store === null ? this.bodyEnd - this.bodyStart : this.store.lengthBytes
  }

  /** Adds body data that lies in `segment`. */
  addBody(segment: Buffer, start: number, end: number): void {
    if (this.store === null) {
      if (this.segment === null) {
        if (segment !== this.#headSegment) this.settleHead()
        this.segment = segment
        this.bodyStart = start
        this.bodyEnd = end
        return
      }
      useStore(this)
    }
    this.store!.add(segment, start, end)
  }

  /** For the raw view: notes bytes of a chunked body, framing included, before the data among them are added. */
  noteRaw(segment: Buffer, start: number, end: number): void {
    if (this.store === null && this.rawSegment === null) {
      this.rawSegment = segment
      this.rawStart = start
      this.rawEnd = end
      return
    }
    useStore(this)
    this.store!.noteRaw(segment, start, end)
  }

  /** Takes unread body bytes, at most `maxBytes`; the Buffer is the caller's to keep. */
  takeBody(maxBytes: number): Buffer {
    if (this.store !== null) return this.store.take(maxBytes)
    const segment = this.segment!
    const start = this.bodyStart
    const end = Math.min(this.bodyEnd, start + maxBytes)
    this.bodyStart = end
    if (end === this.bodyEnd) {
      this.segment = null
      this.settleHead()
    }
    if (this.rawSegment !== null) this.rawStart = end
    return ownedPart(segment, start, end)
  }

  /** May the last Buffer that was taken be a view on the segment? */
  get hasHandedOut(): boolean {
    return this.store === null || this.store.hasHandedOut
  }

  /** Copies unread body bytes into `target` from index `at`; says how many. */
  copyBody(target: Uint8Array, at: number): number {
    if (this.store !== null) return this.store.copyTo(target, at)
    if (this.segment === null) return 0
    const taken = this.segment.copy(target, at, this.bodyStart, this.bodyEnd)
    this.bodyStart += taken
    if (this.bodyStart === this.bodyEnd) {
      this.segment = null
      this.settleHead()
    }
    if (this.rawSegment !== null) this.rawStart = this.bodyStart
    return taken
  }

  /** What is unread of the response, as it came; nothing is left of it. */
  takeRaw(isHeadRead: boolean): Buffer[] {
    const raw: Buffer[] = isHeadRead ? [] : [Buffer.from(this.head, 'latin1')]
    if (this.store !== null) raw.push(...this.store.takeRaw())
    else if (this.rawSegment !== null) raw.push(this.rawSegment.subarray(this.rawStart, this.rawEnd))
    else if (this.segment !== null) raw.push(this.segment.subarray(this.bodyStart, this.bodyEnd))
    this.dropBody()
    return raw
  }

  /** Refers no more to the segment that came last: all its data have been copied or dropped. */
  letGo(): void {
    this.store?.letGo()
  }

  /** Forgets the unread body bytes; says how many they were. */
  dropBody(): number {
    const dropped = this.availableBytes
    this.segment = null
    this.settleHead()
    this.bodyStart = this.bodyEnd = 0
    this.store?.clear()
    if (this.rawSegment !== null) this.rawSegment = null
    return dropped
  }
}

/** No private method: that would cost every exchange a field. */
function useStore(exchange: Exchange): void {
  if (exchange.store !== null) return
  exchange.settleHead()
  const store = (exchange.store = new BodyStore())
  if (exchange.rawSegment !== null) store.noteRaw(exchange.rawSegment, exchange.rawStart, exchange.rawEnd)
  if (exchange.segment !== null) store.add(exchange.segment, exchange.bodyStart, exchange.bodyEnd)
  exchange.segment = null
  exchange.bodyStart = exchange.bodyEnd = 0
  exchange.rawSegment = null
}

// Fields that few exchanges need are not in each of them: a million may wait, and every field costs eight bytes and a write.
Object.assign(Exchange.prototype, {
  isBodyOpen: false,
  unsentBody: null,
  awaitsContinue: false,
  trailers: '',
  store: null,
  rawSegment: null,
  rawStart: 0,
  rawEnd: 0,
})

/** Body bytes on their way out. */
export interface OutgoingChunk {
  data: Uint8Array | string
  next: OutgoingChunk | null
  /** Does its owner leave the bytes alone until they have been taken? */
  readonly isWaitedFor: boolean
  /** Has its last byte been handed to the transport? */
  isHandedOver: boolean
}

/** Exchanges in the order of their requests, with a cursor for writing and one for the responses. */
export class ExchangeQueue {
  /** The oldest one not completely read. */
  first: Exchange | null = null
  #last: Exchange | null = null
  /** The first whose request has not been handed over completely. */
  sending: Exchange | null = null
  /** The first whose response has not arrived completely. */
  answering: Exchange | null = null
  size = 0

  push(exchange: Exchange): void {
    if (this.#last === null) {
      this.first = exchange
      if (this.sending !== null) this.sending.next = exchange
    } else {
      this.#last.next = exchange
    }
    this.#last = exchange
    this.sending ??= exchange
    this.answering ??= exchange
    this.size++
  }

  /** Takes out the oldest; its response must have arrived, or the queue is being given up. */
  shift(): void {
    const { first } = this
    if (first === null) return
    this.first = first.next
    if (this.#last === first) this.#last = null
    if (this.answering === first) this.answering = first.next
    this.size--
    if (this.sending === first) {
      // It was answered early. The rest of its body still goes out before the next request, or that would be taken for body.
      if (first.isBodyOpen || first.unsentBody !== null) return
      this.sending = first.next
    }
    first.next = null
  }

  /** Takes out one that was not written yet. Takes time in proportion to the queue: withdrawing is rare. */
  withdraw(exchange: Exchange): void {
    const { sending } = this
    if (sending === exchange) this.sending = exchange.next
    if (this.first === exchange) {
      // Only one that was answered early stands before the first.
      if (sending !== null && sending.next === exchange) sending.next = exchange.next
      return this.shift()
    }
    let before = this.first
    while (before !== null && before.next !== exchange) before = before.next
    if (before === null) return
    before.next = exchange.next
    if (this.#last === exchange) this.#last = before
    if (this.answering === exchange) this.answering = exchange.next
    exchange.next = null
    this.size--
  }

  *[Symbol.iterator](): Generator<Exchange, void, undefined> {
    for (let exchange = this.first; exchange !== null; exchange = exchange.next) yield exchange
  }

  /**
   * What became of the requests without a complete response.
   *
   * @param alsoUnread - count those, too, that have arrived but have not been read (a local `close()`)
   * @param closeAnnounced - the server said `Connection: close` on a response: it acts on none behind it
   */
  unanswered(alsoUnread: boolean, closeAnnounced: boolean): UnansweredRequest[] {
    const list: UnansweredRequest[] = []
    for (const exchange of this) {
      if (!exchange.isComplete || alsoUnread) list.push(fateOf(exchange, closeAnnounced))
    }
    return list
  }
}

/**
 * What became of a request without a complete response.
 *
 * @param closeAnnounced - the server said `Connection: close` on a response: it acts on none behind it
 */
export function fateOf(exchange: Exchange, closeAnnounced: boolean): UnansweredRequest {
  const { method, path, isWritten, isAnswering } = exchange
  const outcome = isAnswering ? 'partial-reply' : isWritten ? 'no-reply' : 'unsent'
  const isCertain = !isWritten || (closeAnnounced && !isAnswering)
  return { method, path, outcome, processed: isCertain ? 'no' : 'maybe' }
}
