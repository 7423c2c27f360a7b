// Runs a server in the foreground as a child, waits until it listens, and ends it by its process id.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { locate } from './packages.mjs'

const READY_WITHIN_MS = 15_000
const ENDS_WITHIN_MS = 5_000

/** @type {Set<Foreground>} */
const running = new Set()
process.on('exit', () => {
  for (const { child } of running) child.kill('SIGKILL')
})

/** Ports that were free a moment ago. @param {number} count @returns {Promise<number[]>} */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => server.listening || once(server, 'listening')))
  const ports = servers.map(server => /** @type {import('node:net').AddressInfo} */ (server.address()).port)
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return ports
}

/** @param {number} port @returns {Promise<boolean>} */
async function listens(port) {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

export class Foreground {
  /** @param {import('node:child_process').ChildProcess} child @param {string} name @param {string} output file of what it prints */
  constructor(child, name, output) {
    this.child = child
    this.name = name
    this.output = output
    this.exited = once(child, 'exit')
  }

  /**
   * @param {string} program
   * @param {string[]} args
   * @param {{ folder: string, ports: number[], env?: NodeJS.ProcessEnv }} options
   */
  static async start(program, args, { folder, ports, env = {} }) {
    const output = join(folder, 'output.log')
    const file = openSync(output, 'w')
    const child = spawn(locate(program) ?? program, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', file, file],
    })
    closeSync(file)
    const foreground = new Foreground(child, program, output)
    foreground.exited.catch(() => {})
    running.add(foreground)
    await foreground.#untilListening(ports)
    return foreground
  }

  /**
   * Starts what chooses its ports itself and prints them as one line of JSON.
   * @param {string} program
   * @param {string[]} args
   * @param {string} folder
   * @returns {Promise<{ process: Foreground, ports: unknown }>}
   */
  static async startPrinting(program, args, folder) {
    const process = await Foreground.start(program, args, { folder, ports: [] })
    await process.#until('does not print its ports', async () => process.printed().includes('\n'))
    return { process, ports: JSON.parse(process.printed().split('\n')[0]) }
  }

  /** @param {number[]} ports */
  async #untilListening(ports) {
    for (const port of ports) await this.#until('does not listen', () => listens(port))
  }

  /** @param {string} otherwise @param {() => Promise<boolean>} condition */
  async #until(otherwise, condition) {
    const deadline = Date.now() + READY_WITHIN_MS
    while (!(await condition())) {
      const { exitCode, signalCode, pid } = this.child
      const isGone = pid === undefined || exitCode !== null || signalCode !== null
      if (isGone || Date.now() > deadline) {
        await this.stop()
        throw new Error(`${this.name} ${isGone ? 'ended' : otherwise}: ${this.printed().slice(-2_000)}`)
      }
      await sleep(20)
    }
  }

  /** @returns {string} */
  printed() {
    return readFileSync(this.output, 'utf8')
  }

  async stop() {
    if (!running.delete(this)) return
    const { child } = this
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS)
    await this.exited
    clearTimeout(timer)
  }
}
