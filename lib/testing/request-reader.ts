// Owns the reading of requests by the fake peer: bytes in, whole requests out, and an error for anything that is not
// HTTP/1.1. It stands apart from the library's own grammar on purpose, so that a fault there cannot hide itself here.
import { HTTPHeaders, isToken } from '../headers'
import { ByteLog, describeBytes } from './received'

/** A request as the fake peer received it. */
export interface FakeRequest {
  method: string
  /** The request target as it was written. */
  path: string
  headers: HTTPHeaders
  /** Whole, and without its transfer coding. */
  body: Buffer
}

export interface RequestListener {
  /** A head came that announces a body and waits for leave to send it (RFC 9110 section 10.1.1). */
  onExpectContinue(): void
  onRequest(request: FakeRequest): void
}

type Reading<T> = Generator<undefined, T, undefined>

export class RequestReader {
  readonly #listener: RequestListener
  readonly #bytes = new ByteLog()
  /** Everything before this offset has been read. */
  #at = 0
  readonly #reading: Reading<never>

  constructor(listener: RequestListener) {
    this.#listener = listener
    this.#reading = this.#requests()
  }

  /** @throws Error when the bytes are not HTTP/1.1; nothing may be fed after that. */
  feed(chunk: Uint8Array): void {
    this.#bytes.append(chunk)
    this.#reading.next()
  }

  *#requests(): Reading<never> {
    for (;;) {
      this.#forget()
      const line = yield* this.#line()
      const [, method, path] = /^([^ ]+) ([\x21-\x7e]+) HTTP\/1\.1$/.exec(line) ?? fail('request line', line)
      if (!isToken(method)) fail('method', method)
      const headers = yield* this.#fields()
      const length = bodyLength(headers)
      if (length !== 0 && headers.get('expect')?.toLowerCase() === '100-continue') {
        this.#listener.onExpectContinue()
      }
      const body = length === 'chunked' ? yield* this.#chunks() : yield* this.#exactly(length)
      this.#listener.onRequest({ method, path, headers, body })
    }
  }

  /** Between requests only: whoever is in the middle of one holds offsets. */
  #forget(): void {
    if (this.#at < this.#bytes.length) return
    this.#bytes.clear()
    this.#at = 0
  }

  *#fields(): Reading<HTTPHeaders> {
    const headers = new HTTPHeaders()
    for (let line = yield* this.#line(); line !== ''; line = yield* this.#line()) {
      const colon = line.indexOf(':')
      if (colon < 0) fail('header line', line)
      try {
        headers.append(line.slice(0, colon), line.slice(colon + 1))
      } catch (error) {
        fail('header line', line, error)
      }
    }
    return headers
  }

  *#chunks(): Reading<Buffer> {
    const chunks: Buffer[] = []
    for (;;) {
      const line = yield* this.#line()
      const [, digits] = /^([0-9a-f]+)(?:;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(line) ?? fail('chunk size', line)
      const size = safeInteger(Number.parseInt(digits, 16)) ?? fail('chunk size', line)
      if (size === 0) break
      chunks.push(yield* this.#exactly(size))
      const end = yield* this.#exactly(2)
      if (end.toString('latin1') !== '\r\n') fail('end of a chunk', end.toString('latin1'))
    }
    yield* this.#fields()
    return Buffer.concat(chunks)
  }

  /** The text up to the next CRLF, which is taken too. A CR or LF alone stays in the text, and is refused there. */
  *#line(): Reading<string> {
    for (let searched = this.#at; ;) {
      const found = this.#bytes.all.indexOf('\r\n', searched, 'latin1')
      if (found >= 0) {
        const line = this.#bytes.all.toString('latin1', this.#at, found)
        this.#at = found + 2
        return line
      }
      searched = Math.max(this.#at, this.#bytes.length - 1)
      yield
    }
  }

  *#exactly(length: number): Reading<Buffer> {
    while (this.#bytes.length - this.#at < length) yield
    const bytes = this.#bytes.all.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }
}

/** The length of the body that a head announces (RFC 9112 section 6.3). */
function bodyLength(headers: HTTPHeaders): number | 'chunked' {
  const coding = headers.get('transfer-encoding')
  const length = headers.get('content-length')
  if (coding !== null && length !== null)
    fail('framing', `Transfer-Encoding: ${coding} with Content-Length: ${length}`)
  if (coding !== null)
    return coding.toLowerCase() === 'chunked' ? 'chunked' : fail('Transfer-Encoding', coding)
  if (length === null) return 0
  if (!/^[0-9]+$/.test(length)) fail('Content-Length', length)
  return safeInteger(Number(length)) ?? fail('Content-Length', length)
}

function safeInteger(value: number): number | null {
  return Number.isSafeInteger(value) ? value : null
}

function fail(what: string, text: string, cause?: unknown): never {
  const found = describeBytes(Buffer.from(text, 'latin1'))
  throw new Error(
    `The connection wrote what is not HTTP/1.1, in the ${what}: ${found}`,
    cause === undefined ? undefined : { cause },
  )
}
