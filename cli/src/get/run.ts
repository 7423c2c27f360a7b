// Owns the fetching of everything that was asked for: which URL when, and where its bytes go. It knows neither the command line nor how one
// URL is fetched.
import type { ClientOptions, HTTPResponse } from 'httpio'
import { once } from 'node:events'
import { OriginGroup } from './origin-group'
import { NoProgress, TerminalProgress, type Progress } from './progress'
import { Report } from './report'
import { failedStatus } from './stream'
import { isGood, Transfer, type TransferOptions } from './transfer'
import type { Wanted } from './urls'

/** Everything that the command line asks for. */
export interface GetPlan {
  readonly wanted: readonly Wanted[]
  /** Where each goes; null = all go to the standard output, in order. */
  readonly files: readonly string[] | null
  readonly client: ClientOptions & { readonly connections: number; readonly depth: number }
  readonly attempts: number
  /** For one URL; 0 = none. */
  readonly maxTimeMs: number
  readonly isResumed: boolean
  /** Is a body with a status other than 2xx not even written to the standard output? */
  readonly isFailing: boolean
  readonly isJson: boolean
  readonly isQuiet: boolean
}

/** A response whose turn to be written out has come, or null for a body too large for memory. */
type Fetched =
  { readonly response: HTTPResponse | null; readonly error?: undefined } | { readonly error: unknown }

export class GetRun {
  readonly #plan: GetPlan
  readonly #groups = new Map<string, OriginGroup>()
  readonly #abort = new AbortController()
  readonly #progress: Progress
  readonly #report: Report

  constructor(plan: GetPlan) {
    this.#plan = plan
    const { isJson, isQuiet, wanted } = plan
    const isWatched = process.stderr.isTTY && !isQuiet
    this.#progress = isWatched ? new TerminalProgress(wanted.length) : new NoProgress()
    this.#report = new Report(
      { isJson, isQuiet, total: wanted.length },
      { result: line => void process.stdout.write(`${line}\n`), notice: line => this.#progress.log(line) },
    )
  }

  /** Fetches everything. @returns the exit status */
  async run(): Promise<number> {
    const interrupt = (): void => this.#abort.abort(new Error('interrupted'))
    process.once('SIGINT', interrupt)
    process.once('SIGTERM', interrupt)
    try {
      await (this.#plan.files === null ? this.#toOutput() : this.#toFiles(this.#plan.files))
    } finally {
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', interrupt)
    }
    const groups = Array.from(this.#groups.values())
    const connections = groups.reduce((sum, group) => sum + group.connectionsOpened, 0)
    for (const { client } of groups) client.destroy()
    this.#progress.stop()
    this.#report.finish(connections, this.#abort.signal.aborted)
    return this.#report.exitStatus(connections)
  }

  /** As many are under way at once: some more than there are places on the wire, so that writing to disk holds nothing up. */
  get #window(): number {
    return 2 * this.#plan.client.connections * this.#plan.client.depth
  }

  #transfer(wanted: Wanted): Transfer {
    const { origin } = wanted.url
    let group = this.#groups.get(origin)
    if (group === undefined) {
      group = new OriginGroup(origin, this.#plan.client)
      this.#groups.set(origin, group)
    }
    const { isResumed, attempts, maxTimeMs } = this.#plan
    const options: TransferOptions = {
      isResumed,
      attempts,
      maxTimeMs,
      signal: this.#abort.signal,
      onProgress: ({ url }, lengthBytes, totalBytes) =>
        this.#progress.large(url.href, lengthBytes, totalBytes),
    }
    return new Transfer(wanted, group, options)
  }

  /** Does something for one URL, and reports what became of it. */
  async #account(
    wanted: Wanted,
    file: string | null,
    work: () => Promise<Parameters<Report['succeeded']>[2]>,
  ): Promise<void> {
    const startedMs = performance.now()
    try {
      this.#report.succeeded(wanted, file, await work(), performance.now() - startedMs)
    } catch (error) {
      // What was interrupted has not failed: the summary counts it.
      if (!this.#abort.signal.aborted) this.#report.failed(wanted, error, performance.now() - startedMs)
    }
    this.#progress.over(wanted.url.href)
    this.#progress.total(this.#report.done, this.#report.bytes)
  }

  // ---- files

  async #toFiles(files: readonly string[]): Promise<void> {
    const byOrigin = new Map<string, number[]>()
    for (const [index, { url }] of this.#plan.wanted.entries()) {
      const indexes = byOrigin.get(url.origin)
      if (indexes === undefined) byOrigin.set(url.origin, [index])
      else indexes.push(index)
    }
    await Promise.all(Array.from(byOrigin.values(), indexes => this.#fetchFiles(indexes, files)))
  }

  async #fetchFiles(indexes: readonly number[], files: readonly string[]): Promise<void> {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < indexes.length && !this.#abort.signal.aborted) {
        const index = indexes[next++]
        const wanted = this.#plan.wanted[index]
        await this.#account(wanted, files[index], () => this.#transfer(wanted).toFile(files[index]))
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#window, indexes.length) }, worker))
  }

  // ---- the standard output

  async #toOutput(): Promise<void> {
    const { wanted } = this.#plan
    const fetching = new Map<number, Promise<Fetched>>()
    let asked = 0
    for (let index = 0; index < wanted.length && !this.#abort.signal.aborted; index++) {
      for (; asked < Math.min(index + this.#window, wanted.length); asked++) {
        fetching.set(asked, this.#fetch(wanted[asked]))
      }
      const fetched = await fetching.get(index)!
      fetching.delete(index)
      await this.#account(wanted[index], null, () => this.#writeOut(wanted[index], fetched))
    }
  }

  async #fetch(wanted: Wanted): Promise<Fetched> {
    return this.#transfer(wanted)
      .fetch()
      .then(
        response => ({ response }),
        (error: unknown) => ({ error }),
      )
  }

  async #writeOut(wanted: Wanted, fetched: Fetched): Promise<Parameters<Report['succeeded']>[2]> {
    if (!('response' in fetched)) throw fetched.error
    const transfer = this.#transfer(wanted)
    const { response } = fetched
    if (response === null) return transfer.streamTo(writeToOutput)
    const body = await response.readAll()
    if (isGood(response)) transfer.checkBody(body)
    if (isGood(response) || !this.#plan.isFailing) await writeToOutput(body)
    if (!isGood(response)) throw failedStatus(response)
    return { status: response.status, lengthBytes: body.length, isSkipped: false }
  }
}

async function writeToOutput(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
}
