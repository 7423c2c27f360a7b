// Owns the fetching of everything that was asked for: what of which origin, where its bytes go, and when it is over. It knows neither the
// command line nor how one URL is fetched.
import type { ConnectionOptions } from 'httpio'
import { statSync } from 'node:fs'
import { OutputLost, writeOut } from '../output'
import { FileDestination, OutputDestination } from './destination'
import { TookTooLong } from './failure'
import { OrderedOutput } from './ordered-output'
import { Origin } from './origin'
import { NoProgress, TerminalProgress, type Progress } from './progress'
import { Report } from './report'
import { Transfer, type Transferred, type TransferOptions } from './transfer'
import type { Wanted } from './urls'

/** Everything that the command line asks for. */
export interface GetPlan {
  readonly wanted: readonly Wanted[]
  /** Where each goes; null = all go to the standard output, in order. */
  readonly files: readonly string[] | null
  readonly connections: number
  readonly depth: number
  /** For all connections; TLS is for those to https: alone. */
  readonly connection: Omit<ConnectionOptions, 'port' | 'socket'>
  readonly attempts: number
  /** For one URL; 0 = any. */
  readonly maxTimeMs: number
  readonly isResumed: boolean
  /** Is a body with a status other than 2xx not even written to the standard output? */
  readonly isFailing: boolean
  readonly isJson: boolean
  readonly isQuiet: boolean
}

export class GetRun {
  readonly #plan: GetPlan
  readonly #progress: Progress
  readonly #report: Report
  readonly #order: OrderedOutput | null
  readonly #origins: readonly Origin[]
  /** Made, and not settled. */
  readonly #transfers = new Set<Transfer>()
  #isInterrupted = false
  #lost: OutputLost | null = null

  constructor(plan: GetPlan) {
    this.#plan = plan
    const { isJson, isQuiet, wanted, files } = plan
    const isWatched = process.stderr.isTTY && !isQuiet
    this.#progress = isWatched ? new TerminalProgress(wanted.length) : new NoProgress()
    this.#report = new Report(
      { isJson, isQuiet, total: wanted.length },
      {
        result: line => void writeOut(`${line}\n`).catch((error: unknown) => this.#onOutputLost(error)),
        notice: line => this.#progress.log(line),
      },
    )
    this.#order = files === null ? new OrderedOutput() : null
    this.#origins = this.#makeOrigins()
  }

  #makeOrigins(): Origin[] {
    const { wanted, connections, depth, attempts, connection } = this.#plan
    const indexes = new Map<string, number[]>()
    for (const [index, { url }] of wanted.entries()) {
      const ofOrigin = indexes.get(url.origin)
      if (ofOrigin === undefined) indexes.set(url.origin, [index])
      else ofOrigin.push(index)
    }
    return Array.from(indexes, ([origin, fresh]) => {
      const { protocol, hostname, port } = new URL(origin)
      const isSecure = protocol === 'https:'
      const options = {
        ...connection,
        port: port === '' ? undefined : Number(port),
        // What is said of certificates does not concern plain connections.
        tls: isSecure && (connection.tls ?? true),
      }
      return new Origin(hostname, { connections, depth, attempts, connection: options }, fresh, index =>
        this.#make(index),
      )
    })
  }

  /**
   * Fetches everything.
   *
   * @returns the exit status
   * @throws OutputLost if there was nowhere to write to
   */
  async run(): Promise<number> {
    const interrupt = (): void => this.#interrupt()
    process.once('SIGINT', interrupt)
    process.once('SIGTERM', interrupt)
    try {
      await Promise.all(this.#origins.map(origin => origin.fetchAll()))
      await Promise.all(Array.from(this.#transfers, transfer => transfer.interrupt()))
    } finally {
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', interrupt)
      this.#progress.stop()
    }
    if (this.#lost !== null && (this.#order !== null || !this.#lost.isClosed)) throw this.#lost
    const connections = this.#origins.reduce((sum, origin) => sum + origin.connectionsOpened, 0)
    this.#report.finish(connections, this.#isInterrupted)
    return this.#report.exitStatus(connections)
  }

  /** Ends early. What is whole stays, and is reported. */
  #interrupt(): void {
    this.#isInterrupted = true
    for (const transfer of this.#transfers) void transfer.interrupt()
    this.#order?.stop()
    for (const origin of this.#origins) origin.close()
  }

  #onOutputLost(error: unknown): void {
    this.#lost ??= error instanceof OutputLost ? error : null
    this.#interrupt()
  }

  // ---- one URL

  /** @returns null if nothing is to be done for it */
  #make(index: number): Transfer | null {
    const { wanted, files, isResumed, isFailing, attempts, maxTimeMs } = this.#plan
    const one = wanted[index]
    const file = files?.[index]
    if (file !== undefined && isResumed && isFile(file)) {
      this.#tell(one, file, 0, { status: null, lengthBytes: 0, fetchedBytes: 0, isSkipped: true })
      return null
    }
    const destination =
      file === undefined
        ? new OutputDestination(this.#order!, index, !isFailing)
        : new FileDestination(file, one.url.href, isResumed)
    const options: TransferOptions = {
      attempts,
      maxTimeMs,
      onProgress: ({ url }, lengthBytes, totalBytes) =>
        this.#progress.large(url.href, lengthBytes, totalBytes),
      onExpired: transfer => {
        for (const origin of this.#origins) origin.expire(transfer, new TookTooLong())
      },
      onSettled: (transfer, outcome) => this.#onSettled(transfer, outcome),
    }
    const transfer = new Transfer(one, index, destination, options)
    this.#transfers.add(transfer)
    return transfer
  }

  async #onSettled(transfer: Transfer, outcome: Transferred | { readonly error: unknown }): Promise<void> {
    this.#transfers.delete(transfer)
    const { wanted, index, startedMs } = transfer
    try {
      // Failures are told in order, too.
      await this.#order?.turn(index)
    } catch {
      return
    }
    if ('error' in outcome && outcome.error instanceof OutputLost) return this.#onOutputLost(outcome.error)
    this.#tell(wanted, this.#plan.files?.[index] ?? null, performance.now() - startedMs, outcome)
    this.#order?.leave()
  }

  #tell(
    wanted: Wanted,
    file: string | null,
    ms: number,
    outcome: Transferred | { readonly error: unknown },
  ): void {
    if ('error' in outcome) this.#report.failed(wanted, outcome.error, ms)
    else this.#report.succeeded(wanted, file, outcome, ms)
    this.#progress.over(wanted.url.href)
    this.#progress.total(this.#report.done, this.#report.bytes)
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}
