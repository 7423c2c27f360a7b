// The property behind the fuzzer: whatever bytes a server sends, in whatever pieces, and however it ends, a caller sees
// exactly what the reference decoder reads, every promise settles, and nothing else is thrown.
import fc from 'fast-check'
import { drive } from '../support/drive'
import type { Act, DrivenRequest, Reading } from '../support/drive'
import { ENDINGS, type FarEnding, type Via } from '../support/far-ends'
import { decodeReference } from '../support/reference-decoder'
import type { ReferenceEnd, ReferenceOptions } from '../support/reference-decoder'
import { cut, cutting, exchanges, mutate, mutation } from './arbitraries'
import type { Cutting } from './arbitraries'
import { disagreement } from './disagreement'

/** What the connection is made of, and how the server ends it. */
interface Ending {
  readonly via: Via
  readonly end: FarEnding | 'open'
}

/** One case, in the form in which it is printed. */
export interface MutatedStream {
  readonly requests: readonly DrivenRequest[]
  readonly text: string
  readonly cutting: Cutting
  readonly ending: Ending
  readonly closeDelimited: 'accept' | 'reject'
  readonly maxBufferedBytes: number | undefined
  readonly reading: Reading
}

export const reading: fc.Arbitrary<Reading> = fc.record({
  by: fc.constantFrom('read', 'read', 'readInto', 'readAll', 'iteration', 'request'),
  maxBytes: fc.constantFrom(undefined, 1, 7),
  isLate: fc.boolean(),
})

const endingsOf = (via: Via): fc.Arbitrary<Ending> =>
  fc.record({ via: fc.constant(via), end: fc.constantFrom('open' as const, ...ENDINGS[via]) })

/** A handshake costs as much as fifty cases without one. */
const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 50, arbitrary: endingsOf('given') },
  { weight: 50, arbitrary: endingsOf('TCP') },
  { weight: 2, arbitrary: endingsOf('TLS') },
)

export const mutatedStream: fc.Arbitrary<MutatedStream> = fc
  .record({
    made: exchanges(3),
    /** Requests that get no response, or responses that no request asked for. */
    surplus: fc.constantFrom(0, 0, 0, 1, -1),
    /** A last response that ends with the connection. */
    lastBody: fc.option(fc.string({ maxLength: 20 }), { freq: 6 }),
    mutations: fc.array(mutation, { maxLength: 3 }),
    cutting,
    ending,
    closeDelimited: fc.constantFrom('accept' as const, 'reject' as const),
    maxBufferedBytes: fc.constantFrom(undefined, 1, 50),
    reading,
  })
  .map(({ made, surplus, lastBody, mutations, ...rest }) => {
    const wires = made.responses.map(({ wire }) => wire)
    if (lastBody !== null) wires[wires.length - 1] = `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${lastBody}`
    const sent =
      surplus < 0 ? made.requests.slice(0, Math.max(1, made.requests.length + surplus)) : made.requests
    const answered = surplus > 0 ? wires.slice(0, -surplus) : wires
    return { ...rest, requests: sent, text: mutations.reduce(mutate, answered.join('')) }
  })

/** In words, what went wrong with a case; undefined = nothing. */
export async function faultOf(made: MutatedStream): Promise<string | undefined> {
  const { requests, text, closeDelimited, maxBufferedBytes, reading } = made
  const { via, end: ending } = made.ending
  const acts: Act[] = cut(text, made.cutting)
  if (ending !== 'open') acts.push({ end: ending })
  const seen = await drive(requests, acts, { closeDelimited, maxBufferedBytes }, reading, via)
  const end: ReferenceEnd = ending === 'open' || ending === 'fin' ? ending : 'reset'
  const readings: ReferenceOptions[] = [{ closeDelimited }, { closeDelimited, oddExtensions: 'accept' }]
  const faults = readings.map(options => {
    const decoded = decodeReference(text, requests, end, options)
    const what = disagreement(decoded, seen, requests.length, reading)
    return (
      what &&
      `${what} (the reference decoder: ${decoded.verdict}, ${decoded.why})\nseen: ${show(seen)}\nread: ${show(decoded)}`
    )
  })
  return faults.includes(undefined) ? undefined : faults[0]
}

const show = (value: unknown) => JSON.stringify(value)
