import { TunnelReplyReader } from '../../lib/net/tunnel-reply'
import type { TunnelReply } from '../../lib/net/tunnel-reply'

/** Every way to give the bytes: whole, byte by byte, cut at every position. */
function cuts(text: string): Buffer[][] {
  const bytes = Buffer.from(text, 'latin1')
  const ways = [[bytes], Array.from(bytes, byte => Buffer.from([byte]))]
  for (let at = 1; at < bytes.length; at++) ways.push([bytes.subarray(0, at), bytes.subarray(at)])
  return ways
}

/** The answer, and all that came behind it. */
function read(pieces: Buffer[]): { status: number; reason: string; rest: string } | null {
  const reader = new TunnelReplyReader()
  let reply: TunnelReply | null = null
  const rest: Buffer[] = []
  for (const piece of pieces) {
    if (reply !== null) {
      rest.push(piece)
      continue
    }
    reply = reader.push(piece)
    if (reply !== null) rest.push(reply.rest)
  }
  return reply && { status: reply.status, reason: reply.reason, rest: Buffer.concat(rest).toString('latin1') }
}

describe('TunnelReplyReader', () => {
  it.each([
    ['HTTP/1.1', 'HTTP/1.1 200 OK\r\n\r\n', 200, 'OK', ''],
    ['HTTP/1.0', 'HTTP/1.0 200 Connection established\r\n\r\n', 200, 'Connection established', ''],
    ['an empty reason', 'HTTP/1.1 200 \r\n\r\n', 200, '', ''],
    ['no reason', 'HTTP/1.1 200\r\n\r\n', 200, '', ''],
    [
      'bytes behind the head',
      'HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01\r\n\r\n',
      200,
      'OK',
      '\x16\x03\x01\r\n\r\n',
    ],
    ['header fields', 'HTTP/1.1 204 \xe4\r\nVia: 1.1 a\r\nX:\r\nY:\t\xff \r\n\r\n!', 204, '\xe4', '!'],
    [
      'Content-Length, which a tunnel has not',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      200,
      'OK',
      'hello',
    ],
    [
      'interim responses',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nA: b\r\n\r\nHTTP/1.0 407 No\r\n\r\n',
      407,
      'No',
      '',
    ],
    ['101, which is final', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nabc', 101, 'Switching', 'abc'],
    ['a status of no class', 'HTTP/1.1 999 ?\r\n\r\n', 999, '?', ''],
  ])('reads an answer with %s, however it is cut', (_, text, status, reason, rest) => {
    for (const pieces of cuts(text)) expect(read(pieces)).toEqual({ status, reason, rest })
  })

  it.each([
    ['another protocol', 'SSH-2.0-x\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['a TLS record', '\x15\x03\x01\x00\x02\x02\x28', 'TUNNEL_STATUS_LINE'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['HTTP/1.10', 'HTTP/1.10 200 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['lower case', 'http/1.1 200 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['a blank line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['a control in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['DEL in the reason', 'HTTP/1.1 200 O\x7fK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
    ['no colon', 'HTTP/1.1 200 OK\r\nVia\r\n\r\n', 'TUNNEL_HEADER_FIELD'],
    ['an empty name', 'HTTP/1.1 200 OK\r\n: a\r\n\r\n', 'TUNNEL_HEADER_FIELD'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nVia : a\r\n\r\n', 'TUNNEL_HEADER_FIELD'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nVia: a\r\n b\r\n\r\n', 'TUNNEL_HEADER_FIELD'],
    ['NUL in a value', 'HTTP/1.1 200 OK\r\nVia: \0\r\n\r\n', 'TUNNEL_HEADER_FIELD'],
    ['bare LF', 'HTTP/1.1 200 OK\nVia: a\n\n', 'TUNNEL_BARE_CR_OR_LF'],
    ['bare CR', 'HTTP/1.1 200 OK\rVia: a\r\n\r\n', 'TUNNEL_BARE_CR_OR_LF'],
    ['CR CR LF', 'HTTP/1.1 200 OK\r\r\n\r\n', 'TUNNEL_BARE_CR_OR_LF'],
    ['LF at the end', 'HTTP/1.1 200 OK\r\n\n', 'TUNNEL_BARE_CR_OR_LF'],
    ['a bad interim response', 'HTTP/1.1 100 OK\r\n\r\nHTTP/1.1 OK\r\n\r\n', 'TUNNEL_STATUS_LINE'],
  ])('refuses %s, however it is cut', (_, text, reason) => {
    for (const pieces of cuts(text)) {
      expect(() => read(pieces)).toThrow(
        expect.objectContaining({ code: 'ERR_HTTPIO_INVALID_RESPONSE', reason }),
      )
    }
  })

  it('waits while the head is not complete', () => {
    expect(read([Buffer.from('HTTP/1.1 200 OK\r\nVia: a\r\n\r')])).toBeNull()
  })

  it('refuses another protocol at the first byte that differs', () => {
    expect(() => new TunnelReplyReader().push(Buffer.from('HTTQ'))).toThrow('did not answer in HTTP/1.x')
  })

  it('takes a head of 65535 bytes and refuses one of 65536, also when it never ends', () => {
    const head = (lengthBytes: number) => {
      const start = 'HTTP/1.1 200 OK\r\nX: '
      return Buffer.from(`${start}${'x'.repeat(lengthBytes - start.length - 4)}\r\n\r\n`)
    }
    const tooLong = expect.objectContaining({ reason: 'TUNNEL_HEAD_TOO_LONG' })
    expect(read([head(65_535)])?.status).toBe(200)
    expect(() => read([head(65_536)])).toThrow(tooLong)
    expect(() => read([head(70_000).subarray(0, 65_536)])).toThrow(tooLong)
  })

  it('takes 32 interim responses and refuses the 33rd', () => {
    const answer = (interim: number) => [
      Buffer.from(`${'HTTP/1.1 102 \r\n\r\n'.repeat(interim)}HTTP/1.1 200 OK\r\n\r\n`),
    ]
    expect(read(answer(32))?.status).toBe(200)
    expect(() => read(answer(33))).toThrow(expect.objectContaining({ reason: 'TUNNEL_TOO_MANY_INTERIM' }))
  })

  it('takes a large head byte by byte in time that grows with its length alone', () => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(65_000)}\r\n\r\n`)
    expect(read(Array.from(bytes, byte => Buffer.from([byte])))?.status).toBe(200)
  })
})
