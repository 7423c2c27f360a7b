// Owns the running of the example programs: each in a process of its own, by the command that their page gives. It knows none of them.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import path from 'node:path'

export const root = path.join(__dirname, '..', '..')

/** What a program has come to. */
export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export class Running {
  readonly #child
  readonly #printed = new EventEmitter()
  #stdout = ''
  #stderr = ''
  readonly ended: Promise<Outcome>

  /** @param command - what follows `npx tsx`, as words */
  constructor(command: readonly string[]) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', ...command], {
      cwd: root,
      // Nothing of what the specs are run with, such as a proxy or a colour.
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(this)
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#printed.emit('some')
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = once(this.#child, 'close').then(([status]) => {
      running.delete(this)
      this.#printed.emit('some')
      return { status: status as number | null, stdout: this.#stdout, stderr: this.#stderr }
    })
  }

  /** Resolves with all that it has printed once that holds this text. */
  async prints(text: string): Promise<string> {
    while (!this.#stdout.includes(text)) {
      if (!running.has(this))
        throw new Error(`it ended without printing ${text}: ${this.#stdout}${this.#stderr}`)
      await once(this.#printed, 'some')
    }
    return this.#stdout
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

const running = new Set<Running>()

afterEach(async () => {
  for (const each of running) each.stop()
  await Promise.all(Array.from(running, ({ ended }) => ended))
})

/** Runs an example to its end. */
export function example(name: string, ...args: string[]): Promise<Outcome> {
  return new Running([`docs/examples/${name}`, ...args]).ended
}
