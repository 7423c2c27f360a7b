// Owns the writing of trace files: every byte of a connection with its direction and time, so that what went wrong in
// the field can be read, and played back by httpio/testing. It must not know HTTP, nor what becomes of the connection.
import { closeSync, openSync, writeFileSync } from 'node:fs'

const LEGEND =
  '# httpio trace 1. Each line: connection, milliseconds since its open, > sent or < received or ! event, and the bytes as ' +
  'JSON text (one character = one byte)\n'

/**
 * The record of one connection. Each call appends one line and has handed it to the operating system before it returns:
 * a crash of the process loses nothing, and a file that was cut off anywhere is readable up to there.
 *
 * No method throws. When the file cannot be written, tracing stops, with one warning a process.
 */
export interface Trace {
  /** Bytes handed to the transport; a string is latin1. */
  sent(data: string | Uint8Array): void
  /** Bytes read from the transport. */
  received(data: Uint8Array): void
  /**
   * Something else that happened. Playback understands `end` (the peer ended its side), and what begins with `error` or
   * `write failed` (the transport was lost, or its end was not clean).
   */
  note(event: string): void
  /** Writes that the transport is gone. What is traced afterwards is left out. */
  close(): void
}

/** The number last given to a connection of this process. */
let lastNumber = 0
let warned = false

/**
 * Begins the trace of a connection when the environment variable `HTTPIO_TRACEFILE` asks for it; otherwise null, at the
 * cost of looking.
 *
 * `%d` in the variable becomes a number per connection, counted from 1 through the process. A number whose file exists
 * already is skipped: no run and no other process overwrites what was recorded. Without `%d` all connections of the
 * process append to the one file, each line with the connection's number; processes should not share such a file.
 *
 * Files can be read by their owner only: they hold whatever credentials were sent.
 * @param label - says in the file whose trace it is, such as `example.test:443`.
 */
export function openTrace(label: string): Trace | null {
  const pattern = process.env.HTTPIO_TRACEFILE
  if (pattern === undefined || pattern === '') return null
  try {
    const fd = openNext(pattern)
    const trace = new FileTrace(fd, lastNumber)
    trace.begin(label)
    return trace
  } catch (error) {
    warn(error)
    return null
  }
}

function openNext(pattern: string): number {
  if (!pattern.includes('%d')) {
    lastNumber++
    return openSync(pattern, 'a', 0o600)
  }
  for (;;) {
    lastNumber++
    try {
      return openSync(pattern.replaceAll('%d', String(lastNumber)), 'ax', 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

class FileTrace implements Trace {
  readonly #number: number
  /** Node's own: the global one may be a test's. Loaded when a trace is wanted. */
  readonly #clock = process.getBuiltinModule('node:perf_hooks').performance
  readonly #openedAt = this.#clock.now()
  #fd: number | null

  constructor(fd: number, number: number) {
    this.#fd = fd
    this.#number = number
  }

  begin(label: string): void {
    this.#write(LEGEND)
    this.note(`open ${label} at ${new Date().toISOString()}`)
  }

  sent(data: string | Uint8Array): void {
    this.#line('>', data)
  }

  received(data: Uint8Array): void {
    this.#line('<', data)
  }

  note(event: string): void {
    this.#line('!', event)
  }

  close(): void {
    this.note('close')
    this.#closeFile()
  }

  #line(kind: '>' | '<' | '!', data: string | Uint8Array): void {
    const ms = (this.#clock.now() - this.#openedAt).toFixed(3)
    this.#write(`${this.#number} ${ms} ${kind} ${quote(data)}\n`)
  }

  #write(text: string): void {
    if (this.#fd === null) return
    try {
      writeFileSync(this.#fd, text, 'latin1')
    } catch (error) {
      warn(error)
      this.#closeFile()
    }
  }

  #closeFile(): void {
    if (this.#fd === null) return
    const fd = this.#fd
    this.#fd = null
    try {
      closeSync(fd)
    } catch (error) {
      warn(error)
    }
  }
}

/** A JSON string in ASCII alone, so that neither terminals nor editors change what is in it. */
function quote(data: string | Uint8Array): string {
  const text =
    typeof data === 'string'
      ? data
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function warn(error: unknown): void {
  if (warned) return
  warned = true
  process.emitWarning(
    `HTTPIO_TRACEFILE cannot be written, so nothing is traced: ${(error as Error).message}`,
    {
      code: 'HTTPIO_TRACEFILE',
    },
  )
}
