// Owns how the specs start the program: as a person would, through a pipe or on a terminal of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

export const BINARY = join(__dirname, '../../bin/httpio.js')

export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  /** Resolves once the standard output, or on a terminal anything, holds `text`. */
  shows(text: string | RegExp): Promise<void>
}

function start(command: string, args: string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(command, args, { env: { ...process.env, ...env } })
  let stdout = ''
  let stderr = ''
  const watchers = new Set<() => void>()
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString()
    for (const look of watchers) look()
  })
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const finished = new Promise<Finished>(resolve => {
    child.on('close', status => resolve({ status, stdout, stderr }))
  })
  const shows = (text: string | RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (typeof text === 'string' ? !stdout.includes(text) : !text.test(stdout)) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
      void finished.then(() => reject(new Error(`it ended without showing ${text}: ${stdout}${stderr}`)))
    })
  return { child, finished, shows }
}

/** Starts it with pipes. */
export function startPiped(...args: string[]): Started {
  return start(process.execPath, [BINARY, ...args], {})
}

/** Runs it with pipes to its end. */
export function httpio(...args: string[]): Promise<Finished> {
  return startPiped(...args).finished
}

/**
 * Starts it on a terminal, which shows both its outputs as `stdout`. `exec` leaves no shell in between: dash would take Ctrl-C for
 * itself as well and end with a status of its own.
 */
export function startOnTerminal(...args: string[]): Started {
  const quoted = [process.execPath, BINARY, ...args].map(arg => `'${arg.replace(/'/g, `'\\''`)}'`)
  const line = `exec ${quoted.join(' ')}`
  return start('script', ['-qefc', line, '/dev/null'], { SHELL: '/bin/sh', TERM: 'xterm', COLUMNS: '120' })
}
