// Owns the rows about the header section: names, values, line ends, folding, size.
import { accepted, bytesThat, invalidBy, plain, refused, responseOf } from '../case'
import type { ConformanceCase } from '../case'

const TEXT = bytesThat(byte => byte >= 0x20 && byte !== 0x7f)

const withField = (line: string) => `HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 5\r\n\r\nhello`

/** The response to `withField` of a line that was understood as that name and value. */
const withFieldRead = (name: string, value: string) =>
  responseOf(
    200,
    'OK',
    [
      [name, value],
      ['Content-Length', '5'],
    ],
    'hello',
  )

/** A header section of exactly `bytes`, with the status line and the empty line. */
function headOfBytes(bytes: number): { stream: string; value: string } {
  const around = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Long: \r\n\r\n'.length
  const value = 'v'.repeat(bytes - around)
  return { stream: `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Long: ${value}\r\n\r\nhello`, value }
}

const ofExactly = (bytes: number) =>
  responseOf(
    200,
    'OK',
    [
      ['Content-Length', '5'],
      ['X-Long', headOfBytes(bytes).value],
    ],
    'hello',
  )

export const headers: readonly ConformanceCase[] = [
  // names
  ...(
    [
      ['a line without colon', 'Nothing'],
      ['an empty name', ': value'],
      ['a colon alone', ':'],
      ['a space before the colon', 'X-Name : value'],
      ['a tab before the colon', 'X-Name\t: value'],
      ['a space inside a name', 'X Name: value'],
      ['a NUL in a name', 'X\0Name: value'],
      ['a control character in a name', 'X\x01Name: value'],
      ['a vertical tab before a name', '\x0bX-Name: value'],
      ['a DEL in a name', 'X\x7fName: value'],
      ['a latin1 letter in a name', 'X-N\xe4me: value'],
      ['a parenthesis in a name', 'X(Name): value'],
      ['a comma in a name', 'X,Name: value'],
      ['a slash in a name', 'X/Name: value'],
      ['a semicolon in a name', 'X;Name: value'],
      ['an angle bracket in a name', 'X<Name>: value'],
      ['an equals sign in a name', 'X=Name: value'],
      ['a question mark in a name', 'X?Name: value'],
      ['an at sign in a name', 'X@Name: value'],
      ['a square bracket in a name', 'X[Name]: value'],
      ['a brace in a name', 'X{Name}: value'],
      ['a backslash in a name', 'X\\Name: value'],
      ['a quote in a name', 'X"Name": value'],
    ] as const
  ).map(([what, line]) =>
    refused(`refuses ${what}`, 'RFC 9112 §5.1', withField(line), {
      error: invalidBy('HPE_INVALID_HEADER_TOKEN'),
    }),
  ),

  // values
  ...(
    [
      ['a NUL in a value', 'X-Name: va\0lue'],
      ['a NUL as the whole value', 'X-Name: \0'],
      ['a backspace in a value', 'X-Name: value\b'],
      ['a vertical tab in a value', 'X-Name: va\x0blue'],
      ['a form feed in a value', 'X-Name: va\x0clue'],
      ['an ESC in a value', 'X-Name: \x1b[2J'],
      ['a unit separator in a value', 'X-Name: va\x1flue'],
      ['a DEL in a value', 'X-Name: va\x7flue'],
    ] as const
  ).map(([what, line]) => refused(`refuses ${what}`, 'RFC 9110 §5.5', withField(line))),

  // line ends
  ...(
    [
      ['a bare CR in a value', withField('X-Name: va\rlue')],
      ['a bare CR before a hidden field', withField('X-Name: value\rX-Hidden: 1')],
      ['a bare CR as the whole value', withField('X-Name: \r')],
      ['CR CR LF behind a field', withField('X-Name: value\r')],
      ['a bare LF behind a field', withField('X-Name: value\nX-Hidden: 1')],
      ['a bare LF behind a field without value', withField('X-Name:\nX-Hidden: 1')],
      ['LF CR behind a field', withField('X-Name: value\n\rX-Hidden: 1')],
      ['a bare LF as the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello'],
      ['a bare CR as the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\rhello'],
      ['CR CR LF as the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\r\nhello'],
      ['LF LF as the end of the section', 'HTTP/1.1 200 OK\r\nContent-Length: 5\n\nhello'],
      ['a CR before a name', withField('\rX-Name: value')],
    ] as const
  ).map(([what, stream]) => refused(`refuses ${what}`, 'RFC 9112 §2.2', stream)),

  // folding
  ...(
    [
      ['a line folded by a space', 'X-Name: one\r\n two'],
      ['a line folded by a tab', 'X-Name: one\r\n\ttwo'],
      ['a line folded to white space alone', 'X-Name: one\r\n  '],
      ['a line folded behind an empty value', 'X-Name:\r\n two'],
      ['a line folded twice', 'X-Name: one\r\n two\r\n three'],
      ['a framing field hidden in a fold', 'X-Name: one\r\n Transfer-Encoding: chunked'],
    ] as const
  ).map(([what, line]) => refused(`refuses ${what}`, 'RFC 9112 §5.2', withField(line))),
  ...(
    [
      ['a space before the first field', ' X-Name: value'],
      ['a tab before the first field', '\tX-Name: value'],
      ['a line of spaces before the first field', '   '],
    ] as const
  ).map(([what, line]) => refused(`refuses ${what}`, 'RFC 9112 §2.2', withField(line))),

  // size
  refused(
    'refuses a header section one kilobyte over the limit in one value',
    'RFC 9110 §5.4',
    headOfBytes(65_535 + 1024).stream,
  ),
  refused(
    'refuses a header section over the limit in one name',
    'RFC 9110 §5.4',
    withField(`${'n'.repeat(70_000)}: value`),
  ),
  refused(
    'refuses a header section over the limit in many fields',
    'RFC 9110 §5.4',
    `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(12_000)}Content-Length: 5\r\n\r\nhello`,
  ),
  refused(
    'refuses a reason over the limit',
    'RFC 9110 §5.4',
    `HTTP/1.1 200 ${'r'.repeat(70_000)}\r\nContent-Length: 5\r\n\r\nhello`,
  ),
  refused(
    'refuses white space over the limit before a value',
    'RFC 9110 §5.4',
    withField(`X-Name:${' '.repeat(70_000)}value`),
  ),
  refused(
    'refuses a header section over the limit that never ends',
    'RFC 9110 §5.4',
    `HTTP/1.1 200 OK\r\nX-Long: ${'v'.repeat(70_000)}`,
  ),
  refused(
    'refuses a header section over a limit set by the caller',
    'RFC 9110 §5.4',
    headOfBytes(210).stream,
    { options: { maxHeaderBytes: 200 } },
  ),

  // unusual but valid
  accepted('reads an empty value', 'RFC 9110 §5.5', withField('X-Name:'), [withFieldRead('X-Name', '')]),
  accepted('reads a value of white space as empty', 'RFC 9112 §5.1', withField('X-Name: \t \t'), [
    withFieldRead('X-Name', ''),
  ]),
  accepted('reads a value without white space before it', 'RFC 9112 §5.1', withField('X-Name:value'), [
    withFieldRead('X-Name', 'value'),
  ]),
  accepted(
    'strips spaces and tabs round a value',
    'RFC 9112 §5.1',
    withField('X-Name: \t value one\t two \t '),
    [withFieldRead('X-Name', 'value one\t two')],
  ),
  accepted('reads every byte that a value may hold', 'RFC 9110 §5.5', withField(`X-Name: !\t${TEXT}`), [
    withFieldRead('X-Name', `!\t${TEXT}`),
  ]),
  accepted(
    'keeps the bytes of a value that is UTF-8',
    'RFC 9110 §5.5',
    withField('X-Name: \xf0\x9f\x98\x80 \xc3\xa9'),
    [withFieldRead('X-Name', '\xf0\x9f\x98\x80 \xc3\xa9')],
  ),
  accepted(
    'reads every character that a name may hold',
    'RFC 9110 §5.6.2',
    withField("!#$%&'*+-.^_`|~09azAZ: value"),
    [withFieldRead("!#$%&'*+-.^_`|~09azAZ", 'value')],
  ),
  accepted('reads a name of one character', 'RFC 9110 §5.6.2', withField('1: value'), [
    withFieldRead('1', 'value'),
  ]),
  accepted(
    'reads a value with colons, commas and quotes',
    'RFC 9110 §5.5',
    withField('X: a:b, "c\\"d": ;=e'),
    [withFieldRead('X', 'a:b, "c\\"d": ;=e')],
  ),
  accepted('reads a value that begins with a colon', 'RFC 9110 §5.5', withField('X::value'), [
    withFieldRead('X', ':value'),
  ]),
  accepted(
    'keeps repeated fields apart and in order',
    'RFC 9110 §5.2',
    'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX: 1\r\nset-cookie: b=2, c\r\nX: 2\r\nContent-Length: 5\r\n\r\nhello',
    [
      responseOf(
        200,
        'OK',
        [
          ['Set-Cookie', 'a=1'],
          ['X', '1'],
          ['set-cookie', 'b=2, c'],
          ['X', '2'],
          ['Content-Length', '5'],
        ],
        'hello',
      ),
    ],
  ),
  accepted(
    'reads 2,000 fields',
    'RFC 9110 §5.4',
    `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(2000)}Content-Length: 5\r\n\r\nhello`,
    [
      responseOf(
        200,
        'OK',
        [...Array.from({ length: 2000 }, () => ['X', 'y'] as const), ['Content-Length', '5']],
        'hello',
      ),
    ],
  ),
  accepted('reads a header section of exactly the limit', 'RFC 9110 §5.4', headOfBytes(65_535).stream, [
    ofExactly(65_535),
  ]),
  accepted(
    'reads a header section of exactly a limit set by the caller',
    'RFC 9110 §5.4',
    headOfBytes(200).stream,
    [ofExactly(200)],
    { options: { maxHeaderBytes: 200 } },
  ),
  accepted(
    'reads fields that come in pieces',
    'RFC 9112 §5',
    ['HTTP/1.1 200 OK\r\nX-Na', 'me: va', 'lue\r', '\nContent-Len', 'gth: 5\r\n', '\r', '\nhello'],
    [withFieldRead('X-Name', 'value')],
  ),
  accepted(
    'reads a response without Date and Server',
    'RFC 9110 §6.6.1',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    [plain('hello')],
  ),
]
