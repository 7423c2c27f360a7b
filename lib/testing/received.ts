// Owns the bytes that the connection under test wrote, and those who wait for them. It knows no stream and no HTTP.

/** Bytes in order, appended at amortised constant cost. */
export class ByteLog {
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A view. Later appends neither move nor change it. */
  get all(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, needed, 2 * this.#bytes.length))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = needed
  }

  /** Forgets everything; views given out before stay as they are. */
  clear(): void {
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
  }
}

interface Waiter {
  readonly what: Buffer | number
  /** Everything before this offset has been searched. */
  searched: number
  readonly resolve: (received: Buffer) => void
  readonly reject: (reason: Error) => void
  /** Stack of the caller of `waitFor`: that is the line which a failing spec should show. */
  readonly site: string
}

/** What the connection wrote so far, as bytes, as separate writes, and as something to wait for. */
export class Received {
  readonly #log = new ByteLog()
  /** Offset of the end of each write. */
  #ends: number[] = []
  #waiters: Waiter[] = []
  #end: { readonly why: string; readonly cause?: Error } | null = null

  get all(): Buffer {
    return this.#log.all
  }

  get writes(): readonly Buffer[] {
    const all = this.#log.all
    return this.#ends.map((end, i) => all.subarray(i === 0 ? 0 : this.#ends[i - 1], end))
  }

  take(): Buffer {
    const all = this.#log.all
    this.#log.clear()
    this.#ends = []
    for (const waiter of this.#waiters) waiter.searched = 0
    return all
  }

  /** Records one write. An empty one puts nothing on a wire, so it leaves no mark. */
  append(chunks: readonly Uint8Array[]): void {
    const before = this.#log.length
    for (const chunk of chunks) this.#log.append(chunk)
    if (this.#log.length === before) return
    this.#ends.push(this.#log.length)
    this.#waiters = this.#waiters.filter(waiter => !this.#satisfy(waiter))
  }

  waitFor(what: string | number): Promise<Buffer> {
    const site = { stack: '' }
    Error.captureStackTrace(site)
    return new Promise((resolve, reject) => {
      const needle = typeof what === 'string' ? latin1(what) : what
      const waiter = { what: needle, searched: 0, resolve, reject, site: site.stack }
      if (this.#satisfy(waiter)) return
      if (this.#end === null) this.#waiters.push(waiter)
      else this.#refuse(waiter)
    })
  }

  /** Nothing more will come. The first reason given stands. */
  close(why: string, cause?: Error): void {
    this.#end ??= { why, cause }
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) this.#refuse(waiter)
  }

  #satisfy(waiter: Waiter): boolean {
    const { what } = waiter
    const all = this.#log.all
    if (typeof what === 'number') {
      if (all.length < what) return false
    } else if (all.indexOf(what, waiter.searched) < 0) {
      waiter.searched = Math.max(0, all.length - what.length + 1)
      return false
    }
    waiter.resolve(all)
    return true
  }

  #refuse(waiter: Waiter): void {
    const { why, cause } = this.#end!
    const wanted =
      typeof waiter.what === 'number'
        ? `${waiter.what} bytes`
        : JSON.stringify(waiter.what.toString('latin1'))
    const message = `${why} before the peer had received ${wanted}; it received ${describeBytes(this.all)}`
    const error = new Error(message, cause === undefined ? undefined : { cause })
    error.stack = `${error.name}: ${message}${waiter.site.slice(waiter.site.indexOf('\n'))}`
    waiter.reject(error)
  }
}

/**
 * The bytes of a latin1 string.
 * @throws TypeError when a character is above U+00FF: it has no byte, and would silently become another one.
 */
export function latin1(text: string): Buffer {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      throw new TypeError(
        `${JSON.stringify(text[i])} at ${i} is not latin1: give bytes (Buffer.from(text)) instead`,
      )
    }
  }
  return Buffer.from(text, 'latin1')
}

/** Bytes for an error message: how many, and the first and last of them as text. */
export function describeBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing'
  const edge = 200
  const text = (from: number, to: number) =>
    JSON.stringify(Buffer.from(bytes.subarray(from, to)).toString('latin1'))
  const count = `${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'}`
  if (bytes.length <= 2 * edge) return `${count}: ${text(0, bytes.length)}`
  return `${count}: ${text(0, edge)} … ${text(bytes.length - edge, bytes.length)}`
}
