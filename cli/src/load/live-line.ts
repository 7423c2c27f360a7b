// Owns the line that is shown while a run goes on: on a terminal only, and gone when the report comes.
import { SingleBar } from 'cli-progress'
import type { Plan } from './plan'
import type { Run } from './run'
import { whole } from './report-text'

const EVERY_MS = 200

export class LiveLine {
  readonly #run: Run
  readonly #plan: Plan
  #bar: SingleBar | null = null
  #timer: NodeJS.Timeout | null = null
  #lastAnswered = 0
  #lastAt = Date.now()

  constructor(run: Run, plan: Plan) {
    this.#run = run
    this.#plan = plan
  }

  start(): void {
    if (!process.stderr.isTTY) return
    this.#bar = new SingleBar({
      format: '{phase} {bar} {percentage}%  {answered} answered, {rate} a second, {failed} failed',
      stream: process.stderr,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 20,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
      linewrap: false,
    })
    this.#bar.start(1000, 0, this.#payload())
    this.#timer = setInterval(() => this.#draw(), EVERY_MS)
  }

  #draw(): void {
    const { requests, durationMs, warmupMs } = this.#plan
    const { answered, failed } = this.#run.progress
    const part =
      durationMs === null ? (answered + failed) / requests! : this.#run.elapsedMs / (warmupMs + durationMs)
    this.#bar?.update(Math.floor(Math.min(1, part) * 1000), this.#payload())
  }

  #payload(): Record<string, string> {
    const { answered, failed } = this.#run.progress
    const at = Date.now()
    const rate = ((answered - this.#lastAnswered) / Math.max(1, at - this.#lastAt)) * 1000
    this.#lastAnswered = answered
    this.#lastAt = at
    const phase = this.#run.elapsedMs < this.#plan.warmupMs ? 'warm-up' : 'load'
    return { phase, answered: whole(answered), failed: whole(failed), rate: whole(Math.round(rate)) }
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#bar?.stop()
    this.#bar = null
  }
}
