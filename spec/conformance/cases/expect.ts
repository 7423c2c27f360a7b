// Owns the rows about uploads that wait for a 100 (Continue).
import {
  accepted,
  closed,
  get,
  head,
  headOf,
  invalidBy,
  plain,
  put,
  refused,
  responseOf,
  unsupported,
} from '../case'
import type { ConformanceCase, ExpectedResponse } from '../case'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
const PROCESSING = 'HTTP/1.1 102 Processing\r\n\r\n'
const STORED = 'HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\nstored'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const REFUSED = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n'
const continued = headOf(100, 'Continue')
const earlyHints = headOf(103, 'Early Hints', [['Link', '</a.css>; rel=preload']])
const processing = headOf(102, 'Processing')
const refusal = responseOf(417, 'Expectation Failed', [['Content-Length', '0']])
const stored = responseOf(201, 'Created', [['Content-Length', '6']], 'stored')
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'
const switching = headOf(101, 'Switching Protocols', [
  ['Connection', 'upgrade'],
  ['Upgrade', 'h2c'],
])

const EXPECT = 'RFC 9110 §10.1.1'
const upload = { requests: [put('/1')] }
const behindAGet = { requests: [get('/1'), put('/2')] }
/** The server has the body before it says more. */
const sent = { ...upload, sendsBody: true }
/** It never gets it, and the connection takes no further request: the server may still be waiting. */
const kept = { ...upload, sendsBody: false, error: closed }

/** Final responses that come instead of a 100. */
const refusals: readonly (readonly [string, string, ExpectedResponse])[] = [
  ['a 417', REFUSED, refusal],
  [
    'a 413 that closes the connection',
    'HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno',
    responseOf(
      413,
      'Content Too Large',
      [
        ['Connection', 'close'],
        ['Content-Length', '2'],
      ],
      'no',
    ),
  ],
  [
    'a 401 in chunks',
    'HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwho\r\n0\r\n\r\n',
    responseOf(401, 'Unauthorized', [['Transfer-Encoding', 'chunked']], 'who'),
  ],
  ['a 200', OK, plain('hello')],
  ['a 204', 'HTTP/1.1 204 No Content\r\n\r\n', responseOf(204, 'No Content')],
  [
    'a 304',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    responseOf(304, 'Not Modified', [['Content-Length', '5']]),
  ],
  [
    'a redirection',
    'HTTP/1.1 307 Temporary Redirect\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n',
    responseOf(307, 'Temporary Redirect', [
      ['Location', '/2'],
      ['Content-Length', '0'],
    ]),
  ],
]

/** A 100 that says what no interim response means, and how it is handed out. */
const oddContinues: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
  ['a Content-Length', 'Content-Length: 5\r\n', [['Content-Length', '5']]],
  ['a Transfer-Encoding', 'Transfer-Encoding: chunked\r\n', [['Transfer-Encoding', 'chunked']]],
  ['Connection: close', 'Connection: close\r\n', [['Connection', 'close']]],
  [
    'fields of its own',
    'Server: a\r\nX-Limit: 5\r\n',
    [
      ['Server', 'a'],
      ['X-Limit', '5'],
    ],
  ],
]

export const expectation: readonly ConformanceCase[] = [
  refused('misses the answer when there is neither a 100 nor a final response', EXPECT, [], {
    ...upload,
    sendsBody: false,
    error: closed,
    end: 'fin',
  }),
  refused('misses the answer behind a reset instead of a 100', EXPECT, [], {
    ...upload,
    sendsBody: false,
    error: closed,
    end: 'reset',
  }),
  refused('misses the final response behind a 100', EXPECT, CONTINUE, { ...sent, error: closed, end: 'fin' }),
  refused('misses the final response behind a 100 and a reset', EXPECT, CONTINUE, {
    ...sent,
    error: closed,
    end: 'reset',
  }),
  refused('misses the final response behind a 103 instead of a 100', EXPECT, EARLY_HINTS, {
    ...upload,
    sendsBody: false,
    error: closed,
    informational: [earlyHints],
    end: 'fin',
  }),
  refused(
    'misses the end of a refusal',
    EXPECT,
    'HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nto',
    {
      ...upload,
      sendsBody: false,
      error: closed,
      head: headOf(413, 'Content Too Large', [['Content-Length', '5']]),
      end: 'fin',
    },
  ),
  refused('misses the end of a response to the body', EXPECT, CONTINUE, {
    ...sent,
    afterBody: [STORED.slice(0, -1)],
    error: closed,
    head: headOf(201, 'Created', [['Content-Length', '6']]),
    end: 'fin',
  }),
  refused('does not speak a switch of protocols instead of a 100', 'RFC 9110 §15.2.2', SWITCHING, {
    ...upload,
    sendsBody: false,
    error: unsupported,
    head: switching,
  }),
  refused('does not speak a switch of protocols behind a 100', 'RFC 9110 §15.2.2', CONTINUE, {
    ...sent,
    afterBody: [SWITCHING],
    error: unsupported,
    head: switching,
  }),
  refused('does not speak a 100 of HTTP/1.0', 'RFC 9110 §15.2', `HTTP/1.0 100 Continue\r\n\r\n`, {
    ...upload,
    sendsBody: false,
    error: unsupported,
  }),
  refused('refuses a 100 with a malformed field', 'RFC 9112 §5.1', 'HTTP/1.1 100 Continue\r\nA : b\r\n\r\n', {
    ...upload,
    sendsBody: false,
  }),
  refused(
    'refuses a 100 with Content-Length and Transfer-Encoding',
    'RFC 9112 §6.3',
    'HTTP/1.1 100 Continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    { ...upload, sendsBody: false },
  ),
  refused(
    'refuses the body of a 100',
    'RFC 9110 §15.2',
    `HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello${STORED}`,
    { ...upload, error: invalidBy('NOT_HTTP') },
  ),
  refused(
    'refuses the chunks of a 100',
    'RFC 9110 §15.2',
    `HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${STORED}`,
    { ...upload, error: invalidBy('NOT_HTTP') },
  ),
  refused(
    'refuses a 100 behind 32 early hints',
    'RFC 9110 §15.2',
    EARLY_HINTS.repeat(32) + CONTINUE + STORED,
    {
      ...upload,
      sendsBody: false,
      error: invalidBy('TOO_MANY_INTERIM_RESPONSES'),
      informational: Array.from({ length: 32 }, () => earlyHints),
    },
  ),
  refused('refuses 32 more interim responses behind a 100', 'RFC 9110 §15.2', CONTINUE, {
    ...sent,
    afterBody: [PROCESSING.repeat(32) + STORED],
    error: invalidBy('TOO_MANY_INTERIM_RESPONSES'),
    informational: Array.from({ length: 31 }, () => processing),
  }),
  refused('refuses a 100 behind the refusal', EXPECT, REFUSED + CONTINUE, {
    ...upload,
    sendsBody: false,
    responses: [refusal],
  }),
  refused('refuses a second final response behind the refusal', EXPECT, OK + STORED, {
    ...upload,
    sendsBody: false,
    responses: [plain('hello')],
  }),
  refused('refuses a second response to the body', EXPECT, CONTINUE, {
    ...sent,
    afterBody: [STORED + STORED],
    responses: [stored],
  }),
  refused('refuses an empty line between a 100 and the response to the body', 'RFC 9112 §4', CONTINUE, {
    ...sent,
    afterBody: [`\r\n${STORED}`],
    error: invalidBy('BLANK_LINE_BEFORE_STATUS_LINE'),
  }),

  // unusual but valid
  accepted('sends the body after a 100', EXPECT, CONTINUE, [stored], {
    ...sent,
    afterBody: [STORED],
    continued,
  }),
  accepted('sends the body after a 100 without reason', EXPECT, 'HTTP/1.1 100\r\n\r\n', [stored], {
    ...sent,
    afterBody: [STORED],
    continued: headOf(100, ''),
  }),
  accepted(
    'sends the body after a 100 that comes in pieces',
    EXPECT,
    ['HTTP/1.1 1', '00 Contin', 'ue\r', '\n\r', '\n'],
    [stored],
    { ...sent, afterBody: ['HTTP/1.1 201 Crea', STORED.slice(17)], continued },
  ),
  ...oddContinues.map(([what, lines, headers]) =>
    accepted(
      `sends the body after a 100 with ${what}`,
      'RFC 9110 §15.2',
      `HTTP/1.1 100 Continue\r\n${lines}\r\n`,
      [stored],
      { ...sent, afterBody: [STORED], continued: headOf(100, 'Continue', headers) },
    ),
  ),
  accepted('sends the body when nobody says anything', EXPECT, [], [stored], {
    ...sent,
    afterBody: [STORED],
  }),
  accepted('takes a 100 that comes when the body has been sent already', EXPECT, [], [stored], {
    ...sent,
    afterBody: [CONTINUE + STORED],
    informational: [continued],
  }),
  accepted('sends the body once after two 100s', EXPECT, CONTINUE + CONTINUE, [stored], {
    ...sent,
    afterBody: [STORED],
    informational: [continued],
  }),
  accepted('skips a second 100 behind the body', EXPECT, CONTINUE, [stored], {
    ...sent,
    afterBody: [CONTINUE + STORED],
    informational: [continued],
  }),
  accepted(
    'skips a 102 and a 103 before the 100',
    'RFC 9110 §15.2',
    PROCESSING + EARLY_HINTS + CONTINUE,
    [stored],
    {
      ...sent,
      afterBody: [STORED],
      informational: [processing, earlyHints],
      continued,
    },
  ),
  accepted('skips a 103 and a 102 behind the 100', 'RFC 9110 §15.2', CONTINUE + EARLY_HINTS, [stored], {
    ...sent,
    afterBody: [PROCESSING + STORED],
    informational: [earlyHints, processing],
    continued,
  }),
  accepted(
    'takes 31 early hints before the 100',
    'RFC 9110 §15.2',
    EARLY_HINTS.repeat(31) + CONTINUE,
    [stored],
    {
      ...sent,
      afterBody: [STORED],
      informational: Array.from({ length: 31 }, () => earlyHints),
    },
  ),
  accepted('reads a response that comes with the 100', EXPECT, CONTINUE + STORED, [stored], upload),
  accepted(
    'reads a refusal that comes behind the 100 and the body',
    EXPECT,
    CONTINUE,
    [responseOf(403, 'Forbidden', [['Content-Length', '2']], 'no')],
    { ...sent, afterBody: ['HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'] },
  ),
  accepted('reads the last response behind a 100 and the body', EXPECT, CONTINUE, [stored], {
    ...sent,
    afterBody: [STORED],
    end: 'fin',
    error: closed,
  }),
  ...refusals.flatMap(([what, bytes, response]) => [
    accepted(`keeps the body to itself after ${what}`, EXPECT, bytes, [response], kept),
  ]),
  accepted('keeps the body to itself after a 417 and the end', EXPECT, REFUSED, [refusal], {
    ...kept,
    end: 'fin',
  }),
  accepted('keeps the body to itself after a 417 and a reset', EXPECT, REFUSED, [refusal], {
    ...kept,
    end: 'reset',
  }),
  accepted('keeps the body to itself after a 103 and a refusal', EXPECT, EARLY_HINTS + OK, [plain('hello')], {
    ...kept,
    informational: [earlyHints],
  }),

  // behind other requests
  accepted(
    'sends the body after a 100 behind another response',
    EXPECT,
    OK + CONTINUE,
    [plain('hello'), stored],
    {
      ...behindAGet,
      sendsBody: true,
      afterBody: [STORED],
      continued,
    },
  ),
  accepted(
    'does not take a 100 before another response for its own',
    EXPECT,
    CONTINUE + OK + CONTINUE,
    [plain('hello'), stored],
    {
      ...behindAGet,
      sendsBody: true,
      afterBody: [STORED],
      informational: [continued],
      continued,
    },
  ),
  accepted(
    'keeps the body to itself after a refusal behind another response',
    EXPECT,
    OK + OK,
    [plain('hello'), plain('hello')],
    {
      ...behindAGet,
      sendsBody: false,
      error: closed,
    },
  ),
  accepted(
    'sends the body after a 100 behind the answer to HEAD',
    EXPECT,
    `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${CONTINUE}`,
    [responseOf(200, 'OK', [['Content-Length', '5']]), stored],
    { requests: [head('/1'), put('/2')], sendsBody: true, afterBody: [STORED], continued },
  ),
  refused('misses a 100 behind a response that is cut', EXPECT, OK.slice(0, -1), {
    ...behindAGet,
    sendsBody: false,
    error: closed,
    head: headOf(200, 'OK', [['Content-Length', '5']]),
    end: 'fin',
  }),
  refused(
    'sends nothing behind a response that announces the close',
    'RFC 9112 §9.6',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' + CONTINUE,
    {
      ...behindAGet,
      sendsBody: false,
      responses: [
        responseOf(200, 'OK', [
          ['Connection', 'close'],
          ['Content-Length', '0'],
        ]),
      ],
      error: closed,
    },
  ),
  refused(
    'sends nothing behind a response that is at fault',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n' + CONTINUE,
    {
      ...behindAGet,
      sendsBody: false,
    },
  ),
]
