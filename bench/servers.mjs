// Starts and stops the servers of a run: the canned one, and nginx where it is installed.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Server
 * @property {number} port
 * @property {number} bodyBytes of each answer, where it is always the same
 * @property {() => Promise<import('./server/handlers.mjs').Counts | undefined>} takeCounts since the last call
 * @property {() => Promise<void>} stop
 */

const SMALL_BODY_BYTES = 23

/** @param {import('./server/main.mjs').ServerSpec} spec @returns {Promise<Server>} */
export async function startCanned(spec) {
  const child = fork(fileURLToPath(new URL('server/main.mjs', import.meta.url)), [JSON.stringify(spec)])
  const [{ port }] = await once(child, 'message')
  return {
    port,
    bodyBytes: SMALL_BODY_BYTES,
    takeCounts: async () => {
      const answer = once(child, 'message')
      child.send('counts')
      return (await answer)[0]
    },
    stop: async () => {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

/** A port that was free a moment ago. @returns {Promise<number>} */
async function freePort() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return /** @type {import('node:net').AddressInfo} */ (address).port
}

/** @param {number} port */
async function untilListening(port) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = connect({ host: '127.0.0.1', port })
    try {
      await once(socket, 'connect')
      return
    } catch {
      await sleep(50)
    } finally {
      socket.destroy()
    }
  }
  throw new Error('nginx does not listen')
}

/** @returns {Promise<Server>} */
export async function startNginx() {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'httpio-bench-'))
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${join(folder, name)};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; error_log ${join(folder, 'error.log')}; pid ${join(folder, 'pid')};
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; default_type text/plain; ${paths.join(' ')}
  server { listen 127.0.0.1:${port}; location / { add_header ETag '"1"'; return 200 "twenty-three bytes here"; } }
}
`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  await untilListening(port)
  return {
    port,
    bodyBytes: SMALL_BODY_BYTES,
    takeCounts: async () => undefined,
    stop: async () => {
      child.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
