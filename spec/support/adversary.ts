// Owns servers that do their worst to a client, without a network: each connection ends when that hurts. They count what they received.
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers'
import fc from 'fast-check'
import { ok } from './reading'

/** How a server treats one connection. It answers some requests in each turn of the event loop. */
export interface Treatment {
  readonly answersEachTurn: number
  /** So many responses at least come before the end. */
  readonly least: number
  /** Then it ends as soon as so many requests are unanswered, */
  readonly pile: number
  /** or, with any unanswered, when so many responses more have come. */
  readonly patience: number
  readonly how: 'by a reset' | 'by a FIN' | 'saying so' | 'with half an answer'
}

/** @param least - responses that each connection brings at least */
export function treatments(least: number, depth: number): fc.Arbitrary<Treatment> {
  const fewOrMany = (most: number): fc.Arbitrary<number> =>
    fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: most }))
  return fc.record({
    answersEachTurn: fc.constantFrom(1, 1, 3, 8),
    least: fewOrMany(2 * depth).map(more => least + more),
    pile: fewOrMany(depth).map(more => 1 + more),
    patience: fewOrMany(40),
    how: fc.constantFrom('by a reset', 'by a FIN', 'saying so', 'with half an answer'),
  })
}

/** Treats its connections as it was told, one after the other, and then from the beginning. */
export class Adversary {
  readonly #treatments: readonly Treatment[]
  #connections = 0
  /** Requests that it received. */
  received = 0
  /** Those among them that were the first ones on their connection, and were not answered completely. */
  firstsRefused = 0

  constructor(treatments: readonly Treatment[]) {
    this.#treatments = treatments
  }

  readonly connect = (): Duplex => {
    const treatment = this.#treatments[this.#connections++ % this.#treatments.length]
    const waiting: string[] = []
    let text = ''
    let answered = 0
    const socket = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, callback) => {
        const heads = (text + chunk.toString('latin1')).split('\r\n\r\n')
        text = heads.pop()!
        this.received += heads.length
        if (waiting.length === 0) setImmediate(turn)
        waiting.push(...heads.map(head => head.split(' ')[1]))
        callback()
      },
      final: callback => {
        socket.push(null)
        callback()
      },
    })
    socket.on('error', () => {})
    const isOver = (): boolean => {
      const { least, pile, patience } = treatment
      return (
        answered >= least && (waiting.length >= pile || (waiting.length > 0 && answered >= least + patience))
      )
    }
    const end = (): void => {
      const [path] = waiting
      const { how } = treatment
      if (answered === 0 && how !== 'saying so') this.firstsRefused++
      if (how === 'saying so') socket.push(ok(path, 'Connection: close\r\n'))
      else if (how === 'with half an answer') socket.push(ok(path).slice(0, -1))
      if (how !== 'by a reset') socket.push(null)
      else socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    }
    const turn = (): void => {
      if (socket.destroyed || socket.writableEnded) return
      for (let i = 0; i < treatment.answersEachTurn && waiting.length > 0 && !isOver(); i++) {
        socket.push(ok(waiting.shift()))
        answered++
      }
      if (isOver()) end()
      else if (waiting.length > 0) setImmediate(turn)
    }
    return socket
  }
}
