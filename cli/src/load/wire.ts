// Owns what happens on one transport, as the library's diagnostics tell it: when each request was written, when the head of its response
// came and when its end, how many were on the wire, and what stood in whose way. It must not know why requests are made.
import { channel } from 'node:diagnostics_channel'
import type { Duplex } from 'node:stream'
import type { DiagnosticMessages } from 'httpio'
import type { Job } from './job'

/** The clock of a run, in milliseconds. */
export const now = (): number => performance.now()

export interface WireOwner {
  /** The first byte of the request was handed to the transport. */
  onSent(job: Job): void
}

/** One transport from dialling to its end. Responses come in the order of the requests, so each event belongs to the oldest that has not had it. */
export class Wire {
  /** Handed to the connection, not written yet. */
  readonly #queued: Job[] = []
  readonly #written: Job[] = []
  #socket: (Duplex & { readonly bytesRead?: number; readonly bytesWritten?: number }) | null = null
  #receivedBefore = 0
  #sentBefore = 0

  /** Why it ended, once it has. */
  error: Error | null = null
  answers = 0

  /** Time in which bodies came, and since when the current one does. */
  #bodyMs = 0
  #bodySince: number | null = null

  #depthSince = now()
  depthMs = 0
  busyMs = 0
  maxDepth = 0

  constructor(readonly owner: WireOwner & { onWireEnd(wire: Wire): void }) {}

  /** To be called before the connection is given the request. */
  submit(job: Job): void {
    this.#queued.push(job)
  }

  get bytesReceived(): number {
    return (this.#socket?.bytesRead ?? 0) - this.#receivedBefore
  }

  get bytesSent(): number {
    return (this.#socket?.bytesWritten ?? 0) - this.#sentBefore
  }

  /** Counts bytes and depth from here on. */
  beginMeasuring(): void {
    this.#receivedBefore += this.bytesReceived
    this.#sentBefore += this.bytesSent
    this.#depthSince = now()
    this.depthMs = this.busyMs = 0
    this.maxDepth = this.#written.length
  }

  /** Adds up the depth until now. */
  #measureDepth(at: number): void {
    const depth = this.#written.length
    if (depth > 0) {
      this.depthMs += depth * (at - this.#depthSince)
      this.busyMs += at - this.#depthSince
    }
    this.#depthSince = at
  }

  #bodyMsAt(at: number): number {
    return this.#bodySince === null ? this.#bodyMs : this.#bodyMs + (at - this.#bodySince)
  }

  onConnect(socket: Duplex): void {
    this.#socket = socket
  }

  onSent(): void {
    const job = this.#queued.shift()
    if (job === undefined) return
    const at = now()
    this.#measureDepth(at)
    this.#written.push(job)
    this.maxDepth = Math.max(this.maxDepth, this.#written.length)
    job.writtenAt = at
    job.bodyMsBefore = this.#bodyMsAt(at)
    this.owner.onSent(job)
  }

  onHead(): void {
    const job = this.#written[0]
    if (job === undefined) return
    const at = now()
    job.isAnswering = true
    job.behindMs = this.#bodyMs - job.bodyMsBefore
    this.#bodySince = at
  }

  onComplete(): void {
    const at = now()
    this.#measureDepth(at)
    const job = this.#written.shift()
    if (job === undefined) return
    this.#bodyMs = this.#bodyMsAt(at)
    this.#bodySince = null
    this.answers++
    job.completeAt = at
  }

  onClose(error: Error): void {
    this.#measureDepth(now())
    this.#written.length = 0
    this.error = error
    this.owner.onWireEnd(this)
  }
}

const wires = new WeakMap<object, Wire>()

/** From now on, what happens to `connection` is told to `wire`. */
export function watch(connection: object, wire: Wire): void {
  listen()
  wires.set(connection, wire)
}

let isListening = false

/** Channels are one for the whole thread, and so is this listener. */
function listen(): void {
  if (isListening) return
  isListening = true
  on('httpio:connect', ({ connection, socket }) => wires.get(connection)?.onConnect(socket))
  on('httpio:request:sent', ({ connection }) => wires.get(connection)?.onSent())
  on('httpio:response:head', ({ connection }) => wires.get(connection)?.onHead())
  on('httpio:response:complete', ({ connection }) => wires.get(connection)?.onComplete())
  on('httpio:close', ({ connection, error }) => wires.get(connection)?.onClose(error))
}

function on<Name extends keyof DiagnosticMessages>(
  name: Name,
  listener: (message: DiagnosticMessages[Name]) => void,
): void {
  channel(name).subscribe(message => listener(message as DiagnosticMessages[Name]))
}
