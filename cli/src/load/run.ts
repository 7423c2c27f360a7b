// Owns a run as a whole: the threads that carry it out, their common start, and the sum of what they tell. With one thread there is no
// worker: it runs where the report is made.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Engine, type Progress } from './engine'
import { divide, type Plan, type Share } from './plan'
import { Tally } from './tally'
import { now } from './wire'
import type { FromWorker, ToWorker } from './worker'

export interface Outcome {
  readonly tally: Tally
  readonly startedAt: Date
  /** From the start of the measured time to its end. */
  readonly measuredMs: number
  readonly isInterrupted: boolean
  /** Why the run was given up; null if it was not. */
  readonly givenUp: string | null
}

/** What one thread does. */
interface Runner {
  readonly progress: Progress
  /** @returns null, or what to tell the user when there is not one connection */
  connect(): Promise<string | null>
  start(epochMs: number): void
  interrupt(): void
  readonly result: Promise<{ readonly tally: Tally; readonly givenUp: string | null }>
}

/** So long before the common start are threads told of it. */
const NOTICE_MS = 20

export class Run {
  readonly #plan: Plan
  readonly #runners: Runner[]
  #startedAt = 0
  #isInterrupted = false

  constructor(plan: Plan) {
    this.#plan = plan
    const shares = divide(plan)
    this.#runners = shares.length === 1 ? [runHere(shares[0])] : shares.map(share => runInWorker(share))
  }

  /** Dials every connection. @returns null, or what to tell the user when there is not one */
  async connect(): Promise<string | null> {
    const errors = await Promise.all(this.#runners.map(runner => runner.connect()))
    if (this.#isInterrupted) return 'interrupted before a connection was made'
    if (errors.some(error => error === null)) return null
    this.interrupt()
    return errors[0]
  }

  /** Carries it out, to its end or until it is interrupted. */
  async carryOut(): Promise<Outcome> {
    const startAt = Date.now() + (this.#runners.length > 1 ? NOTICE_MS : 0)
    this.#startedAt = startAt
    for (const runner of this.#runners) runner.start(startAt)
    const results = await Promise.all(this.#runners.map(runner => runner.result))
    const endAt = Date.now()
    const tally = new Tally()
    for (const result of results) tally.add(result.tally)
    const { warmupMs, durationMs } = this.#plan
    const elapsedMs = Math.max(1, endAt - startAt - warmupMs)
    return {
      tally,
      startedAt: new Date(startAt),
      measuredMs: durationMs === null ? elapsedMs : Math.min(elapsedMs, durationMs),
      isInterrupted: this.#isInterrupted,
      givenUp: results.find(result => result.givenUp !== null)?.givenUp ?? null,
    }
  }

  /** Ends it now; what is under way stays unfinished. */
  interrupt(): void {
    this.#isInterrupted = true
    for (const runner of this.#runners) runner.interrupt()
  }

  get elapsedMs(): number {
    return this.#startedAt === 0 ? 0 : Math.max(0, Date.now() - this.#startedAt)
  }

  get progress(): Progress {
    let answered = 0
    let failed = 0
    for (const { progress } of this.#runners) {
      answered += progress.answered
      failed += progress.failed
    }
    return { answered, failed }
  }
}

function runHere(share: Share): Runner {
  let engine: Engine
  const result = new Promise<{ tally: Tally; givenUp: string | null }>(resolve => {
    engine = new Engine(share, () => resolve({ tally: engine.tally, givenUp: engine.givenUp }))
  })
  return {
    result,
    get progress() {
      return engine.progress
    },
    connect: () => engine.connect(),
    start: epochMs => engine.start(toRunClock(epochMs)),
    interrupt: () => engine.interrupt(),
  }
}

/** Threads have clocks of their own; the time of day is common to them. */
export function toRunClock(epochMs: number): number {
  return now() + (epochMs - Date.now())
}

function runInWorker(share: Share): Runner {
  const worker = new Worker(join(__dirname, 'worker.js'), { workerData: share })
  const tell = (message: ToWorker): void => worker.postMessage(message)
  let progress: Progress = { answered: 0, failed: 0 }
  let onReady: (error: string | null) => void
  const ready = new Promise<string | null>(resolve => (onReady = resolve))
  const result = new Promise<{ tally: Tally; givenUp: string | null }>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') onReady(message.error)
      else if (message.type === 'progress') progress = message.progress
      else resolve({ tally: Tally.from(message.tally), givenUp: message.givenUp })
    })
  })
  return {
    result,
    get progress() {
      return progress
    },
    connect: () => Promise.race([ready, result.then(() => 'it ended before')]),
    start: epochMs => tell({ type: 'start', epochMs }),
    interrupt: () => tell({ type: 'interrupt' }),
  }
}
