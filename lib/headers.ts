// Owns header fields: their order, their names whatever the case, and what may stand in them. It must not know
// connections or messages, nor what any field means. Text is latin1 throughout: one char is one byte on the wire.

/** Whatever header fields may be given as. A value `undefined` is skipped, an array becomes several fields. */
export type HeadersInput =
  | HTTPHeaders
  | Headers
  | Iterable<readonly [string, string]>
  | Record<string, string | number | readonly string[] | undefined>

// token = 1*tchar (RFC 9110 section 5.6.2)
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// What is not field-vchar, SP or HTAB (RFC 9110 section 5.5): controls, DEL, and all that is no byte.
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const OUTER_WHITESPACE = /^[\t ]+|[\t ]+$/g

const COLON = 0x3a
const CR = 0x0d
const SP = 0x20
const HTAB = 0x09
const CASE_BIT = 0x20
const LOWER_A = 0x61
const LOWER_Z = 0x7a
const LONGEST_NAME_QUOTED = 64

/**
 * Is the text an RFC 9110 token, as methods and field names must be?
 * @internal
 */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/**
 * Are two field names the same but for case?
 * @internal
 */
export function isSameName(a: string, b: string): boolean {
  return a === b || (a.length === b.length && hasNameAt(a, 0, b))
}

/** Does `name` stand in `text` at `at`, whatever the case? A name with a colon never does. */
function hasNameAt(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const wanted = name.charCodeAt(i)
    const found = text.charCodeAt(at + i)
    if (found !== wanted) {
      if ((found ^ wanted) !== CASE_BIT) return false
      const lower = found | CASE_BIT
      if (lower < LOWER_A || lower > LOWER_Z) return false
    } else if (wanted === COLON) {
      return false
    }
  }
  return true
}

/** The text from `start` to `end` without the spaces and tabs round it. */
function sliceValue(text: string, start: number, end: number): string {
  while (start < end && isWhitespace(text.charCodeAt(start))) start++
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isWhitespace(code: number): boolean {
  return code === SP || code === HTAB
}

function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`A header name must be a string, not ${kindOf(name)}`)
  if (!TOKEN.test(name)) throw new TypeError(`Invalid header name ${quoteName(name)}`)
}

/** The value as it goes on the wire; checked after it became a string, so that nothing can change in between. */
function toValue(name: string, value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') {
    throw new TypeError(
      `The value of header ${quoteName(name)} must be a string or a number, not ${kindOf(value)}`,
    )
  }
  const bad = NOT_IN_VALUE.exec(value)
  if (bad !== null) {
    const code = value.charCodeAt(bad.index).toString(16).toUpperCase().padStart(4, '0')
    throw new TypeError(
      `Invalid character U+${code} at index ${bad.index} in the value of header ${quoteName(name)}`,
    )
  }
  const length = value.length
  if (length === 0 || (!isWhitespace(value.charCodeAt(0)) && !isWhitespace(value.charCodeAt(length - 1))))
    return value
  return value.replace(OUTER_WHITESPACE, '')
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

function quoteName(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME_QUOTED ? `${name.slice(0, LONGEST_NAME_QUOTED)}…` : name)
}

/**
 * Header fields in their order. Names are compared without regard to case and keep the case they were given; a name may
 * occur several times.
 *
 * Names must be tokens; values must be latin1 text (one char = one byte) without controls other than tab, and lose
 * spaces and tabs round them (RFC 9110 section 5.5). Whatever changes the fields throws a `TypeError`, and changes
 * nothing, when that does not hold. Looking up a name that cannot exist finds nothing.
 *
 * Iterating goes over the fields as they were when it began.
 */
export class HTTPHeaders implements Iterable<[string, string]> {
  // Fields received are kept as text until something needs the list: name, value, name, value, ...
  #list: string[] | null = null
  #text = ''
  #start = 0
  #end = 0

  /**
   * @param init Fields to begin with. Those of an object that is iterable are its `[name, value]` pairs, those of any
   * other its own enumerable properties.
   * @throws TypeError for anything else, for an invalid name or value, and for a pair that is none.
   */
  constructor(init?: HeadersInput) {
    if (init !== undefined) this.#list = listOf(init)
  }

  /**
   * Fields as they were received, which a parser has found valid: nothing is checked, and nothing is done before the
   * first use.
   * @param text holds the section in latin1.
   * @param start is the index of its first field line.
   * @param end is where the section ends if no empty line or end of text comes first.
   * @internal
   */
  static fromSection(text: string, start: number, end = text.length): HTTPHeaders {
    const headers = new HTTPHeaders()
    headers.#text = text
    headers.#start = start
    headers.#end = end
    return headers
  }

  /** The number of fields; a name that occurs twice counts twice. */
  get size(): number {
    return this.fieldList().length / 2
  }

  /** The values of all fields of that name, joined by `, `; null if there is none. */
  get(name: string): string | null {
    let joined: string | null = null
    const list = this.#list
    if (list !== null) {
      for (let i = 0; i < list.length; i += 2) {
        if (isSameName(list[i], name)) joined = joined === null ? list[i + 1] : `${joined}, ${list[i + 1]}`
      }
      return joined
    }
    // Straight over the text: three look-ups cost less than cutting six fields out.
    const text = this.#text
    const end = this.#end
    const length = name.length
    for (let at = this.#start; at < end && text.charCodeAt(at) !== CR;) {
      const lineEnd = endOfLine(text, at, end)
      if (text.charCodeAt(at + length) === COLON && hasNameAt(text, at, name)) {
        const value = sliceValue(text, at + length + 1, lineEnd)
        joined = joined === null ? value : `${joined}, ${value}`
      }
      at = lineEnd + 2
    }
    return joined
  }

  /** The value of each field of that name, in order. */
  getAll(name: string): string[] {
    const list = this.fieldList()
    const values: string[] = []
    for (let i = 0; i < list.length; i += 2) {
      if (isSameName(list[i], name)) values.push(list[i + 1])
    }
    return values
  }

  /** The value of each `Set-Cookie` field, which cannot be joined. */
  getSetCookie(): string[] {
    return this.getAll('set-cookie')
  }

  /** Is there a field of that name? */
  has(name: string): boolean {
    return this.get(name) !== null
  }

  /**
   * Makes this the only field of that name: in the place of the first one there was, else at the end.
   * @throws TypeError for an invalid name or value.
   */
  set(name: string, value: string | number): void {
    checkName(name)
    const text = toValue(name, value)
    const list = this.#ownList()
    const first = indexOfName(list, name, 0)
    if (first === -1) {
      list.push(name, text)
      return
    }
    list[first] = name
    list[first + 1] = text
    removeFrom(list, name, first + 2)
  }

  /**
   * Adds a field at the end, whether or not there is one of that name.
   * @throws TypeError for an invalid name or value.
   */
  append(name: string, value: string | number): void {
    checkName(name)
    const text = toValue(name, value)
    this.#ownList().push(name, text)
  }

  /**
   * Removes every field of that name.
   * @throws TypeError for an invalid name.
   */
  delete(name: string): void {
    checkName(name)
    removeFrom(this.#ownList(), name, 0)
  }

  /** Calls back for each field in order. */
  forEach(callback: (value: string, name: string, headers: HTTPHeaders) => void, thisArg?: unknown): void {
    for (const [name, value] of this) callback.call(thisArg, value, name, this)
  }

  *[Symbol.iterator](): Generator<[name: string, value: string], void, undefined> {
    const list = this.fieldList().slice()
    for (let i = 0; i < list.length; i += 2) yield [list[i], list[i + 1]]
  }

  /** `[name, value]` of each field, in order. */
  entries(): Generator<[name: string, value: string], void, undefined> {
    return this[Symbol.iterator]()
  }

  /** The name of each field, in order. */
  *keys(): Generator<string, void, undefined> {
    for (const [name] of this) yield name
  }

  /** The value of each field, in order. */
  *values(): Generator<string, void, undefined> {
    for (const [, value] of this) yield value
  }

  /**
   * A plain object as `node:http` makes it of a message: names in lower case, values joined by `, `, but those of
   * `set-cookie` always in an array. It may be given to the constructor again.
   */
  toJSON(): Record<string, string | string[]> {
    const fields = new Map<string, string | string[]>()
    for (const [name, value] of this) {
      const key = name.toLowerCase()
      const before = fields.get(key)
      if (Array.isArray(before)) before.push(value)
      else if (before !== undefined) fields.set(key, `${before}, ${value}`)
      else fields.set(key, key === 'set-cookie' ? [value] : value)
    }
    // fromEntries defines properties, so that a field named __proto__ is a field like others.
    return Object.fromEntries(fields)
  }

  get [Symbol.toStringTag](): string {
    return 'HTTPHeaders'
  }

  [Symbol.for('nodejs.util.inspect.custom')](
    depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    if (depth < 0) return '[HTTPHeaders]'
    const shown = new Map<string, { name: string; values: string[] }>()
    for (const [name, value] of this) {
      const field = shown.get(name.toLowerCase())
      if (field === undefined) shown.set(name.toLowerCase(), { name, values: [value] })
      else field.values.push(value)
    }
    const fields = Array.from(shown.values(), ({ name, values }) => [
      name,
      values.length > 1 ? values : values[0],
    ])
    return `HTTPHeaders ${inspect(Object.fromEntries(fields), options)}`
  }

  /**
   * The fields as name, value, name, value, ...: to be read at once, neither kept nor changed.
   * @internal
   */
  fieldList(): readonly string[] {
    return this.#ownList()
  }

  /**
   * `head` followed by a line for each field, each ended by CRLF, without the empty line.
   * @internal
   */
  appendFieldLines(head: string): string {
    const list = this.fieldList()
    for (let i = 0; i < list.length; i += 2) head += `${list[i]}: ${list[i + 1]}\r\n`
    return head
  }

  #ownList(): string[] {
    return (this.#list ??= listOfSection(this.#text, this.#start, this.#end))
  }
}

function listOf(init: HeadersInput): string[] {
  if (init instanceof HTTPHeaders) return init.fieldList().slice()
  if (typeof init !== 'object' || init === null) {
    throw new TypeError(`Headers must be an object or an iterable of pairs, not ${kindOf(init)}`)
  }
  const list: string[] = []
  if (Symbol.iterator in init) {
    for (const pair of init as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TypeError('Each header must be a [name, value] pair')
      const [name, value] = pair as [unknown, unknown]
      checkName(name)
      list.push(name, toValue(name, value))
    }
    return list
  }
  const record = init as Record<string, unknown>
  for (const name of Object.keys(record)) {
    checkName(name)
    const value = record[name]
    if (value === undefined) continue
    if (!Array.isArray(value)) list.push(name, toValue(name, value))
    else for (const item of value as unknown[]) list.push(name, toValue(name, item))
  }
  return list
}

function listOfSection(text: string, start: number, end: number): string[] {
  const list: string[] = []
  for (let at = start; at < end && text.charCodeAt(at) !== CR;) {
    const colon = text.indexOf(':', at)
    const lineEnd = endOfLine(text, colon, end)
    list.push(text.slice(at, colon), sliceValue(text, colon + 1, lineEnd))
    at = lineEnd + 2
  }
  return list
}

/** The CR that ends the line; it has no other in it, or the parser would have refused it. */
function endOfLine(text: string, at: number, end: number): number {
  const found = text.indexOf('\r', at)
  return found === -1 ? end : found
}

function indexOfName(list: readonly string[], name: string, from: number): number {
  for (let i = from; i < list.length; i += 2) {
    if (isSameName(list[i], name)) return i
  }
  return -1
}

/** Removes the fields of that name from an index on, closing up the rest. */
function removeFrom(list: string[], name: string, from: number): void {
  let kept = from
  for (let i = from; i < list.length; i += 2) {
    if (isSameName(list[i], name)) continue
    list[kept] = list[i]
    list[kept + 1] = list[i + 1]
    kept += 2
  }
  list.length = kept
}
