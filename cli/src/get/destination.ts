// Owns where the bytes of a URL go: into a file that is not there before it is whole, or to the standard output in its turn. It knows no
// requests.
import { createHash, type Hash } from 'node:crypto'
import { writeOut } from '../output'
import { TransferFailed } from './failure'
import type { OrderedOutput } from './ordered-output'
import { PartFile } from './part-file'

export interface Destination {
  /** Bytes that are there. */
  readonly lengthBytes: number
  /** Of the version that they belong to; null if they can only be thrown away. */
  readonly validator: string | null
  /** Does it take the bodies of responses with a status other than 2xx? */
  readonly takesFailures: boolean
  /** Resolves when it can take bytes. */
  turn(): Promise<void>
  /** Forgets all bytes. What comes then is of this version. Throws if it cannot. */
  restart(validator: string | null): Promise<void>
  append(bytes: Uint8Array): Promise<void>
  /** The SHA-256 of all bytes, in hexadecimal digits. */
  digest(): Promise<string>
  /** All bytes are there. */
  finish(): Promise<void>
  /** There will be no more now. @param isUsable - may what is there be gone on with another time? */
  leave(isUsable: boolean): Promise<void>
}

export class FileDestination implements Destination {
  readonly takesFailures = false
  readonly #part: PartFile
  readonly #url: string
  readonly #isKept: boolean
  validator: string | null = null

  /** @param isKept - are parts gone on with, and kept for another time? */
  constructor(file: string, url: string, isKept: boolean) {
    this.#part = new PartFile(file)
    this.#url = url
    this.#isKept = isKept
    if (isKept) this.validator = this.#part.find(url)?.validator ?? null
  }

  get lengthBytes(): number {
    return this.#part.lengthBytes
  }

  async turn(): Promise<void> {}

  async restart(validator: string | null): Promise<void> {
    this.validator = validator
    await this.#part.begin()
    if (validator !== null) await this.#part.remember({ url: this.#url, validator })
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#part.reopen()
    await this.#part.append(bytes)
  }

  digest(): Promise<string> {
    return this.#part.sha256()
  }

  finish(): Promise<void> {
    return this.#part.finish()
  }

  leave(isUsable: boolean): Promise<void> {
    return this.#part.leave(this.#isKept && isUsable)
  }
}

export class OutputDestination implements Destination {
  readonly takesFailures: boolean
  readonly #order: OrderedOutput
  readonly #index: number
  readonly #hash: Hash = createHash('sha256')
  lengthBytes = 0
  validator: string | null = null

  constructor(order: OrderedOutput, index: number, takesFailures: boolean) {
    this.#order = order
    this.#index = index
    this.takesFailures = takesFailures
  }

  turn(): Promise<void> {
    return this.#order.turn(this.#index)
  }

  async restart(validator: string | null): Promise<void> {
    // What was written cannot be taken back.
    if (this.lengthBytes > 0)
      throw new TransferFailed('the connection was lost, and the server does not go on where it was')
    this.validator = validator
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes)
    await writeOut(bytes)
    this.lengthBytes += bytes.length
  }

  async digest(): Promise<string> {
    return this.#hash.digest('hex')
  }

  async finish(): Promise<void> {}
  async leave(): Promise<void> {}
}
