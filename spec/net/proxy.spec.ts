import { HTTPHeaders } from '../../lib/headers'
import { normaliseProxy } from '../../lib/net/proxy'

describe('normaliseProxy', () => {
  it('takes an http: URL as text', () => {
    expect(normaliseProxy('http://proxy.test:3128')).toEqual({
      hostname: 'proxy.test',
      port: 3128,
      headers: [],
    })
  })

  it('takes a URL, whose port is 80 if it names none, and whose path means nothing', () => {
    expect(normaliseProxy(new URL('http://proxy.test/some?thing#else'))).toEqual({
      hostname: 'proxy.test',
      port: 80,
      headers: [],
    })
  })

  it('takes an IPv6 literal out of its brackets', () => {
    expect(normaliseProxy('http://[::1]:3128').hostname).toBe('::1')
    expect(normaliseProxy({ hostname: '[::1]', port: 3128 }).hostname).toBe('::1')
  })

  it('makes Basic credentials of the user and password, decoded, in UTF-8', () => {
    const { headers } = normaliseProxy('http://us%40er:p%C3%A4ss:w%20rd@proxy.test')
    const credentials = Buffer.from('us@er:p\u00e4ss:w rd', 'utf8').toString('base64')
    expect(headers).toEqual([['Proxy-Authorization', `Basic ${credentials}`]])
  })

  it('makes Basic credentials of a user without a password', () => {
    const { headers } = normaliseProxy('http://user@proxy.test')
    expect(headers).toEqual([['Proxy-Authorization', 'Basic dXNlcjo=']])
  })

  it('takes parts, with headers in any form', () => {
    const parts = { hostname: 'proxy.test', port: 8080 }
    const headers = [['X-Token', 'a']]
    expect(normaliseProxy({ ...parts, headers: { 'X-Token': 'a' } })).toEqual({ ...parts, headers })
    expect(normaliseProxy({ ...parts, headers: new HTTPHeaders([['X-Token', 'a']]) })).toEqual({
      ...parts,
      headers,
    })
    expect(normaliseProxy(parts)).toEqual({ ...parts, headers: [] })
  })

  it.each([
    ['https:', 'https://proxy.test'],
    ['socks5:', 'socks5://proxy.test'],
    ['a URL of another kind', new URL('ftp://proxy.test')],
    ['no URL', 'proxy.test:3128'],
    ['nothing', ''],
    ['a colon in the user', 'http://us%3Aer:pw@proxy.test'],
    ['credentials that are not UTF-8', 'http://%ff@proxy.test'],
    ['a sub-delimiter in the hostname', "http://proxy.test'"],
    ['CR LF in the hostname', { hostname: 'proxy.test\r\nX: y', port: 80 }],
    ['a hostname that becomes LF in latin1', { hostname: 'proxy\u010atest', port: 80 }],
    ['no hostname', { port: 80 }],
    ['CR LF in a header', { hostname: 'proxy.test', port: 80, headers: { a: 'b\r\nc: d' } }],
    ['a header that becomes LF in latin1', { hostname: 'proxy.test', port: 80, headers: { a: '\u010a' } }],
    ['a header name that is no token', { hostname: 'proxy.test', port: 80, headers: { 'a b': 'c' } }],
    ['Host', { hostname: 'proxy.test', port: 80, headers: { HOST: 'a' } }],
    ['Content-Length', { hostname: 'proxy.test', port: 80, headers: { 'content-length': 5 } }],
    ['Transfer-Encoding', { hostname: 'proxy.test', port: 80, headers: { 'Transfer-Encoding': 'chunked' } }],
    ['Connection', { hostname: 'proxy.test', port: 80, headers: { Connection: 'close' } }],
  ])('refuses %s', (_, input) => {
    expect(() => normaliseProxy(input as string)).toThrow(TypeError)
  })

  it.each([0, 65536, 1.5, NaN, '80'])('refuses the port %p', port => {
    expect(() => normaliseProxy({ hostname: 'proxy.test', port: port as number })).toThrow(RangeError)
  })

  it('never quotes a password in its errors', () => {
    for (const url of ['http://u:secret@[proxy', 'http://u:secret%ff@proxy.test', 'ftp://u:secret@p']) {
      expect(() => normaliseProxy(url)).toThrow(expect.not.stringContaining('secret'))
    }
  })
})
