// The values that header fields may have, how they are found, and how they come from and go to the wire.
import { inspect } from 'node:util'
import { HTTPHeaders, isSameName, isToken, type HeadersInput } from '../lib/headers'

const HEAD = 'HTTP/1.1 200 OK\r\n'

/** Fields as a response brings them: not yet looked at. */
const received = (section: string): HTTPHeaders =>
  HTTPHeaders.fromSection(`${HEAD}${section}\r\nbody: no field`, HEAD.length)

const invalidNames: [name: string, why: string][] = [
  ['', 'empty'],
  ['a b', 'space'],
  ['a:', 'colon'],
  [' a', 'leading space'],
  ['a\t', 'tab'],
  ['a\r\nb', 'line end'],
  ['a\n', 'line feed at the end'],
  ['a\0', 'NUL'],
  ['a\x7f', 'DEL'],
  ['(a)', 'parentheses'],
  ['a/b', 'slash'],
  ['"a"', 'quotes'],
  ['a@b', 'at'],
  ['{a}', 'braces'],
  ['a[0]', 'brackets'],
  ['a\\', 'backslash'],
  ['a,b', 'comma'],
  ['a;b', 'semicolon'],
  ['a<b', 'angle'],
  ['a=b', 'equals sign'],
  ['a?', 'question mark'],
  ['ä', 'latin1 letter'],
  ['\u212a', 'Kelvin sign, whose lower case is k'],
  ['a\u010d', 'character that becomes CR in latin1'],
]

const invalidValues: [value: string, why: string][] = [
  ['a\rb', 'CR'],
  ['a\nb', 'LF'],
  ['a\r\nSet-Cookie: x', 'CR LF'],
  ['a\r\n', 'CR LF at the end, which is no white space to be trimmed'],
  ['\na', 'LF at the start'],
  ['a\0', 'NUL'],
  ['\x01', 'first control'],
  ['\x08', 'control before tab'],
  ['\x0b', 'vertical tab'],
  ['\x0c', 'form feed'],
  ['\x1f', 'last control'],
  ['\x7f', 'DEL'],
  ['\u0100', 'first character that is no byte'],
  ['a\u010a', 'character that becomes LF in latin1'],
  ['a\u010d\u010a', 'characters that become CR LF in latin1'],
  ['€', 'euro sign'],
  ['\u2028', 'line separator'],
  ['😀', 'surrogate pair'],
]

const validValues: [given: string | number, kept: string, why: string][] = [
  ['', '', 'empty'],
  [' ', '', 'white space alone'],
  [' \t a \t ', 'a', 'white space round it'],
  ['a \t b', 'a \t b', 'white space inside'],
  ['!~', '!~', 'first and last visible ASCII'],
  ['\x80\x85\xa0\xff', '\x80\x85\xa0\xff', 'upper half of latin1, no-break space at an end'],
  ['\xa0a\xa0', '\xa0a\xa0', 'no-break spaces round it'],
  [' \xa0a\xa0 ', '\xa0a\xa0', 'no-break spaces round it inside of others'],
  [0, '0', 'zero'],
  [-1.5, '-1.5', 'number'],
  [1e21, '1e+21', 'large number'],
]

const notHeaders: [init: unknown, why: string][] = [
  [null, 'null'],
  ['a: b', 'string'],
  [1, 'number'],
  [true, 'boolean'],
  [() => {}, 'function'],
  [['ab'], 'string for a pair'],
  [[['a']], 'pair of one'],
  [[['a', 'b', 'c']], 'pair of three'],
  [[null], 'null for a pair'],
  [[{ 0: 'a', 1: 'b', length: 2 }], 'object for a pair'],
  [new Set(['ab']), 'iterable of strings'],
  [[['a', undefined]], 'pair without value'],
  [[['a', ['b']]], 'array in a pair'],
  [[[Symbol('a'), 'b']], 'symbol for a name'],
  [{ a: null }, 'null for a value'],
  [{ a: true }, 'boolean for a value'],
  [{ a: {} }, 'object for a value'],
  [{ a: Symbol('b') }, 'symbol for a value'],
  [{ a: 1n }, 'bigint for a value'],
  [{ a: { toString: () => 'a' } }, 'object that turns into text'],
  [{ a: ['b', undefined] }, 'undefined in an array'],
  [{ a: [['b']] }, 'array in an array'],
]

describe('HTTPHeaders', () => {
  describe('constructor', () => {
    const pairs: [string, string][] = [
      ['X-B', '1'],
      ['x-a', '2'],
      ['x-b', '3'],
    ]
    const inputs: [kind: string, init: HeadersInput | undefined, fields: [string, string][]][] = [
      ['nothing', undefined, []],
      ['an array of pairs', pairs, pairs],
      ['a Map', new Map([['X-A', '1'], ['b', '2']]), [['X-A', '1'], ['b', '2']]], // prettier-ignore
      ['a generator', (function* (): Generator<[string, string]> { yield* pairs })(), pairs], // prettier-ignore
      ['HTTPHeaders', new HTTPHeaders(pairs), pairs],
      ['HTTPHeaders from the wire', received('X-B: 1\r\nx-a: 2\r\nx-b: 3\r\n'), pairs],
      ['Headers', new Headers([['X-B', '1'], ['Set-Cookie', 'a'], ['Set-Cookie', 'b']]), [['set-cookie', 'a'], ['set-cookie', 'b'], ['x-b', '1']]], // prettier-ignore
      ['a record', { 'X-B': '1', a: 2 }, [['X-B', '1'], ['a', '2']]], // prettier-ignore
      ['a record with arrays', { a: ['1', '2'], b: [], c: '3' }, [['a', '1'], ['a', '2'], ['c', '3']]], // prettier-ignore
      ['a record with undefined', { a: undefined, b: '1' }, [['b', '1']]],
      ['a record without prototype', Object.assign(Object.create(null), { a: '1' }), [['a', '1']]],
      ['a record with names that differ in case', { a: '1', A: '2' }, [['a', '1'], ['A', '2']]], // prettier-ignore
      ['a record with a field __proto__', { ['__proto__']: 'a' }, [['__proto__', 'a']]],
    ]
    it.each(inputs)('takes %s', (_kind, init, fields) => {
      expect([...new HTTPHeaders(init)]).toEqual(fields)
    })

    it('takes own properties only', () => {
      expect([...new HTTPHeaders(Object.create({ inherited: '1' }))]).toEqual([])
    })

    it('copies HTTPHeaders, so that neither sees changes of the other', () => {
      const first = new HTTPHeaders({ a: '1' })
      const second = new HTTPHeaders(first)
      first.set('a', '2')
      second.append('b', '3')
      expect([[...first], [...second]]).toEqual([[['a', '2']], [['a', '1'], ['b', '3']]]) // prettier-ignore
    })

    it('says what it was given instead of headers', () => {
      const message = 'Headers must be an object or an iterable of pairs, not '
      expect(() => new HTTPHeaders(null as never)).toThrow(new TypeError(`${message}null`))
      expect(() => new HTTPHeaders('a: b' as never)).toThrow(new TypeError(`${message}string`))
    })

    it.each(notHeaders)('refuses %p (%s)', init => {
      expect(() => new HTTPHeaders(init as HeadersInput)).toThrow(TypeError)
    })
  })

  describe('names', () => {
    it.each(invalidNames)('refuses %j (%s) wherever one is given', name => {
      const headers = new HTTPHeaders({ before: '1' })
      for (const act of [
        () => new HTTPHeaders({ [name]: 'v' }),
        () => new HTTPHeaders({ [name]: undefined }),
        () => new HTTPHeaders({ [name]: ['v'] }),
        () => new HTTPHeaders([[name, 'v']]),
        () => headers.set(name, 'v'),
        () => headers.append(name, 'v'),
        () => headers.delete(name),
      ]) {
        expect(act).toThrow(TypeError)
      }
      expect([...headers]).toEqual([['before', '1']])
      expect([headers.get(name), headers.has(name), headers.getAll(name)]).toEqual([null, false, []])
    })

    it('may hold every tchar', () => {
      const name = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
      expect([...new HTTPHeaders({ [name]: 'v' })]).toEqual([[name, 'v']])
      expect(new HTTPHeaders({ [name]: 'v' }).get(name.toUpperCase())).toBe('v')
    })

    it('refuses what is no string', () => {
      expect(() => new HTTPHeaders().set(1 as never, 'v')).toThrow(
        new TypeError('A header name must be a string, not number'),
      )
      expect(() => new HTTPHeaders().append(Symbol('a') as never, 'v')).toThrow(TypeError)
    })

    it('quotes an invalid one in the error, made harmless and short', () => {
      expect(() => new HTTPHeaders({ 'a\r\n': 'v' })).toThrow(new TypeError('Invalid header name "a\\r\\n"'))
      expect(() => new HTTPHeaders({ [' '.repeat(100)]: 'v' })).toThrow(
        new TypeError(`Invalid header name "${' '.repeat(64)}…"`),
      )
    })
  })

  describe('values', () => {
    it.each(invalidValues)('refuses %j (%s) wherever one is given', value => {
      const headers = new HTTPHeaders({ 'X-A': '1' })
      for (const act of [
        () => new HTTPHeaders({ 'X-A': value }),
        () => new HTTPHeaders({ 'X-A': ['fine', value] }),
        () => new HTTPHeaders([['X-A', value]]),
        () => headers.set('X-A', value),
        () => headers.append('X-A', value),
      ]) {
        expect(act).toThrow(TypeError)
      }
      expect([...headers]).toEqual([['X-A', '1']])
    })

    it.each(validValues)('turns %j into %j (%s)', (given, kept) => {
      const headers = new HTTPHeaders({ a: given })
      headers.append('b', given)
      headers.set('c', given)
      expect([...headers.values()]).toEqual([kept, kept, kept])
    })

    it('names the header and the character in the error, not the value', () => {
      expect(() => new HTTPHeaders({ 'X-Secret': 'key\n' })).toThrow(
        new TypeError('Invalid character U+000A at index 3 in the value of header "X-Secret"'),
      )
      expect(() => new HTTPHeaders({ a: null as never })).toThrow(
        new TypeError('The value of header "a" must be a string or a number, not null'),
      )
    })
  })

  // Everything that reads goes over the text of a response or over the list, whichever there is.
  const section =
    'Content-Type: text/plain\r\nX-A:1\r\nx-a:\t 2 \t\r\nEmpty:\r\nSpaces: \t \r\nSet-Cookie: a=1, b\r\nset-cookie: c\r\nURL: http://h:80/\r\nX-Ab: 3\r\n'
  const fields: [string, string][] = [
    ['Content-Type', 'text/plain'],
    ['X-A', '1'],
    ['x-a', '2'],
    ['Empty', ''],
    ['Spaces', ''],
    ['Set-Cookie', 'a=1, b'],
    ['set-cookie', 'c'],
    ['URL', 'http://h:80/'],
    ['X-Ab', '3'],
  ]
  describe.each([
    ['from the wire', () => received(section)],
    ['from the wire, looked through already', () => { const h = received(section); void h.size; return h }], // prettier-ignore
    ['made of pairs', () => new HTTPHeaders(fields)],
  ])('%s', (_kind, make) => {
    it.each([
      ['Content-Type', 'text/plain'],
      ['content-type', 'text/plain'],
      ['CONTENT-TYPE', 'text/plain'],
      ['x-a', '1, 2'],
      ['X-A', '1, 2'],
      ['empty', ''],
      ['spaces', ''],
      ['set-cookie', 'a=1, b, c'],
      ['url', 'http://h:80/'],
      ['x-ab', '3'],
      ['x', null],
      ['x-', null],
      ['x-abc', null],
      ['', null],
      ['body', null],
      ['HTTP/1.1 200 OK', null],
      ['URL: http', null],
      ['url:http', null],
      ['X-A:1\r\nx-a', null],
      ['Content-Type ', null],
      ['content\rtype', null],
    ])('gets %j as %j', (name, value) => {
      const headers = make()
      expect(headers.get(name)).toBe(value)
      expect(headers.has(name)).toBe(value !== null)
    })

    it('folds the case of letters only', () => {
      const headers = new HTTPHeaders({ 'a^b': '1', 'c`d': '2', 'e-f': '3', 'g|h': '4' })
      expect(headers.get('a~b')).toBeNull()
      expect(headers.get('c@d')).toBeNull()
      expect(headers.get('e\rf')).toBeNull()
      expect(headers.get('g\\h')).toBeNull()
      const raw = received('a^b: 1\r\n')
      expect([raw.get('a~b'), raw.get('A^B')]).toEqual([null, '1'])
    })

    it('gets all values of a name', () => {
      expect(make().getAll('X-a')).toEqual(['1', '2'])
      expect(make().getAll('absent')).toEqual([])
      expect(make().getSetCookie()).toEqual(['a=1, b', 'c'])
    })

    it('hands out arrays that are not its own', () => {
      const headers = make()
      headers.getAll('x-a').push('3')
      expect(headers.getAll('x-a')).toEqual(['1', '2'])
    })

    it('counts its fields', () => {
      expect(make().size).toBe(9)
    })

    it('iterates in order, names as given, duplicates apart', () => {
      const headers = make()
      expect([...headers]).toEqual(fields)
      expect([...headers.entries()]).toEqual(fields)
      expect([...headers.keys()]).toEqual(fields.map(([name]) => name))
      expect([...headers.values()]).toEqual(fields.map(([, value]) => value))
    })

    it('calls back for each field with value, name and itself', () => {
      const headers = make()
      const that = {}
      const seen: unknown[] = []
      headers.forEach(function (this: unknown, ...args) {
        seen.push([this, ...args])
      }, that)
      expect(seen).toEqual(fields.map(([name, value]) => [that, value, name, headers]))
      expect((seen as unknown[][])[0][0]).toBe(that)
    })

    it('replaces all fields of a name at the place of the first', () => {
      const headers = make()
      headers.set('X-a', 'new')
      expect([...headers]).toEqual([fields[0], ['X-a', 'new'], ...fields.slice(3)])
      expect(headers.get('x-a')).toBe('new')
    })

    it('sets a name that was absent at the end', () => {
      const headers = make()
      headers.set('new', '1')
      expect([...headers]).toEqual([...fields, ['new', '1']])
    })

    it('appends at the end even where the name occurs', () => {
      const headers = make()
      headers.append('x-A', '4')
      expect([...headers]).toEqual([...fields, ['x-A', '4']])
      expect(headers.get('x-a')).toBe('1, 2, 4')
    })

    it('deletes every field of a name', () => {
      const headers = make()
      headers.delete('SET-COOKIE')
      headers.delete('absent')
      expect([...headers]).toEqual([...fields.slice(0, 5), ...fields.slice(7)])
      expect(headers.has('set-cookie')).toBe(false)
    })

    it('iterates over the fields there were when iteration began', () => {
      const headers = make()
      const seen: string[] = []
      for (const [name] of headers) {
        seen.push(name)
        headers.delete(name)
        headers.append(`Copy-${name}`, '1')
      }
      expect(seen).toEqual(fields.map(([name]) => name))
      expect(headers.get('copy-x-a')).toBe('1, 1')
    })

    it('becomes an object as node:http makes it', () => {
      const json = {
        'content-type': 'text/plain',
        'x-a': '1, 2',
        empty: '',
        spaces: '',
        'set-cookie': ['a=1, b', 'c'],
        url: 'http://h:80/',
        'x-ab': '3',
      }
      expect(make().toJSON()).toStrictEqual(json)
      expect(JSON.parse(JSON.stringify(make()))).toEqual(json)
      expect(new HTTPHeaders(make().toJSON()).toJSON()).toEqual(json)
    })

    it('is inspected with its names as given', () => {
      expect(inspect(make(), { breakLength: Infinity, compact: true })).toBe(
        "HTTPHeaders { 'Content-Type': 'text/plain', 'X-A': [ '1', '2' ], Empty: '', Spaces: '', " +
          "'Set-Cookie': [ 'a=1, b', 'c' ], URL: 'http://h:80/', 'X-Ab': '3' }",
      )
      expect(inspect({ a: { headers: make() } }, { depth: 1 })).toBe('{ a: { headers: [HTTPHeaders] } }')
    })

    it('is taken by Headers', () => {
      expect(new Headers(make()).get('x-a')).toBe('1, 2')
    })

    it('gives its lines as they go on the wire', () => {
      expect(make().appendFieldLines('GET / HTTP/1.1\r\n')).toBe(
        'GET / HTTP/1.1\r\nContent-Type: text/plain\r\nX-A: 1\r\nx-a: 2\r\nEmpty: \r\nSpaces: \r\n' +
          'Set-Cookie: a=1, b\r\nset-cookie: c\r\nURL: http://h:80/\r\nX-Ab: 3\r\n',
      )
    })

    it('gives its list', () => {
      expect(make().fieldList()).toEqual(fields.flat())
    })
  })

  it('puts one set-cookie into an array too, and a field __proto__ among the others, in JSON', () => {
    const json = new HTTPHeaders([['Set-Cookie', 'a'], ['__proto__', 'b']]).toJSON() // prettier-ignore
    expect(Object.entries(json)).toEqual([['set-cookie', ['a']], ['__proto__', 'b']]) // prettier-ignore
  })

  it('reads and writes each byte above 0x7f as one char', () => {
    const bytes = Buffer.from(Array.from({ length: 128 }, (_, i) => 0x80 + i))
    const raw = HTTPHeaders.fromSection(`a: ${bytes.toString('latin1')}\r\n\r\n`, 0)
    const copy = new HTTPHeaders({ a: raw.get('a')! })
    expect(Buffer.from(copy.appendFieldLines(''), 'latin1')).toEqual(
      Buffer.concat([Buffer.from('a: '), bytes, Buffer.from('\r\n')]),
    )
  })
})

describe('HTTPHeaders.fromSection', () => {
  it.each<[why: string, text: string, start: number, end: number | undefined, fields: string[]]>([
    ['an empty section', 'x\r\n\r\n', 3, undefined, []],
    ['an empty text', '', 0, undefined, []],
    ['a section ended by the empty line', 'a: 1\r\n\r\nb: 2\r\n', 0, undefined, ['a', '1']],
    ['a section ended by `end` after a line', 'a: 1\r\nb: 2\r\n', 0, 6, ['a', '1']],
    ['a section ended by `end` before the line end', 'a: 1\r\nb: 2\r\n', 0, 4, ['a', '1']],
    ['a section ended by the end of the text', 'a: 1\r\nb: 2', 0, undefined, ['a', '1', 'b', '2']],
    ['a start inside the text', 'a: 1\r\nb: 2\r\n\r\n', 6, undefined, ['b', '2']],
  ])('takes %s', (_why, text, start, end, list) => {
    expect(HTTPHeaders.fromSection(text, start, end).fieldList()).toEqual(list)
    expect(HTTPHeaders.fromSection(text, start, end).get('b')).toBe(list.includes('b') ? '2' : null)
    expect(HTTPHeaders.fromSection(text, start, end).get('a')).toBe(list.includes('a') ? '1' : null)
  })
})

describe('isToken', () => {
  it.each(invalidNames)('refuses %j (%s)', name => expect(isToken(name)).toBe(false))

  it('takes a method', () => expect(isToken('M-SEARCH')).toBe(true))
})

describe('isSameName', () => {
  it.each([
    ['Host', 'host', true],
    ['host', 'host', true],
    ['host', 'hosts', false],
    ['x-az', 'X-AZ', true],
    ['x@', 'x`', false],
    ['x[', 'x{', false],
  ])('finds %j and %j the same: %j', (a, b, same) => expect(isSameName(a, b)).toBe(same))
})
