// Owns the rows about the chunked transfer coding: sizes, extensions, data, the last chunk.
import { accepted, chunked, headOf, invalid, invalidBy, refused } from '../case'
import type { ConformanceCase } from '../case'

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const head = headOf(200, 'OK', [['Transfer-Encoding', 'chunked']])

/** Rows of a name and what stands behind the head; the head is handed out, the body fails. */
const refusedBodies = (
  rfc: string,
  reason: string | undefined,
  rows: readonly (readonly [string, string])[],
) =>
  rows.map(([what, body]) =>
    refused(`refuses ${what}`, rfc, HEAD + body, {
      head,
      error: reason === undefined ? invalid : invalidBy(reason),
    }),
  )

export const chunks: readonly ConformanceCase[] = [
  // sizes
  ...refusedBodies('RFC 9112 §7.1', 'HPE_INVALID_CHUNK_SIZE', [
    ['a chunk without size', '\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size that is no hexadecimal digit', 'g\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a negative chunk size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size with a plus sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size with an underscore, which Python takes for a number', '0_5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size with a point', '5.0\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size with a comma', '5,\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size in superscript digits', '\xb2\r\nhi\r\n0\r\n\r\n'],
    ['a space before a chunk size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a tab before a chunk size', '\t5\r\nhello\r\n0\r\n\r\n'],
    ['a space behind a chunk size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['a tab behind a chunk size', '5\t\r\nhello\r\n0\r\n\r\n'],
    ['a space between chunk size and extension', '5 ;a=b\r\nhello\r\n0\r\n\r\n'],
    ['a space behind the last chunk size', '5\r\nhello\r\n0 \r\n\r\n'],
    ['a NUL behind a chunk size', '5\0\r\nhello\r\n0\r\n\r\n'],
    ['a quoted chunk size', '"5"\r\nhello\r\n0\r\n\r\n'],
  ]),
  ...refusedBodies('RFC 9112 §7.1', undefined, [
    ['a chunk size of 2^53', '20000000000000\r\nhello'],
    ['a chunk size of 2^64', '10000000000000000\r\nhello'],
    ['a chunk size that is 5 modulo 2^64', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size of forty digits', `${'f'.repeat(40)}\r\nhello`],
    ['a chunk size of 2^64 - 1', 'ffffffffffffffff\r\nhello'],
    ['a chunk size of 2^53 behind leading zeros', '00000020000000000000\r\nhello'],
  ]),

  // line ends
  ...refusedBodies('RFC 9112 §7.1', undefined, [
    ['a bare LF behind a chunk size', '5\nhello\r\n0\r\n\r\n'],
    ['a bare CR behind a chunk size', '5\rhello\r\n0\r\n\r\n'],
    ['CR CR LF behind a chunk size', '5\r\r\nhello\r\n0\r\n\r\n'],
    ['a bare LF behind the last chunk size', '5\r\nhello\r\n0\n\r\n'],
    ['bare LFs alone in the chunks', '5\nhello\n0\n\n'],
    ['chunk data followed by a bare LF', '5\r\nhello\n0\r\n\r\n'],
    ['chunk data followed by a bare CR', '5\r\nhello\r0\r\n\r\n'],
    ['chunk data followed by LF CR', '5\r\nhello\n\r0\r\n\r\n'],
    ['chunk data followed by CR CR LF', '5\r\nhello\r\r\n0\r\n\r\n'],
    ['chunk data longer than its size', '5\r\nhello!\r\n0\r\n\r\n'],
    ['chunk data longer than its size by a line end', '5\r\nhello\r\n\r\n0\r\n\r\n'],
    ['chunk data shorter than its size', '6\r\nhello\r\n0\r\n\r\n'],
    ['chunk data followed by the next size at once', '5\r\nhello0\r\n\r\n'],
    ['a bare LF as the empty line of the last chunk', '5\r\nhello\r\n0\r\n\n'],
    ['a bare CR as the empty line of the last chunk', '5\r\nhello\r\n0\r\n\rX'],
    [
      'a status line where a chunk size should be',
      '5\r\nhello\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
  ]),

  // extensions
  ...refusedBodies('RFC 9112 §7.1.1', undefined, [
    ['an extension without name', '5;\r\nhello\r\n0\r\n\r\n'],
    ['a second extension without name', '5;a=b;\r\nhello\r\n0\r\n\r\n'],
    ['a space before the name of an extension', '5; a=b\r\nhello\r\n0\r\n\r\n'],
    ['a space behind the name of an extension', '5;a =b\r\nhello\r\n0\r\n\r\n'],
    ['a space before the value of an extension', '5;a= b\r\nhello\r\n0\r\n\r\n'],
    ['a space behind the value of an extension', '5;a=b \r\nhello\r\n0\r\n\r\n'],
    ['a NUL in the name of an extension', '5;a\0=b\r\nhello\r\n0\r\n\r\n'],
    ['a NUL in the value of an extension', '5;a=b\0\r\nhello\r\n0\r\n\r\n'],
    ['a control character in the value of an extension', '5;a=b\x01\r\nhello\r\n0\r\n\r\n'],
    ['a latin1 letter in the name of an extension', '5;\xe4=b\r\nhello\r\n0\r\n\r\n'],
    ['a bare LF behind the name of an extension', '5;a\nhello\r\n0\r\n\r\n'],
    ['a bare LF behind the value of an extension', '5;a=b\nhello\r\n0\r\n\r\n'],
    ['a bare CR in an extension', '5;a=b\rc\r\nhello\r\n0\r\n\r\n'],
    ['a bare LF inside a quoted value', '5;a="b\nc"\r\nhello\r\n0\r\n\r\n'],
    ['a bare CR inside a quoted value', '5;a="b\rc"\r\nhello\r\n0\r\n\r\n'],
    ['a line end inside a quoted value', '5;a="b\r\nhello"\r\n0\r\n\r\n'],
    ['a NUL inside a quoted value', '5;a="b\0"\r\nhello\r\n0\r\n\r\n'],
    ['a DEL inside a quoted value', '5;a="b\x7f"\r\nhello\r\n0\r\n\r\n'],
    ['an escaped DEL inside a quoted value', '5;a="b\\\x7f"\r\nhello\r\n0\r\n\r\n'],
    ['an escaped LF inside a quoted value', '5;a="b\\\n"\r\nhello\r\n0\r\n\r\n'],
    ['a letter behind a quoted value', '5;a="b"c\r\nhello\r\n0\r\n\r\n'],
    ['a quoted name of an extension', '5;"a"=b\r\nhello\r\n0\r\n\r\n'],
    ['an extension of 70,000 bytes', `5;a=${'b'.repeat(70_000)}\r\nhello\r\n0\r\n\r\n`],
    ['a quoted extension of 70,000 bytes', `5;a="${'b'.repeat(70_000)}"\r\nhello\r\n0\r\n\r\n`],
    [
      'extensions of 80,000 bytes over many chunks',
      `${`1;a=${'b'.repeat(76)}\r\nx\r\n`.repeat(1000)}0\r\n\r\n`,
    ],
    ['an extension of 70,000 bytes behind the last chunk', `5\r\nhello\r\n0;a=${'b'.repeat(70_000)}\r\n\r\n`],
    ['an extension over the limit that never ends', `5;a=${'b'.repeat(70_000)}`],
  ]),
  refused(
    'refuses extensions over a limit set by the caller',
    'RFC 9112 §7.1.1',
    `${HEAD}${`1;${'a'.repeat(20)}\r\nx\r\n`.repeat(20)}0\r\n\r\n`,
    { head, options: { maxHeaderBytes: 200 } },
  ),

  // unusual but valid
  accepted('reads a body of no chunk but the last', 'RFC 9112 §7.1', `${HEAD}0\r\n\r\n`, [chunked('')]),
  accepted('reads chunk sizes in upper case', 'RFC 9112 §7.1', `${HEAD}B\r\nhello world\r\n0\r\n\r\n`, [
    chunked('hello world'),
  ]),
  accepted('reads chunk sizes in lower case', 'RFC 9112 §7.1', `${HEAD}b\r\nhello world\r\n0\r\n\r\n`, [
    chunked('hello world'),
  ]),
  accepted('reads a chunk size with leading zeros', 'RFC 9112 §7.1', `${HEAD}0005\r\nhello\r\n0\r\n\r\n`, [
    chunked('hello'),
  ]),
  accepted(
    'reads a chunk size with forty leading zeros',
    'RFC 9112 §7.1',
    `${HEAD}${'0'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`,
    [chunked('hello')],
  ),
  accepted('reads a last chunk of many zeros', 'RFC 9112 §7.1', `${HEAD}5\r\nhello\r\n00000000\r\n\r\n`, [
    chunked('hello'),
  ]),
  accepted(
    'reads chunks of one byte each',
    'RFC 9112 §7.1',
    `${HEAD}1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n`,
    [chunked('hello')],
  ),
  accepted(
    'reads chunk data that looks like the end of the body',
    'RFC 9112 §7.1',
    `${HEAD}7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n`,
    [chunked('\r\n0\r\n\r\n')],
  ),
  accepted(
    'reads chunk data that looks like a response',
    'RFC 9112 §7.1',
    `${HEAD}26\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n0\r\n\r\n`,
    [chunked('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
  ),
  accepted(
    'reads a chunk of 200,000 bytes',
    'RFC 9112 §7.1',
    `${HEAD}30d40\r\n${'0123456789'.repeat(20_000)}\r\n0\r\n\r\n`,
    [chunked('0123456789'.repeat(20_000))],
  ),
  accepted(
    'reads 20,000 chunks, whose plain sizes do not count against the limit',
    'RFC 9112 §7.1',
    `${HEAD}${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`,
    [chunked('x'.repeat(20_000))],
  ),
  accepted('skips an extension without value', 'RFC 9112 §7.1.1', `${HEAD}5;a\r\nhello\r\n0\r\n\r\n`, [
    chunked('hello'),
  ]),
  accepted('skips an extension with a value', 'RFC 9112 §7.1.1', `${HEAD}5;a=b\r\nhello\r\n0\r\n\r\n`, [
    chunked('hello'),
  ]),
  accepted(
    'skips an extension with a quoted value',
    'RFC 9112 §7.1.1',
    `${HEAD}5;a="b; \\"c\\" \\\\ \t\xe9"\r\nhello\r\n0\r\n\r\n`,
    [chunked('hello')],
  ),
  accepted('skips an empty quoted value', 'RFC 9112 §7.1.1', `${HEAD}5;a=""\r\nhello\r\n0\r\n\r\n`, [
    chunked('hello'),
  ]),
  accepted(
    'skips several extensions on several chunks',
    'RFC 9112 §7.1.1',
    `${HEAD}2;a;b=c;d="e"\r\nhe\r\n3;f="";g\r\nllo\r\n0\r\n\r\n`,
    [chunked('hello')],
  ),
  accepted(
    'skips an extension on the last chunk',
    'RFC 9112 §7.1.1',
    `${HEAD}5\r\nhello\r\n0;a="b";c\r\n\r\n`,
    [chunked('hello')],
  ),
  accepted(
    'skips extensions of 60,000 bytes',
    'RFC 9112 §7.1.1',
    `${HEAD}5;a=${'b'.repeat(60_000)}\r\nhello\r\n0\r\n\r\n`,
    [chunked('hello')],
  ),
  accepted(
    'reads chunks that come in pieces',
    'RFC 9112 §7.1',
    [
      HEAD,
      '0',
      '5',
      ';',
      'a',
      '=',
      '"',
      'b',
      '"',
      '\r',
      '\nhe',
      'llo',
      '\r',
      '\n',
      '0',
      '\r',
      '\n',
      '\r',
      '\n',
    ],
    [chunked('hello')],
  ),
]
