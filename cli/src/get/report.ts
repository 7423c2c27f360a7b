// Owns what the user is told: a line for each URL as JSON or for each failure, and a summary. It knows no transfers under way.
import { EXIT } from '../exit-status'
import { describeFailure, TransferFailed } from './failure'
import type { Transferred } from './transfer'
import type { Wanted } from './urls'

/** As many failures are told one by one, unless every URL has a line anyway. */
const MOST_FAILURES_TOLD = 20

export interface ReportOptions {
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly total: number
}

/** Where lines go. */
export interface ReportOutput {
  result(line: string): void
  notice(line: string): void
}

export class Report {
  readonly #options: ReportOptions
  readonly #output: ReportOutput
  readonly #startedMs = performance.now()
  #good = 0
  #skipped = 0
  #failed = 0
  #bytes = 0

  constructor(options: ReportOptions, output: ReportOutput) {
    this.#options = options
    this.#output = output
  }

  /** URLs of which it is known what became of them. */
  get done(): number {
    return this.#good + this.#skipped + this.#failed
  }

  get bytes(): number {
    return this.#bytes
  }

  succeeded({ url }: Wanted, file: string | null, transferred: Transferred, ms: number): void {
    const { status, lengthBytes, fetchedBytes, isSkipped } = transferred
    if (isSkipped) this.#skipped++
    else this.#good++
    this.#bytes += fetchedBytes
    if (!this.#options.isJson) return
    const outcome = isSkipped ? 'already there' : 'fetched'
    this.#output.result(
      JSON.stringify({ url: url.href, outcome, status, file, bytes: lengthBytes, ms: round(ms) }),
    )
  }

  failed({ url }: Wanted, error: unknown, ms: number): void {
    this.#failed++
    const reason = describeFailure(error)
    if (this.#options.isJson) {
      const status = error instanceof TransferFailed ? error.status : null
      this.#output.result(
        JSON.stringify({ url: url.href, outcome: 'failed', status, error: reason, ms: round(ms) }),
      )
    } else if (this.#failed <= MOST_FAILURES_TOLD) {
      this.#output.notice(`httpio: ${url.href}: ${reason}`)
    }
  }

  /** @param connections - that were opened, over all origins */
  finish(connections: number, isInterrupted: boolean): void {
    const { isJson, isQuiet, total } = this.#options
    if (!isJson && this.#failed > MOST_FAILURES_TOLD) {
      this.#output.notice(
        `httpio: and ${this.#failed - MOST_FAILURES_TOLD} more failed: --json names every one`,
      )
    }
    if (isQuiet) return
    const seconds = (performance.now() - this.#startedMs) / 1000
    const parts = [`${this.#good} of ${total} fetched`]
    if (this.#skipped > 0) parts.push(`${this.#skipped} already there`)
    if (this.#failed > 0) parts.push(`${this.#failed} failed`)
    if (isInterrupted) parts.push(`${total - this.done} not tried any more`)
    const size = `${formatBytes(this.#bytes)} in ${seconds.toFixed(seconds < 10 ? 2 : 0)} s`
    const over = `${connections} connection${connections === 1 ? '' : 's'}`
    this.#output.notice(`${parts.join(', ')}; ${size} over ${over}`)
  }

  exitStatus(connections: number): number {
    if (this.#failed === 0 && this.done === this.#options.total) return EXIT.good
    return connections === 0 && this.#failed > 0 && this.#good === 0 ? EXIT.notConnected : EXIT.failed
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let [value, unit] = [bytes, 0]
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[unit]}`
}
