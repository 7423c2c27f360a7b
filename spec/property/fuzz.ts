// `npm run fuzz -- --seconds 60 --seed N`: damaged streams against the reference decoder until the time is over. A fault
// prints its seed and the smallest case found, and ends with 1. `--seconds 0` runs the one round of that seed.
import { inspect, parseArgs } from 'node:util'
import fc from 'fast-check'
import { faultOf, mutatedStream } from './mutated-stream'

const CASES_A_ROUND = 1000

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
  const seconds = Number(values.seconds ?? 60)
  const firstSeed = Number(values.seed ?? Date.now() % 1_000_000_000)
  if (!Number.isFinite(seconds) || !Number.isInteger(firstSeed)) {
    console.error('fuzz: --seconds takes a number and --seed an integer')
    return 2
  }
  let stray: unknown
  const onStray = (error: unknown) => {
    stray ??= error
  }
  process.on('unhandledRejection', onStray)
  process.on('uncaughtException', onStray)

  const property = fc.asyncProperty(mutatedStream, async made => {
    const fault = await faultOf(made)
    if (fault !== undefined) throw new Error(fault)
    if (stray !== undefined) {
      const thrown = stray
      stray = undefined
      throw new Error(`thrown where nobody could catch it: ${inspect(thrown)}`)
    }
  })
  const end = Date.now() + seconds * 1000
  let cases = 0
  for (let seed = firstSeed; seed === firstSeed || Date.now() < end; seed++) {
    const result = await fc.check(property, { seed, numRuns: CASES_A_ROUND, reporter: undefined })
    cases += result.numRuns
    if (result.failed) {
      console.log(`FAULT with seed ${seed}; again: npm run fuzz -- --seconds 0 --seed ${seed}`)
      console.log(JSON.stringify(result.counterexample?.[0], null, 2))
      console.log(result.errorInstance instanceof Error ? result.errorInstance.message : result.errorInstance)
      return 1
    }
  }
  console.log(`${cases} damaged streams from seed ${firstSeed} on; the reference decoder agrees on all`)
  return 0
}

void main().then(status => {
  process.exitCode = status
})
