// Owns what is to be fetched, as the user writes it: ranges in URLs, lists of URLs, checksums beside them. It knows no requests.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { CommandError } from '../exit-status'

/** One URL to be fetched. */
export interface Wanted {
  readonly url: URL
  /** In lower case, without the name of the digest. */
  readonly sha256: string | null
}

/** `{1..500}`, `{001..100}`. */
const RANGE = /\{(\d+)\.\.(\d+)\}/
const MOST_URLS = 10_000_000

/** The numbers of a range as they stand in a URL: padded with zeros if its first one is. */
function* numbersOf(first: string, last: string): Generator<string> {
  const [from, to] = [Number(first), Number(last)]
  const width = first.startsWith('0') ? first.length : 0
  const step = from <= to ? 1 : -1
  for (let n = from; n !== to + step; n += step) yield String(n).padStart(width, '0')
}

/** All that a text with ranges stands for, the last range running fastest. */
export function* expandRanges(text: string): Generator<string> {
  const match = RANGE.exec(text)
  if (match === null) {
    yield text
    return
  }
  const [range, first, last] = match
  if (Math.abs(Number(first) - Number(last)) >= MOST_URLS) {
    throw new CommandError(`the range ${range} is too long: at most ${MOST_URLS} URLs`)
  }
  const before = text.slice(0, match.index)
  const after = text.slice(match.index + range.length)
  for (const number of numbersOf(first, last))
    for (const rest of expandRanges(after)) yield before + number + rest
}

/** @throws CommandError for anything but `sha256:` and 64 hexadecimal digits */
export function parseChecksum(text: string): string {
  const match = /^sha256:([0-9a-f]{64})$/i.exec(text)
  if (match === null) throw new CommandError(`a checksum is sha256: and 64 hexadecimal digits, not ${text}`)
  return match[1].toLowerCase()
}

/** @throws CommandError for what is no http or https URL */
function parseURL(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CommandError(`${where}${JSON.stringify(text)} is no URL of http:// or https://`)
  }
  return url
}

function* wantedOf(text: string, sha256: string | null, where: string): Generator<Wanted> {
  for (const each of expandRanges(text)) yield { url: parseURL(each, where), sha256 }
}

/** The URLs of a list: one a line, perhaps with a checksum behind it; empty lines and lines with `#` in front mean nothing. */
async function readList(file: string, wanted: Wanted[]): Promise<void> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number++
      const [text, checksum, ...rest] = line.trim().split(/\s+/)
      if (text === '' || text.startsWith('#')) continue
      const where = `line ${number} of ${file === '-' ? 'the input' : file}: `
      if (rest.length > 0) throw new CommandError(`${where}a URL and perhaps a checksum, nothing else`)
      // One by one: there may be more than fit on the stack.
      const sha256 = checksum === undefined ? null : parseChecksum(checksum)
      for (const one of wantedOf(text, sha256, where)) wanted.push(one)
    }
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

/**
 * All that was asked for, in order.
 *
 * @throws CommandError if there is nothing, or something that cannot be meant
 */
export async function collectWanted(
  urls: readonly string[],
  inputs: readonly string[],
  checksum: string | undefined,
): Promise<Wanted[]> {
  const wanted = urls.flatMap(text => Array.from(wantedOf(text, null, '')))
  for (const input of inputs) await readList(input, wanted)
  if (wanted.length === 0)
    throw new CommandError('nothing to fetch: give URLs, or a list of them with --input')
  if (checksum === undefined) return wanted
  if (wanted.length > 1) {
    throw new CommandError('--checksum is for a single URL: in a list, write each checksum behind its URL')
  }
  return [{ url: wanted[0].url, sha256: parseChecksum(checksum) }]
}
