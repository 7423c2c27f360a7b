// nginx in the foreground, with a log of each request that it answers. It can be killed as if the machine had lost power.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Programs of servers lie outside of the path that ordinary users have. */
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` }

/** @returns {string | null} null = not installed */
export function nginxVersion() {
  const { stderr, error } = spawnSync('nginx', ['-v'], { encoding: 'utf8', env })
  return error === undefined ? (/nginx\/(\S+)/.exec(stderr)?.[1] ?? '?') : null
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

/**
 * What the server answered.
 * @typedef {object} Seen
 * @property {number} connections with at least one request
 * @property {number} requests
 * @property {number} bytes of bodies
 */

export class Nginx {
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null
  #folder
  #config
  #log
  #port

  /**
   * @param {string} folder for its configuration and logs
   * @param {string} root of the files
   * @param {number} port
   * @param {string} [listening] what is said of the port besides
   */
  constructor(folder, root, port, listening = '') {
    this.#folder = folder
    this.#port = port
    this.#config = join(folder, 'nginx.conf')
    this.#log = join(folder, 'access.log')
    mkdirSync(folder, { recursive: true })
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      name => `${name}_temp_path ${join(folder, name)};`,
    )
    // Everything that has to do with connections is as nginx has it by default.
    writeFileSync(
      this.#config,
      `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${join(folder, 'pid')};
error_log ${join(folder, 'error.log')};
events { worker_connections 1024; }
http {
  ${temporary.join('\n  ')}
  log_format seen '$connection $body_bytes_sent';
  access_log ${this.#log} seen;
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  server {
    listen 127.0.0.1:${port} ${listening};
    root ${root};
  }
}
`,
    )
  }

  async start() {
    rmSync(this.#log, { force: true })
    const output = openSync(join(this.#folder, 'output.log'), 'a')
    // Its processes are a group of their own, which can be killed together.
    const child = spawn('nginx', ['-p', this.#folder, '-c', this.#config], {
      env,
      detached: true,
      stdio: ['ignore', output, output],
    })
    this.#child = child
    for (let tries = 0; !(await listens(this.#port)); tries++) {
      if (child.exitCode !== null || tries > 200) {
        await this.kill()
        throw new Error(`nginx does not listen: ${readFileSync(join(this.#folder, 'output.log'), 'utf8')}`)
      }
      await sleep(50)
    }
  }

  /** As far as the log tells. @returns {Seen} */
  seen() {
    const connections = new Set()
    let bytes = 0
    const lines = readFileSync(this.#log, 'latin1').split('\n').slice(0, -1)
    for (const line of lines) {
      const [connection, sent] = line.split(' ')
      connections.add(connection)
      bytes += Number(sent)
    }
    return { connections: connections.size, requests: lines.length, bytes }
  }

  /** Begins its log anew; nobody may be connected. */
  forget() {
    writeFileSync(this.#log, '')
  }

  /**
   * Resolves when it has answered so many requests, or `isOver` says that it will not.
   *
   * @param {number} requests
   * @param {() => boolean} isOver
   */
  async answered(requests, isOver) {
    for (;;) {
      if (isOver()) return
      const perLine = 8
      if (statSync(this.#log).size > requests * perLine * 0.8 && this.seen().requests >= requests) return
      await sleep(5)
    }
  }

  /** Kills master and workers; nothing is left of it. */
  async kill() {
    const child = this.#child
    if (child === null) return
    const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
    this.killNow()
    await exited
  }

  /** The same, without waiting until it is over. */
  killNow() {
    const pid = this.#child?.pid
    this.#child = null
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
}
