// Runs the built program as a person would: in a folder of its own, with a pipe or a terminal on the other side.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BINARY = join(__dirname, '../../bin/httpio.js')

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The program under way. */
export class Command {
  readonly child: ChildProcess
  #stdout = ''
  #stderr = ''

  constructor(child: ChildProcess, input = '') {
    this.child = child
    child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString('latin1')))
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    child.stdin?.end(input)
  }

  async outcome(): Promise<Outcome> {
    const [status] = (await once(this.child, 'close')) as [number | null]
    return { status, stdout: this.#stdout, stderr: this.#stderr }
  }
}

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is gone when the specs are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'httpio-cli-'))
  folders.push(folder)
  return folder
}

/** Starts the program with pipes. */
export function start(args: readonly string[], cwd: string, input?: string): Command {
  return new Command(spawn(process.execPath, [BINARY, ...args], { cwd }), input)
}

/** Starts the program on a terminal; what it shows there is its `stdout`. */
export function startOnTerminal(args: readonly string[], cwd: string): Command {
  const line = [process.execPath, BINARY, ...args].map(arg => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ')
  return new Command(
    spawn('script', ['-qefc', `exec ${line}`, '/dev/null'], {
      cwd,
      env: { ...process.env, SHELL: '/bin/sh', TERM: 'xterm' },
    }),
  )
}

export function run(args: readonly string[], cwd: string, input?: string): Promise<Outcome> {
  return start(args, cwd, input).outcome()
}
