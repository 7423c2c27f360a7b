import {
  checkMethod,
  checkPath,
  chunkHead,
  lastChunk,
  RequestHeadWriter,
  type RequestHeadOptions,
} from '../../lib/protocol/request-head'
import { HTTPHeaders, type HeadersInput } from '../../lib/headers'

const writer = (options: Partial<RequestHeadOptions> = {}) =>
  new RequestHeadWriter({
    host: 'example.test',
    isAbsoluteForm: false,
    headers: undefined,
    proxyHeaders: [],
    ...options,
  })

/** What a character becomes when nobody looks: U+010D and U+010A are written as CR and LF in latin1. */
const SPLIT = 'a\u010d\u010aInjected: yes'

describe('checkMethod', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PROPFIND', 'M-SEARCH', 'x'])(
    'takes %s',
    method => {
      expect(() => checkMethod(method)).not.toThrow()
    },
  )

  it.each([
    ['an empty one', ''],
    ['a standard one in lower case', 'get'],
    ['a standard one in mixed case', 'Post'],
    ['CONNECT, which makes a tunnel', 'CONNECT'],
    ['connect', 'connect'],
    ['a space', 'GET /'],
    ['a space behind', 'GET '],
    ['a tab', 'G\tET'],
    ['CR LF', 'GET\r\n'],
    ['LF alone at the end', 'GET\n'],
    ['NUL', 'GET\0'],
    ['DEL', 'GET\x7f'],
    ['characters that become CR LF', SPLIT],
    ['a letter that becomes an ASCII one in upper case', 'PO\u017fT'],
    ['a delimiter', 'GET,'],
    ['nothing', undefined],
    ['an array', ['GET']],
    ['an object that becomes a string', { toString: (): string => 'GET' }],
    ['a String object', new String('GET')],
  ])('refuses %s', (_, method) => {
    expect(() => checkMethod(method as never)).toThrow(TypeError)
  })

  it.each(['get', 'head', 'post', 'put', 'delete', 'options', 'trace', 'patch', 'connect'])(
    'says how %s is written',
    method => {
      const message = `methods are case-sensitive: "${method.toUpperCase()}" instead of "${method}"`
      expect(() => checkMethod(method)).toThrow(new TypeError(message))
    },
  )

  it.each<[unknown, string]>([
    ['a b', 'the method must be a token (RFC 9110 section 5.6.2), not "a b"'],
    [undefined, 'the method must be a token (RFC 9110 section 5.6.2), not of type undefined'],
    [5, 'the method must be a token (RFC 9110 section 5.6.2), not 5'],
    [['GET'], 'the method must be a token (RFC 9110 section 5.6.2), not of type object'],
    ['CONNECT', 'CONNECT is sent by the proxy option only'],
  ])('says what is wrong with %j', (method, message) => {
    expect(() => checkMethod(method as string)).toThrow(new TypeError(message))
  })

  it('quotes no more of what it refuses than fits a line', () => {
    const start = 'the method must be a token (RFC 9110 section 5.6.2), not'
    expect(() => checkMethod(' '.repeat(78))).toThrow(new TypeError(`${start} "${' '.repeat(78)}"`))
    expect(() => checkMethod(' '.repeat(79))).toThrow(new TypeError(`${start} "${' '.repeat(79)}…`))
  })
})

describe('checkPath', () => {
  it.each(['/', '*', '/a?b=c&d=%20', 'http://other.test/a', '/!"$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', 'a'])(
    'takes %s',
    path => {
      expect(() => checkPath(path)).not.toThrow()
    },
  )

  it.each([
    ['an empty one', ''],
    ['a fragment', '/a#b'],
    ['a space', '/a b'],
    ['a tab', '/a\tb'],
    ['CR LF', '/a\r\nInjected: yes'],
    ['LF alone at the end', '/a\n'],
    ['NUL', '/\0'],
    ['DEL', '/\x7f'],
    ['latin1 beyond ASCII', '/\xe9'],
    ['characters that become CR LF', `/${SPLIT}`],
    ['a character that becomes a space', '/a\u0120HTTP/1.1'],
    ['nothing', undefined],
    ['an array', ['/a']],
    ['an object that becomes a string', { toString: (): string => '/a' }],
    ['a URL', new URL('http://example.test/a')],
  ])('refuses %s', (_, path) => {
    expect(() => checkPath(path as never)).toThrow(TypeError)
  })
})

describe('RequestHeadWriter', () => {
  it.each<[string, () => unknown]>([
    [
      'the path must be visible ASCII characters without "#", the rest percent-encoded, not "/ä"',
      () => writer().write('GET', '/ä'),
    ],
    [
      'Transfer-Encoding is set by the connection, not by the caller',
      () => writer().write('GET', '/', { 'transfer-encoding': 'chunked' }),
    ],
    [
      'Expect is set by the connection, not by the caller',
      () => writer({ headers: { expect: '100-continue' } }),
    ],
    ['a request has one Host field', () => writer({ headers: { Host: ['a', 'b'] } })],
    [
      'Content-Length belongs to a request, not to the headers of all requests',
      () => writer({ headers: { 'content-length': '0' } }),
    ],
    [
      'a body must have a length from 0 to 2^53-1, not -1',
      () => writer().write('POST', '/', undefined, { lengthBytes: -1 }),
    ],
    [
      'a body must have a length from 0 to 2^53-1, not of type undefined',
      () => writer().write('POST', '/', undefined, { lengthBytes: undefined as never }),
    ],
    [
      'Content-Length "6" with a body of 5 bytes',
      () => writer().write('POST', '/', { 'Content-Length': '6' }, { lengthBytes: 5 }),
    ],
    [
      'Content-Length "5, 5" with a body of 5 bytes',
      () => writer().write('POST', '/', { 'Content-Length': ['5', '5'] }, { lengthBytes: 5 }),
    ],
    [
      'Content-Length "5" with a body of unknown length',
      () => writer().write('POST', '/', { 'Content-Length': '5' }, { lengthBytes: null }),
    ],
    ['Connection may not stand in a trailer section', () => lastChunk({ Connection: 'close' })],
  ])('says in a sentence what may not be sent: %s', (message, write) => {
    expect(write).toThrow(new TypeError(message))
  })

  it('makes the head of the request before once, and no other', () => {
    const made = writer()
    const head = made.write('GET', '/a')
    expect(made.write('GET', '/a')).toBe(head)
    expect(made.write('HEAD', '/a').text).toMatch(/^HEAD \/a HTTP/)
    expect(made.write('HEAD', '/b').text).toMatch(/^HEAD \/b HTTP/)
    expect(made.write('HEAD', '/b', { A: '1' }).text).toContain('\r\nA: 1\r\n')
    expect(made.write('HEAD', '/b', undefined, { lengthBytes: 5 }).text).toContain(
      '\r\nContent-Length: 5\r\n',
    )
    expect(made.write('GET', '/a')).toEqual(head)
  })

  it('writes * as it is', () => {
    expect(writer().write('OPTIONS', '*').text).toMatch(/^OPTIONS \* HTTP\/1\.1\r\n/)
  })

  it('writes the request line, Host and Accept-Encoding', () => {
    expect(writer().write('GET', '/a')).toEqual({
      text: 'GET /a HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n',
      isLast: false,
    })
  })

  it('writes the same with headers that say nothing', () => {
    const { text } = writer().write('GET', '/a', {})
    expect(text).toBe('GET /a HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n')
  })

  describe('headers', () => {
    const fields = (own: HeadersInput | undefined, headers?: HeadersInput) =>
      writer({ headers }).write('GET', '/', own).text

    it('keeps the case, the order and the repetitions that the caller gave', () => {
      expect(
        fields([
          ['x-b', '1'],
          ['X-A', '2'],
          ['X-B', '3'],
        ]),
      ).toBe(
        'GET / HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nx-b: 1\r\nX-A: 2\r\nX-B: 3\r\n\r\n',
      )
    })

    it('puts the headers of all requests before those of one', () => {
      expect(fields({ B: '2' }, { A: '1' })).toBe(
        'GET / HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nA: 1\r\nB: 2\r\n\r\n',
      )
    })

    it('leaves out a header of all requests where the request sets the same name, whatever the case', () => {
      expect(fields({ 'x-a': 'own' }, { 'X-A': 'default', 'X-B': 'kept' })).toBe(
        'GET / HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nX-B: kept\r\nx-a: own\r\n\r\n',
      )
    })

    it("takes a caller's Accept-Encoding, of one request or of all", () => {
      const expected = 'GET / HTTP/1.1\r\nHost: example.test\r\naccept-encoding: br\r\n\r\n'
      expect(fields({ 'accept-encoding': 'br' })).toBe(expected)
      expect(fields(undefined, { 'accept-encoding': 'br' })).toBe(expected)
    })

    it("puts a caller's Host in the place of ours, that of the request before that of all", () => {
      const expected = 'GET / HTTP/1.1\r\nHost: other.test\r\nAccept-Encoding: identity\r\n\r\n'
      expect(fields({ host: 'other.test' })).toBe(expected)
      expect(fields(undefined, { HOST: 'other.test' })).toBe(expected)
      expect(fields({ Host: 'other.test' }, { Host: 'not.this.test' })).toBe(expected)
    })

    it('is not changed by what becomes of the headers of all requests afterwards', () => {
      const headers = new HTTPHeaders({ A: '1' })
      const made = writer({ headers })
      headers.set('A', 'changed')
      expect(made.write('GET', '/').text).toBe(
        'GET / HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nA: 1\r\n\r\n',
      )
    })

    it.each([
      ['Transfer-Encoding', { 'transfer-encoding': 'chunked' }],
      ['Expect', { EXPECT: '100-continue' }],
      ['a second Host', { Host: ['a.test', 'b.test'] }],
      ['CR LF in a value', { A: '1\r\nInjected: yes' }],
      ['characters that become CR LF in a value', { A: SPLIT }],
      ['characters that become CR LF in Host', { Host: SPLIT }],
      ['CR LF in one value of several', { A: ['1', '2\r\nInjected: yes'] }],
      ['a value that becomes a string', { A: { toString: (): string => '1\r\nInjected: yes' } as never }],
      ['a value in an array in an array', { A: [['1\r\nInjected: yes']] as never }],
      ['CR LF in a name', { 'A: 1\r\nInjected': 'yes' }],
      ['characters that become CR LF in a name', { [SPLIT]: '1' }],
      ['a space before the colon', { 'A ': '1' }],
      ['an empty name', { '': '1' }],
      ['NUL in a value', { A: '\0' }],
      ['a control in a value', { A: '\x1b' }],
      ['DEL in a value', { A: '\x7f' }],
      ['a pair that is a string', ['ab'] as never],
      ['a name that becomes a string', [[{ toString: (): string => 'A' }, '1']] as never],
    ])('refuses %s, of one request and of all', (_, headers) => {
      expect(() => fields(headers as HeadersInput)).toThrow(TypeError)
      expect(() => writer({ headers: headers as HeadersInput })).toThrow(TypeError)
    })

    it('writes the value that was checked, though a getter gives another the second time', () => {
      let asked = 0
      const headers = {
        get A() {
          return asked++ === 0 ? '1' : '1\r\nInjected: yes'
        },
      }
      expect(fields(headers)).toBe(
        'GET / HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nA: 1\r\n\r\n',
      )
    })

    it('writes latin1 and tabs as they are', () => {
      expect(fields({ A: 'caf\xe9\tau lait' })).toBe(
        'GET / HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nA: caf\xe9\tau lait\r\n\r\n',
      )
    })
  })

  describe('isLast', () => {
    it.each([
      ['close', true],
      ['CLOSE', true],
      ['keep-alive, close', true],
      ['close\t,x', true],
      ['keep-alive', false],
      ['closed', false],
    ])('with Connection: %s is %p', (value, isLast) => {
      expect(writer().write('GET', '/', { connection: value }).isLast).toBe(isLast)
      expect(writer({ headers: { Connection: value } }).write('GET', '/').isLast).toBe(isLast)
      expect(writer({ headers: { Connection: value } }).write('GET', '/', { A: '1' }).isLast).toBe(isLast)
    })

    it('goes by what the request sets, not by the header of all requests it replaces', () => {
      const made = writer({ headers: { Connection: 'close' } })
      expect(made.write('GET', '/', { Connection: 'keep-alive' }).isLast).toBe(false)
    })
  })

  describe('framing', () => {
    const framed = (method: string, body: Parameters<RequestHeadWriter['write']>[3], own?: HeadersInput) =>
      writer().write(method, '/', own, body).text
    const start = (method: string) =>
      `${method} / HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n`

    it.each(['POST', 'PUT', 'PATCH'])('announces that %s has no body', method => {
      expect(framed(method, null)).toBe(`${start(method)}Content-Length: 0\r\n\r\n`)
      expect(framed(method, { lengthBytes: 0 })).toBe(`${start(method)}Content-Length: 0\r\n\r\n`)
    })

    it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
      'says nothing of no body with %s',
      method => {
        expect(framed(method, null)).toBe(`${start(method)}\r\n`)
        expect(framed(method, { lengthBytes: 0 })).toBe(`${start(method)}\r\n`)
        expect(framed(method, null, { 'Content-Length': '0' })).toBe(`${start(method)}\r\n`)
      },
    )

    it.each(['GET', 'POST', 'DELETE'])('announces the length of a body of %s', method => {
      expect(framed(method, { lengthBytes: 5 })).toBe(`${start(method)}Content-Length: 5\r\n\r\n`)
    })

    it('writes one Content-Length when the caller gives the same', () => {
      expect(framed('POST', { lengthBytes: 5 }, { 'content-length': 5 })).toBe(
        `${start('POST')}Content-Length: 5\r\n\r\n`,
      )
    })

    it('announces a body of unknown length as chunked', () => {
      expect(framed('POST', { lengthBytes: null })).toBe(`${start('POST')}Transfer-Encoding: chunked\r\n\r\n`)
    })

    it.each([
      ['another length', { lengthBytes: 5 }, '6'],
      ['a length without a body', null, '5'],
      ['a length of a chunked body', { lengthBytes: null }, '5'],
      ['a leading zero', { lengthBytes: 5 }, '05'],
      ['a sign', { lengthBytes: 5 }, '+5'],
      ['a list', { lengthBytes: 5 }, '5, 5'],
      ['another base', { lengthBytes: 5 }, '0x5'],
      ['an exponent', { lengthBytes: 100 }, '1e2'],
      ['nothing', { lengthBytes: 0 }, ''],
      ['the same twice', { lengthBytes: 5 }, ['5', '5']],
    ])('refuses a Content-Length of the caller that is %s', (_, body, value) => {
      expect(() => framed('POST', body, { 'Content-Length': value })).toThrow(TypeError)
    })

    it('refuses a Content-Length of all requests', () => {
      expect(() => writer({ headers: { 'content-length': '0' } })).toThrow(TypeError)
    })

    it.each([['5\r\nInjected: yes'], ['5'], [-1], [0.5], [NaN], [2 ** 53], [undefined], [{}]])(
      'refuses a body that says of its length %p',
      lengthBytes => {
        expect(() => framed('POST', { lengthBytes: lengthBytes as never })).toThrow(TypeError)
      },
    )

    it('writes the type of the body unless the caller sets one, for the request or for all', () => {
      const body = { lengthBytes: 5, contentType: 'text/plain' }
      expect(framed('POST', body)).toBe(
        `${start('POST')}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n`,
      )
      const own = `${start('POST')}content-type: a/b\r\nContent-Length: 5\r\n\r\n`
      expect(framed('POST', body, { 'content-type': 'a/b' })).toBe(own)
      expect(writer({ headers: { 'content-type': 'a/b' } }).write('POST', '/', undefined, body).text).toBe(
        own,
      )
      expect(framed('POST', { lengthBytes: 5, contentType: null })).toBe(
        `${start('POST')}Content-Length: 5\r\n\r\n`,
      )
    })

    it('refuses a type of the body that could not stand in a header', () => {
      expect(() => framed('POST', { lengthBytes: 5, contentType: SPLIT })).toThrow(TypeError)
    })

    it('asks for a 100 last', () => {
      expect(writer().write('POST', '/', undefined, { lengthBytes: 5 }, true).text).toBe(
        `${start('POST')}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
      )
    })
  })

  describe('for a plain proxy', () => {
    const proxied = (host = 'example.test', more: Partial<RequestHeadOptions> = {}) =>
      writer({ host, isAbsoluteForm: true, proxyHeaders: [['Proxy-Authorization', 'Basic eDp5']], ...more })

    it('writes the target in absolute form, and the headers for the proxy', () => {
      expect(proxied('example.test:8080').write('GET', '/a?b').text).toBe(
        'GET http://example.test:8080/a?b HTTP/1.1\r\nHost: example.test:8080\r\nAccept-Encoding: identity\r\n' +
          'Proxy-Authorization: Basic eDp5\r\n\r\n',
      )
    })

    it('writes * as a target without path (RFC 9112 section 3.2.4)', () => {
      expect(proxied('[::1]').write('OPTIONS', '*').text).toBe(
        'OPTIONS http://[::1] HTTP/1.1\r\nHost: [::1]\r\nAccept-Encoding: identity\r\n' +
          'Proxy-Authorization: Basic eDp5\r\n\r\n',
      )
    })

    it('leaves a target that is in absolute form already', () => {
      expect(proxied().write('GET', 'ftp://other.test/a').text).toBe(
        'GET ftp://other.test/a HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n' +
          'Proxy-Authorization: Basic eDp5\r\n\r\n',
      )
    })

    it('leaves out a header for the proxy that the caller sets', () => {
      const own = 'GET http://example.test/ HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n'
      expect(proxied().write('GET', '/', { 'proxy-authorization': 'x' }).text).toBe(
        `${own}proxy-authorization: x\r\n\r\n`,
      )
      expect(
        proxied('example.test', { headers: { 'proxy-authorization': 'x' } }).write('GET', '/').text,
      ).toBe(`${own}proxy-authorization: x\r\n\r\n`)
    })
  })
})

describe('chunkHead', () => {
  it.each([
    [1, '1\r\n'],
    [255, 'ff\r\n'],
    [2 ** 53 - 1, '1fffffffffffff\r\n'],
  ])('writes %i in hexadecimal', (lengthBytes, text) => {
    expect(chunkHead(lengthBytes)).toBe(text)
  })
})

describe('lastChunk', () => {
  it('ends the body without trailers', () => {
    expect(lastChunk()).toBe('0\r\n\r\n')
    expect(lastChunk({})).toBe('0\r\n\r\n')
  })

  it('writes trailers in their order', () => {
    expect(lastChunk({ B: '1', a: ['2', '3'] })).toBe('0\r\nB: 1\r\na: 2\r\na: 3\r\n\r\n')
  })

  it.each([
    'Connection',
    'content-encoding',
    'Content-Length',
    'Content-Range',
    'Content-Type',
    'Expect',
    'HOST',
    'Keep-Alive',
    'Max-Forwards',
    'Proxy-Authorization',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'transfer-encoding',
    'Upgrade',
  ])('refuses %s, which frames or routes the request', name => {
    expect(() => lastChunk({ [name]: '1' })).toThrow(TypeError)
  })

  it.each([
    ['CR LF in a value', { A: '1\r\n\r\nGET /injected HTTP/1.1' }],
    ['characters that become CR LF in a value', { A: SPLIT }],
    ['characters that become CR LF in a name', { [SPLIT]: '1' }],
  ])('refuses %s', (_, trailers) => {
    expect(() => lastChunk(trailers as HeadersInput)).toThrow(TypeError)
  })
})
