// What any server may send, well-formed or not, made at random; a failure prints its seed and the smallest case found.
import fc from 'fast-check'
import { drive, NEXT_READ } from '../support/drive'
import { decodeReference } from '../support/reference-decoder'
import { cut, cutting, exchanges } from './arbitraries'
import { faultOf, mutatedStream, reading } from './mutated-stream'

/** Enough even on a machine that is busy with something else. */
jest.setTimeout(60_000)

describe('any responses, split at random', () => {
  it('are read back as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(exchanges(5), cutting, reading, async (made, cutting, given) => {
        const text = made.responses.map(({ wire }) => wire).join('')
        const seen = await drive(made.requests, cut(text, cutting), {}, given)
        expect(seen).toMatchObject({
          responses: made.responses.map(({ read }) => read),
          informational: made.responses.flatMap(({ informational }) => informational),
          next: NEXT_READ,
        })
      }),
      { numRuns: 300 },
    )
  })

  it('are read by the reference decoder as they were written', () => {
    fc.assert(
      fc.property(exchanges(5), made => {
        const text = made.responses.map(({ wire }) => wire).join('')
        expect(decodeReference(text, made.requests, 'open')).toEqual({
          responses: made.responses.map(({ read }) => read),
          informational: made.responses.flatMap(({ informational }) => informational),
          verdict: 'open',
          alternatives: [],
          why: 'the end',
        })
      }),
      { numRuns: 1000 },
    )
  })
})

describe('any damaged responses', () => {
  it('are read as the reference decoder reads them', async () => {
    await fc.assert(
      fc.asyncProperty(mutatedStream, async made => {
        expect(await faultOf(made)).toBeUndefined()
      }),
      { numRuns: 800 },
    )
  })
})
