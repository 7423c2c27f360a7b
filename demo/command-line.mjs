// npm run demo:get, npm run demo:load: the command line against a server of this process, as a person would use it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const BINARY = fileURLToPath(new URL('../cli/bin/httpio.js', import.meta.url))
const FILES = 500

/** Answers /file/N with a body of a few kilobytes, a few milliseconds late. */
const server = createServer((request, response) => {
  const n = Number(/^\/file\/(\d{1,6})$/.exec(request.url ?? '')?.[1] ?? NaN)
  if (Number.isNaN(n)) {
    response.statusCode = 404
    response.end('no such file')
    return
  }
  const body = `file ${n}\n`.repeat(50 + (n % 500))
  setTimeout(() => response.end(body), 2)
})

/** Runs the program in sight of whoever runs this. @param {string[]} args @returns {Promise<number>} its exit status */
async function httpio(args) {
  console.log(`$ httpio ${args.join(' ')}\n`)
  const child = spawn(process.execPath, [BINARY, ...args], { stdio: 'inherit' })
  const [status] = await once(child, 'close')
  return status ?? 1
}

/** @param {string} origin */
async function get(origin) {
  const folder = mkdtempSync(join(tmpdir(), 'httpio-get-'))
  try {
    const status = await httpio(['get', '--output-dir', folder, `${origin}/file/{1..${FILES}}`])
    const files = readdirSync(join(folder, 'file')).length
    console.log(`${files} files are there, and nothing else.`)
    return files === FILES ? status : 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param {string} origin */
const load = origin =>
  httpio(['load', '--duration', '3', '--connections', '2', '--depth', '16', `${origin}/file/1`])

const commands = { get, load }
const name = process.argv[2]
if (name !== 'get' && name !== 'load') throw new Error('usage: node demo/command-line.mjs get | load')
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = /** @type {import('node:net').AddressInfo} */ (server.address())
// Ctrl-C is for the program: it tells what there is.
process.on('SIGINT', () => {})
process.exitCode = await commands[name](`http://127.0.0.1:${address.port}`)
server.closeAllConnections()
server.close()
