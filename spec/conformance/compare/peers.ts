// Owns the client processes: starts them, hands each one row at a time, and ends those that hang.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { READY } from './task'
import type { Result, Task } from './task'

export interface Peer {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly canPipeline: boolean
  /** Can a body wait for a 100? */
  readonly canExpect: boolean
}

const here = (file: string) => path.join(__dirname, file)
const runTypescript = path.join(__dirname, '..', '..', '..', 'scripts', 'run-typescript.mjs')
const node = (name: string, file: string, canPipeline: boolean, canExpect: boolean): Peer => ({
  name,
  canPipeline,
  canExpect,
  command: process.execPath,
  args: [runTypescript, here(file)],
})

const versionOf = (command: string, ...args: string[]): string | undefined => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Every client that is on this machine, the library first. */
export function availablePeers(): Peer[] {
  const undici = versionOf(process.execPath, '-p', "require('undici/package.json').version")
  const python = versionOf('python3', '-c', 'import platform; print(platform.python_version())')
  return [
    node('httpio', 'peer-httpio.ts', true, true),
    node(`undici ${undici}`, 'peer-undici.ts', true, false),
    node(`node:http ${process.versions.node}`, 'peer-node.ts', false, true),
    ...(python === undefined
      ? []
      : [
          {
            name: `http.client ${python}`,
            command: 'python3',
            args: [here('peer_http_client.py')],
            canPipeline: false,
            canExpect: false,
          },
        ]),
  ]
}

/** How long a client process may take to begin with. */
const START_MS = 60_000

/** One process of a client, replaced when it hangs or ends. */
export class PeerProcess {
  readonly #peer: Peer
  #child: ChildProcess | undefined
  #onLine: ((line: string | undefined) => void) | undefined

  constructor(peer: Peer) {
    this.#peer = peer
  }

  /** What the client made of a task; undefined when it was not done after `limitMs` or the process ended. */
  async run(task: Task, limitMs: number): Promise<Result | undefined> {
    if (this.#child === undefined) {
      this.#child = this.#start()
      const first = await this.#nextLine(START_MS)
      if (first !== READY) throw new Error(`${this.#peer.name} does not start`)
    }
    this.#child.stdin?.write(`${JSON.stringify(task)}\n`)
    const line = await this.#nextLine(limitMs)
    if (line === undefined) this.stop()
    return line === undefined ? undefined : (JSON.parse(line) as Result)
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  async #nextLine(limitMs: number): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined
    const line = await new Promise<string | undefined>(resolve => {
      this.#onLine = resolve
      timer = setTimeout(() => resolve(undefined), limitMs)
    })
    clearTimeout(timer)
    this.#onLine = undefined
    return line
  }

  #start(): ChildProcess {
    const child = spawn(this.#peer.command, this.#peer.args, { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', line => {
      if (this.#child === child) this.#onLine?.(line)
    })
    child.on('exit', () => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#onLine?.(undefined)
    })
    return child
  }
}
