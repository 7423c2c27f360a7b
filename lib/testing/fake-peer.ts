// Owns the far end of a fake socket: what it received, what it has sent that was not yet read, and how it ends. It acts
// at once and by itself never waits: no timers, no handles, nothing that a fake clock could hold up.
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import type { FakeResponse } from './fake-response'
import { latin1, Received } from './received'
import type { FakeRequest } from './request-reader'
import { Responder, type FakeHandler } from './responder'

/** The server's end of a {@link FakeSocket}. */
export interface FakePeer {
  /** All that the connection wrote so far. */
  readonly received: Buffer
  /**
   * The same bytes, one Buffer for each write that reached the transport. Writes corked together, and those that the
   * stream gathered while the peer was stalled, are one. Empty writes are left out.
   */
  readonly writes: readonly Buffer[]
  /** Whether the connection ended or destroyed its side, or has learnt that the peer reset it. */
  readonly ended: boolean
  /** {@link received}, which then starts anew, as does {@link writes}. */
  takeReceived(): Buffer
  /**
   * Resolves with all of {@link received} once that holds the text (latin1), or that many bytes; at once if it does
   * already. Bytes taken by {@link takeReceived} no longer count.
   *
   * The promise rejects with an Error that shows what did come when the connection ends or destroys its side first, and
   * with a TypeError when the text is not latin1.
   */
  waitFor(what: string | number): Promise<Buffer>
  /**
   * Sends bytes; a string is latin1. A connection that is reading has them before this returns, as one `'data'` event;
   * otherwise they wait, in order. To a connection that is gone they are lost, as on a network.
   * @throws TypeError when the string is not latin1.
   * @throws Error when this peer has called {@link end} or {@link reset} before.
   */
  send(data: string | Uint8Array): void
  /** Sends FIN: the connection sees `'end'` after all that was sent before. What it writes is still received. */
  end(): void
  /**
   * Resets the connection: once all that was sent before has been read, it is destroyed with `ECONNRESET`. Its writes
   * fail from now on, which, as with a real socket, loses what is still unread. After {@link end} a reset shows by
   * failing writes (`EPIPE`) alone, since nobody reads any more.
   */
  reset(): void
  /** Stops taking what the connection writes: its writes stay pending and count in its `writableLength`. */
  stall(): void
  /** Takes what waited, and goes on. */
  unstall(): void
  /**
   * Answers the requests that the connection writes, in their order, beginning with what {@link received} holds now. The
   * handler is called for each request once it is complete, without waiting for earlier answers. A head with
   * `Expect: 100-continue` and a body to come is answered with 100 in its turn. Answers arrive a loop turn later at the
   * earliest. Calling it again replaces the handler.
   *
   * A handler that throws, an answer that is none, and bytes that are not HTTP/1.1 requests destroy the socket with that
   * error, and {@link waitFor} rejects. The connection is never ended by an answer: call {@link end}.
   */
  respond(handler: (request: FakeRequest) => FakeResponse | Promise<FakeResponse>): void
}

type WriteCallback = (error?: Error | null) => void

/** The {@link FakePeer} itself, with the half that its socket calls. */
export class FarEnd implements FakePeer {
  readonly #socket: Duplex
  readonly #received = new Received()
  /** Sent by the peer, and not yet in the socket's own read buffer. */
  #unread: Uint8Array[] = []
  #sentEnd = false
  #sentReset = false
  /** The socket has room and somebody reads. Before the first read everything waits, even FIN and reset. */
  #wanted = false
  #delivering = false
  #deliveredEnd = false
  #stalled = false
  #withheld: { readonly chunks: readonly Uint8Array[]; readonly callback: WriteCallback } | null = null
  #ended = false
  #responder: Responder | null = null
  #watchers: ((chunk: Uint8Array) => void)[] = []

  constructor(socket: Duplex) {
    this.#socket = socket
  }

  get received(): Buffer {
    return this.#received.all
  }

  get writes(): readonly Buffer[] {
    return this.#received.writes
  }

  get ended(): boolean {
    return this.#ended
  }

  takeReceived(): Buffer {
    return this.#received.take()
  }

  waitFor(what: string | number): Promise<Buffer> {
    return this.#received.waitFor(what)
  }

  send(data: string | Uint8Array): void {
    if (this.#sentReset) throw new Error('The peer cannot send: it has reset the connection')
    if (this.#sentEnd) throw new Error('The peer cannot send: it has ended its side')
    this.#transmit(typeof data === 'string' ? latin1(data) : Buffer.from(data))
  }

  end(): void {
    this.#sentEnd = true
    this.#deliver()
  }

  reset(): void {
    this.#sentReset = true
    this.#deliver()
  }

  stall(): void {
    this.#stalled = true
  }

  unstall(): void {
    this.#stalled = false
    const withheld = this.#withheld
    this.#withheld = null
    if (withheld !== null) this.take(withheld.chunks, withheld.callback)
  }

  respond(handler: FakeHandler): void {
    if (this.#responder !== null) {
      this.#responder.handler = handler
      return
    }
    const responder = new Responder(
      handler,
      bytes => this.#transmit(bytes),
      error =>
        this.#socket.destroy(error instanceof Error ? error : new Error(String(error), { cause: error })),
    )
    this.#responder = responder
    this.watch(bytes => responder.feed(bytes))
    responder.feed(this.#received.all)
  }

  /** Calls back with all that the socket writes from now on, from within its write. */
  watch(watcher: (chunk: Uint8Array) => void): void {
    this.#watchers.push(watcher)
  }

  /** The socket has one write for the peer. */
  take(chunks: readonly Uint8Array[], callback: WriteCallback): void {
    if (this.#sentReset) {
      callback(systemError('write', this.#sentEnd ? 'EPIPE' : 'ECONNRESET'))
    } else if (this.#stalled) {
      this.#withheld = { chunks, callback }
    } else {
      this.#received.append(chunks)
      for (const watcher of this.#watchers) chunks.forEach(watcher)
      callback()
    }
  }

  /** The socket ended its side; all it wrote has been taken. */
  finish(): void {
    this.#ended = true
    this.#received.close('The connection ended its side')
  }

  /** The socket was destroyed. Returns what lets go of a write that was withheld. */
  lost(error: Error | null): () => void {
    this.#ended = true
    this.#unread = []
    this.#received.close(
      error === null ? 'The connection was destroyed' : `The connection was destroyed (${error.message})`,
      error ?? undefined,
    )
    const withheld = this.#withheld
    this.#withheld = null
    return () => withheld?.callback()
  }

  /** The socket can hold more. */
  wantMore(): void {
    this.#wanted = true
    this.#deliver()
  }

  /** Something may have been taken out of the socket's read buffer. */
  afterRead(): void {
    if (this.#sentReset) this.#deliver()
  }

  /** Sends what still can be sent. */
  #transmit(bytes: Buffer): void {
    if (bytes.length === 0 || this.#sentEnd || this.#sentReset || this.#socket.destroyed) return
    this.#unread.push(bytes)
    this.#deliver()
  }

  #deliver(): void {
    // A listener may send more from within push(): that goes to the end of the queue, and this loop gets there.
    if (this.#delivering) return
    this.#delivering = true
    let taken = 0
    try {
      while (this.#wanted && taken < this.#unread.length) {
        this.#wanted = this.#socket.push(this.#unread[taken++])
      }
    } finally {
      this.#unread.splice(0, taken)
      this.#delivering = false
    }
    if (!this.#wanted || this.#unread.length > 0 || this.#deliveredEnd) return
    if (this.#sentEnd) {
      this.#deliveredEnd = true
      this.#socket.push(null)
      // As net.Socket does: 'end' comes even to a paused reader when nothing is left to read.
      this.#socket.read(0)
    } else if (this.#sentReset && this.#socket.readableLength === 0) {
      this.#socket.destroy(systemError('read', 'ECONNRESET'))
    }
  }
}

/** An error as Node makes it from a failed system call. */
function systemError(syscall: 'read' | 'write', code: 'ECONNRESET' | 'EPIPE'): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { errno: -constants.errno[code], code, syscall })
}
