// Owns WebAssembly memory: the llhttp instance, one parser structure for each connection, and the window through which
// bytes enter. It knows nothing of HTTP beyond what llhttp says, and nobody else touches this memory.

/** Bits of llhttp's `flags`. */
export const FLAG_CONNECTION_CLOSE = 0x2
export const FLAG_CHUNKED = 0x8
export const FLAG_CONTENT_LENGTH = 0x20
export const FLAG_TRANSFER_ENCODING = 0x200

/** llhttp's numbers for what a parser reads, and for a callback that asks it to stop. */
const READS_RESPONSES = 2
const HPE_OK = 0
const HPE_PAUSED = 21

/** Offsets in llhttp's parser structure as compiled into this binary; `selfTest` proves them. */
const ERROR_POSITION = 20
const CONTENT_LENGTH = 32
const FLAGS = 50
const STATUS = 52

/** As many bytes are given to llhttp at a time. The notes (see callbacks.wat) have room for every span that fits in. */
const WINDOW_BYTES = 16_384
/** Responses that `selfTest` knows the meaning of. */
const COUNTED_SPECIMEN = 'HTTP/1.1 234 x\r\nConnection: close\r\nContent-Length: 4886718345\r\n\r\n'
const CHUNKED_SPECIMEN = 'HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n'

interface LlhttpExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize(): void
  malloc(bytes: number): number
  llhttp_alloc(type: number): number
  llhttp_reset(parser: number): void
  llhttp_resume(parser: number): void
  llhttp_execute(parser: number, at: number, bytes: number): number
  llhttp_errno_name(errno: number): number
  llhttp_get_error_reason(parser: number): number
}

interface CallbackExports {
  readonly notes: { readonly buffer: ArrayBuffer }
  readonly ignore: () => number
  readonly ignoreSpan: () => number
  readonly headerValue: () => number
  readonly headersComplete: () => number
  readonly messageComplete: () => number
  readonly body: () => number
}

/** Just what is used of the WebAssembly namespace, which the compiler's libraries for Node do not declare. */
interface WebAssemblyNamespace {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports?: object) => { readonly exports: unknown }
}
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly

let llhttp: LlhttpExports
let notes: Int32Array
/** Views on llhttp's memory. Asking for `memory.buffer` is slow, so it is asked only after something was allocated. */
let bytes: Uint8Array
let words: Uint32Array
let halves: Uint16Array
let windowAt = 0
/** Address of the parser whose bytes are in the window; parsers of all connections share it. */
let windowOwner = 0
const unusedParsers: number[] = []

function instantiate(base64: string, imports?: object): unknown {
  return new wasm.Instance(new wasm.Module(Buffer.from(base64, 'base64')), imports).exports
}

function refreshViews(): void {
  const buffer = llhttp.memory.buffer
  bytes = new Uint8Array(buffer)
  words = new Uint32Array(buffer)
  halves = new Uint16Array(buffer)
}

/** Loads the binary when the first connection needs it, not when the package is imported. */
function load(): void {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would load it with the package
  const binary = require('./binary.generated') as typeof import('./binary.generated')
  const callbacks = instantiate(binary.CALLBACKS_WASM_BASE64) as CallbackExports
  llhttp = instantiate(binary.LLHTTP_WASM_BASE64, {
    env: {
      wasm_on_message_begin: callbacks.ignore,
      wasm_on_url: callbacks.ignoreSpan,
      wasm_on_status: callbacks.ignoreSpan,
      wasm_on_header_field: callbacks.ignoreSpan,
      wasm_on_header_value: callbacks.headerValue,
      wasm_on_headers_complete: callbacks.headersComplete,
      wasm_on_body: callbacks.body,
      wasm_on_message_complete: callbacks.messageComplete,
    },
  }) as LlhttpExports
  llhttp._initialize()
  notes = new Int32Array(callbacks.notes.buffer)
  windowAt = llhttp.malloc(WINDOW_BYTES)
  refreshViews()
  let isProven = false
  try {
    isProven = selfTest()
  } finally {
    // Nobody may find a binary loaded that is not the one that was meant.
    if (!isProven) {
      llhttp = undefined as unknown as LlhttpExports
      unusedParsers.length = 0
    }
  }
  if (!isProven) throw new Error('httpio: the llhttp binary does not have the expected layout')
}

/** Proves the offsets on what has a known meaning: a changed binary must fail here and not in a framing decision. */
function selfTest(): boolean {
  const parser = new ResponseParser()
  const feed = (text: string): ParserStep => {
    const bytesOfText = Buffer.from(text)
    parser.begin()
    return parser.execute(bytesOfText, 0, bytesOfText.length)
  }
  let isProven =
    feed(COUNTED_SPECIMEN) === 'head' &&
    parser.position === COUNTED_SPECIMEN.length &&
    parser.status === 234 &&
    parser.flags === (FLAG_CONNECTION_CLOSE | FLAG_CONTENT_LENGTH) &&
    parser.contentLength === 4886718345
  parser.reset()
  isProven &&= feed(CHUNKED_SPECIMEN) === 'head' && parser.flags === (FLAG_CHUNKED | FLAG_TRANSFER_ENCODING)
  parser.resume()
  isProven &&= feed('123456789\r\nabc') === 'more' && parser.spanCount === 1 && parser.spanLength(0) === 3
  isProven &&= parser.chunkRemaining() === 0x1_2345_6789 - 3
  parser.skipChunkData(0x1_2345_6789 - 4)
  isProven &&= feed('d\r\n0\r\n\r\n') === 'complete'
  parser.release()
  return isProven
}

function readCString(at: number): string {
  return Buffer.from(bytes.buffer, at, bytes.indexOf(0, at) - at).toString('latin1')
}

/**
 * What stopped the parser: `more` = all bytes of this step are taken and more are wanted; `head` = right behind a header
 * section; `complete` = right behind a chunked body; `error` = at a fault.
 */
export type ParserStep = 'more' | 'head' | 'complete' | 'error'

/** One llhttp parser in strict mode. After `head` either `reset` it or `resume` it into a chunked body. */
export class ResponseParser {
  readonly #at: number
  /** Part of the segment that lies in the window, while `windowOwner` is this parser. */
  #windowStart = 0
  #windowEnd = 0
  #errno = HPE_OK

  /** Index in the segment of the first byte that was not taken. */
  position = 0
  /** Of the last head. */
  status = 0
  flags = 0
  /** Content-Length of the last head, or what is left of the current chunk; exact up to 2^53 - 1 and larger if larger. */
  contentLength = 0
  /** Was a header value of length 0 seen since `reset`? (llhttp sets no flag for an empty Transfer-Encoding.) */
  hasEmptyValue = false
  /** Number of pieces of body data in the last step. */
  spanCount = 0

  constructor() {
    if (llhttp === undefined) load()
    const unused = unusedParsers.pop()
    if (unused === undefined) {
      this.#at = llhttp.llhttp_alloc(READS_RESPONSES)
      refreshViews()
    } else {
      this.#at = unused
    }
  }

  /**
   * Says that the following steps read a new segment. Must be called before the first step on any segment, since the bytes
   * of the last step may still lie in the window.
   */
  begin(): void {
    this.#windowEnd = 0
  }

  /** Feeds bytes from `start`, at most as many as one window holds; `position` then says how far it came. */
  execute(segment: Uint8Array, start: number, end: number): ParserStep {
    if (windowOwner !== this.#at || start >= this.#windowEnd || start < this.#windowStart) {
      this.#fillWindow(segment, start, end)
    }
    const from = windowAt + start - this.#windowStart
    const length = Math.min(end, this.#windowEnd) - start
    notes[0] = 0
    notes[1] = 0
    notes[2] = 0
    const errno = llhttp.llhttp_execute(this.#at, from, length)
    this.spanCount = notes[0] >> 3
    if (notes[2] !== 0) this.hasEmptyValue = true
    if (errno === HPE_OK) {
      this.position = start + length
      return 'more'
    }
    this.position = words[(this.#at + ERROR_POSITION) >> 2] - windowAt + this.#windowStart
    if (errno !== HPE_PAUSED) {
      this.#errno = errno
      return 'error'
    }
    if (notes[1] === 2) return 'complete'
    this.status = halves[(this.#at + STATUS) >> 1]
    this.flags = halves[(this.#at + FLAGS) >> 1]
    this.#readContentLength()
    return 'head'
  }

  #fillWindow(segment: Uint8Array, start: number, end: number): void {
    windowOwner = this.#at
    const length = Math.min(WINDOW_BYTES, end - start)
    bytes.set(length === segment.length ? segment : segment.subarray(start, start + length), windowAt)
    this.#windowStart = start
    this.#windowEnd = start + length
  }

  #readContentLength(): void {
    const at = (this.#at + CONTENT_LENGTH) >> 2
    this.contentLength = words[at + 1] === 0 ? words[at] : words[at + 1] * 0x1_0000_0000 + words[at]
  }

  /** Where in the segment piece `index` of the last step begins. */
  spanStart(index: number): number {
    return notes[4 + index * 2] - windowAt + this.#windowStart
  }

  /** The length of piece `index` of the last step. */
  spanLength(index: number): number {
    return notes[5 + index * 2]
  }

  /** Bytes still to come of the chunk that is being read. */
  chunkRemaining(): number {
    this.#readContentLength()
    return this.contentLength
  }

  /**
   * Says that `bytes` of the current chunk's data were passed by without being fed: llhttp would only count them. Valid only within data,
   * for at most `chunkRemaining()`.
   */
  skipChunkData(bytes: number): void {
    const remaining = this.chunkRemaining() - bytes
    const at = (this.#at + CONTENT_LENGTH) >> 2
    words[at] = remaining % 0x1_0000_0000
    words[at + 1] = Math.floor(remaining / 0x1_0000_0000)
  }

  /** llhttp's name and sentence for the fault that the last step met. */
  describeError(): { name: string; message: string } {
    return {
      name: readCString(llhttp.llhttp_errno_name(this.#errno)),
      message: readCString(llhttp.llhttp_get_error_reason(this.#at)),
    }
  }

  /** Goes on behind a head, into its chunked body. */
  resume(): void {
    llhttp.llhttp_resume(this.#at)
  }

  /** Makes ready for the next response. */
  reset(): void {
    llhttp.llhttp_reset(this.#at)
    this.hasEmptyValue = false
  }

  /** Gives the structure back; the parser must not be used afterwards. */
  release(): void {
    this.reset()
    unusedParsers.push(this.#at)
  }
}
