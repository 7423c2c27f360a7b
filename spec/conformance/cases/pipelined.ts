// Owns the rows about several requests on one connection, and about bytes that no request asked for.
import {
  accepted,
  chunked,
  closed,
  get,
  head,
  headOf,
  plain,
  refused,
  responseOf,
  unsupported,
} from '../case'
import type { ConformanceCase } from '../case'

const ONE = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none'
const TWO = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo'
const THREE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthree'
const CHUNKED_TWO = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n'
const TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

const two = [get('/1'), get('/2')]
const three = [get('/1'), get('/2'), get('/3')]

export const pipelined: readonly ConformanceCase[] = [
  // more bytes than were asked for
  refused('refuses a second response to one request', 'RFC 9112 §9.2', ONE + TWO, {
    responses: [plain('one')],
  }),
  refused('refuses a second response in a segment of its own', 'RFC 9112 §9.2', [ONE, TWO], {
    responses: [plain('one')],
  }),
  refused('refuses a third response to two requests', 'RFC 9112 §9.2', ONE + TWO + THREE, {
    requests: two,
    responses: [plain('one'), plain('two')],
  }),
  refused('refuses the first byte of a second response', 'RFC 9112 §9.2', `${ONE}H`, {
    responses: [plain('one')],
  }),
  refused('refuses an empty line behind a response', 'RFC 9112 §9.2', `${ONE}\r\n`, {
    responses: [plain('one')],
  }),
  refused('refuses a NUL behind a response', 'RFC 9112 §9.2', `${ONE}\0`, { responses: [plain('one')] }),
  refused('refuses a body longer than its Content-Length', 'RFC 9112 §6.3', `${ONE} and more`, {
    responses: [plain('one')],
  }),
  refused(
    'refuses a body behind Content-Length: 0',
    'RFC 9112 §6.3',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nhello',
    {
      responses: [plain('')],
    },
  ),
  refused(
    'refuses a response behind the last chunk of the only one',
    'RFC 9112 §9.2',
    `${CHUNKED_TWO}${THREE}`,
    { responses: [chunked('two')] },
  ),
  refused('refuses an empty line behind the last chunk', 'RFC 9112 §7.1', `${CHUNKED_TWO}\r\n`, {
    responses: [chunked('two')],
  }),
  refused('refuses a 408 that nobody asked for', 'RFC 9110 §15.5.9', ONE + TIMEOUT, {
    responses: [plain('one')],
    end: 'fin',
  }),

  // the next response does not begin where it should
  refused('refuses an empty line between two responses', 'RFC 9112 §4', `${ONE}\r\n${TWO}`, {
    requests: two,
    responses: [plain('one')],
  }),
  refused('refuses a bare LF between two responses', 'RFC 9112 §4', `${ONE}\n${TWO}`, {
    requests: two,
    responses: [plain('one')],
  }),
  refused('refuses a space between two responses', 'RFC 9112 §4', `${ONE} ${TWO}`, {
    requests: two,
    responses: [plain('one')],
  }),
  refused('refuses a NUL between two responses', 'RFC 9112 §4', `${ONE}\0${TWO}`, {
    requests: two,
    responses: [plain('one')],
  }),
  refused(
    'refuses a body longer than its Content-Length before the next response',
    'RFC 9112 §6.3',
    `${ONE}, and more${TWO}`,
    { requests: two, responses: [plain('one')] },
  ),
  refused(
    'refuses an empty line behind the last chunk before the next response',
    'RFC 9112 §7.1',
    `${CHUNKED_TWO}\r\n${THREE}`,
    { requests: two, responses: [chunked('two')] },
  ),
  refused(
    'refuses a second last chunk before the next response',
    'RFC 9112 §7.1',
    `${CHUNKED_TWO}0\r\n\r\n${THREE}`,
    { requests: two, responses: [chunked('two')] },
  ),
  refused(
    'refuses a status line in the middle of a chunked body',
    'RFC 9112 §7.1',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n${TWO}`,
    { requests: two, head: headOf(200, 'OK', [['Transfer-Encoding', 'chunked']]) },
  ),
  refused('refuses garbage as the second response', 'RFC 9112 §4', `${ONE}garbage\r\n\r\n${THREE}`, {
    requests: three,
    responses: [plain('one')],
  }),
  refused(
    'refuses two Content-Lengths in the second response',
    'RFC 9112 §6.3',
    `${ONE}HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\ntwo${THREE}`,
    { requests: three, responses: [plain('one')] },
  ),
  refused(
    'refuses a bad chunk size in the second response',
    'RFC 9112 §7.1',
    `${ONE}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\ntwo\r\n0\r\n\r\n${THREE}`,
    {
      requests: three,
      responses: [plain('one')],
      head: headOf(200, 'OK', [['Transfer-Encoding', 'chunked']]),
    },
  ),

  // the second response is not spoken here
  refused(
    'does not speak HTTP/1.0 in the second response',
    'RFC 9112 §2.3',
    `${ONE}HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\ntwo`,
    {
      requests: two,
      responses: [plain('one')],
      error: unsupported,
      head: headOf(200, 'OK', [['Content-Length', '3']]),
    },
  ),
  refused(
    'does not read a first response without framing that would swallow the second',
    'RFC 9112 §6.3',
    `HTTP/1.1 200 OK\r\nServer: x\r\n\r\n${TWO}`,
    { requests: two, error: unsupported, head: headOf(200, 'OK', [['Server', 'x']]) },
  ),
  refused(
    'does not speak an upgrade in the second response',
    'RFC 9110 §15.2.2',
    `${ONE}HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n${THREE}`,
    {
      requests: three,
      responses: [plain('one')],
      error: unsupported,
      head: headOf(101, 'Switching Protocols', [['Upgrade', 'x']]),
    },
  ),

  // Connection: close in the middle
  refused(
    'ignores the second response behind Connection: close',
    'RFC 9112 §9.6',
    `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none${TWO}`,
    {
      requests: two,
      responses: [
        responseOf(
          200,
          'OK',
          [
            ['Connection', 'close'],
            ['Content-Length', '3'],
          ],
          'one',
        ),
      ],
      error: closed,
    },
  ),
  refused(
    'ignores the third response behind Connection: close in a chunked second',
    'RFC 9112 §9.6',
    `${ONE}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: Close\r\n\r\n3\r\ntwo\r\n0\r\n\r\n${THREE}`,
    {
      requests: three,
      responses: [
        plain('one'),
        responseOf(
          200,
          'OK',
          [
            ['Transfer-Encoding', 'chunked'],
            ['Connection', 'Close'],
          ],
          'two',
        ),
      ],
      error: closed,
    },
  ),

  // a response is missing
  refused('misses the second response', 'RFC 9112 §8', ONE, {
    requests: two,
    responses: [plain('one')],
    error: closed,
    end: 'fin',
  }),
  refused('misses the second response after a reset', 'RFC 9112 §8', ONE, {
    requests: two,
    responses: [plain('one')],
    error: closed,
    end: 'reset',
  }),
  refused(
    'misses the end of a first body that swallows the second response',
    'RFC 9112 §8',
    `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\none${TWO}`,
    {
      requests: two,
      error: closed,
      head: headOf(200, 'OK', [['Content-Length', '1000']]),
      end: 'fin',
    },
  ),

  // before the request
  refused('refuses a response that comes before its request', 'RFC 9112 §9.2', [], { early: [ONE] }),
  refused(
    'refuses the first byte of a response that comes before its request',
    'RFC 9112 §9.2',
    ONE.slice(1),
    {
      early: ['H'],
    },
  ),
  refused(
    'refuses half a head that comes before its request',
    'RFC 9112 §9.2',
    'Content-Length: 3\r\n\r\none',
    { early: ['HTTP/1.1 200 OK\r\n'] },
  ),
  refused('refuses an empty line that comes before the request', 'RFC 9112 §9.2', ONE, { early: ['\r\n'] }),
  refused('refuses an interim response that comes before the request', 'RFC 9112 §9.2', ONE, {
    early: ['HTTP/1.1 100 Continue\r\n\r\n'],
  }),
  refused('refuses a 408 that comes before the request', 'RFC 9112 §9.2', [], { early: [TIMEOUT] }),
  refused('refuses a greeting that comes before the request', 'RFC 9112 §9.2', [], {
    early: ['220 mail.example.test ESMTP\r\n'],
  }),

  // unusual but valid
  accepted(
    'reads three responses in one segment',
    'RFC 9112 §9.3.2',
    ONE + TWO + THREE,
    [plain('one'), plain('two'), plain('three')],
    {
      requests: three,
    },
  ),
  accepted(
    'reads three responses cut across segments',
    'RFC 9112 §9.3.2',
    [`${ONE}HTTP/1`, '.1 200 OK\r\nContent-Length: 3\r\n\r', '\nt', `wo${THREE.slice(0, -2)}`, 'ee'],
    [plain('one'), plain('two'), plain('three')],
    { requests: three },
  ),
  accepted(
    'reads five responses of all framings, one with interim responses',
    'RFC 9112 §9.3.2',
    `${ONE}${CHUNKED_TWO}HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n${THREE}`,
    [
      plain('one'),
      chunked('two'),
      responseOf(200, 'OK', [['Content-Length', '9']]),
      responseOf(204, 'No Content'),
      plain('three'),
    ],
    {
      requests: [get('/1'), get('/2'), head('/3'), get('/4'), get('/5')],
      informational: [headOf(100, 'Continue')],
    },
  ),
  accepted(
    'reads 100 responses of length 0',
    'RFC 9112 §9.3.2',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'.repeat(100),
    Array.from({ length: 100 }, () => plain('')),
    { requests: Array.from({ length: 100 }, (_, index) => get(`/${index}`)) },
  ),
  accepted(
    'reads the answer to a POST between those to GETs',
    'RFC 9112 §9.3.2',
    `${ONE}HTTP/1.1 201 Created\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n${THREE}`,
    [
      plain('one'),
      responseOf(201, 'Created', [
        ['Location', '/2'],
        ['Content-Length', '0'],
      ]),
      plain('three'),
    ],
    { requests: [get('/1'), { method: 'POST', path: '/2', body: 'data' }, get('/3')] },
  ),
]
