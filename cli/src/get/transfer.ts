// Owns one URL from its first request to the last byte at its destination, over as many tries as that takes. It knows neither the other
// URLs nor connections.
import type { HTTPResponse } from 'httpio'
import { createHash } from 'node:crypto'
import { mismatch, parseUnsatisfied, validatorOf } from './content-range'
import type { Destination } from './destination'
import { failedStatus, TransferFailed } from './failure'
import { MEMORY_BYTES, type Job, type Rest } from './job'
import type { Wanted } from './urls'

export interface TransferOptions {
  readonly attempts: number
  /** All tries included; 0 = any. */
  readonly maxTimeMs: number
  readonly onProgress: (wanted: Wanted, lengthBytes: number, totalBytes: number | null) => void
  readonly onExpired: (transfer: Transfer) => void
  /** Called once, unless it is interrupted. Never rejects. */
  readonly onSettled: (
    transfer: Transfer,
    outcome: Transferred | { readonly error: unknown },
  ) => Promise<void>
}

/** What became of a URL that did not fail. */
export interface Transferred {
  readonly status: number | null
  /** Of all of it, and of what came now. */
  readonly lengthBytes: number
  readonly fetchedBytes: number
  /** Was the file there already? */
  readonly isSkipped: boolean
}

export class Transfer implements Job {
  readonly wanted: Wanted
  readonly index: number
  readonly path: string
  readonly startedMs = performance.now()
  readonly #destination: Destination
  readonly #options: TransferOptions
  readonly #credentials: [string, string][]
  #clock: NodeJS.Timeout | null = null
  #hasBegun = false
  isSettled = false
  #isInterrupted = false
  /** What reads a response, or finishes; it rejects never. */
  #busy: Promise<unknown> = Promise.resolve()

  #failures = 0
  /** What was there when the last request was made, if that asked for the rest. */
  #askedFrom: { readonly lengthBytes: number; readonly validator: string } | null = null
  #lengthBefore = 0
  #fetchedBytes = 0

  constructor(wanted: Wanted, index: number, destination: Destination, options: TransferOptions) {
    this.wanted = wanted
    this.index = index
    this.#destination = destination
    this.#options = options
    const { url } = wanted
    this.path = url.pathname + url.search
    this.#credentials = credentialsOf(url)
  }

  begin(): void {
    const { maxTimeMs, onExpired } = this.#options
    if (this.#hasBegun) return
    this.#hasBegun = true
    if (maxTimeMs > 0) this.#clock = setTimeout(() => onExpired(this), maxTimeMs)
  }

  headers(): [string, string][] {
    const { lengthBytes, validator } = this.#destination
    this.#lengthBefore = lengthBytes
    this.#askedFrom = lengthBytes > 0 && validator !== null ? { lengthBytes, validator } : null
    if (this.#askedFrom === null) return this.#credentials
    return [...this.#credentials, ['Range', `bytes=${lengthBytes}-`], ['If-Range', this.#askedFrom.validator]]
  }

  mayTryAgain(): boolean {
    const hasGained =
      this.#destination.validator !== null && this.#destination.lengthBytes > this.#lengthBefore
    this.#failures = hasGained ? 1 : this.#failures + 1
    return this.#failures < this.#options.attempts
  }

  receive(response: HTTPResponse, wait: (turn: Promise<void>) => Promise<void>): Promise<Rest> {
    const receiving = this.#receive(response, wait)
    this.#busy = receiving.catch(() => undefined)
    return receiving
  }

  async #receive(response: HTTPResponse, wait: (turn: Promise<void>) => Promise<void>): Promise<Rest> {
    const failure = this.#judge(response)
    if (failure !== null && !this.#destination.takesFailures) throw failure
    if (response.status === 416 && failure === null) {
      await response.discard()
    } else if (response.status === 206 && failure === null) {
      await this.#readOn(response, [])
    } else {
      const { chunks, isWhole } = await readIntoMemory(response)
      if (isWhole)
        return this.#rest(response, failure, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
      await wait(this.#destination.turn())
      await this.#destination.restart(failure === null ? validatorOf(response) : null)
      await this.#readOn(response, chunks)
    }
    return this.#rest(response, failure, null)
  }

  /** Whether, and why, a response means failure. */
  #judge(response: HTTPResponse): TransferFailed | null {
    const { status } = response
    const from = this.#askedFrom
    if (status === 206 && from !== null) {
      const why = mismatch(response, from.lengthBytes, from.validator)
      return why === null ? null : new TransferFailed(`${why}: fetch it again without --resume`, status)
    }
    if (status === 416 && from !== null) {
      // All of it was there already, only nobody knew.
      const isWhole = parseUnsatisfied(response.headers.get('content-range')) === from.lengthBytes
      return isWhole ? null : new TransferFailed('the file has become shorter: fetch it again', status)
    }
    return status >= 200 && status < 300 && status !== 206 ? null : failedStatus(response)
  }

  async #readOn(response: HTTPResponse, chunks: readonly Buffer[]): Promise<void> {
    const { wanted } = this
    const destination = this.#destination
    const totalBytes = response.length === null ? null : destination.lengthBytes + response.length
    const take = async (bytes: Buffer): Promise<void> => {
      await destination.append(bytes)
      this.#fetchedBytes += bytes.length
      this.#options.onProgress(wanted, destination.lengthBytes, totalBytes)
    }
    for (const bytes of chunks) await take(bytes)
    for (;;) {
      const bytes = await response.read()
      if (bytes.length === 0) return
      await take(bytes)
    }
  }

  /** @param body - all of it, where it is in memory; null where it is at its destination */
  #rest({ status }: HTTPResponse, failure: TransferFailed | null, body: Buffer | null): Rest {
    this.#stopClock()
    return {
      heldBytes: body?.length ?? 0,
      finish: () => {
        const finishing = this.#finish(status, failure, body)
        this.#busy = finishing
        return finishing
      },
    }
  }

  async #finish(status: number, failure: TransferFailed | null, body: Buffer | null): Promise<void> {
    const destination = this.#destination
    try {
      if (body !== null) {
        if (failure === null) this.#check(() => createHash('sha256').update(body).digest('hex'))
        await destination.turn()
        await destination.restart(null)
        await destination.append(body)
        this.#fetchedBytes += body.length
      } else if (failure === null && this.wanted.sha256 !== null) {
        const digest = await destination.digest()
        this.#check(() => digest)
      }
      if (failure !== null) throw failure
      await destination.finish()
    } catch (error) {
      return this.#settle(error)
    }
    const { lengthBytes } = destination
    this.isSettled = true
    const fetchedBytes = this.#fetchedBytes
    await this.#options.onSettled(this, { status, lengthBytes, fetchedBytes, isSkipped: false })
  }

  #check(digest: () => string): void {
    const { sha256 } = this.wanted
    if (sha256 === null) return
    const found = digest()
    if (found !== sha256) throw new TransferFailed(`the checksum is sha256:${found}, not the one given`)
  }

  async fail(error: unknown): Promise<void> {
    this.isSettled = true
    this.#stopClock()
    await this.#busy
    await this.#settle(error)
  }

  async #settle(error: unknown): Promise<void> {
    this.isSettled = true
    // What does not fit is of no use later, either.
    await this.#leave(!(error instanceof TransferFailed))
    if (!this.#isInterrupted) await this.#options.onSettled(this, { error })
  }

  /** Ends it where it is. Nobody is told what became of it, unless that is known already. */
  async interrupt(): Promise<void> {
    this.#isInterrupted = true
    this.#stopClock()
    await this.#busy
    if (!this.isSettled) await this.#leave(true)
  }

  async #leave(isUsable: boolean): Promise<void> {
    try {
      await this.#destination.leave(isUsable)
    } catch {
      // It is about another error already.
    }
  }

  #stopClock(): void {
    if (this.#clock !== null) clearTimeout(this.#clock)
  }
}

/** As much of a body as may be kept there. */
async function readIntoMemory(response: HTTPResponse): Promise<{ chunks: Buffer[]; isWhole: boolean }> {
  const { length } = response
  if (length !== null && length <= MEMORY_BYTES) return { chunks: [await response.readAll()], isWhole: true }
  const chunks: Buffer[] = []
  if (length !== null) return { chunks, isWhole: false }
  for (let read = 0; read <= MEMORY_BYTES;) {
    const bytes = await response.read()
    if (bytes.length === 0) return { chunks, isWhole: true }
    chunks.push(bytes)
    read += bytes.length
  }
  return { chunks, isWhole: false }
}

function credentialsOf({ username, password }: URL): [string, string][] {
  if (username === '' && password === '') return []
  return [['Authorization', basic(decode(username), decode(password))]]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not UTF-8: it stays as it is.
    return text
  }
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
