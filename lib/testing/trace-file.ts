// Owns the reading of trace files (lib/trace.ts writes them).
import { readFileSync } from 'node:fs'

/** One line of a trace. */
export interface TraceLine {
  readonly kind: 'sent' | 'received' | 'event'
  /** The bytes, or the event's text. */
  readonly text: string
}

const KINDS = { '>': 'sent', '<': 'received', '!': 'event' } as const

/**
 * The lines of each connection in a trace file, in the order in which the connections were opened. A last line that was
 * cut off is left out.
 * @throws Error when the file cannot be read or is no trace, with the number of the line at fault.
 */
export function readTrace(file: string): TraceLine[][] {
  const connections: TraceLine[][] = []
  const open = new Map<string, TraceLine[]>()
  const lines = readFileSync(file, 'latin1').split('\n')
  // What follows the last line end is nothing, or a line that was cut off.
  lines.pop()
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue
    const [, number, sign, json] = /^(\d+) [\d.]+ ([<>!]) (".*")\r?$/.exec(line) ?? fail(file, index, line)
    const text = parse(json) ?? fail(file, index, line)
    const kind = KINDS[sign as keyof typeof KINDS]
    if (kind === 'event' && text.startsWith('open ')) {
      const connection: TraceLine[] = []
      connections.push(connection)
      open.set(number, connection)
    } else {
      const connection = open.get(number) ?? fail(file, index, line)
      connection.push({ kind, text })
    }
  }
  return connections
}

function parse(json: string): string | null {
  try {
    return JSON.parse(json) as string
  } catch {
    return null
  }
}

function fail(file: string, index: number, line: string): never {
  const shown = line.length > 60 ? `${line.slice(0, 60)}…` : line
  throw new Error(`${file}:${index + 1} is no line of an httpio trace: ${shown}`)
}
