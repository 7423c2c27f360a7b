// Owns the reading of a Markdown page: its code, its headings and its links. It must not know what becomes of them.
import { readFileSync } from 'node:fs'

/** A piece of a program, at the line where it stands in the page. */
export interface CodePiece {
  /** Of the first line of code, counted from 1. */
  readonly line: number
  readonly text: string
}

/** The code of one module: blocks that belong together, and what is hidden from the reader. */
export interface PageProgram {
  readonly language: 'ts' | 'js'
  /** Of the first block that a reader sees. */
  readonly line: number
  readonly pieces: readonly CodePiece[]
}

export interface PageLink {
  readonly line: number
  readonly target: string
}

export interface Page {
  readonly programs: readonly PageProgram[]
  /** The fragment of each heading, as GitHub makes it. */
  readonly anchors: readonly string[]
  readonly links: readonly PageLink[]
}

const FENCE = /^```(.*)$/
const HIDDEN = '<!-- ts'
const HIDDEN_END = '-->'

/**
 * Reads a page.
 *
 * A block fenced as `ts` or `js` is a module of its own. One fenced as `ts continued` goes on where the block before ended.
 * A comment that begins with a line `<!-- ts` is code as well, and belongs to the block that follows: it sets up what would
 * bore the reader.
 *
 * @throws Error for a fence that is not closed, and for hidden code without a block.
 */
export function readPage(file: string): Page {
  const lines = readFileSync(file, 'utf8').split('\n')
  const programs: { language: 'ts' | 'js'; line: number; pieces: CodePiece[] }[] = []
  const anchors: string[] = []
  const links: PageLink[] = []
  let hidden: CodePiece[] = []

  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]
    const fence = FENCE.exec(line)
    if (fence !== null) {
      const { piece, end } = readPiece(lines, at, '```', file)
      at = end
      const [language, mode] = fence[1].trim().split(/\s+/)
      if (language !== 'ts' && language !== 'js') continue
      if (mode === 'continued') programs[programs.length - 1].pieces.push(...hidden, piece)
      else programs.push({ language, line: piece.line, pieces: [...hidden, piece] })
      hidden = []
    } else if (line === HIDDEN) {
      const { piece, end } = readPiece(lines, at, HIDDEN_END, file)
      at = end
      hidden.push(piece)
    } else {
      const heading = /^#{1,6} (.+)$/.exec(line)
      if (heading !== null) anchors.push(anchorOf(heading[1], anchors))
      for (const [, target] of line.matchAll(/\]\(([^)\s]+)\)/g)) links.push({ line: at + 1, target })
    }
  }
  if (hidden.length > 0) throw new Error(`${file}:${hidden[0].line}: hidden code without a block behind it`)
  return { programs, anchors, links }
}

function readPiece(
  lines: readonly string[],
  start: number,
  endLine: string,
  file: string,
): { piece: CodePiece; end: number } {
  const end = lines.indexOf(endLine, start + 1)
  if (end === -1) throw new Error(`${file}:${start + 1}: no "${endLine}" ends this`)
  return { piece: { line: start + 2, text: lines.slice(start + 1, end).join('\n') }, end }
}

function anchorOf(heading: string, before: readonly string[]): string {
  const anchor = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
  const sameBefore = before.filter(other => other.replace(/-\d+$/, '') === anchor).length
  return sameBefore === 0 ? anchor : `${anchor}-${sameBefore}`
}
