// Owns the rows about interim (1xx) responses.
import { accepted, closed, get, head, headOf, plain, refused, responseOf, unsupported } from '../case'
import type { ConformanceCase } from '../case'

const FINAL = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
const continued = headOf(100, 'Continue')
const earlyHints = headOf(103, 'Early Hints', [['Link', '</a.css>; rel=preload']])

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

export const interim: readonly ConformanceCase[] = [
  refused('refuses 33 interim responses in a row', 'RFC 9110 §15.2', CONTINUE.repeat(33) + FINAL, {
    informational: times(32, continued),
  }),
  refused('refuses a flood of 5,000 early hints', 'RFC 9110 §15.2', EARLY_HINTS.repeat(5000) + FINAL, {
    informational: times(32, earlyHints),
  }),
  refused(
    'does not speak an upgrade that nobody asked for',
    'RFC 9110 §15.2.2',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello',
    {
      error: unsupported,
      head: headOf(101, 'Switching Protocols', [
        ['Connection', 'upgrade'],
        ['Upgrade', 'websocket'],
      ]),
    },
  ),
  refused(
    'does not speak a 101 without Upgrade',
    'RFC 9110 §15.2.2',
    `HTTP/1.1 101 Switching Protocols\r\n\r\n${FINAL}`,
    { error: unsupported, head: headOf(101, 'Switching Protocols') },
  ),
  refused(
    'does not speak a 101 with Content-Length',
    'RFC 9110 §15.2.2',
    `HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n${FINAL}`,
    { error: unsupported, head: headOf(101, 'Switching Protocols', [['Content-Length', '0']]) },
  ),
  refused(
    'does not speak a 101 behind a 100',
    'RFC 9110 §15.2.2',
    `${CONTINUE}HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n`,
    {
      error: unsupported,
      head: headOf(101, 'Switching Protocols', [['Upgrade', 'h2c']]),
      informational: [continued],
    },
  ),
  refused(
    'refuses the body of an interim response',
    'RFC 9110 §15.2',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello${FINAL}`,
    { informational: [headOf(103, 'Early Hints', [['Content-Length', '5']])] },
  ),
  refused(
    'refuses the chunks of an interim response',
    'RFC 9110 §15.2',
    `HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${FINAL}`,
    { informational: [headOf(103, 'Early Hints', [['Transfer-Encoding', 'chunked']])] },
  ),
  refused(
    'refuses an interim response with Content-Length and Transfer-Encoding',
    'RFC 9112 §6.3',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${FINAL}`,
  ),
  refused(
    'refuses an interim response with a malformed field',
    'RFC 9112 §5.1',
    `HTTP/1.1 103 Early Hints\r\nLink : x\r\n\r\n${FINAL}`,
  ),
  refused(
    'refuses an empty line between an interim and a final response',
    'RFC 9112 §4',
    `${CONTINUE}\r\n${FINAL}`,
    { informational: [continued] },
  ),
  refused(
    'does not speak an interim response of HTTP/1.0',
    'RFC 9110 §15.2',
    `HTTP/1.0 100 Continue\r\n\r\n${FINAL}`,
    { error: unsupported },
  ),
  refused('misses the final response behind an interim one', 'RFC 9110 §15.2', CONTINUE, {
    error: closed,
    informational: [continued],
    end: 'fin',
  }),
  refused('misses the final response behind an interim one and a reset', 'RFC 9110 §15.2', EARLY_HINTS, {
    error: closed,
    informational: [earlyHints],
    end: 'reset',
  }),
  refused('refuses an interim response that nobody waits for', 'RFC 9110 §15.2', FINAL + EARLY_HINTS, {
    responses: [plain('hello')],
  }),

  // unusual but valid
  accepted('skips a 100 that nobody waits for', 'RFC 9110 §15.2', CONTINUE + FINAL, [plain('hello')], {
    informational: [continued],
  }),
  accepted('skips a 103', 'RFC 8297 §2', EARLY_HINTS + FINAL, [plain('hello')], {
    informational: [earlyHints],
  }),
  accepted(
    'skips a 102, a 103 and a 199 without reason',
    'RFC 9110 §15.2',
    `HTTP/1.1 102 Processing\r\n\r\n${EARLY_HINTS}HTTP/1.1 199\r\n\r\n${FINAL}`,
    [plain('hello')],
    { informational: [headOf(102, 'Processing'), earlyHints, headOf(199, '')] },
  ),
  accepted(
    'skips 32 interim responses in a row',
    'RFC 9110 §15.2',
    CONTINUE.repeat(32) + FINAL,
    [plain('hello')],
    {
      informational: times(32, continued),
    },
  ),
  accepted(
    'skips 32 interim responses before each of two responses',
    'RFC 9110 §15.2',
    CONTINUE.repeat(32) + FINAL + CONTINUE.repeat(32) + FINAL,
    [plain('hello'), plain('hello')],
    { requests: [get('/1'), get('/2')], informational: times(64, continued) },
  ),
  accepted(
    'does not expect a body of an interim response with Content-Length',
    'RFC 9110 §15.2',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${FINAL}`,
    [plain('hello')],
    { informational: [headOf(103, 'Early Hints', [['Content-Length', '5']])] },
  ),
  accepted(
    'does not expect a body of an interim response with Transfer-Encoding',
    'RFC 9110 §15.2',
    `HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n${FINAL}`,
    [plain('hello')],
    { informational: [headOf(103, 'Early Hints', [['Transfer-Encoding', 'chunked']])] },
  ),
  accepted(
    'keeps the connection open after an interim response with Connection: close',
    'RFC 9110 §15.2',
    `HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${FINAL}`,
    [plain('hello')],
    { informational: [headOf(103, 'Early Hints', [['Connection', 'close']])] },
  ),
  accepted(
    'skips an interim response before the answer to HEAD',
    'RFC 9110 §15.2',
    `${EARLY_HINTS}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n`,
    [responseOf(200, 'OK', [['Content-Length', '5']])],
    { requests: [head('/1')], informational: [earlyHints] },
  ),
  accepted(
    'skips an interim response that comes in pieces',
    'RFC 9110 §15.2',
    ['HTTP/1.1 10', '0 Continue\r', '\n', '\r', '\nHTTP', '/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    [plain('hello')],
    { informational: [continued] },
  ),
]
