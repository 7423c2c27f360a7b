// Owns how the specs start the built program: as a person would, in a folder of its own, through pipes or on a terminal. What it finds there is
// the same whoever runs the specs, and nothing of it outlives a spec.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const BINARY = join(__dirname, '../../bin/httpio.js')

/** All of the environment that the program is given. */
const ENVIRONMENT = { PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh' }

export interface Outcome {
  /** Null if a signal ended it. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface StartOptions {
  readonly cwd?: string
  /** What it finds on its standard input. */
  readonly input?: string
  /** Instead of a pipe. */
  readonly stdout?: number
}

const started = new Set<Started>()
const folders: string[] = []

afterEach(() => {
  for (const { child } of started) child.kill('SIGKILL')
  started.clear()
})

afterAll(() => {
  for (const folder of folders)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

/** A folder that is gone when the specs are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'httpio-cli-'))
  folders.push(folder)
  return folder
}

/** The program under way. */
export class Started {
  readonly child: ChildProcess
  readonly finished: Promise<Outcome>
  #stdout = ''
  #stderr = ''
  readonly #watchers = new Set<() => void>()

  constructor(command: string, args: readonly string[], cwd: string, stdio: StdioOptions) {
    this.child = spawn(command, args, { cwd, env: ENVIRONMENT, stdio })
    started.add(this)
    this.#collect('stdout', text => (this.#stdout += text))
    this.#collect('stderr', text => (this.#stderr += text))
    this.finished = new Promise(resolve => {
      this.child.on('close', status => resolve({ status, stdout: this.#stdout, stderr: this.#stderr }))
    })
  }

  #collect(name: 'stdout' | 'stderr', add: (text: string) => void): void {
    this.child[name]?.setEncoding('utf8').on('data', (text: string) => {
      add(text)
      for (const look of this.#watchers) look()
    })
  }

  /** Resolves once one of its outputs holds `text`. */
  shows(text: string | RegExp): Promise<void> {
    const isIn = (output: string): boolean =>
      typeof text === 'string' ? output.includes(text) : text.test(output)
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isIn(this.#stdout) && !isIn(this.#stderr)) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
      look()
      void this.finished.then(({ stdout, stderr }) => {
        reject(new Error(`it ended without showing ${text}: ${stdout}${stderr}`))
      })
    })
  }

  /** Types on its terminal. */
  type(keys: string): void {
    this.child.stdin!.write(keys)
  }
}

/** Starts it with pipes. */
export function start(
  args: readonly string[],
  { cwd = tmpdir(), input = '', stdout }: StartOptions = {},
): Started {
  const program = new Started(process.execPath, [BINARY, ...args], cwd, ['pipe', stdout ?? 'pipe', 'pipe'])
  // It may end without having read what it was given.
  program.child.stdin!.on('error', () => undefined)
  program.child.stdin!.end(input)
  return program
}

/** Runs it with pipes to its end. */
export function run(args: readonly string[], options?: StartOptions): Promise<Outcome> {
  return start(args, options).finished
}

/** Runs it with pipes to its end. */
export function httpio(...args: string[]): Promise<Outcome> {
  return run(args)
}

/**
 * Starts it on a terminal of 120 columns, which shows both its outputs as `stdout`. `exec` leaves no shell in between: dash would take
 * Ctrl-C for itself as well and end with a status of its own.
 */
export function startOnTerminal(args: readonly string[], cwd = tmpdir()): Started {
  const quoted = [process.execPath, BINARY, ...args].map(arg => `'${arg.replaceAll("'", `'\\''`)}'`)
  const line = `stty columns 120 rows 40; exec ${quoted.join(' ')}`
  return new Started('script', ['-qefc', line, '/dev/null'], cwd, 'pipe')
}
