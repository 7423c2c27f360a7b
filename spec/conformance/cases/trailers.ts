// Owns the rows about the trailer section of a chunked body.
import { accepted, chunked, headOf, invalid, invalidBy, refused } from '../case'
import type { ConformanceCase } from '../case'

const BODY = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n'
const head = headOf(200, 'OK', [['Transfer-Encoding', 'chunked']])

const refusedTrailers = (
  rfc: string,
  reason: string | undefined,
  rows: readonly (readonly [string, string])[],
) =>
  rows.map(([what, trailers]) =>
    refused(`refuses ${what}`, rfc, BODY + trailers, {
      head,
      error: reason === undefined ? invalid : invalidBy(reason),
    }),
  )

/** A trailer section of exactly `bytes`, with its empty line. */
const longValue = (bytes: number) => 'v'.repeat(bytes - 'X-Long: \r\n\r\n'.length)

export const trailers: readonly ConformanceCase[] = [
  ...refusedTrailers('RFC 9110 §6.5.1', undefined, [
    ['Content-Length in the trailers', 'Content-Length: 5\r\n\r\n'],
    ['Transfer-Encoding in the trailers', 'Transfer-Encoding: chunked\r\n\r\n'],
    ['Content-Length of 0 in the trailers', 'X: y\r\ncontent-length: 0\r\n\r\n'],
  ]),
  ...refusedTrailers('RFC 9112 §7.1.2', 'HPE_INVALID_HEADER_TOKEN', [
    ['a trailer without colon', 'Nothing\r\n\r\n'],
    ['a trailer with an empty name', ': value\r\n\r\n'],
    ['a trailer with a space before the colon', 'X-Sum : value\r\n\r\n'],
    ['a trailer with a space inside the name', 'X Sum: value\r\n\r\n'],
    ['a trailer with a latin1 letter in the name', 'X-S\xfcm: value\r\n\r\n'],
    ['a status line among the trailers', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ]),
  ...refusedTrailers('RFC 9112 §7.1.2', undefined, [
    ['a folded trailer', 'X-Sum: one\r\n two\r\n\r\n'],
    ['a space before the first trailer', ' X-Sum: value\r\n\r\n'],
    ['a NUL in the value of a trailer', 'X-Sum: va\0lue\r\n\r\n'],
    ['a control character in the value of a trailer', 'X-Sum: va\x1blue\r\n\r\n'],
    ['a DEL in the value of a trailer', 'X-Sum: va\x7flue\r\n\r\n'],
    ['a bare CR in the value of a trailer', 'X-Sum: va\rlue\r\n\r\n'],
    ['a bare LF behind a trailer', 'X-Sum: value\nX: y\r\n\r\n'],
    ['CR CR LF behind a trailer', 'X-Sum: value\r\r\n\r\n'],
    ['a bare LF behind the trailers', 'X-Sum: value\r\n\nX'],
    ['a bare CR behind the trailers', 'X-Sum: value\r\n\rX'],
    ['a trailer section over the limit in one value', `X-Long: ${longValue(70_000)}\r\n\r\n`],
    ['a trailer section over the limit in many fields', `${'X: y\r\n'.repeat(12_000)}\r\n`],
    ['a trailer section over the limit that never ends', 'X: y\r\n'.repeat(12_000)],
  ]),
  refused(
    'refuses extensions and trailers that are over the limit together',
    'RFC 9112 §7.1.2',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=${'b'.repeat(40_000)}\r\nhello\r\n0\r\nX-Long: ${'v'.repeat(40_000)}\r\n\r\n`,
    { head },
  ),
  refused(
    'refuses a trailer section over a limit set by the caller',
    'RFC 9112 §7.1.2',
    `${BODY}X-Long: ${longValue(220)}\r\n\r\n`,
    { head, options: { maxHeaderBytes: 200 } },
  ),

  // unusual but valid
  accepted('reads a trailer', 'RFC 9112 §7.1.2', `${BODY}X-Sum: 5d41\r\n\r\n`, [
    chunked('hello', [['X-Sum', '5d41']]),
  ]),
  accepted('reads several trailers in order', 'RFC 9112 §7.1.2', `${BODY}X: 1\r\nY: 2\r\nx: 3\r\n\r\n`, [
    chunked('hello', [
      ['X', '1'],
      ['Y', '2'],
      ['x', '3'],
    ]),
  ]),
  accepted('reads a trailer without value', 'RFC 9112 §7.1.2', `${BODY}X-Sum:\r\nY: \t\r\n\r\n`, [
    chunked('hello', [
      ['X-Sum', ''],
      ['Y', ''],
    ]),
  ]),
  accepted('strips spaces and tabs round a trailer', 'RFC 9112 §5.1', `${BODY}X-Sum:\t 5d 41 \t\r\n\r\n`, [
    chunked('hello', [['X-Sum', '5d 41']]),
  ]),
  accepted('reads a trailer in latin1', 'RFC 9110 §5.5', `${BODY}X-Sum: \xfcber\xff\r\n\r\n`, [
    chunked('hello', [['X-Sum', '\xfcber\xff']]),
  ]),
  accepted(
    'reads a trailer that was not announced',
    'RFC 9110 §6.6.2',
    `${BODY}Server-Timing: db;dur=5\r\n\r\n`,
    [chunked('hello', [['Server-Timing', 'db;dur=5']])],
  ),
  accepted(
    'keeps the connection whatever a trailer says about it',
    'RFC 9110 §6.5.1',
    `${BODY}Connection: close\r\n\r\n`,
    [chunked('hello', [['Connection', 'close']])],
  ),
  accepted(
    'keeps headers and trailers of one name apart',
    'RFC 9110 §6.5',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Sum: head\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: tail\r\n\r\n',
    [
      {
        ...chunked('hello', [['X-Sum', 'tail']]),
        headers: [
          ['Transfer-Encoding', 'chunked'],
          ['X-Sum', 'head'],
        ],
      },
    ],
  ),
  accepted(
    'reads trailers behind an empty body',
    'RFC 9112 §7.1.2',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 0\r\n\r\n',
    [chunked('', [['X-Sum', '0']])],
  ),
  accepted(
    'reads a trailer section of 60,000 bytes beside a head of as many',
    'RFC 9112 §7.1.2',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Long: ${longValue(60_000)}\r\n\r\n5\r\nhello\r\n0\r\nX-Long: ${longValue(60_000)}\r\n\r\n`,
    [
      {
        ...chunked('hello', [['X-Long', longValue(60_000)]]),
        headers: [
          ['Transfer-Encoding', 'chunked'],
          ['X-Long', longValue(60_000)],
        ],
      },
    ],
  ),
  accepted(
    'reads trailers that come in pieces',
    'RFC 9112 §7.1.2',
    [BODY, 'X-S', 'um: 5', 'd41', '\r', '\n', 'Y:', '2\r\n\r', '\n'],
    [
      chunked('hello', [
        ['X-Sum', '5d41'],
        ['Y', '2'],
      ]),
    ],
  ),
]
