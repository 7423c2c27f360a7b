// Owns the rows about how a connection ends: announced, in the middle, and as the end of a body.
import {
  accepted,
  chunked,
  closed,
  get,
  head,
  headOf,
  invalid,
  plain,
  refused,
  responseOf,
  unsupported,
} from '../case'
import type { CaseEnd, ConformanceCase, ExpectedHead, ExpectedResponse } from '../case'

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const chunkedHead = headOf(200, 'OK', [['Transfer-Encoding', 'chunked']])
const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'
const untilClose = headOf(200, 'OK', [['Connection', 'close']])
const untilCloseRead = (body: string): ExpectedResponse =>
  responseOf(200, 'OK', [['Connection', 'close']], body)
const accept = { options: { closeDelimited: 'accept' } } as const

/** Where a stream may be cut so that the response is not whole, and the head that was complete by then. */
const cuts: readonly (readonly [string, string, ExpectedHead?])[] = [
  ['before the first byte', ''],
  ['in the protocol name', 'HT'],
  ['in the status line', 'HTTP/1.1 20'],
  ['behind the status line', 'HTTP/1.1 200 OK\r\n'],
  ['between CR and LF of the status line', 'HTTP/1.1 200 OK\r'],
  ['in a field name', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ['in a Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 1'],
  ['before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
  ['between CR and LF of the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r'],
  ['before the first byte of a body', HELLO.slice(0, -5), headOf(200, 'OK', [['Content-Length', '5']])],
  ['before the last byte of a body', HELLO.slice(0, -1), headOf(200, 'OK', [['Content-Length', '5']])],
  ['before the first chunk size', CHUNKED, chunkedHead],
  ['in a chunk size', `${CHUNKED}5`, chunkedHead],
  ['between CR and LF of a chunk size', `${CHUNKED}5\r`, chunkedHead],
  ['in a chunk extension', `${CHUNKED}5;a="b`, chunkedHead],
  ['in chunk data', `${CHUNKED}5\r\nhel`, chunkedHead],
  ['behind chunk data', `${CHUNKED}5\r\nhello`, chunkedHead],
  ['before the last chunk', `${CHUNKED}5\r\nhello\r\n`, chunkedHead],
  ['in the last chunk', `${CHUNKED}5\r\nhello\r\n0`, chunkedHead],
  ['behind the last chunk', `${CHUNKED}5\r\nhello\r\n0\r\n`, chunkedHead],
  ['between CR and LF of the end', `${CHUNKED}5\r\nhello\r\n0\r\n\r`, chunkedHead],
  ['in a trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX-Su`, chunkedHead],
  ['behind a trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 5d41\r\n`, chunkedHead],
]

const truncated = (end: CaseEnd, known?: ExpectedHead) => ({
  error: closed,
  end,
  ...(known === undefined ? {} : { head: known }),
})

/** Rows at the end of which the connection may be used no more, though all went well. */
const lastResponses: readonly (readonly [string, string, ExpectedResponse, CaseEnd])[] = [
  ['a response and then the end', HELLO, plain('hello'), 'fin'],
  ['a response and then a reset', HELLO, plain('hello'), 'reset'],
  ['a chunked response and then the end', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, chunked('hello'), 'fin'],
  ...(['close', 'CLOSE', 'keep-alive, close', 'x,close,y', ', close', 'close,'] as const).map(
    value =>
      [
        `a response with Connection: ${value}`,
        `HTTP/1.1 200 OK\r\nConnection: ${value}\r\nContent-Length: 5\r\n\r\nhello`,
        responseOf(
          200,
          'OK',
          [
            ['Connection', value],
            ['Content-Length', '5'],
          ],
          'hello',
        ),
        'open',
      ] as const,
  ),
  [
    'a response with Connection: close before a tab',
    'HTTP/1.1 200 OK\r\nConnection: close\t\r\nContent-Length: 5\r\n\r\nhello',
    responseOf(
      200,
      'OK',
      [
        ['Connection', 'close'],
        ['Content-Length', '5'],
      ],
      'hello',
    ),
    'open',
  ],
  [
    'a response with two Connection fields',
    'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nconnection: close\r\nContent-Length: 5\r\n\r\nhello',
    responseOf(
      200,
      'OK',
      [
        ['Connection', 'keep-alive'],
        ['connection', 'close'],
        ['Content-Length', '5'],
      ],
      'hello',
    ),
    'open',
  ],
  [
    'a response with Connection: close and garbage behind it',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello\0garbage\r\n',
    responseOf(
      200,
      'OK',
      [
        ['Connection', 'close'],
        ['Content-Length', '5'],
      ],
      'hello',
    ),
    'open',
  ],
]

export const truncation: readonly ConformanceCase[] = [
  ...cuts.map(([where, stream, known]) =>
    refused(
      `misses the rest when the connection ends ${where}`,
      'RFC 9112 §8',
      stream,
      truncated('fin', known),
    ),
  ),
  ...cuts.map(([where, stream, known]) =>
    refused(
      `misses the rest when the connection is reset ${where}`,
      'RFC 9112 §8',
      stream,
      truncated('reset', known),
    ),
  ),
  refused(
    'misses the head of the answer to HEAD',
    'RFC 9112 §8',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n',
    {
      ...truncated('fin'),
      requests: [head('/1')],
    },
  ),
  ...lastResponses.map(([what, stream, response, end]) =>
    accepted(`reads ${what}, and nothing after it`, 'RFC 9112 §9.6', stream, [response], {
      end,
      error: closed,
    }),
  ),
]

export const closeDelimited: readonly ConformanceCase[] = [
  // refused unless the caller accepts it
  refused('does not read to the end of the connection unasked', 'RFC 9112 §6.3', `${UNTIL_CLOSE}hello`, {
    error: unsupported,
    head: untilClose,
    end: 'fin',
  }),
  refused('does not read an empty body to the end of the connection unasked', 'RFC 9112 §6.3', UNTIL_CLOSE, {
    error: unsupported,
    head: untilClose,
    end: 'fin',
  }),
  refused(
    'does not read to the end of a connection that is kept open, even when asked to',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello',
    { ...accept, error: unsupported, head: headOf(200, 'OK', [['Server', 'x']]), end: 'fin' },
  ),
  refused(
    'does not read HTTP/1.0 to the end of the connection, even when asked to',
    'RFC 9112 §2.3',
    'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello',
    { ...accept, error: unsupported, head: untilClose, end: 'fin' },
  ),
  refused(
    'does not speak gzip to the end of the connection, even when asked to',
    'RFC 9112 §6.1',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n\x1f\x8b',
    {
      ...accept,
      error: unsupported,
      head: headOf(200, 'OK', [
        ['Connection', 'close'],
        ['Transfer-Encoding', 'gzip'],
      ]),
      end: 'fin',
    },
  ),
  refused('misses the end of a close-delimited body after a reset', 'RFC 9112 §8', `${UNTIL_CLOSE}hello`, {
    ...accept,
    error: closed,
    head: untilClose,
    end: 'reset',
  }),
  refused('misses the end of an empty close-delimited body after a reset', 'RFC 9112 §8', UNTIL_CLOSE, {
    ...accept,
    error: closed,
    head: untilClose,
    end: 'reset',
  }),
  refused(
    'refuses a malformed head before a close-delimited body',
    'RFC 9112 §5.1',
    'HTTP/1.1 200 OK\r\nConnection : close\r\n\r\nhello',
    { ...accept, error: invalid, end: 'fin' },
  ),
  refused(
    'takes everything behind a close-delimited head for its body',
    'RFC 9112 §6.3',
    UNTIL_CLOSE + HELLO,
    {
      ...accept,
      requests: [get('/1'), get('/2')],
      responses: [untilCloseRead(HELLO)],
      error: closed,
      end: 'fin',
    },
  ),

  // accepted by the caller
  accepted(
    'reads a close-delimited body',
    'RFC 9112 §6.3',
    `${UNTIL_CLOSE}hello`,
    [untilCloseRead('hello')],
    {
      ...accept,
      error: closed,
      end: 'fin',
    },
  ),
  accepted('reads an empty close-delimited body', 'RFC 9112 §6.3', UNTIL_CLOSE, [untilCloseRead('')], {
    ...accept,
    error: closed,
    end: 'fin',
  }),
  accepted(
    'reads a close-delimited body in many segments',
    'RFC 9112 §6.3',
    [UNTIL_CLOSE, 'hel', 'lo', '\r\n\r\n', '0\r\n\r\n', '\0\xff'],
    [untilCloseRead('hello\r\n\r\n0\r\n\r\n\0\xff')],
    { ...accept, error: closed, end: 'fin' },
  ),
  accepted(
    'reads a close-delimited body of 200,000 bytes',
    'RFC 9112 §6.3',
    UNTIL_CLOSE + '0123456789'.repeat(20_000),
    [untilCloseRead('0123456789'.repeat(20_000))],
    { ...accept, error: closed, end: 'fin' },
  ),
  accepted(
    'reads a close-delimited body behind a framed one',
    'RFC 9112 §6.3',
    `${HELLO}${UNTIL_CLOSE}world`,
    [plain('hello'), untilCloseRead('world')],
    { ...accept, requests: [get('/1'), get('/2')], error: closed, end: 'fin' },
  ),
  accepted(
    'reads a close-delimited body announced with a tab',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nConnection:\tclose\t\r\n\r\nhello',
    [untilCloseRead('hello')],
    { ...accept, error: closed, end: 'fin' },
  ),
  accepted(
    'does not wait for the end of the connection after the answer to HEAD',
    'RFC 9110 §9.3.2',
    UNTIL_CLOSE,
    [untilCloseRead('')],
    { ...accept, requests: [head('/1')], error: closed },
  ),
]

export const tlsTruncation: readonly ConformanceCase[] = [
  accepted(
    'reads a close-delimited body ended by close_notify',
    'RFC 9112 §9.8',
    `${UNTIL_CLOSE}hello`,
    [untilCloseRead('hello')],
    { ...accept, error: closed, end: 'tls-close-notify' },
  ),
  refused(
    'misses the end of a close-delimited body without close_notify',
    'RFC 9112 §9.8',
    `${UNTIL_CLOSE}hello`,
    {
      ...accept,
      error: closed,
      head: untilClose,
      end: 'tls-truncated',
    },
  ),
  refused(
    'misses the end of an empty close-delimited body without close_notify',
    'RFC 9112 §9.8',
    UNTIL_CLOSE,
    {
      ...accept,
      error: closed,
      head: untilClose,
      end: 'tls-truncated',
    },
  ),
  refused('misses the rest of a body when TLS is cut', 'RFC 9112 §9.8', HELLO.slice(0, -1), {
    error: closed,
    head: headOf(200, 'OK', [['Content-Length', '5']]),
    end: 'tls-truncated',
  }),
  refused('misses the rest of a body after close_notify', 'RFC 9112 §9.8', HELLO.slice(0, -1), {
    error: closed,
    head: headOf(200, 'OK', [['Content-Length', '5']]),
    end: 'tls-close-notify',
  }),
  refused('misses the last chunk when TLS is cut', 'RFC 9112 §9.8', `${CHUNKED}5\r\nhello\r\n`, {
    error: closed,
    head: chunkedHead,
    end: 'tls-truncated',
  }),
  refused('misses the head when TLS is cut', 'RFC 9112 §9.8', 'HTTP/1.1 200 OK\r\n', {
    error: closed,
    end: 'tls-truncated',
  }),
  accepted('reads a framed body though TLS is cut behind it', 'RFC 9112 §9.8', HELLO, [plain('hello')], {
    error: closed,
    end: 'tls-truncated',
  }),
]
