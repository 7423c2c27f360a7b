// Owns which file a URL becomes. It touches no disk.
import { join } from 'node:path'
import { CommandError } from '../exit-status'
import type { Wanted } from './urls'

/** What the name of a file may not have in it, here or on other systems, or could be taken for something else. */
const NOT_IN_NAMES = /[\x00-\x1f\x7f/\\]/g

/** A part of a path as the name of a file: what was percent-encoded is decoded, unless it could not stand in a name. */
function decodeSegment(segment: string): string {
  let text = segment
  try {
    text = decodeURIComponent(segment)
  } catch {
    // Not UTF-8: it stays as it is.
  }
  if (text === '.' || text === '..') return segment.replaceAll('.', '%2E')
  return text.replace(NOT_IN_NAMES, character => encodeURIComponent(character))
}

/** The file of a URL, relative to the folder for all: its path, or the last part of that. */
export function fileOf(url: URL, isFlat: boolean): string {
  const segments = url.pathname
    .split('/')
    .filter(segment => segment !== '')
    .map(decodeSegment)
  if (url.pathname.endsWith('/')) segments.push('index.html')
  const query = url.search === '' ? '' : decodeSegment(url.search)
  const name = segments[segments.length - 1] + query
  return isFlat ? name : join(...segments.slice(0, -1), name)
}

/**
 * The files of all URLs, in order.
 *
 * @throws CommandError if two of them would be one
 */
export function filesOf(wanted: readonly Wanted[], folder: string, isFlat: boolean): string[] {
  const owners = new Map<string, URL>()
  return wanted.map(({ url }) => {
    const file = join(folder, fileOf(url, isFlat))
    const owner = owners.get(file)
    if (owner !== undefined) {
      const hint = isFlat && owner.pathname !== url.pathname ? ': leave out --flat' : ''
      throw new CommandError(`${owner.href} and ${url.href} would both become ${file}${hint}`)
    }
    owners.set(file, url)
    return file
  })
}
