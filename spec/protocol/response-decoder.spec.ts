// Every stream here is played whole, byte by byte, cut at every position, and with the next response behind it.
import { LARGE_BYTES } from '../../lib/protocol/body-store'
import { ResponseParser } from '../../lib/llhttp/parser'
import { Exchange } from '../../lib/protocol/exchange'
import { Decoding, everyWay, type Stream } from '../support/decoding'

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const get = (bytes: string, options?: Stream['options']): Stream => ({ methods: ['GET'], bytes, options })

describe('ResponseDecoder', () => {
  describe('reads', () => {
    it.each<[string, Stream, string[]]>([
      ['a body with a length', get('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'), ['hello']],
      ['an empty body', get('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), ['']],
      [
        'a body that looks like a response',
        get('HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'),
        ['HTTP/1.1 200 OK\r\n\r\n'],
      ],
      ['chunks', get(`${CHUNKED}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`), ['hello world']],
      ['no chunks', get(`${CHUNKED}0\r\n\r\n`), ['']],
      [
        'a size in capitals with zeros before it',
        get(`${CHUNKED}000A\r\n0123456789\r\n00\r\n\r\n`),
        ['0123456789'],
      ],
      [
        'extensions',
        get(`${CHUNKED}1;a\r\nx\r\n1 ;b="c;\\"d"\r\ny\r\n0;e=f\r\n\r\n`.replace(' ;', ';')),
        ['xy'],
      ],
      [
        'HEAD, whatever its framing says',
        { methods: ['HEAD'], bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' },
        [''],
      ],
      ['HEAD without framing', { methods: ['HEAD'], bytes: 'HTTP/1.1 200 OK\r\n\r\n' }, ['']],
      ['204 with a length', get('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'), ['']],
      ['304 in chunks', get('HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'), ['']],
      ['no reason', get('HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n'), ['']],
      ['no blank behind the status', get('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'), ['']],
      ['bytes above 0x7f', get('HTTP/1.1 200 \xe9\r\nA: \xff\r\nContent-Length: 1\r\n\r\n\xfe'), ['\xfe']],
      [
        'tabs round values',
        get('HTTP/1.1 200 O\tK\r\nContent-Length:\t1\t\r\nConnection:\tkeep-alive\r\n\r\nx'),
        ['x'],
      ],
      [
        'a tab before chunked',
        get('HTTP/1.1 200 OK\r\nTransfer-Encoding:\tchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n'),
        ['x'],
      ],
      [
        'tabs in the second head of a segment, and in bodies',
        {
          methods: ['GET', 'GET', 'GET'],
          bytes:
            'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\t' +
            'HTTP/1.1 200 O\tK\r\nA:\tb\r\nContent-Length:\t3\r\n\r\n\ta\t' +
            'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\t',
        },
        ['\t', '\ta\t', '\t'],
      ],
      ['a status of 999', get('HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n'), ['']],
      [
        'the longest length there may be',
        { methods: ['HEAD'], bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 9007199254740991\r\n\r\n' },
        [''],
      ],
      [
        'Proxy-Connection: close, which closes nothing',
        get('HTTP/1.1 200 OK\r\nProxy-Connection: close\r\nContent-Length: 0\r\n\r\n'),
        [''],
      ],
      [
        'responses of all kinds in a row',
        {
          methods: ['GET', 'HEAD', 'GET', 'GET', 'GET'],
          bytes:
            'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na' +
            'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n' +
            `${CHUNKED}1\r\nb\r\n0\r\nX: y\r\n\r\n` +
            'HTTP/1.1 304 Not Modified\r\n\r\n' +
            'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
        },
        ['a', '', 'b', '', ''],
      ],
    ])('%s', (_what, stream, bodies) => {
      const { responses, fault, begun } = everyWay(stream)
      expect(fault).toBeNull()
      expect(begun).toBeNull()
      expect(responses.map(({ body }) => body)).toEqual(bodies)
    })
  })

  it('keeps heads and trailers as they came', () => {
    const { responses } = everyWay(get(`${CHUNKED}2\r\nab\r\n0;x\r\nX-Sum:  1 \r\nx-sum:\t2\r\n\r\n`))
    expect(responses).toEqual([
      { head: CHUNKED, body: 'ab', trailers: 'X-Sum:  1 \r\nx-sum:\t2\r\n\r\n', interim: [] },
    ])
  })

  it('keeps no large segment alive for the heads of responses without a body', () => {
    const head = 'HTTP/1.1 304 Not Modified\r\n\r\n'
    const large = Buffer.alloc(LARGE_BYTES + 1, head)
    const count = Math.floor(large.length / head.length)
    const decoding = new Decoding(Array<string>(count + 1).fill('GET'))
    decoding.decoder.push(large)
    large.fill('x')
    const heads = decoding.exchanges.slice(0, count).map(exchange => exchange.head)
    expect(heads).toEqual(Array(count).fill(head))
  })

  it('keeps interim responses apart, with no body whatever they say', () => {
    const first = 'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n'
    const second = 'HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
    const final = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n'
    const { responses, isOver } = everyWay(get(`${first}${second}${final}x`))
    expect(responses).toEqual([{ head: final, body: 'x', trailers: '', interim: [first, second] }])
    expect(isOver).toBe(false)
  })

  it('counts interim responses anew behind each final one', () => {
    const interim = 'HTTP/1.1 103 E\r\n\r\n'
    const final = 'HTTP/1.1 204 N\r\n\r\n'
    const all = new Decoding(['GET', 'GET', 'GET'])
    all.decoder.push(Buffer.from((interim.repeat(32) + final).repeat(2) + interim.repeat(33) + final))
    expect(all.outcome().responses).toHaveLength(2)
    expect(all.outcome().fault).toBe('TOO_MANY_INTERIM_RESPONSES')
  })

  it.each([
    ['close', true],
    ['Keep-Alive,\tCLOSE', true],
    ['close, x', true],
    ['\tclose\t', true],
    ['closer', false],
    ['keep-alive', false],
  ])('takes Connection: %p for the announcement of the end: %s', (value, isLast) => {
    const bytes = `HTTP/1.1 200 OK\r\nConnection: ${value}\r\nContent-Length: 1\r\n\r\nx`
    const { responses, isOver } = everyWay(get(bytes))
    expect(responses.map(({ body }) => body)).toEqual(['x'])
    expect(isOver).toBe(isLast)
  })

  describe('reads up to the clean end of the connection', () => {
    const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'
    const accept = { acceptCloseDelimited: true }

    it('a body without framing, where that is accepted', () => {
      expect(everyWay(get(`${head}all of it`, accept))).toMatchObject({
        framing: 'until-close',
        begun: { head, body: 'all of it' },
        fault: null,
      })
      const decoding = new Decoding(['GET'], accept)
      decoding.decoder.push(Buffer.from(`${head}all`))
      decoding.decoder.finish()
      expect(decoding.outcome()).toMatchObject({ responses: [{ body: 'all' }], begun: null, isOver: true })
      decoding.decoder.push(Buffer.from('more'))
      expect(decoding.outcome().responses).toMatchObject([{ body: 'all' }])
    })

    it('and nothing else', () => {
      for (const bytes of [
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
        `${CHUNKED}5\r\nhell`,
        'HTTP/1.1 200 OK\r\n',
      ]) {
        const decoding = new Decoding(['GET'], accept)
        decoding.decoder.push(Buffer.from(bytes))
        decoding.decoder.finish()
        expect(decoding.outcome()).toMatchObject({ responses: [], fault: null })
      }
    })
  })

  describe('says of a response that is not complete how its body ends', () => {
    it.each([
      ['counted', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell', 'hell'],
      ['chunked', `${CHUNKED}5\r\nhell`, 'hell'],
      ['chunked', `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n`, 'hello'],
    ])('%s', (framing, bytes, body) => {
      expect(everyWay(get(bytes))).toMatchObject({ framing, begun: { body }, responses: [], fault: null })
    })
  })

  describe('does not support', () => {
    it.each([
      ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
      ['HTTP/0.9', 'HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n'],
      ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
      ['an interim response of HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
      ['gzip, chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
      ['chunked, chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n'],
      ['xchunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n'],
      ['identity', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n'],
      ['an empty Transfer-Encoding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n'],
      [
        'an empty one beside chunked',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n',
      ],
      ['no framing on an open connection', 'HTTP/1.1 200 OK\r\n\r\n'],
      ['no framing on one that closes', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'],
      ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ])('%s, whose head it gives', (_what, bytes) => {
      expect(everyWay(get(bytes))).toMatchObject({
        fault: 'unsupported',
        framing: 'unsupported',
        begun: { head: bytes, body: '' },
      })
    })

    it.each(['HTTP/1.2 ', 'HTTP/1.9 ', 'HTTP/2.1 ', 'HTTP/3.0 ', 'HTTP/0.1 ', 'HTTP/0.8 ', 'HTTP/9.9 '])(
      '%s',
      version => {
        expect(everyWay(get(`${version}200 OK\r\nContent-Length: 0\r\n\r\n`))).toMatchObject({
          fault: 'unsupported, without head',
          begun: null,
        })
      },
    )
  })

  describe('refuses', () => {
    const ok = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`
    it.each([
      ['UNEXPECTED_DATA', 'bytes that no request asked for', { methods: [], bytes: ok('Content-Length: 0') }],
      ['BLANK_LINE_BEFORE_STATUS_LINE', 'a blank line', get(`\r\n${ok('Content-Length: 0')}`)],
      ['BLANK_LINE_BEFORE_STATUS_LINE', 'an LF', get(`\n${ok('Content-Length: 0')}`)],
      ['NOT_HTTP', 'another protocol', get('ICY 200 OK\r\n\r\n')],
      ['HPE_INVALID_CONSTANT', 'what begins like HTTP', get('HTTX/1.1 200 OK\r\n\r\n')],
      ['HPE_INVALID_VERSION', 'a version without a number', get('HTTP/1.x 200 OK\r\n\r\n')],
      ['HPE_INVALID_VERSION', 'a known version and more', get('HTTP/1.1x 200 OK\r\n\r\n')],
      ['HPE_INVALID_VERSION', 'another known version and more', get('HTTP/1.0x 200 OK\r\n\r\n')],
      ['HPE_INVALID_VERSION', 'an old version and more', get('HTTP/0.9x 200 OK\r\n\r\n')],
      ['HPE_INVALID_VERSION', 'a new version and more', get('HTTP/2.0x 200 OK\r\n\r\n')],
      [
        'HPE_INVALID_HEADER_TOKEN',
        'a bad field behind a reason that names a version',
        get('HTTP/1.1 200 HTTP/1.2\r\nA b: c\r\n\r\n'),
      ],
      ['HPE_INVALID_VERSION', 'a version of two digits', get('HTTP/10.1 200 OK\r\n\r\n')],
      ['HPE_INVALID_VERSION', 'a tab behind the version', get('HTTP/1.1\t200 OK\r\nA:\tb\r\n\r\n')],
      ['HPE_INVALID_STATUS', 'a tab behind the status', get('HTTP/1.1 200\tOK\r\nA:\tb\r\n\r\n')],
      ['STATUS_BELOW_100', 'a status below 100', get('HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n')],
      ['CONTROL_IN_REASON', 'a control in the reason', get('HTTP/1.1 200 \x01\r\nContent-Length: 0\r\n\r\n')],
      ['CONTROL_IN_REASON', 'a DEL in the reason', get('HTTP/1.1 200 O\x7fK\r\nContent-Length: 0\r\n\r\n')],
      ['HPE_INVALID_CONTENT_LENGTH', 'a length that is no number', get(ok('Content-Length: 1x'))],
      [
        'HPE_INVALID_CONTENT_LENGTH',
        'a length beside an empty coding',
        get(ok('Transfer-Encoding:\r\nContent-Length: 1')),
      ],
      ['CONTENT_LENGTH_TOO_LARGE', 'a length of 2^53', get(ok('Content-Length: 9007199254740992'))],
      ['HPE_INVALID_CHUNK_SIZE', 'a chunk size that is none', get(`${CHUNKED}g\r\n`)],
      ['CHUNK_SIZE_TOO_LARGE', 'a chunk size of 2^53', get(`${CHUNKED}20000000000000\r\n`)],
      ['HPE_STRICT', 'data longer than their chunk', get(`${CHUNKED}1\r\nab\r\n0\r\n\r\n`)],
      ['CONTROL_IN_CHUNK_FRAMING', 'a DEL in an extension', get(`${CHUNKED}1;a="\x7f"\r\nx\r\n0\r\n\r\n`)],
      [
        'FRAMING_FIELD_IN_TRAILERS',
        'a coding among the trailers',
        get(`${CHUNKED}0\r\ntransfer-encoding: chunked\r\n\r\n`),
      ],
    ] as [string, string, Stream][])('%s: %s', (reason, _what, stream) => {
      const outcome = everyWay(stream)
      expect(outcome.responses).toEqual([])
      expect(outcome.fault).toBe(reason)
    })

    it('nothing that came complete before', () => {
      const { responses, fault } = everyWay({
        methods: ['GET', 'GET'],
        bytes: `${ok('Content-Length: 1')}aHTTP/1.1 200 OK\r\nA b\r\n\r\n`,
      })
      expect(responses.map(({ body }) => body)).toEqual(['a'])
      expect(fault).toBe('HPE_INVALID_HEADER_TOKEN')
    })

    it('a header section one byte too large, wherever it is cut, and interim ones too', () => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ${'x'.repeat(57)}\r\n\r\n`
      expect(head.length).toBe(100)
      expect(everyWay(get(head, { maxHeaderBytes: 100 }))).toMatchObject({
        fault: null,
        responses: [{ head }],
      })
      expect(everyWay(get(head, { maxHeaderBytes: 99 })).fault).toBe('HEADER_SECTION_TOO_LARGE')
      const interim = `HTTP/1.1 103 EH\r\nA: ${'x'.repeat(100)}\r\n\r\n`
      expect(everyWay(get(interim, { maxHeaderBytes: 99 })).fault).toBe('HEADER_SECTION_TOO_LARGE')
    })
  })

  it.each<[string, string[], string]>([
    ['bytes arrived that no request asked for', [], 'x'],
    ['a blank line where a status line was expected', ['GET'], '\r\n'],
    ['bytes that are no HTTP/1.1 status line', ['GET'], 'ICY 200 OK\r\n'],
    ['a header section of more than 50 bytes', ['GET'], `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(50)}`],
    ['more than 32 interim responses in a row', ['GET'], 'HTTP/1.1 103 E\r\n\r\n'.repeat(33)],
    ['version HTTP/1.0 instead of HTTP/1.1', ['GET'], 'HTTP/1.0 200 OK\r\n\r\n'],
    ['version HTTP/1.2 instead of HTTP/1.1', ['GET'], 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a switch of protocols that was not asked for', ['GET'], 'HTTP/1.1 101 S\r\n\r\n'],
    ['Invalid header token', ['GET'], 'HTTP/1.1 200 OK\r\nA b\r\n\r\n'],
  ])('says in a sentence why it stops: %s', (message, methods, bytes) => {
    const decoding = new Decoding(methods, { maxHeaderBytes: 50 })
    decoding.decoder.push(Buffer.from(bytes))
    expect(decoding.message).toBe(message)
  })

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'none', 0],
    ['GET', 'HTTP/1.1 204 N\r\n\r\n', 'none', 0],
    ['GET', 'HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n', 'none', 0],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'counted', 0],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx', 'counted', 1],
    ['GET', `${CHUNKED}0\r\n\r\n`, 'chunked', null],
  ])('says how the body of an answer to %s ended: %j', (method, bytes, framing, lengthBytes) => {
    const decoding = new Decoding([method])
    decoding.decoder.push(Buffer.from(bytes))
    expect(decoding.exchanges[0]).toMatchObject({ isComplete: true, framing, lengthBytes })
  })

  it('looks for the status line anew in each head that is cut', () => {
    const cut = ['HTTP/1.1 200 O', 'K\r\nA:', '\tb\r\nContent-Length: 0\r\n\r\n']
    const decoding = new Decoding(['GET', 'GET'])
    for (const piece of [...cut, 'HTTP/1.1', '\t200 OK\r\n\r\n']) decoding.decoder.push(Buffer.from(piece))
    expect(decoding.outcome()).toMatchObject({ responses: [{ body: '' }], fault: 'HPE_INVALID_VERSION' })
  })

  it('tells of data once a segment, before a fault in it, and not where there are none', () => {
    const events: (string | number)[] = []
    const decoding = new Decoding(['GET', 'GET'])
    decoding.onBody = (_exchange, addedBytes) => events.push(addedBytes)
    decoding.onFault = () => events.push('fault')
    const complete = decoding.onComplete.bind(decoding)
    decoding.onComplete = (exchange, addedBytes) => {
      events.push('complete', addedBytes)
      complete(exchange, addedBytes)
    }
    const large = `c350\r\n${'x'.repeat(50_000)}\r\n`
    for (const segment of [
      `${CHUNKED}1\r\n`,
      `x\r\n${large}`,
      `${large}${large}0\r\n\r\n${CHUNKED}${large}`,
      `${large}g`,
    ]) {
      decoding.decoder.push(Buffer.from(segment))
      events.push('|')
    }
    expect(events).toEqual(['|', 50_001, '|', 'complete', 100_000, 50_000, '|', 50_000, 'fault', '|'])
  })

  describe('reads heads', () => {
    const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx'
    const withTab = 'HTTP/1.1 200 OK\r\nContent-Length:\t1\r\n\r\nx'

    /** What is given to llhttp of a segment: all of it where it lies, or a copy of so many bytes. */
    function shown(bytes: string): (string | number)[] {
      const segment = Buffer.from(bytes)
      const execute = jest.spyOn(ResponseParser.prototype, 'execute')
      const indexOf = jest.spyOn(segment, 'indexOf')
      const decoding = new Decoding(['GET', 'GET', 'GET'])
      decoding.decoder.push(segment)
      const given = execute.mock.calls.map(([from]) => (from === segment ? 'segment' : from.length))
      expect(indexOf.mock.calls.filter(([what]) => what === 9)).toHaveLength(1)
      execute.mockRestore()
      expect(decoding.outcome().fault).toBeNull()
      return given
    }

    it('where they lie, and only once a TAB was found in copies, up to the blank line', () => {
      expect(shown(plain + plain + plain)).toEqual(['segment', 'segment', 'segment'])
      const head = plain.length - 1
      expect(shown(plain + plain + withTab)).toEqual([head, head, head])
    })

    it('without copying those that lie in one segment', () => {
      const setHead = jest.spyOn(Exchange.prototype, 'setHead')
      const segment = Buffer.from(plain)
      new Decoding(['GET']).decoder.push(segment)
      expect(setHead.mock.calls).toEqual([[segment, 0, plain.length - 1]])
      expect(setHead.mock.calls[0][0]).toBe(segment)
      setHead.mockRestore()
    })
  })

  it('leaves the length of what it does not support open', () => {
    const decoding = new Decoding(['GET'])
    decoding.decoder.push(Buffer.from('HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'))
    expect(decoding.exchanges[0]).toMatchObject({ framing: 'unsupported', lengthBytes: null, status: 200 })
  })

  it.each([
    ['a header section that is too large', `HTTP/1.1 103 OK\r\nA: ${'b'.repeat(50)}`],
    ['a status line that is none', 'HTTP/1.1 1x'],
    ['a head that is none', 'HTTP/1.1 103 OK\r\nA b'],
    ['a final head that is not supported', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['an interim head that is not supported', 'HTTP/1.0 100 OK\r\n\r\n'],
    ['an interim response too many', 'HTTP/1.1 103 E\r\n\r\n'.repeat(33)],
    ['a control in the reason of an interim response', 'HTTP/1.1 100 \x01\r\n\r\n'],
  ])('takes %s for an answer that was begun', (_what, bytes) => {
    for (const pieces of [[bytes], [...bytes]]) {
      const decoding = new Decoding(['GET'], { maxHeaderBytes: 50 })
      for (const piece of pieces) decoding.decoder.push(Buffer.from(piece))
      expect(decoding.outcome().fault).not.toBeNull()
      expect(decoding.exchanges[0].isAnswering).toBe(true)
    }
  })

  it('gives the bytes of a head that is cut, once', () => {
    const decoding = new Decoding(['GET'])
    decoding.decoder.push(Buffer.from('HTTP/1.1 200 OK\r\nA: '))
    decoding.decoder.push(Buffer.from('b'))
    expect(decoding.decoder.takePartialHead()).toBe('HTTP/1.1 200 OK\r\nA: b')
    expect(decoding.decoder.takePartialHead()).toBe('')
  })

  it('gives its parser back once, however often it is stopped', () => {
    const stopped = new Decoding(['GET'])
    stopped.decoder.push(Buffer.from('HTTP/1.1 200 OK\r\nA: '))
    stopped.decoder.stop()
    stopped.decoder.stop()
    const [one, other] = [new Decoding(['GET']), new Decoding(['GET'])]
    for (const byte of 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx') {
      one.decoder.push(Buffer.from(byte))
      other.decoder.push(Buffer.from(byte))
    }
    expect(one.outcome().responses).toMatchObject([{ body: 'x' }])
    expect(other.outcome().responses).toMatchObject([{ body: 'x' }])
  })

  describe('gives back what it did not take', () => {
    it.each([
      ['no HTTP', 'ICY 200 OK\r\n', 'ICY 200 OK\r\n'],
      ['a head that llhttp refuses', 'HTTP/1.1 200 OK\r\nA b\r\nmore', 'HTTP/1.1 200 OK\r\nA b\r\nmore'],
      ['what follows a head', 'HTTP/1.0 200 OK\r\n\r\nbody', 'body'],
    ])('of %s', (_what, bytes, rest) => {
      for (const cut of [bytes.length, 12]) {
        const decoding = new Decoding(['GET'])
        decoding.decoder.push(Buffer.from(bytes.slice(0, cut)))
        if (cut < bytes.length) decoding.decoder.push(Buffer.from(bytes.slice(cut)))
        expect(decoding.rest).toBe(rest)
      }
    })
  })

  it('tells whether a final response has been begun as soon as it can be told from an interim one', () => {
    for (const [bytes, isAnswering] of [
      ['H', true],
      ['HTTP/1.1 ', true],
      ['HTTP/1.1 1', false],
      ['HTTP/1.1 103 Early Hints\r\nA: b', false],
      ['HTTP/1.1 2', true],
      ['HTTP/1.1 404', true],
    ] as const) {
      const decoding = new Decoding(['GET'])
      for (const byte of bytes) decoding.decoder.push(Buffer.from(byte))
      const whole = new Decoding(['GET'])
      whole.decoder.push(Buffer.from(bytes))
      expect([bytes, decoding.exchanges[0].isAnswering]).toEqual([bytes, isAnswering])
      expect([bytes, whole.exchanges[0].isAnswering]).toEqual([bytes, isAnswering])
    }
  })

  it('may be stopped from within every event, and reads nothing then', () => {
    const stream = `HTTP/1.1 103 Early\r\n\r\n${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\ncd`
    for (const event of ['onInformational', 'onHead', 'onBody', 'onComplete'] as const) {
      const decoding = new Decoding(['GET', 'GET'])
      const seen: string[] = []
      for (const name of ['onInformational', 'onHead', 'onBody', 'onComplete'] as const) {
        const original = decoding[name].bind(decoding) as (...args: unknown[]) => void
        decoding[name] = (...args: unknown[]) => {
          seen.push(name)
          original(...args)
          if (name === event) decoding.decoder.stop()
        }
      }
      decoding.decoder.push(Buffer.from(stream.slice(0, 80)))
      decoding.decoder.push(Buffer.from(stream.slice(80)))
      expect(seen[seen.length - 1]).toBe(event)
      expect(seen.filter(name => name === event)).toHaveLength(1)
      const before = seen.length
      decoding.decoder.push(Buffer.from('nonsense'))
      decoding.decoder.stop()
      expect(seen).toHaveLength(before)
    }
  })
})
