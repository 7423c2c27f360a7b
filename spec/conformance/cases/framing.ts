// Owns the rows about how long a body is: Content-Length, Transfer-Encoding, both, neither.
import {
  accepted,
  bytesThat,
  chunked,
  headOf,
  invalidBy,
  plain,
  refused,
  responseOf,
  unsupported,
} from '../case'
import type { ConformanceCase } from '../case'

const EVERY_BYTE = bytesThat(() => true)

const unsupportedHead = (...headers: [string, string][]) => ({
  error: unsupported,
  head: headOf(200, 'OK', headers),
})

export const framing: readonly ConformanceCase[] = [
  // Content-Length beside Transfer-Encoding
  refused(
    'refuses Content-Length before Transfer-Encoding',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    { error: invalidBy('HPE_INVALID_TRANSFER_ENCODING') },
  ),
  refused(
    'refuses Content-Length after Transfer-Encoding',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    { error: invalidBy('HPE_INVALID_CONTENT_LENGTH') },
  ),
  refused(
    'refuses Content-Length beside another transfer coding',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses Content-Length after an empty Transfer-Encoding',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses Content-Length before an empty Transfer-Encoding',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding:\r\n\r\nhello',
  ),
  refused(
    'refuses Content-Length and Transfer-Encoding apart from each other',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Between: 1\r\nX-Also: 2\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n',
  ),

  // Content-Length more than once
  refused(
    'refuses two different Content-Lengths',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    { error: invalidBy('HPE_UNEXPECTED_CONTENT_LENGTH') },
  ),
  refused(
    'refuses two equal Content-Lengths',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
    { error: invalidBy('HPE_UNEXPECTED_CONTENT_LENGTH') },
  ),
  refused(
    'refuses a second Content-Length in another case',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\nCONTENT-LENGTH: 5\r\n\r\nhello',
  ),
  refused(
    'refuses a list of equal Content-Lengths',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello',
    { error: invalidBy('HPE_INVALID_CONTENT_LENGTH') },
  ),
  refused(
    'refuses a list of Content-Lengths without spaces',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5,5\r\n\r\nhello',
  ),
  refused(
    'refuses a list of different Content-Lengths',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!',
  ),

  // Content-Length malformed
  refused(
    'refuses an empty Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello',
    { error: invalidBy('HPE_INVALID_CONTENT_LENGTH') },
  ),
  refused(
    'refuses a Content-Length of spaces',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length:   \r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length with a plus sign',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello',
    { error: invalidBy('HPE_INVALID_CONTENT_LENGTH') },
  ),
  refused(
    'refuses a negative Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello',
  ),
  refused(
    'refuses a negative zero Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: -0\r\n\r\n',
  ),
  refused(
    'refuses a hexadecimal Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length with a letter behind it',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5a\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length with a space inside',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\nhello world',
  ),
  refused(
    'refuses a Content-Length with a tab inside',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\t1\r\n\r\nhello world',
  ),
  refused(
    'refuses a fractional Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5.0\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length with an exponent',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5e0\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length with an underscore, which Python takes for a number',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 0_5\r\n\r\nhello',
  ),
  refused(
    'refuses a quoted Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: "5"\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length with a semicolon behind it',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 5;\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length in superscript digits',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nhi',
  ),
  refused(
    'refuses a Content-Length after a no-break space',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: \xa05\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length after a vertical tab',
    'RFC 9110 §5.5',
    'HTTP/1.1 200 OK\r\nContent-Length: \x0b5\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length before a form feed',
    'RFC 9110 §5.5',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\x0c\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length with a NUL behind it',
    'RFC 9110 §5.5',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\0\r\n\r\nhello',
  ),
  refused(
    'refuses a word as Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length of 2^53',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 9007199254740992\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length of 2^64',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length that is 5 modulo 2^64',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\nhello',
  ),
  refused(
    'refuses a Content-Length of forty digits',
    'RFC 9110 §8.6',
    `HTTP/1.1 200 OK\r\nContent-Length: ${'1234567890'.repeat(4)}\r\n\r\nhello`,
  ),
  refused(
    'refuses a space between Content-Length and its colon',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello',
    { error: invalidBy('HPE_INVALID_HEADER_TOKEN') },
  ),
  refused(
    'refuses a folded Content-Length',
    'RFC 9112 §5.2',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 1\r\n\r\nhello world',
  ),
  refused(
    'refuses a Content-Length that begins on the next line',
    'RFC 9112 §5.2',
    'HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello',
  ),

  // Transfer-Encoding other than exactly one `chunked`
  refused(
    'does not speak gzip, chunked',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'gzip, chunked']),
  ),
  refused(
    'does not speak chunked twice in one field',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'chunked, chunked']),
  ),
  refused(
    'does not speak chunked twice in two fields',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'chunked']),
  ),
  refused(
    'does not speak gzip and chunked in two fields',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'gzip'], ['Transfer-Encoding', 'chunked']),
  ),
  refused(
    'does not speak chunked before gzip',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'chunked, gzip']),
  ),
  refused(
    'does not speak gzip',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n\x1f\x8b',
    unsupportedHead(['Transfer-Encoding', 'gzip']),
  ),
  refused(
    'does not take xchunked for chunked',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'xchunked']),
  ),
  refused(
    'does not take chunkedx for chunked',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunkedx\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'chunkedx']),
  ),
  refused(
    'does not speak identity',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello',
    unsupportedHead(['Transfer-Encoding', 'identity']),
  ),
  refused(
    'does not speak identity, chunked',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'identity, chunked']),
  ),
  refused(
    'does not speak an empty Transfer-Encoding',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\nhello',
    unsupportedHead(['Transfer-Encoding', '']),
  ),
  refused(
    'does not speak an empty Transfer-Encoding beside a chunked one',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', ''], ['Transfer-Encoding', 'chunked']),
  ),
  refused(
    'does not speak chunked followed by a tab, which parsers frame differently',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'chunked']),
  ),
  refused(
    'does not speak chunked with a parameter',
    'RFC 9112 §7.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'chunked;q=1']),
  ),
  refused(
    'does not speak quoted chunked',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', '"chunked"']),
  ),
  refused(
    'does not speak chunked with a comma behind it',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', 'chunked,']),
  ),
  refused(
    'does not speak chunked with a comma before it',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n',
    unsupportedHead(['Transfer-Encoding', ',chunked']),
  ),
  refused(
    'refuses chunked with a vertical tab behind it',
    'RFC 9110 §5.5',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n',
  ),
  refused(
    'refuses chunked after a NUL',
    'RFC 9110 §5.5',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: \0chunked\r\n\r\n0\r\n\r\n',
  ),
  refused(
    'refuses a space between Transfer-Encoding and its colon',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
  ),
  refused(
    'refuses a folded Transfer-Encoding',
    'RFC 9112 §5.2',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n',
  ),
  refused(
    'refuses a Transfer-Encoding hidden behind a bare LF',
    'RFC 9112 §2.2',
    'HTTP/1.1 200 OK\r\nX: y\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello',
  ),

  // neither
  refused(
    'does not read a body without framing on a connection kept open',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello',
    unsupportedHead(['Server', 'x']),
  ),
  refused(
    'does not read a body without framing beside Connection: keep-alive',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nhello',
    unsupportedHead(['Connection', 'keep-alive']),
  ),
  refused(
    'does not read a body without framing before the end of the connection either',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello',
    { ...unsupportedHead(['Server', 'x']), end: 'fin' },
  ),
  refused(
    'does not take Content_Length for Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent_Length: 5\r\n\r\nhello',
    unsupportedHead(['Content_Length', '5']),
  ),
  refused(
    'does not take XContent-Length for Content-Length',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nXContent-Length: 5\r\n\r\nhello',
    unsupportedHead(['XContent-Length', '5']),
  ),

  // unusual but valid
  accepted('reads a body of length 0', 'RFC 9112 §6.3', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', [
    plain(''),
  ]),
  accepted(
    'reads a Content-Length with leading zeros',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nContent-Length: 0005\r\n\r\nhello',
    [responseOf(200, 'OK', [['Content-Length', '0005']], 'hello')],
  ),
  accepted(
    'reads a Content-Length with forty leading zeros',
    'RFC 9110 §8.6',
    `HTTP/1.1 200 OK\r\nContent-Length: ${'0'.repeat(40)}5\r\n\r\nhello`,
    [responseOf(200, 'OK', [['Content-Length', `${'0'.repeat(40)}5`]], 'hello')],
  ),
  accepted(
    'reads a Content-Length after a tab',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nContent-Length:\t5\r\n\r\nhello',
    [plain('hello')],
  ),
  accepted(
    'reads a Content-Length before a tab',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\t\r\n\r\nhello',
    [plain('hello')],
  ),
  accepted(
    'reads a Content-Length between many spaces and tabs',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nContent-Length: \t  5  \t \r\n\r\nhello',
    [plain('hello')],
  ),
  accepted(
    'reads a Content-Length without white space',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nContent-Length:5\r\n\r\nhello',
    [plain('hello')],
  ),
  accepted(
    'reads Content-Length in any case and keeps that case',
    'RFC 9110 §5.1',
    'HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh: 5\r\n\r\nhello',
    [responseOf(200, 'OK', [['cOnTeNt-LeNgTh', '5']], 'hello')],
  ),
  accepted(
    'reads Transfer-Encoding and chunked in any case',
    'RFC 9112 §7',
    'HTTP/1.1 200 OK\r\ntransfer-ENCODING: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    [responseOf(200, 'OK', [['transfer-ENCODING', 'CHUNKED']], 'hello')],
  ),
  accepted(
    'reads chunked between spaces',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:   chunked  \r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    [responseOf(200, 'OK', [['Transfer-Encoding', 'chunked']], 'hello')],
  ),
  accepted(
    'reads chunked after a tab',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:\t chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    [chunked('hello')],
  ),
  accepted(
    'reads a body that looks like a response',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    [plain('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
  ),
  accepted(
    'reads a body of every byte there is',
    'RFC 9112 §6.3',
    `HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n${EVERY_BYTE}`,
    [plain(EVERY_BYTE)],
  ),
  accepted(
    'reads a body that comes in many segments',
    'RFC 9112 §6.3',
    ['HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n', 'hel', 'lo', ' ', 'wor', 'ld'],
    [plain('hello world')],
  ),
  accepted(
    'reads a body of 200,000 bytes',
    'RFC 9112 §6.3',
    `HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'0123456789'.repeat(20_000)}`,
    [plain('0123456789'.repeat(20_000))],
  ),
  accepted(
    'ignores fields that only look like framing',
    'RFC 9110 §8.6',
    'HTTP/1.1 200 OK\r\nX-Content-Length: 9\r\nTransfer-Encodings: chunked\r\nContent-Length: 5\r\n\r\nhello',
    [
      responseOf(
        200,
        'OK',
        [
          ['X-Content-Length', '9'],
          ['Transfer-Encodings', 'chunked'],
          ['Content-Length', '5'],
        ],
        'hello',
      ),
    ],
  ),
  accepted(
    'leaves a content coding alone',
    'RFC 9110 §8.4',
    'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello',
    [
      responseOf(
        200,
        'OK',
        [
          ['Content-Encoding', 'gzip'],
          ['Content-Length', '5'],
        ],
        'hello',
      ),
    ],
  ),
  accepted(
    'keeps the connection whatever Proxy-Connection says',
    'RFC 9112 §9.3',
    'HTTP/1.1 200 OK\r\nProxy-Connection: close\r\nContent-Length: 5\r\n\r\nhello',
    [
      responseOf(
        200,
        'OK',
        [
          ['Proxy-Connection', 'close'],
          ['Content-Length', '5'],
        ],
        'hello',
      ),
    ],
  ),
  accepted(
    'keeps the connection on options that are not close',
    'RFC 9110 §7.6.1',
    'HTTP/1.1 200 OK\r\nConnection: closed, x-close, "close"\r\nContent-Length: 5\r\n\r\nhello',
    [
      responseOf(
        200,
        'OK',
        [
          ['Connection', 'closed, x-close, "close"'],
          ['Content-Length', '5'],
        ],
        'hello',
      ),
    ],
  ),
]
