// Owns the rows about responses that have no body whatever their framing fields say: to HEAD, 204, 304.
import { accepted, closed, get, head, plain, refused, responseOf } from '../case'
import type { CaseRequest, ConformanceCase, ExpectedResponse } from '../case'

const HIDDEN = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden'

/** One way in which a response has no body: the request, its status line, and how it is read. */
interface Kind {
  readonly what: string
  readonly rfc: string
  readonly request: CaseRequest
  readonly line: string
  readonly read: (headers: [string, string][]) => ExpectedResponse
}

const kinds: readonly Kind[] = [
  {
    what: 'the answer to HEAD',
    rfc: 'RFC 9110 §9.3.2',
    request: head('/1'),
    line: 'HTTP/1.1 200 OK',
    read: headers => responseOf(200, 'OK', headers),
  },
  {
    what: 'a 204',
    rfc: 'RFC 9110 §15.3.5',
    request: get('/1'),
    line: 'HTTP/1.1 204 No Content',
    read: headers => responseOf(204, 'No Content', headers),
  },
  {
    what: 'a 304',
    rfc: 'RFC 9110 §15.4.5',
    request: get('/1'),
    line: 'HTTP/1.1 304 Not Modified',
    read: headers => responseOf(304, 'Not Modified', headers),
  },
]

export const noBody: readonly ConformanceCase[] = [
  ...kinds.flatMap(({ what, rfc, request, line, read }) => [
    // bytes where a body would be
    refused(`refuses the announced body of ${what}`, rfc, `${line}\r\nContent-Length: 5\r\n\r\nhello`, {
      requests: [request],
      responses: [read([['Content-Length', '5']])],
    }),
    refused(
      `refuses the chunked body of ${what}`,
      rfc,
      `${line}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      { requests: [request], responses: [read([['Transfer-Encoding', 'chunked']])] },
    ),
    refused(
      `refuses the last chunk alone behind ${what}`,
      rfc,
      `${line}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      { requests: [request], responses: [read([['Transfer-Encoding', 'chunked']])] },
    ),
    refused(
      `refuses a response hidden as the body of ${what}`,
      rfc,
      `${line}\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
      { requests: [request], responses: [read([['Content-Length', String(HIDDEN.length)]])] },
    ),
    refused(
      `refuses a response hidden in a chunk behind ${what} with the next request waiting`,
      rfc,
      `${line}\r\nTransfer-Encoding: chunked\r\n\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
      { requests: [request, get('/2')], responses: [read([['Transfer-Encoding', 'chunked']])] },
    ),
    refused(
      `refuses the body of ${what} as the answer to the next request`,
      rfc,
      `${line}\r\nContent-Length: 5\r\n\r\nhello${HIDDEN}`,
      { requests: [request, get('/2')], responses: [read([['Content-Length', '5']])] },
    ),
    refused(
      `refuses ${what} with Content-Length and Transfer-Encoding`,
      'RFC 9112 §6.3',
      `${line}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      { requests: [request] },
    ),
    refused(
      `refuses ${what} with two Content-Lengths`,
      'RFC 9112 §6.3',
      `${line}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n`,
      { requests: [request] },
    ),

    // framing fields without a body
    ...(
      [
        ['without framing', []],
        ['with Content-Length: 0', [['Content-Length', '0']]],
        ['with a Content-Length', [['Content-Length', '5']]],
        ['with a Content-Length of 2^53 - 1', [['Content-Length', '9007199254740991']]],
        ['with chunked', [['Transfer-Encoding', 'chunked']]],
        ['with gzip, chunked', [['Transfer-Encoding', 'gzip, chunked']]],
        ['with an unknown transfer coding', [['Transfer-Encoding', 'x']]],
        ['with Connection: keep-alive alone', [['Connection', 'keep-alive']]],
      ] as [string, [string, string][]][]
    ).map(([how, headers]) =>
      accepted(
        `reads ${what} ${how}`,
        rfc,
        `${line}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
        [read(headers)],
        { requests: [request] },
      ),
    ),
    accepted(
      `reads ${what} with Connection: close and ignores what follows`,
      'RFC 9112 §9.6',
      `${line}\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`,
      [
        read([
          ['Connection', 'close'],
          ['Content-Length', '5'],
        ]),
      ],
      { requests: [request], error: closed },
    ),
    accepted(
      `reads the next response right behind ${what}`,
      rfc,
      `${line}\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld`,
      [read([['Content-Length', '5']]), plain('world')],
      { requests: [request, get('/2')] },
    ),
  ]),
  accepted(
    'reads a 404 to HEAD with its Content-Length',
    'RFC 9110 §9.3.2',
    'HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n',
    [responseOf(404, 'Not Found', [['Content-Length', '1000']])],
    { requests: [head('/1')] },
  ),
  accepted(
    'reads HEAD, GET, HEAD and GET in one go',
    'RFC 9110 §9.3.2',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'.repeat(2),
    [
      responseOf(200, 'OK', [['Content-Length', '5']]),
      plain('hello'),
      responseOf(200, 'OK', [['Content-Length', '5']]),
      plain('hello'),
    ],
    { requests: [head('/1'), get('/2'), head('/3'), get('/4')] },
  ),
  accepted(
    'reads a 205 of length 0, which is framed like any other',
    'RFC 9110 §15.3.6',
    'HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    [responseOf(205, 'Reset Content', [['Transfer-Encoding', 'chunked']])],
  ),
]
