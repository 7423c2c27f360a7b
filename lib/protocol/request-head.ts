// Owns what goes out before a body: the checks of method, path and header fields, and the bytes made of them. Everything is checked
// after it has become a string, since a check before would not see what is written (request splitting).
import { HTTPHeaders, type HeadersInput } from '../headers'

/** RFC 9110 section 5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Visible ASCII without `#`: a fragment is never sent (RFC 9110 section 4.1). */
const TARGET = /^[\x21\x22\x24-\x7e]+$/
const STANDARD_METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
])
/** Methods that define a meaning for content: for these an empty body is announced (RFC 9110 section 8.6). */
const ANNOUNCES_EMPTY_BODY = new Set(['POST', 'PUT', 'PATCH'])
/** Fields that say where a message ends or goes, or that only the connection may set, in a trailer section (RFC 9110 section 6.5.1). */
const NOT_IN_TRAILERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function quote(value: unknown): string {
  const text =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'number'
        ? String(value)
        : `of type ${typeof value}`
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** @throws TypeError unless `method` is a token that no server can take for another method */
export function checkMethod(method: string): void {
  // A look-up of one string is all that most requests need.
  if (method === 'GET') return
  if (typeof method !== 'string' || !TOKEN.test(method)) {
    throw new TypeError(`the method must be a token (RFC 9110 section 5.6.2), not ${quote(method)}`)
  }
  const upper = method.toUpperCase()
  if (upper !== method && STANDARD_METHODS.has(upper)) {
    throw new TypeError(`methods are case-sensitive: ${quote(upper)} instead of ${quote(method)}`)
  }
  if (method === 'CONNECT') throw new TypeError('CONNECT is sent by the proxy option only')
}

/** @throws TypeError unless `path` can stand in a request line as it is */
export function checkPath(path: string): void {
  if (typeof path !== 'string' || !TARGET.test(path)) {
    throw new TypeError(
      `the path must be visible ASCII characters without "#", the rest percent-encoded, not ${quote(path)}`,
    )
  }
}

/** What is announced of a body; `lengthBytes` null = chunked. */
export interface AnnouncedBody {
  readonly lengthBytes: number | null
  /** Content-Type unless the caller sets one. */
  readonly contentType?: string | null
}

export interface RequestHeadOptions {
  /** The Host field, unless the caller sets one. */
  readonly host: string
  /** Requests go to a plain proxy: absolute form. */
  readonly isAbsoluteForm: boolean
  readonly headers: HeadersInput | undefined
  /** Only for the proxy of an absolute-form request. */
  readonly proxyHeaders: readonly (readonly [string, string])[]
}

export interface RequestHead {
  readonly text: string
  /** Did the caller announce `Connection: close`? */
  readonly isLast: boolean
}

function refuseOurFields(headers: HTTPHeaders): void {
  for (const name of ['Transfer-Encoding', 'Expect']) {
    if (headers.has(name)) throw new TypeError(`${name} is set by the connection, not by the caller`)
  }
  if (headers.getAll('host').length > 1) throw new TypeError('a request has one Host field')
}

/** Makes request heads for one origin. */
export class RequestHeadWriter {
  readonly #options: RequestHeadOptions
  readonly #targetPrefix: string
  readonly #defaults: HTTPHeaders
  /** All that follows the target of a request without headers or body of its own. */
  readonly #plainEnd: string
  readonly #isPlainLast: boolean
  /** Polling and load ask for the same target again and again: its head is made once. */
  #lastMethod = ''
  #lastPath: string | null = null
  #lastHead: RequestHead = { text: '', isLast: false }

  /** @throws TypeError for default headers that a request may not carry */
  constructor(options: RequestHeadOptions) {
    this.#options = options
    this.#targetPrefix = options.isAbsoluteForm ? `http://${options.host}` : ''
    this.#defaults = new HTTPHeaders(options.headers)
    refuseOurFields(this.#defaults)
    if (this.#defaults.has('content-length')) {
      throw new TypeError('Content-Length belongs to a request, not to the headers of all requests')
    }
    const plain = this.#build('GET', '', new HTTPHeaders(), null, false)
    this.#plainEnd = plain.text.slice(plain.text.indexOf(' HTTP/1.1\r\n'))
    this.#isPlainLast = plain.isLast
  }

  /**
   * Checks everything and writes the head.
   *
   * @throws TypeError for whatever may not be sent
   */
  write(
    method: string,
    path: string,
    headers?: HeadersInput,
    body: AnnouncedBody | null = null,
    expect100 = false,
  ): RequestHead {
    const isBare = headers === undefined && body === null
    if (isBare && path === this.#lastPath && method === this.#lastMethod) return this.#lastHead
    checkMethod(method)
    checkPath(path)
    if (isBare && !ANNOUNCES_EMPTY_BODY.has(method)) {
      this.#lastMethod = method
      this.#lastPath = path
      return (this.#lastHead = {
        text: `${method} ${this.#target(path)}${this.#plainEnd}`,
        isLast: this.#isPlainLast,
      })
    }
    const own = new HTTPHeaders(headers)
    refuseOurFields(own)
    return this.#build(method, path, own, body, expect100)
  }

  #target(path: string): string {
    if (this.#targetPrefix === '') return path
    if (path === '*') return this.#targetPrefix
    return path.startsWith('/') ? this.#targetPrefix + path : path
  }

  #build(
    method: string,
    path: string,
    own: HTTPHeaders,
    body: AnnouncedBody | null,
    expect100: boolean,
  ): RequestHead {
    const isSet = (name: string): boolean => own.has(name) || this.#defaults.has(name)
    const host = own.get('host') ?? this.#defaults.get('host') ?? this.#options.host
    let text = `${method} ${this.#target(path)} HTTP/1.1\r\nHost: ${host}\r\n`
    if (!isSet('accept-encoding')) text += 'Accept-Encoding: identity\r\n'
    for (const [name, value] of this.#options.proxyHeaders) if (!isSet(name)) text += `${name}: ${value}\r\n`
    for (const [name, value] of this.#defaults) {
      if (name.toLowerCase() !== 'host' && !own.has(name)) text += `${name}: ${value}\r\n`
    }
    for (const [name, value] of own) {
      const lower = name.toLowerCase()
      if (lower !== 'host' && lower !== 'content-length') text += `${name}: ${value}\r\n`
    }
    if (typeof body?.contentType === 'string' && !isSet('content-type')) {
      // A Blob says its type itself, and need not be one of Node's: it is checked like any value.
      text = new HTTPHeaders([['Content-Type', body.contentType]]).appendFieldLines(text)
    }
    text += this.#framingFields(method, own, body)
    if (expect100) text += 'Expect: 100-continue\r\n'
    const connection = own.get('connection') ?? this.#defaults.get('connection') ?? ''
    const isLast = connection.split(',').some(option => option.trim().toLowerCase() === 'close')
    return { text: `${text}\r\n`, isLast }
  }

  #framingFields(method: string, own: HTTPHeaders, body: AnnouncedBody | null): string {
    const lengthBytes = body === null ? 0 : body.lengthBytes
    // A body of a foreign class may say anything of its size.
    if (lengthBytes !== null && !(Number.isSafeInteger(lengthBytes) && lengthBytes >= 0)) {
      throw new TypeError(`a body must have a length from 0 to 2^53-1, not ${quote(lengthBytes)}`)
    }
    const claimed = own.getAll('content-length')
    if (claimed.length > 0 && (claimed.length > 1 || claimed[0] !== String(lengthBytes))) {
      const actual = lengthBytes === null ? 'a body of unknown length' : `a body of ${lengthBytes} bytes`
      throw new TypeError(`Content-Length ${quote(claimed.join(', '))} with ${actual}`)
    }
    if (lengthBytes === null) return 'Transfer-Encoding: chunked\r\n'
    return lengthBytes > 0 || ANNOUNCES_EMPTY_BODY.has(method) ? `Content-Length: ${lengthBytes}\r\n` : ''
  }
}

/** `size CRLF`: what goes before the data of a chunk (RFC 9112 section 7.1). */
export function chunkHead(lengthBytes: number): string {
  return `${lengthBytes.toString(16)}\r\n`
}

/**
 * The end of a chunked body.
 *
 * @throws TypeError for fields that a trailer section may not carry
 */
export function lastChunk(trailers?: HeadersInput): string {
  let fields = ''
  for (const [name, value] of new HTTPHeaders(trailers)) {
    if (NOT_IN_TRAILERS.has(name.toLowerCase()))
      throw new TypeError(`${name} may not stand in a trailer section`)
    fields += `${name}: ${value}\r\n`
  }
  return `0\r\n${fields}\r\n`
}
