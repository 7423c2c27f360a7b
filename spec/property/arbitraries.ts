// Makes random HTTP/1.1 streams: responses with what must be read of them, and the same bytes damaged in ways that have
// broken parsers before. Everything is made by fast-check, so that a failure shrinks to a small case.
import fc from 'fast-check'
import type { DrivenRequest } from '../support/drive'
import type { Field, ReferenceHead, ReferenceResponse } from '../support/reference-decoder'

/** A response as it goes on the wire, and as it must be read. */
export interface WireResponse {
  readonly wire: string
  readonly read: ReferenceResponse
  readonly informational: readonly ReferenceHead[]
}

const charactersOf = (text: string) => fc.constantFrom(...text)
const TOKEN = "!#$%&'*+-.^_`|~09azAZ"
const TEXT = ` \t!"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_\`az{|}~\x80\xa0\xe9\xff`

const tokenText = fc.string({ unit: charactersOf(TOKEN), minLength: 1, maxLength: 8 })
const valueText = fc
  .string({ unit: charactersOf(TEXT), maxLength: 20 })
  .map(text => text.replace(/^[ \t]+|[ \t]+$/g, ''))
const whiteSpace = fc.string({ unit: charactersOf(' \t'), maxLength: 3 })
/** Names that mean something to framing are written where they are meant. */
const isHarmless = (name: string) =>
  !/^(content-length|transfer-encoding|connection|proxy-connection|upgrade)$/i.test(name)
const field = fc.tuple(tokenText.filter(isHarmless), valueText, whiteSpace, whiteSpace)
const fields = fc.array(field, { maxLength: 4 })

const linesOf = (made: readonly (readonly [string, string, string, string])[]) =>
  made.map(([name, value, before, behind]) => `${name}:${before}${value}${behind}\r\n`).join('')
const fieldsOf = (made: readonly (readonly [string, string, string, string])[]): Field[] =>
  made.map(([name, value]) => [name, value])

const bytes = fc.oneof(
  fc.string({ unit: fc.nat(255).map(code => String.fromCharCode(code)), maxLength: 40 }),
  fc.constantFrom('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '0\r\n\r\n', '\r\n', 'x'.repeat(300)),
)

const extension = fc.tuple(tokenText, fc.option(fc.oneof(tokenText, valueText.map(quoted))))
const extensions = fc
  .array(extension, { maxLength: 2 })
  .map(made => made.map(([name, value]) => `;${name}${value === null ? '' : `=${value}`}`).join(''))

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

const size = (length: number, zeros: number, isUpper: boolean) => {
  const digits = '0'.repeat(zeros) + length.toString(16)
  return isUpper ? digits.toUpperCase() : digits
}

/** A body, and the field that says how it is framed. */
interface WireBody {
  readonly wire: string
  readonly body: string
  readonly trailers: readonly Field[]
  readonly field: Field
}

const chunkedBody: fc.Arbitrary<WireBody> = fc
  .record({
    chunks: fc.array(
      fc.tuple(
        bytes.filter(data => data !== ''),
        fc.nat(3),
        fc.boolean(),
        extensions,
      ),
      {
        maxLength: 4,
      },
    ),
    last: fc.tuple(fc.nat(3), extensions),
    trailers: fields,
  })
  .map(({ chunks, last: [zeros, lastExtensions], trailers }) => ({
    wire:
      chunks
        .map(([data, more, isUpper, ext]) => `${size(data.length, more, isUpper)}${ext}\r\n${data}\r\n`)
        .join('') + `0${'0'.repeat(zeros)}${lastExtensions}\r\n${linesOf(trailers)}\r\n`,
    body: chunks.map(([data]) => data).join(''),
    trailers: fieldsOf(trailers),
    field: ['Transfer-Encoding', 'chunked'],
  }))

const lengthBody: fc.Arbitrary<WireBody> = bytes.map(body => ({
  wire: body,
  body,
  trailers: [],
  field: ['Content-Length', String(body.length)],
}))

const reason = fc.option(fc.string({ unit: charactersOf(TEXT), maxLength: 12 }))
const status = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(200, 204, 304, 404, 500) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 999 }) },
)

const interim = fc
  .record({ status: fc.constantFrom(100, 102, 103, 199), reason, made: fields })
  .map(({ status, reason, made }) => ({
    wire: `HTTP/1.1 ${status}${reason === null ? '' : ` ${reason}`}\r\n${linesOf(made)}\r\n`,
    read: { status, reason: reason ?? '', headers: fieldsOf(made) },
  }))

/** A response to that request, whatever its framing; the connection stays open. */
export const responseTo = (request: DrivenRequest): fc.Arbitrary<WireResponse> =>
  fc
    .record({
      interims: fc.array(interim, { maxLength: 2 }),
      status,
      reason,
      before: fields,
      behind: fields,
      body: fc.oneof(lengthBody, chunkedBody),
    })
    .map(({ interims, status, reason, before, behind, body }) => {
      const hasBody = request.method !== 'HEAD' && status !== 204 && status !== 304
      const [name, value] = body.field
      const lines = `${linesOf(before)}${name}: ${value}\r\n${linesOf(behind)}`
      return {
        wire:
          interims.map(({ wire }) => wire).join('') +
          `HTTP/1.1 ${status}${reason === null ? '' : ` ${reason}`}\r\n${lines}\r\n${hasBody ? body.wire : ''}`,
        read: {
          status,
          reason: reason ?? '',
          headers: [...fieldsOf(before), [name, value], ...fieldsOf(behind)],
          body: hasBody ? body.body : '',
          trailers: hasBody ? body.trailers : [],
        },
        informational: interims.map(({ read }) => read),
      }
    })

const requestAt = (method: string, index: number): DrivenRequest => ({
  method,
  path: `/${index}`,
  ...(method === 'POST' ? { body: 'some data' } : {}),
})

export const requests = (maxLength: number): fc.Arbitrary<DrivenRequest[]> =>
  fc
    .array(fc.constantFrom('GET', 'GET', 'HEAD', 'POST'), { minLength: 1, maxLength })
    .map(methods => methods.map(requestAt))

export interface Exchanges {
  readonly requests: readonly DrivenRequest[]
  readonly responses: readonly WireResponse[]
}

/** Requests, and a valid response to each. */
export const exchanges = (maxLength: number): fc.Arbitrary<Exchanges> =>
  requests(maxLength).chain(made =>
    fc.tuple(...made.map(responseTo)).map(responses => ({ requests: made, responses })),
  )

/** What has confused parsers. */
const FRAGMENTS = [
  ...['\r\n', '\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '\0', '\x7f', '\x0b', '\x85', '\xa0', '\xff'],
  ...[
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '"',
    '\\',
    '=',
    '-',
    '+',
    '_',
    '0',
    '5',
    '00',
    '0x',
    'a',
    'G',
    ';a',
    ';=',
    ';a="',
  ],
  ...['HTTP/1.1 200 OK\r\n', 'HTTP/1.0 200 OK\r\n', 'HTTP/2.0 200\r\n', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ...[
    'HTTP/1.1 304 Not Modified\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  ],
  ...['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'Content-Length: 5\r\n', 'Content-Length: 0\r\n'],
  ...['Content-Length:\t5\t\r\n', 'Content-Length: +5\r\n', 'Content-Length: 9007199254740992\r\n'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\t\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
  ],
  ...[
    'Transfer-Encoding:\r\n',
    'Transfer-Encoding: identity\r\n',
    'Connection: close\r\n',
    'Connection: close\t\r\n',
  ],
  ...['Connection: keep-alive\r\n', 'Proxy-Connection: close\r\n', 'Upgrade: h2c\r\nConnection: upgrade\r\n'],
  ...[
    'X: y\r\n',
    ' folded\r\n',
    'X : y\r\n',
    ': y\r\n',
    'X\r\n',
    '0\r\n\r\n',
    '0\r\n',
    '5\r\nhello\r\n',
    '5;a=b\r\nhello\r\n',
  ],
  ...[
    '1fffffffffffff\r\n',
    '20000000000000\r\n',
    'ffffffffffffffff\r\n',
    '10000000000000000\r\n',
    '\x15\x03\x01',
  ],
]

/** What stands in every stream, and what has been put in its place. */
const SUBSTITUTES: readonly (readonly [string, readonly string[]])[] = [
  ['HTTP/1.1 ', ['HTTP/1.0 ', 'HTTP/1.2 ', 'HTTP/1.10 ', 'http/1.1 ', 'HTTP/1.1  ', 'HTTP/1.1', 'RTSP/1.0 ']],
  ['HTTP/1.1 ', ['HTTP/1.1 0', 'HTTP/1.1 1', 'HTTP/1.1 204 ', '\r\nHTTP/1.1 ', '\nHTTP/1.1 ', ' HTTP/1.1 ']],
  ['HTTP/1.1 2', ['HTTP/1.1 0', 'HTTP/1.1 1', 'HTTP/1.1 22', 'HTTP/1.1 x', 'HTTP/1.1 101\r\nX: ']],
  ['Transfer-Encoding: chunked', ['Transfer-Encoding: chunked\t', 'Transfer-Encoding:\tchunked', 'X: y']],
  [
    'Transfer-Encoding: chunked',
    ['Transfer-Encoding: Chunked ', 'Transfer-Encoding: gzip, chunked', 'Connection: close'],
  ],
  ['Transfer-Encoding: chunked', ['Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: \x0bchunked']],
  [
    'Content-Length: ',
    ['Content-Length:', 'Content-Length:\t', 'Content-Length: 0', 'Content-Length: 1', 'Content-Length: +'],
  ],
  [
    'Content-Length: ',
    ['Connection: close\r\nX: ', 'Content-Length : ', 'Content_Length: ', 'Content-Length: 0, '],
  ],
  [
    '\r\n',
    [
      '\n',
      '\r',
      '\r\r\n',
      '\r\r',
      '\n\r',
      '\r\n ',
      '\r\n\t',
      '\t\r\n',
      ' \r\n',
      '\0\r\n',
      '\r\n\r\n',
      '',
      ';a=b\r\n',
      ';a="b\x7f"\r\n',
    ],
  ],
  [
    'Content-Length: ',
    [
      'Transfer-Encoding:\r\nContent-Length: ',
      'Proxy-Connection: close\r\nContent-Length: ',
      'Upgrade: x\r\nContent-Length: ',
    ],
  ],
  [':', [' :', '\t:', '', '::']],
]

export type Mutation =
  | { readonly kind: 'substitute'; readonly at: number; readonly what: string; readonly text: string }
  | { readonly kind: 'insert'; readonly at: number; readonly text: string }
  | { readonly kind: 'replace'; readonly at: number; readonly text: string }
  | { readonly kind: 'delete'; readonly at: number; readonly count: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly count: number; readonly times: number }
  | { readonly kind: 'truncate'; readonly at: number }

const at = fc.nat({ max: 2000 })
const fragment = fc.constantFrom(...FRAGMENTS)

const substitute = fc.constantFrom(...SUBSTITUTES).chain(([what, texts]) =>
  fc.record({
    kind: fc.constant('substitute' as const),
    at: fc.nat({ max: 30 }),
    what: fc.constant(what),
    text: fc.constantFrom(...texts),
  }),
)

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 6, arbitrary: substitute },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('insert' as const), at, text: fragment }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('replace' as const), at, text: fragment }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), at, count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('repeat' as const),
      at,
      count: fc.integer({ min: 1, max: 60 }),
      times: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at }) },
)

/** `at` goes round, so that every mutation hits a stream of any length. */
export function mutate(text: string, made: Mutation): string {
  if (made.kind === 'substitute') {
    const pieces = text.split(made.what)
    // The one that is replaced stands between two pieces.
    const index = pieces.length < 2 ? 0 : 1 + (made.at % (pieces.length - 1))
    const join = (some: readonly string[]) => some.join(made.what)
    return index === 0 ? text : join(pieces.slice(0, index)) + made.text + join(pieces.slice(index))
  }
  const position = made.at % (text.length + 1)
  const before = text.slice(0, position)
  const behind = text.slice(position)
  switch (made.kind) {
    case 'insert':
      return before + made.text + behind
    case 'replace':
      return before + made.text + behind.slice(made.text.length)
    case 'delete':
      return before + behind.slice(made.count)
    case 'repeat':
      return before + behind.slice(0, made.count).repeat(made.times) + behind
    case 'truncate':
      return before
  }
}

/** Where to cut a stream into segments; `turns` = the event loop goes round between them. */
export interface Cutting {
  readonly at: readonly number[] | 'every byte'
  readonly turns: boolean
}

export const cutting: fc.Arbitrary<Cutting> = fc.record({
  at: fc.oneof(
    { weight: 4, arbitrary: fc.array(at, { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constant('every byte' as const) },
  ),
  turns: fc.boolean(),
})

export function cut(text: string, { at, turns }: Cutting): (string | { turn: true })[] {
  const segments = at === 'every byte' ? [...text] : cutAt(text, at)
  // A turn behind every one of very many segments costs more than it finds.
  const isTurning = turns && segments.length < 100
  return segments.flatMap(segment => (isTurning ? [segment, { turn: true as const }] : [segment]))
}

function cutAt(text: string, at: readonly number[]): string[] {
  const positions = [...new Set(at)].filter(position => position > 0 && position < text.length)
  positions.sort((a, b) => a - b)
  return [0, ...positions].map((from, index) => text.slice(from, positions[index] ?? text.length))
}
