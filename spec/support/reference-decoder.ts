// A second, independent reading of HTTP/1.1 response streams, against which the library is tested. It is written for the
// reader, straight from RFC 9112 and from what the library promises; it is slow, it sees the whole stream at once, and it
// shares no code with lib/.
//
// Bytes are latin1 text here: one character, one byte.

export interface ReferenceRequest {
  readonly method: string
  /** Its body waits for a 100, and goes out when that comes. */
  readonly expect100?: true
}

export interface ReferenceOptions {
  readonly closeDelimited?: 'accept' | 'reject'
  readonly maxHeaderBytes?: number
  /** Read the chunk extensions that RFC 9112 forbids and llhttp lets pass: empty names and values. Refused unless given. */
  readonly oddExtensions?: 'accept'
}

/** `open`: more may come. `fin`: a clean end. `reset`: any other end. */
export type ReferenceEnd = 'open' | 'fin' | 'reset'

export type Field = readonly [name: string, value: string]

export interface ReferenceHead {
  readonly status: number
  readonly reason: string
  readonly headers: readonly Field[]
}

export interface ReferenceResponse extends ReferenceHead {
  readonly body: string
  readonly trailers: readonly Field[]
}

/** How the stream ends for those who still wait: `open` = they go on waiting, else the error they get. */
export type Verdict = 'open' | 'ConnectionClosed' | 'UnsupportedResponse' | 'InvalidResponse'

export interface Decoded {
  /** Complete responses, in the order of the requests. */
  readonly responses: readonly ReferenceResponse[]
  /** Interim responses, in order. */
  readonly informational: readonly ReferenceHead[]
  /** The head that is known of a response which is not complete, and what is known of its body. */
  readonly unfinished?: { readonly head: ReferenceHead; readonly bodySoFar: string }
  readonly verdict: Verdict
  /** Other verdicts that are right as well: a section that is wrong and has not ended may be refused early or late. */
  readonly alternatives: readonly Verdict[]
  /** Why it ends with that verdict, in words. */
  readonly why: string
}

// RFC 9110 section 5.6.2: token = 1*tchar
const TCHAR = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
// RFC 9110 section 5.5: field-value holds VCHAR, obs-text, SP and HTAB; reason-phrase (RFC 9112 section 4) the same.
const TEXT = '[\\t\\x20-\\x7e\\x80-\\xff]'
// RFC 9112 section 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; the second SP may be missing.
const STATUS_LINE = new RegExp(`^HTTP/(\\d)\\.(\\d) (\\d{3})(?: (${TEXT}*))?$`)
// RFC 9112 section 5: field-line = field-name ":" OWS field-value OWS
const FIELD_LINE = new RegExp(`^(${TCHAR}+):(${TEXT}*)$`)
// RFC 9112 section 7.1.1, without the white space that a recipient may refuse.
const QUOTED = '"(?:[\\t\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const EXTENSIONS = new RegExp(`^(?:;${TCHAR}+(?:=(?:${TCHAR}+|${QUOTED}))?)*$`)
// What llhttp reads beyond that: empty names and values, and a quoted string behind a token.
const ODD_EXTENSIONS = new RegExp(`^(?:;${TCHAR}*(?:=${TCHAR}*(?:${QUOTED})?)?)*$`)

const KNOWN_VERSIONS = ['0.9', '1.0', '1.1', '2.0']
const HIGHEST_INTERIM_COUNT = 32
const maxHeaderBytesOf = (options: ReferenceOptions) => options.maxHeaderBytes ?? 65_535

/** The stream is not HTTP/1.1, or not HTTP/1.1 that the library speaks. */
class Fault extends Error {
  constructor(
    readonly verdict: 'UnsupportedResponse' | 'InvalidResponse',
    why: string,
    readonly alternatives: readonly Verdict[] = [],
  ) {
    super(why)
  }
}

/** The stream ends here, before its grammar does. */
class EndOfStream extends Error {
  constructor(
    where: string,
    /** What was wrong already, if anything. */
    readonly fault?: Fault,
  ) {
    super(where)
  }
}

const invalid = (why: string, alternatives?: readonly Verdict[]) =>
  new Fault('InvalidResponse', why, alternatives)
const unsupported = (why: string) => new Fault('UnsupportedResponse', why)

/** Is `start` the start of a line that `pattern` takes? `tails` are ways in which such a line may go on. */
const couldBecome = (start: string, tails: readonly string[], pattern: RegExp) =>
  tails.some(tail => pattern.test(start + tail))

const STATUS_LINE_TAILS = Array.from('HTTP/1.1 200', (_, index) => 'HTTP/1.1 200'.slice(index)).concat('')
const FIELD_LINE_TAILS = ['x: y', ': y', '']
const CHUNK_LINE = new RegExp(`^([0-9A-Fa-f]+)(.*)$`, 's')

class Stream {
  at = 0

  constructor(readonly text: string) {}

  get rest(): string {
    return this.text.slice(this.at)
  }

  /**
   * Takes a line that ends with CRLF. A CR or an LF that is not part of a CRLF ends no line and may be in none.
   * @param faultInStart - what is wrong already with a line of which only this much is there, or all but the LF (`isWhole`)
   */
  takeLine(what: string, faultInStart: (start: string, isWhole: boolean) => Fault | undefined): string {
    const end = this.text.slice(this.at).search(/[\r\n]/)
    const line = end < 0 ? this.rest : this.text.slice(this.at, this.at + end)
    const after = end < 0 ? '' : this.text.slice(this.at + end, this.at + end + 2)
    if (after === '\r\n') {
      this.at += end + 2
      return line
    }
    if (after === '' || after === '\r') {
      throw new EndOfStream(`in ${what}`, faultInStart(line, after === '\r'))
    }
    throw invalid(`a bare ${after.startsWith('\r') ? 'CR' : 'LF'} in ${what}`)
  }

  takeBytes(count: number): string {
    const bytes = this.text.slice(this.at, this.at + count)
    this.at += bytes.length
    return bytes
  }
}

interface Head extends ReferenceHead {
  readonly version: string
}

function readStatusLine(stream: Stream): Head {
  if (/^[\r\n]/.test(stream.rest)) throw invalid('an empty line before the status line')
  // Of a version that llhttp does not know nothing is read, so that anything may follow it.
  const [, version] = /^HTTP\/(\d\.\d)/.exec(stream.rest) ?? []
  if (version !== undefined && !KNOWN_VERSIONS.includes(version)) {
    throw new Fault('UnsupportedResponse', `HTTP/${version}`, ['InvalidResponse', 'ConnectionClosed', 'open'])
  }
  const line = stream.takeLine('the status line', (start, isWhole) =>
    couldBecome(start, isWhole ? [''] : STATUS_LINE_TAILS, STATUS_LINE)
      ? undefined
      : invalid(`status line ${start}`),
  )
  const match = STATUS_LINE.exec(line)
  if (match === null) throw invalid(`status line ${line}`)
  const [, major, minor, status, reason = ''] = match
  return { version: `${major}.${minor}`, status: Number(status), reason, headers: [] }
}

/** The field in a line; undefined = the line is none. */
function fieldIn(line: string): Field | undefined {
  const match = FIELD_LINE.exec(line)
  return match === null ? undefined : [match[1], match[2].replace(/^[ \t]+|[ \t]+$/g, '')]
}

/**
 * Reads field lines up to the empty line. What is wrong in a section whose end has not come may be refused early or late.
 * @param faultOf - what is wrong with all fields so far
 */
function readFields(
  stream: Stream,
  what: string,
  faultOf: (fields: readonly Field[]) => Fault | undefined,
): Field[] {
  const fields: Field[] = []
  let fault: Fault | undefined
  const takeField = (line: string) => {
    const field = fieldIn(line)
    if (field !== undefined) fields.push(field)
    fault ??= field === undefined ? invalid(`${what}: ${JSON.stringify(line)}`) : faultOf(fields)
  }
  const faultInStart = (start: string, isWhole: boolean): Fault | undefined => {
    const tails = isWhole ? [''] : FIELD_LINE_TAILS
    if (start !== '' && !couldBecome(start, tails, FIELD_LINE)) return invalid(`${what}: ${start}`)
    const field = fieldIn(start)
    if (field === undefined) return undefined
    const [name, value] = field
    // A value that has not begun may still become a good one.
    return faultOf([...fields, value === '' && !isWhole ? [name, '0'] : field])
  }
  for (;;) {
    let line: string
    try {
      line = stream.takeLine(what, (start, isWhole) => fault ?? faultInStart(start, isWhole))
    } catch (error) {
      throw error instanceof Fault ? (fault ?? error) : error
    }
    if (line === '') break
    takeField(line)
  }
  if (fault !== undefined) throw fault
  return fields
}

const valuesOf = (fields: readonly Field[], name: string) =>
  fields.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value)

/** RFC 9112 section 6.3: what no response may have, with a body or without. */
function framingFault(fields: readonly Field[]): Fault | undefined {
  const [length, ...more] = valuesOf(fields, 'content-length')
  if (length === undefined) return undefined
  if (more.length > 0) return invalid('Content-Length more than once')
  if (!/^\d+$/.test(length)) return invalid(`Content-Length ${length}`)
  // An empty Transfer-Encoding in front of it matters only to a response that has a body.
  const lengthAt = fields.findIndex(([name]) => name.toLowerCase() === 'content-length')
  const codings = [
    ...valuesOf(fields.slice(0, lengthAt), 'transfer-encoding').filter(coding => coding !== ''),
    ...valuesOf(fields.slice(lengthAt), 'transfer-encoding'),
  ]
  if (codings.length > 0) return invalid('Content-Length and Transfer-Encoding')
  if (BigInt(length) >= 2n ** 64n) return invalid('Content-Length above 2^64 - 1')
  return undefined
}

/** What a response may not have that has a body; one without may say whatever it likes. */
function checkLength(head: ReferenceHead, request: ReferenceRequest): void {
  const [length] = valuesOf(head.headers, 'content-length')
  if (length === undefined || hasNoBody(head, request)) return
  if (valuesOf(head.headers, 'transfer-encoding').length > 0)
    throw invalid('Content-Length and Transfer-Encoding')
  if (BigInt(length) > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('Content-Length above 2^53 - 1')
}

const hasNoBody = (head: ReferenceHead, request: ReferenceRequest) =>
  request.method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304

/** RFC 9110 section 6.5.1: trailers may not say how long the body was. */
function trailerFault(fields: readonly Field[]): Fault | undefined {
  const name = ['content-length', 'transfer-encoding'].find(framing => valuesOf(fields, framing).length > 0)
  return name === undefined ? undefined : invalid(`${name} in the trailers`)
}

function readHead(stream: Stream, maxHeaderBytes: number): Head {
  const start = stream.at
  try {
    const head = readStatusLine(stream)
    const headers = readFields(stream, 'the header section', framingFault)
    if (stream.at - start > maxHeaderBytes) throw invalid('a header section over the limit')
    if (head.status < 100) throw invalid(`status ${head.status}`)
    return { ...head, headers }
  } catch (error) {
    const raw = stream.text.slice(start)
    if (raw.includes('\r\n\r\n')) throw error
    if (raw.length > maxHeaderBytes) throw invalid('a header section over the limit')
    throw unfinishedFault(error, raw)
  }
}

/** What is wrong in a section that has not ended may be refused now or at its end. */
function unfinishedFault(error: unknown, raw: string): unknown {
  if (error instanceof Fault) return new EndOfStream('in a section that is wrong', error)
  if (!(error instanceof EndOfStream) || error.fault !== undefined) return error
  if (/^HTTP\/(?!1\.1)\d\.\d/.test(raw)) return new EndOfStream(error.message, unsupported('another version'))
  if (/^HTTP\/1\.1 0/.test(raw)) return new EndOfStream(error.message, invalid('a status below 100'))
  return error
}

/** RFC 9110 section 7.6.1: Connection is a list of options, without regard to case. */
const announcesClose = (head: ReferenceHead) =>
  valuesOf(head.headers, 'connection')
    .flatMap(value => value.split(','))
    .some(option => option.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase() === 'close')

type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until close' }

/** RFC 9112 section 6.3, in its order. */
function framingOf(
  head: Head,
  rawHead: string,
  request: ReferenceRequest,
  options: ReferenceOptions,
): Framing {
  if (head.version !== '1.1') throw unsupported(`HTTP/${head.version}`)
  if (head.status === 101) throw unsupported('an upgrade that nobody asked for')
  if (hasNoBody(head, request)) return { kind: 'none' }
  const codings = valuesOf(head.headers, 'transfer-encoding')
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0].toLowerCase() !== 'chunked') {
      throw unsupported(`Transfer-Encoding ${codings.join(' and ')}`)
    }
    // Parsers differ on a tab behind the coding: no framing on which they differ can be trusted.
    if (/^transfer-encoding:.*\t[\t ]*\r?$/im.test(rawHead))
      throw unsupported('Transfer-Encoding with a tab behind it')
    return { kind: 'chunked' }
  }
  const [length] = valuesOf(head.headers, 'content-length')
  if (length !== undefined) return { kind: 'length', bytes: Number(length) }
  if (announcesClose(head) && options.closeDelimited === 'accept') return { kind: 'until close' }
  throw unsupported('a body without framing')
}

/** What is known of a body while it is read, so that a fault leaves behind what came before it. */
interface BodySink {
  body: string
  trailers: readonly Field[]
}

/** RFC 9112 section 7.1. */
function readChunks(stream: Stream, sink: BodySink, options: ReferenceOptions): void {
  const allowed = options.oddExtensions === 'accept' ? ODD_EXTENSIONS : EXTENSIONS
  let overhead = 0
  const count = (bytes: number) => {
    overhead += bytes
    if (overhead > maxHeaderBytesOf(options)) throw invalid('chunk extensions and trailers over the limit')
  }
  for (;;) {
    const sizeAt = stream.at
    let line: string
    try {
      line = stream.takeLine('a chunk size', (start, isWhole) => {
        const [, , extensions] = CHUNK_LINE.exec(start) ?? []
        const tails = isWhole ? [''] : ['', 'a', '"', 'a"']
        const fine =
          extensions === undefined ? start === '' && !isWhole : couldBecome(extensions, tails, allowed)
        return fine ? undefined : invalid(`chunk size ${start}`)
      })
    } catch (error) {
      if (error instanceof EndOfStream) count(stream.text.slice(sizeAt).replace(/^[0-9A-Fa-f]*/, '').length)
      throw error
    }
    const match = CHUNK_LINE.exec(line)
    if (match === null) throw invalid(`chunk size ${line}`)
    const [, digits, extensions] = match
    if (!allowed.test(extensions)) throw invalid(`chunk extension ${extensions}`)
    if (BigInt(`0x${digits}`) > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`chunk size ${digits}`)
    count(extensions.length)
    const size = parseInt(digits, 16)
    if (size === 0) break
    const data = stream.takeBytes(size)
    sink.body += data
    if (data.length < size) throw new EndOfStream('in chunk data')
    const after = stream.rest.slice(0, 2)
    if (after !== '\r\n') {
      if ('\r\n'.startsWith(after)) throw new EndOfStream('behind chunk data')
      throw invalid('chunk data not followed by CRLF')
    }
    stream.at += 2
  }
  const trailersAt = stream.at
  try {
    sink.trailers = readFields(stream, 'the trailers', trailerFault)
  } catch (error) {
    if (stream.text.slice(trailersAt - 2).includes('\r\n\r\n')) throw error
    count(stream.text.length - trailersAt)
    throw unfinishedFault(error, '')
  }
  count(stream.at - trailersAt)
}

function readBody(
  stream: Stream,
  framing: Framing,
  end: ReferenceEnd,
  sink: BodySink,
  options: ReferenceOptions,
): void {
  if (framing.kind === 'length') {
    sink.body = stream.takeBytes(framing.bytes)
    if (sink.body.length < framing.bytes) throw new EndOfStream('in a body')
  } else if (framing.kind === 'chunked') {
    readChunks(stream, sink, options)
  } else if (framing.kind === 'until close') {
    sink.body = stream.takeBytes(Infinity)
    if (end !== 'fin') throw new EndOfStream('in a close-delimited body')
  }
}

/** Reads all that answers `requests`, which were all sent before the first byte of `text` came. */
export function decodeReference(
  text: string,
  requests: readonly ReferenceRequest[],
  end: ReferenceEnd,
  options: ReferenceOptions = {},
): Decoded {
  const stream = new Stream(text)
  const responses: ReferenceResponse[] = []
  const informational: ReferenceHead[] = []
  const endVerdict: Verdict = end === 'open' ? 'open' : 'ConnectionClosed'
  let unfinished: Decoded['unfinished']
  let sink: BodySink = { body: '', trailers: [] }
  /** RFC 9110 section 10.1.1: does a body still wait, which the server may be waiting for? */
  let awaitsContinue = false
  const outcome = (verdict: Verdict, why: string, alternatives: readonly Verdict[] = []): Decoded => {
    const known = unfinished && { head: unfinished.head, bodySoFar: sink.body }
    return { responses, informational, ...(known && { unfinished: known }), verdict, why, alternatives }
  }
  try {
    for (const request of requests) {
      let head: Head
      let headAt: number
      let interimCount = 0
      awaitsContinue = request.expect100 === true
      for (;;) {
        headAt = stream.at
        head = readHead(stream, maxHeaderBytesOf(options))
        if (head.status >= 200 || head.status === 101 || head.version !== '1.1') break
        interimCount += 1
        if (interimCount > HIGHEST_INTERIM_COUNT) throw invalid('too many interim responses')
        if (awaitsContinue && head.status === 100) awaitsContinue = false
        else informational.push(plainHead(head))
      }
      sink = { body: '', trailers: [] }
      if (head.version === '1.1') checkLength(head, request)
      unfinished = { head: plainHead(head), bodySoFar: '' }
      const framing = framingOf(head, stream.text.slice(headAt, stream.at), request, options)
      readBody(stream, framing, end, sink, options)
      responses.push({ ...plainHead(head), ...sink })
      unfinished = undefined
      if (announcesClose(head)) return outcome('ConnectionClosed', 'Connection: close')
    }
    if (stream.rest !== '') return outcome('InvalidResponse', 'bytes that no request asked for')
    if (awaitsContinue) return outcome('ConnectionClosed', 'a body that was not sent')
    return outcome(endVerdict, 'the end')
  } catch (error) {
    if (error instanceof Fault) return outcome(error.verdict, error.message, error.alternatives)
    if (!(error instanceof EndOfStream)) throw error
    const { fault } = error
    if (fault !== undefined) return outcome(fault.verdict, fault.message, [...fault.alternatives, endVerdict])
    return outcome(endVerdict, `the stream ends ${error.message}`)
  }
}

const plainHead = ({ status, reason, headers }: Head): ReferenceHead => ({ status, reason, headers })
