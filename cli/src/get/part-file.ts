// Owns a file until it is whole: its bytes lie under another name, beside what is needed to go on with them later. It knows no HTTP.
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** What is kept beside a part of a file. */
export interface PartNote {
  readonly url: string
  /** Of the version that the bytes belong to: what If-Range takes. */
  readonly validator: string
}

/** Names may be of 255 bytes, and ours are longer than the file's. */
const LONGEST_NAME_BYTES = 200

/** The name under which the bytes of a file lie until it is whole. */
export function partNameOf(name: string): string {
  const stem =
    Buffer.byteLength(name) <= LONGEST_NAME_BYTES ? name : createHash('sha256').update(name).digest('hex')
  return `.${stem}.httpio-part`
}

export class PartFile {
  readonly #file: string
  readonly #part: string
  readonly #note: string
  #handle: FileHandle | null = null
  /** Is there something under its other name, and a note beside it? */
  #isThere = false
  #hasNote = false
  /** Bytes that are there. */
  lengthBytes = 0

  /** @param file - where it is to be in the end */
  constructor(file: string) {
    this.#file = file
    this.#part = join(dirname(file), partNameOf(basename(file)))
    this.#note = `${this.#part}.json`
  }

  /** Looks for what is there of an earlier attempt for the same URL; null if nothing is that can be gone on with. */
  find(url: string): PartNote | null {
    try {
      const note = JSON.parse(readFileSync(this.#note, 'utf8')) as PartNote
      if (note.url !== url || typeof note.validator !== 'string') return null
      this.lengthBytes = statSync(this.#part).size
      this.#isThere = this.#hasNote = true
      return this.lengthBytes > 0 ? note : null
    } catch {
      return null
    }
  }

  /** Opens what is there, to go on with it. */
  async reopen(): Promise<void> {
    this.#handle ??= await open(this.#part, 'r+')
  }

  /** Begins anew, with an empty file. */
  async begin(): Promise<void> {
    this.lengthBytes = 0
    this.#isThere = true
    if (this.#handle !== null) {
      await this.#handle.truncate(0)
      return
    }
    try {
      this.#handle = await open(this.#part, 'w+')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await mkdir(dirname(this.#file), { recursive: true })
      this.#handle = await open(this.#part, 'w+')
    }
  }

  /** Keeps what is needed to go on with the bytes later. */
  async remember(note: PartNote): Promise<void> {
    this.#hasNote = true
    await writeFile(this.#note, `${JSON.stringify(note)}\n`)
  }

  async append(bytes: Uint8Array): Promise<void> {
    let written = 0
    while (written < bytes.length) {
      const rest = bytes.subarray(written)
      const { bytesWritten } = await this.#handle!.write(rest, 0, rest.length, this.lengthBytes)
      written += bytesWritten
      this.lengthBytes += bytesWritten
    }
  }

  /** The digest of all that is there, in hexadecimal digits. */
  async sha256(): Promise<string> {
    const hash = createHash('sha256')
    await pipeline(createReadStream(this.#part), hash)
    return hash.digest('hex')
  }

  /** It is whole: only now it appears under its name, and a crash leaves either all of it there or nothing. */
  async finish(): Promise<void> {
    await this.reopen()
    await this.#handle!.sync()
    await this.#close()
    await rename(this.#part, this.#file)
    if (this.#hasNote) await rm(this.#note, { force: true })
  }

  /** It is not whole. What there is stays for later, or goes. */
  async leave(isKept: boolean): Promise<void> {
    await this.#close()
    if (isKept) return
    if (this.#isThere) await rm(this.#part, { force: true })
    if (this.#hasNote) await rm(this.#note, { force: true })
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = null
    await handle?.close()
  }
}
