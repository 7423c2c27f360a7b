// npm run compare:get: fetches thousands of small files from nginx by this tool and others, kills the server in the middle and goes on, and
// writes docs/get.md. With --short it fetches few files, and prints the page instead of writing it.
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lookInto, makeContent } from './content.mjs'
import { Nginx, nginxVersion } from './nginx.mjs'
import { formatPage } from './page.mjs'
import { start, TOOLS, VERSIONS } from './tools.mjs'

/** @typedef {import('./tools.mjs').Tool} Tool */

const isShort = process.argv.includes('--short')
const FILES = isShort ? 300 : 10_000
const ROUNDS = isShort ? 1 : 3
/** A folder in memory, where there is one. */
const MEMORY = '/dev/shm'
const output = fileURLToPath(new URL('../../../docs/get.md', import.meta.url))

const nginx = nginxVersion()
if (nginx === null) throw new Error('nginx is not installed: `apt-get install nginx curl aria2` as root')
const tools = TOOLS.filter(
  ({ name }) => /** @type {Record<string, string | null>} */ (VERSIONS)[name] !== null,
)

const place = mkdtempSync(join(tmpdir(), 'httpio-compare-get-'))
const memory = existsSync(MEMORY) ? mkdtempSync(join(MEMORY, 'httpio-compare-get-')) : null
process.stderr.write(`${FILES} files in ${place}\n`)
const content = makeContent(join(place, 'files'), FILES)
const names = Array.from(content.digests.keys())

/** A port on which nothing listens. */
async function freePort() {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (holder.address())
  holder.close()
  await once(holder, 'close')
  return port
}

const port = await freePort()
const server = new Nginx(join(place, 'nginx'), content.folder, port)
// Little of a body is with the system when this one is killed, so that many are lost in the middle, as over a network.
const frail = new Nginx(join(place, 'frail'), content.folder, port, 'sndbuf=4k')
/** @type {ReturnType<typeof start> | null} */
let program = null
process.on('exit', () => {
  server.killNow()
  frail.killNow()
  program?.killNow()
  for (const folder of [place, memory]) if (folder !== null) rmSync(folder, { recursive: true, force: true })
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

/** @param {Tool} tool @param {string} folder @param {boolean} isAgain */
function begin(tool, folder, isAgain) {
  process.stderr.write(`${tool.name} ${tool.settings}${isAgain ? ', again' : ''}\n`)
  const task = { base: `http://127.0.0.1:${port}/`, names, folder, list: join(place, 'list') }
  return (program = start(tool.command(task, isAgain)))
}

/** Fetches everything. @param {Tool} tool @param {string} folder @returns {Promise<import('./page.mjs').Whole>} */
async function fetchAll(tool, folder) {
  rmSync(folder, { recursive: true, force: true })
  server.forget()
  const outcome = await begin(tool, folder, false).outcome
  const result = { ...outcome, seen: server.seen(), found: lookInto(folder, content) }
  rmSync(folder, { recursive: true, force: true })
  return result
}

/** @param {Tool[]} these @param {string} folder @returns {Promise<Map<Tool, import('./page.mjs').Whole[]>>} */
async function fetchByAll(these, folder) {
  /** @type {Map<Tool, import('./page.mjs').Whole[]>} */
  const runs = new Map(these.map(tool => [tool, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const tool of these) runs.get(tool)?.push(await fetchAll(tool, folder))
  }
  return runs
}

/**
 * Loses the server when half has been answered, and calls the tool again once it is back.
 *
 * @param {Tool} tool
 * @returns {Promise<import('./page.mjs').Broken>}
 */
async function loseServer(tool) {
  const folder = join(place, 'out')
  rmSync(folder, { recursive: true, force: true })
  await frail.start()
  try {
    const fetching = begin(tool, folder, false)
    await frail.answered(FILES / 2, () => fetching.isOver)
    await frail.kill()
    const first = await fetching.outcome
    const before = lookInto(folder, content)
    await frail.start()
    const second = await begin(tool, folder, true).outcome
    return { first, before, second, seen: frail.seen(), after: lookInto(folder, content) }
  } finally {
    await frail.kill()
  }
}

try {
  await server.start()
  const onDisk = await fetchByAll(tools, join(place, 'out'))
  const byDefault = tools.filter(({ isDefault }) => isDefault)
  const inMemory = memory === null ? null : await fetchByAll(byDefault, join(memory, 'out'))
  await server.kill()
  /** @type {Map<Tool, import('./page.mjs').Broken>} */
  const broken = new Map()
  for (const tool of tools) broken.set(tool, await loseServer(tool))
  const page = formatPage({
    files: FILES,
    bytes: content.bytes,
    rounds: ROUNDS,
    versions: { ...VERSIONS, nginx },
    node: process.version,
    cores: cpus().length,
    onDisk,
    inMemory,
    broken,
  })
  if (isShort) process.stdout.write(page)
  else writeFileSync(output, page)
} finally {
  await server.kill()
}
