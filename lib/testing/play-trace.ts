// Owns the playing back of a recorded connection: the peer sends what it sent then, when the connection has written as
// much as it had then.
import { setImmediate } from 'node:timers'
import type { FarEnd } from './fake-peer'
import { FakeSocket } from './fake-socket'
import { describeBytes, latin1 } from './received'
import { readTrace, type TraceLine } from './trace-file'

export interface PlayTraceOptions {
  /** Which connection of a file that holds several, counted from 1 in the order in which they were opened. */
  connection?: number
  /**
   * Whether a connection that writes other bytes than the recorded ones, or more, fails at once; true unless given.
   * Without it only their number counts.
   */
  strict?: boolean
}

/** What the peer does once the connection has written `after` bytes. */
interface Step {
  readonly after: number
  readonly act: 'end' | 'reset' | Buffer
}

/**
 * A socket whose peer plays a trace file that `HTTPIO_TRACEFILE` had recorded: each chunk that the connection read then
 * is sent, in the same pieces, once the connection has written at least as many bytes as before that chunk in the
 * recording, and at the end comes the FIN or the reset that was recorded, if any. Times are not played.
 *
 * If the connection writes anything else than what was recorded, the socket is destroyed with an Error that shows where
 * they part. What goes on the wire must therefore repeat: make no headers from the clock or from random numbers, or give
 * `strict: false`.
 * @throws Error when the file cannot be read, is no trace, or does not hold that connection.
 */
export function playTrace(file: string, options: PlayTraceOptions = {}): FakeSocket {
  const { sent, steps } = script(choose(readTrace(file), file, options.connection))
  const socket = new FakeSocket()
  const { peer } = socket
  let written = 0
  let next = 0
  const play = () => {
    while (next < steps.length && steps[next].after <= written) {
      if (socket.destroyed) return
      const { act } = steps[next++]
      if (act === 'end') peer.end()
      else if (act === 'reset') peer.reset()
      else peer.send(act)
    }
  }
  // The peer is its far end; only the type given to users hides that half.
  ;(peer as FarEnd).watch(chunk => {
    const at = written
    written += chunk.length
    if (options.strict !== false && !sent.subarray(at, written).equals(chunk)) {
      socket.destroy(new Error(describeDifference(file, sent.subarray(at), chunk, at)))
      return
    }
    // A loop turn later, as if it came over a network: never from within the write.
    setImmediate(play)
  })
  setImmediate(play)
  return socket
}

function choose(connections: TraceLine[][], file: string, number: number | undefined): TraceLine[] {
  if (number === undefined && connections.length > 1) {
    throw new Error(`${file} holds ${connections.length} connections: say which by { connection: number }`)
  }
  const chosen = connections[(number ?? 1) - 1] as TraceLine[] | undefined
  if (chosen === undefined)
    throw new Error(`${file} holds ${connections.length} connections, no number ${number ?? 1}`)
  return chosen
}

function script(lines: readonly TraceLine[]): { sent: Buffer; steps: Step[] } {
  const sent: Buffer[] = []
  const steps: Step[] = []
  let after = 0
  let ending = null as Step | null
  for (const { kind, text } of lines) {
    if (kind === 'sent') {
      sent.push(latin1(text))
      after += text.length
    } else if (kind === 'received') {
      steps.push({ after, act: latin1(text) })
    } else if (text === 'end') {
      ending = { after, act: 'end' }
    } else if (/^(?:error|write failed)\b/.test(text)) {
      // An error behind an end says that it was none; bytes may still have been read after a write had failed.
      ending = { after: ending?.after ?? after, act: 'reset' }
    }
  }
  if (ending !== null) steps.push(ending)
  return { sent: Buffer.concat(sent), steps }
}

/** Both from the first byte on in which they differ. */
function describeDifference(file: string, recorded: Buffer, chunk: Uint8Array, at: number): string {
  let same = 0
  while (same < chunk.length && recorded[same] === chunk[same]) same++
  return (
    `The connection writes other bytes than ${file} recorded, from byte ${at + same} on. ` +
    `It wrote ${describeBytes(chunk.subarray(same))}. The recording goes on with ${describeBytes(recorded.subarray(same))}`
  )
}
