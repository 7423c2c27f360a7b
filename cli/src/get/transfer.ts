// Owns one URL from the request to the file under its name, or to the bytes for the standard output. It knows neither the other
// URLs nor the user.
import { BodyTooLong, type HTTPResponse } from 'httpio'
import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import { TransferFailed } from './failure'
import type { OriginGroup } from './origin-group'
import { PartFile } from './part-file'
import { failedStatus, streamBody, type Sink } from './stream'
import type { Wanted } from './urls'

/** As large bodies are fetched as one of many, in memory; what is larger gets a connection of its own. */
export const MEMORY_BYTES = 8 * 1024 * 1024

export interface TransferOptions {
  readonly isResumed: boolean
  readonly attempts: number
  readonly maxTimeMs: number
  /** Ends everything. */
  readonly signal: AbortSignal
  readonly onProgress: (wanted: Wanted, lengthBytes: number, totalBytes: number | null) => void
}

/** What became of a URL. */
export interface Transferred {
  readonly status: number | null
  readonly lengthBytes: number
  /** Was the file there already? */
  readonly isSkipped: boolean
}

export class Transfer {
  readonly #wanted: Wanted
  readonly #group: OriginGroup
  readonly #options: TransferOptions
  readonly #path: string
  readonly #headers: [string, string][] = []

  constructor(wanted: Wanted, group: OriginGroup, options: TransferOptions) {
    this.#wanted = wanted
    this.#group = group
    this.#options = options
    const { url } = wanted
    this.#path = url.pathname + url.search
    if (url.username !== '' || url.password !== '') {
      this.#headers.push([
        'Authorization',
        basic(decodeURIComponent(url.username), decodeURIComponent(url.password)),
      ])
    }
  }

  /** Makes the file. Nothing is left under its name unless it is whole. */
  async toFile(file: string): Promise<Transferred> {
    const { isResumed } = this.#options
    if (isResumed && (await exists(file))) return { status: null, lengthBytes: 0, isSkipped: true }
    const part = new PartFile(file)
    let isWhole = false
    try {
      const note = isResumed ? await part.resume(this.#wanted.url.href) : null
      const status =
        note === null
          ? await this.#fetchInto(part)
          : await this.#stream(new PartSink(part, this.#wanted, note.validator))
      if (this.#wanted.sha256 !== null) this.#check(await part.sha256())
      await part.finish()
      isWhole = true
      return { status, lengthBytes: part.lengthBytes, isSkipped: false }
    } catch (error) {
      // What does not fit is of no use later, either.
      await part.leave(isResumed && !isWhole && !(error instanceof TransferFailed))
      throw error
    }
  }

  async #fetchInto(part: PartFile): Promise<number> {
    const response = await this.fetch()
    if (response === null) return this.#stream(new PartSink(part, this.#wanted, null))
    if (!isGood(response)) throw failedStatus(response)
    await part.begin()
    await part.append(await response.readAll())
    return response.status
  }

  /** The response, its body in memory; null if that is too large. */
  async fetch(): Promise<HTTPResponse | null> {
    try {
      return await this.#group.client.request('GET', this.#path, {
        headers: this.#headers,
        maxBodyBytes: MEMORY_BYTES,
        signal: this.#signal(),
      })
    } catch (error) {
      if (!(error instanceof BodyTooLong)) throw error
      if (!isGood(error.response)) throw failedStatus(error.response)
      return null
    }
  }

  /** Reads a large body, or the rest of one, into a sink. */
  async #stream(sink: Sink): Promise<number> {
    return streamBody(() => this.#group.connection(), sink, {
      path: this.#path,
      headers: this.#headers,
      attempts: this.#options.attempts,
      signal: this.#signal(),
      onConnected: () => this.#group.streamOpened(),
      onProgress: (lengthBytes, totalBytes) =>
        this.#options.onProgress(this.#wanted, lengthBytes, totalBytes),
    })
  }

  /** Hands a large body on as it comes. */
  async streamTo(write: (bytes: Uint8Array) => Promise<void>): Promise<Transferred> {
    const sink = new PassingSink(write)
    const status = await this.#stream(sink)
    return { status, lengthBytes: sink.lengthBytes, isSkipped: false }
  }

  /** @throws TransferFailed for a body that is not what it should be */
  checkBody(body: Buffer): void {
    if (this.#wanted.sha256 !== null) this.#check(createHash('sha256').update(body).digest('hex'))
  }

  #check(found: string): void {
    const { sha256 } = this.#wanted
    if (found !== sha256) throw new TransferFailed(`the checksum is sha256:${found}, not the one given`)
  }

  #signal(): AbortSignal {
    const { signal, maxTimeMs } = this.#options
    return maxTimeMs === 0 ? signal : AbortSignal.any([signal, AbortSignal.timeout(maxTimeMs)])
  }
}

/** A large body on its way into a file. */
class PartSink implements Sink {
  readonly #part: PartFile
  readonly #wanted: Wanted
  validator: string | null

  constructor(part: PartFile, wanted: Wanted, validator: string | null) {
    this.#part = part
    this.#wanted = wanted
    this.validator = validator
  }

  get lengthBytes(): number {
    return this.#part.lengthBytes
  }

  async restart(validator: string | null): Promise<void> {
    this.validator = validator
    await this.#part.begin()
    if (validator !== null) await this.#part.remember({ url: this.#wanted.url.href, validator })
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#part.append(bytes)
  }
}

/** A large body on its way to somebody who cannot give it back. */
class PassingSink implements Sink {
  readonly #write: (bytes: Uint8Array) => Promise<void>
  lengthBytes = 0
  validator: string | null = null

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write
  }

  async restart(validator: string | null): Promise<void> {
    if (this.lengthBytes > 0)
      throw new TransferFailed('the connection was lost, and the server does not go on where it was')
    this.validator = validator
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes)
    this.lengthBytes += bytes.length
  }
}

export function isGood({ status }: HTTPResponse): boolean {
  return status >= 200 && status < 300 && status !== 206
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
