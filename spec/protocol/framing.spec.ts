import {
  FLAG_CHUNKED,
  FLAG_CONNECTION_CLOSE,
  FLAG_CONTENT_LENGTH,
  FLAG_TRANSFER_ENCODING,
} from '../../lib/llhttp/parser'
import { Exchange } from '../../lib/protocol/exchange'
import { announcesClose, decideFraming, statusLineFault, type ParsedHead } from '../../lib/protocol/framing'

const owner = {
  onInformational() {},
  onHeadWritten() {},
  onHead() {},
  onBody: () => true,
  onComplete() {},
}

/** An exchange with this head; fields one line each. */
function exchangeWith(...fields: string[]): Exchange {
  const head = Buffer.from(`HTTP/1.1 200 OK\r\n${fields.map(field => `${field}\r\n`).join('')}\r\n`, 'latin1')
  const exchange = new Exchange(owner, 'GET', '/', '')
  exchange.setHead(head, 0, head.length)
  return exchange
}

describe('statusLineFault', () => {
  const faultOf = (line: string, status: number): string | null => {
    const fault = statusLineFault(Buffer.from(`body\x01\r${line}`, 'latin1'), 6, status)
    return fault !== null && fault.kind === 'invalid' ? fault.reason : null
  }

  it.each([
    ['HTTP/1.1 200 OK\r\n', 200, null],
    ['HTTP/1.1 100 \r\n', 100, null],
    ['HTTP/1.1 200\r\n', 200, null],
    ['HTTP/1.1 200 tab\tblank \xa0\xff!~\r\n', 200, null],
    ['HTTP/1.1 099 OK\r\n', 99, 'STATUS_BELOW_100'],
    ['HTTP/1.1 000 OK\r\n', 0, 'STATUS_BELOW_100'],
    ['HTTP/1.1 200 \x00\r\n', 200, 'CONTROL_IN_REASON'],
    ['HTTP/1.1 200 \x08\r\n', 200, 'CONTROL_IN_REASON'],
    ['HTTP/1.1 200 \n\r\n', 200, 'CONTROL_IN_REASON'],
    ['HTTP/1.1 200 \x1f\r\n', 200, 'CONTROL_IN_REASON'],
    ['HTTP/1.1 200 \x7f\r\n', 200, 'CONTROL_IN_REASON'],
    ['HTTP/1.1 200 OK\r\r\n', 200, 'CR_WITHOUT_LF'],
    ['HTTP/1.1 200 OK\rA: b\r\n', 200, 'CR_WITHOUT_LF'],
    ['HTTP/1.1 200\r\r\n', 200, 'CR_WITHOUT_LF'],
  ])('says of %j with status %s: %s', (line, status, reason) => {
    expect(faultOf(line, status)).toBe(reason)
  })

  it.each([
    ['HTTP/1.1 099 OK\r\n', 99, 'the status 99 is below 100'],
    ['HTTP/1.1 200 a\x1fb\r\n', 200, 'byte 0x1f in the reason phrase'],
    ['HTTP/1.1 200 OK\r\r\n', 200, 'a CR without LF ends the status line'],
  ])('says in a sentence what is wrong with %j', (line, status, message) => {
    expect(statusLineFault(Buffer.from(line), 0, status)).toMatchObject({ message })
  })
})

describe('announcesClose', () => {
  it.each([
    ['Connection: close', FLAG_CONNECTION_CLOSE, true],
    ['connection:close', FLAG_CONNECTION_CLOSE, true],
    ['Connection: keep-alive ,\tCLOSE', FLAG_CONNECTION_CLOSE, true],
    ['Connection: close , x', FLAG_CONNECTION_CLOSE, true],
    ['Connection: x,close,y', FLAG_CONNECTION_CLOSE, true],
    ['Proxy-Connection: close', FLAG_CONNECTION_CLOSE, false],
    ['X-Connection: close', FLAG_CONNECTION_CLOSE, false],
    ['Connection: not close', FLAG_CONNECTION_CLOSE, false],
    ['Connection: closed', FLAG_CONNECTION_CLOSE, false],
    ['Connection: close', 0, false],
  ])('says of %j with flags %s: %s', (field, flags, expected) => {
    expect(announcesClose(exchangeWith('Server: x', field, 'A: b'), flags)).toBe(expected)
  })
})

describe('decideFraming', () => {
  /** What was decided of a head, as llhttp left it. */
  function decided(fields: string[], parsed: Partial<ParsedHead>, isLast = false, accept = false): string {
    const exchange = exchangeWith(...fields)
    const head = { status: 200, flags: 0, contentLength: 0, hasEmptyValue: false, ...parsed }
    const fault = decideFraming(exchange, head, isLast, accept)
    if (fault === null) return `${exchange.framing} ${exchange.lengthBytes}`
    expect(exchange.framing).toBe('awaited')
    if (fault.kind === 'invalid') return fault.reason
    expect([fault.kind, fault.hasHead]).toEqual(['unsupported', true])
    return fault.message
  }

  const CODED = FLAG_TRANSFER_ENCODING | FLAG_CHUNKED

  it.each([0, 1, Number.MAX_SAFE_INTEGER])('counts a body of Content-Length %s', contentLength => {
    expect(decided([`Content-Length: ${contentLength}`], { flags: FLAG_CONTENT_LENGTH, contentLength })).toBe(
      `counted ${contentLength}`,
    )
  })

  it('says in a sentence what is wrong with a length', () => {
    const large = { status: 200, flags: FLAG_CONTENT_LENGTH, contentLength: 2 ** 53, hasEmptyValue: false }
    expect(decideFraming(exchangeWith(), large, false, false)).toEqual({
      kind: 'invalid',
      reason: 'CONTENT_LENGTH_TOO_LARGE',
      message: 'a Content-Length above 2^53 - 1',
    })
    const both = { ...large, contentLength: 5, hasEmptyValue: true }
    expect(decideFraming(exchangeWith('Transfer-Encoding:'), both, false, false)).toEqual({
      kind: 'invalid',
      reason: 'HPE_INVALID_CONTENT_LENGTH',
      message: 'a Content-Length beside a Transfer-Encoding',
    })
  })

  it('refuses a Content-Length above 2^53 - 1', () => {
    expect(decided([], { flags: FLAG_CONTENT_LENGTH, contentLength: 2 ** 53 })).toBe(
      'CONTENT_LENGTH_TOO_LARGE',
    )
  })

  it.each(['chunked', ' chunked', '  Chunked  ', '\tCHUNKED'])('takes %j for chunks', value => {
    expect(decided(['A: b', `Transfer-Encoding:${value}`], { flags: CODED })).toBe('chunked null')
  })

  it.each([
    ['gzip, chunked', CODED],
    ['chunked, chunked', CODED],
    ['chunked\t', FLAG_TRANSFER_ENCODING],
    ['chunked\t', CODED],
    ['chunked', FLAG_TRANSFER_ENCODING],
    ['xchunked', CODED],
    ['identity', FLAG_TRANSFER_ENCODING],
  ])('does not support %j (flags %s)', (value, flags) => {
    expect(decided([`Transfer-Encoding: ${value}`], { flags })).toBe(
      `transfer coding ${JSON.stringify(value.trim())}`,
    )
  })

  it('does not support two fields, even if both say chunked', () => {
    const fields = ['Transfer-Encoding: chunked', 'transfer-encoding: chunked']
    expect(decided(fields, { flags: CODED })).toBe('transfer coding "chunked,  chunked"')
  })

  it('looks for an empty Transfer-Encoding where any value was empty', () => {
    const head = { hasEmptyValue: true }
    expect(decided(['Transfer-Encoding:'], head)).toBe('transfer coding ""')
    const counted = { ...head, flags: FLAG_CONTENT_LENGTH, contentLength: 5 }
    expect(decided(['Transfer-Encoding:', 'Content-Length: 5'], counted)).toBe('HPE_INVALID_CONTENT_LENGTH')
    expect(decided(['A:', 'Content-Length: 5'], counted)).toBe('counted 5')
  })

  it('lets a body end with the connection only where that was announced and is accepted', () => {
    const fields = ['Connection: close']
    const parsed = { flags: FLAG_CONNECTION_CLOSE }
    expect(decided(fields, parsed, true, true)).toBe('until-close null')
    expect(decided(fields, parsed, true, false)).toBe('a body that ends only with the connection')
    expect(decided([], {}, false, true)).toContain('on a connection that is kept open')
    expect(decided([], {}, false, false)).toContain('on a connection that is kept open')
  })
})
