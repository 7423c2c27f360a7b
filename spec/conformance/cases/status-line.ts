// Owns the rows about the first line of a response: protocol, version, status, reason, and what stands before it.
import { accepted, headOf, refused, responseOf, unsupported } from '../case'
import type { ConformanceCase } from '../case'

const otherVersion = { error: unsupported, head: headOf(200, 'OK', [['Content-Length', '5']]) }

const ok = (reason: string, body = 'hello') =>
  responseOf(200, reason, [['Content-Length', String(body.length)]], body)

export const statusLine: readonly ConformanceCase[] = [
  // another version
  refused(
    'does not speak HTTP/1.0',
    'RFC 9112 §2.3',
    'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    otherVersion,
  ),
  refused(
    'does not speak HTTP/1.0 with a body that ends with the connection',
    'RFC 9112 §2.3',
    'HTTP/1.0 404 Not Found\r\nServer: old\r\n\r\nhello',
    { error: unsupported, head: headOf(404, 'Not Found', [['Server', 'old']]), end: 'fin' },
  ),
  refused(
    'does not speak HTTP/1.0 with Connection: keep-alive',
    'RFC 9112 §2.3',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello',
    {
      error: unsupported,
      head: headOf(200, 'OK', [
        ['Connection', 'keep-alive'],
        ['Content-Length', '5'],
      ]),
    },
  ),
  refused(
    'does not speak HTTP/0.9 with a status line',
    'RFC 9112 §2.3',
    'HTTP/0.9 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    otherVersion,
  ),
  refused(
    'does not speak HTTP/2.0',
    'RFC 9112 §2.3',
    'HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    otherVersion,
  ),
  refused('does not speak HTTP/1.2', 'RFC 9112 §2.3', 'HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello', {
    error: unsupported,
  }),
  refused('does not speak HTTP/3.0', 'RFC 9112 §2.3', 'HTTP/3.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', {
    error: unsupported,
  }),
  refused('does not speak HTTP/9.9', 'RFC 9112 §2.3', 'HTTP/9.9 200 OK\r\nContent-Length: 5\r\n\r\nhello', {
    error: unsupported,
  }),

  // a malformed version
  ...(
    [
      ['a version without minor number', 'HTTP/1 200 OK'],
      ['a version of two without minor number', 'HTTP/2 200'],
      ['a version with two digits behind the dot', 'HTTP/1.10 200 OK'],
      ['a version with two digits before the dot', 'HTTP/01.1 200 OK'],
      ['a version of three numbers', 'HTTP/1.1.1 200 OK'],
      ['a version without major number', 'HTTP/.1 200 OK'],
      ['a version that ends with the dot', 'HTTP/1. 200 OK'],
      ['a version with a comma', 'HTTP/1,1 200 OK'],
      ['a version in letters', 'HTTP/x.y 200 OK'],
      ['a version with a sign', 'HTTP/+1.1 200 OK'],
      ['a version without slash', 'HTTP 1.1 200 OK'],
      ['a space before the version', 'HTTP/ 1.1 200 OK'],
      ['a space inside the version', 'HTTP/1 .1 200 OK'],
      ['a backslash for the slash', 'HTTP\\1.1 200 OK'],
    ] as const
  ).map(([what, line]) =>
    refused(`refuses ${what}`, 'RFC 9112 §2.3', `${line}\r\nContent-Length: 5\r\n\r\nhello`),
  ),

  // another protocol
  ...(
    [
      ['http in lower case', 'http/1.1 200 OK'],
      ['Http in mixed case', 'Http/1.1 200 OK'],
      ['HTTPS as the protocol', 'HTTPS/1.1 200 OK'],
      ['a letter before HTTP', 'XHTTP/1.1 200 OK'],
      ['RTSP', 'RTSP/1.0 200 OK'],
      ['ICE', 'ICE/1.0 200 OK'],
      ['ICY', 'ICY 200 OK'],
      ['SIP', 'SIP/2.0 200 OK'],
      ['an FTP or SMTP greeting', '220 mail.example.test ESMTP'],
      ['an SSH banner', 'SSH-2.0-OpenSSH_9.6'],
      ['a request line', 'GET / HTTP/1.1'],
      ['a header line without status line', 'Server: x'],
    ] as const
  ).map(([what, line]) =>
    refused(`refuses ${what}`, 'RFC 9112 §4', `${line}\r\nContent-Length: 5\r\n\r\nhello`),
  ),
  refused(
    'refuses an HTTP/0.9 body without any head',
    'RFC 9112 §4',
    '<!DOCTYPE html><title>hello</title>\r\n\r\n',
    { end: 'fin' },
  ),
  refused('refuses a TLS alert', 'RFC 9112 §4', '\x15\x03\x01\x00\x02\x02\x46'),
  refused(
    'refuses an HTTP/2 SETTINGS frame',
    'RFC 9112 §4',
    '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64',
  ),

  // something before the status line
  refused(
    'refuses an empty line before the status line',
    'RFC 9112 §4',
    '\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses three empty lines before the status line',
    'RFC 9112 §4',
    '\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses a bare LF before the status line',
    'RFC 9112 §4',
    '\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses a bare CR before the status line',
    'RFC 9112 §4',
    '\rHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses a space before the status line',
    'RFC 9112 §4',
    ' HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses a tab before the status line',
    'RFC 9112 §4',
    '\tHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses a byte order mark before the status line',
    'RFC 9112 §4',
    '\xef\xbb\xbfHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),
  refused(
    'refuses a NUL before the status line',
    'RFC 9112 §4',
    '\0HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ),

  // the status
  ...(
    [
      ['a status of 099', 'HTTP/1.1 099 Low'],
      ['a status of 000', 'HTTP/1.1 000 Zero'],
      ['a status of two digits', 'HTTP/1.1 20 OK'],
      ['a status of one digit', 'HTTP/1.1 2 OK'],
      ['a status of four digits', 'HTTP/1.1 2000 OK'],
      ['a negative status', 'HTTP/1.1 -200 OK'],
      ['a status with a plus sign', 'HTTP/1.1 +200 OK'],
      ['a status with a letter', 'HTTP/1.1 20x OK'],
      ['a hexadecimal status', 'HTTP/1.1 0xc8 OK'],
      ['a status with a space inside', 'HTTP/1.1 2 00 OK'],
      ['a fractional status', 'HTTP/1.1 200.1 OK'],
      ['a status in superscript digits', 'HTTP/1.1 \xb2\xb2\xb2 OK'],
      ['a status that runs into the reason', 'HTTP/1.1 200OK'],
      ['a status with a colon behind it', 'HTTP/1.1 200: OK'],
      ['a status line without status', 'HTTP/1.1'],
      ['a status line that ends before the status', 'HTTP/1.1 '],
      ['a status line with a reason alone', 'HTTP/1.1 OK'],
      ['two spaces before the status', 'HTTP/1.1  200 OK'],
      ['a tab before the status', 'HTTP/1.1\t200 OK'],
      ['a tab behind the status', 'HTTP/1.1 200\tOK'],
      ['no space before the status', 'HTTP/1.1200 OK'],
    ] as const
  ).map(([what, line]) =>
    refused(`refuses ${what}`, 'RFC 9112 §4', `${line}\r\nContent-Length: 5\r\n\r\nhello`),
  ),

  // the end of the line, and what may not be in a reason
  ...(
    [
      ['a bare LF behind the status line', 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello'],
      ['a bare LF behind the status', 'HTTP/1.1 200\nContent-Length: 5\r\n\r\nhello'],
      ['bare LFs alone', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
      ['CR CR LF behind the status line', 'HTTP/1.1 200 OK\r\r\nContent-Length: 5\r\n\r\nhello'],
      ['CR CR LF behind the status', 'HTTP/1.1 200\r\r\nContent-Length: 5\r\n\r\nhello'],
      ['two CRs behind the status line', 'HTTP/1.1 200 OK\r\rContent-Length: 5\r\n\r\nhello'],
      ['a bare CR behind the status line', 'HTTP/1.1 200 OK\rContent-Length: 5\r\n\r\nhello'],
      ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\nContent-Length: 5\r\n\r\nhello'],
      ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\nContent-Length: 5\r\n\r\nhello'],
      ['an ESC in the reason', 'HTTP/1.1 200 \x1b[31mOK\r\nContent-Length: 5\r\n\r\nhello'],
      ['a backspace in the reason', 'HTTP/1.1 200 OK\b\r\nContent-Length: 5\r\n\r\nhello'],
      ['a DEL in the reason', 'HTTP/1.1 200 O\x7fK\r\nContent-Length: 5\r\n\r\nhello'],
    ] as const
  ).map(([what, stream]) => refused(`refuses ${what}`, 'RFC 9112 §4', stream)),

  // unusual but valid
  accepted(
    'reads a status line without reason',
    'RFC 9112 §4',
    'HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello',
    [ok('')],
  ),
  accepted(
    'reads a status line without reason and without the space before it',
    'RFC 9112 §4',
    'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello',
    [ok('')],
  ),
  accepted(
    'reads a reason of several words and a tab',
    'RFC 9112 §4',
    'HTTP/1.1 200 Quite all\tright, thanks: "OK"\r\nContent-Length: 5\r\n\r\nhello',
    [ok('Quite all\tright, thanks: "OK"')],
  ),
  accepted(
    'reads a reason in latin1',
    'RFC 9112 §4',
    'HTTP/1.1 200 \xc7a va tr\xe8s bien \xff\r\nContent-Length: 5\r\n\r\nhello',
    [ok('\xc7a va tr\xe8s bien \xff')],
  ),
  accepted(
    'reads a reason that looks like a status line',
    'RFC 9112 §4',
    'HTTP/1.1 200 HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello',
    [ok('HTTP/1.1 404 Not Found')],
  ),
  accepted(
    'reads a reason of 2,000 bytes',
    'RFC 9112 §4',
    `HTTP/1.1 200 ${'very '.repeat(400)}OK\r\nContent-Length: 5\r\n\r\nhello`,
    [ok(`${'very '.repeat(400)}OK`)],
  ),
  accepted(
    'reads a status line that comes byte by byte',
    'RFC 9112 §4',
    [...'HTTP/1.1 200 OK\r\n', 'Content-Length: 5\r\n\r\nhello'],
    [ok('OK')],
  ),
  ...[205, 226, 299, 300, 399, 402, 418, 451, 499, 500, 599, 600, 999].map(status =>
    accepted(
      `reads a status of ${status}`,
      'RFC 9110 §15',
      `HTTP/1.1 ${status} Whatever\r\nContent-Length: 0\r\n\r\n`,
      [responseOf(status, 'Whatever', [['Content-Length', '0']])],
    ),
  ),
]
