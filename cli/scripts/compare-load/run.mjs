// npm run compare:load: runs this tool and others against servers whose behaviour is known, and writes docs/load.md. What a tool says
// stands beside what the server saw.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { run, TOOLS } from './tools.mjs'

/** @typedef {import('./tools.mjs').Task} Task */
/** @typedef {import('./tools.mjs').Tool} Tool */

const output = fileURLToPath(new URL('../../../docs/load.md', import.meta.url))
const server = fork(fileURLToPath(new URL('server.mjs', import.meta.url)))
/** @type {[Record<string, number>]} */
const [ports] = /** @type {any} */ (await once(server, 'message'))

/** @returns {Promise<{ connections: number, requests: number, answers: number }>} what the server saw since it was last asked */
async function whatServerSaw() {
  const reply = once(server, 'message')
  server.send('tell')
  return (await reply)[0]
}

/** @param {string} name */
const url = name => `http://127.0.0.1:${ports[name]}/`

/** A port on which nothing listens. */
async function freePort() {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (holder.address())
  holder.close()
  await once(holder, 'close')
  return port
}

/** @param {Tool} tool @param {Task} task @returns {Promise<(string | number)[]>} */
async function row(tool, task) {
  process.stderr.write(`${tool.name} ${task.url}\n`)
  await whatServerSaw()
  const { status, stdout, stderr } = await run(tool.command(task))
  const seen = await whatServerSaw()
  const exit = status === null ? '**did not end in 20 s**' : status
  if (status === null) return [tool.name, '-', '-', '-', exit, seen.answers, seen.requests, seen.connections]
  const { answered, failed, latency } = tool.read(stdout, stderr)
  return [tool.name, answered, failed, latency, exit, seen.answers, seen.requests, seen.connections]
}

const COLUMNS = [
  'tool',
  'says answered',
  'says failed',
  'says latency',
  'exit status',
  'server: answers',
  'requests',
  'connections',
]

/** @param {(string | number)[]} cells */
const line = cells => `| ${cells.join(' | ')} |`

/** @param {Tool[]} tools @param {Task} task */
async function table(tools, task) {
  const lines = [line(COLUMNS), line(COLUMNS.map(() => '---'))]
  for (const tool of tools) lines.push(line(await row(tool, task)))
  return lines.join('\n')
}

const versions = TOOLS.map(tool => ({ tool, version: tool.version() }))
const installed = versions.filter(({ version }) => version !== null).map(({ tool }) => tool)
const missing = versions.filter(({ version }) => version === null).map(({ tool }) => tool.name)
const withoutWrk = installed.filter(({ name }) => name !== 'wrk')

const constant = await table(withoutWrk, {
  url: url('constant'),
  connections: 10,
  depth: 4,
  rate: 100,
  seconds: 5,
})
const unpaced = await table(installed, { url: url('constant'), connections: 10, depth: 1, seconds: 5 })
const announced = await table(installed, { url: url('announced'), connections: 2, depth: 4, requests: 300 })
const unannounced = await table(installed, {
  url: url('unannounced'),
  connections: 2,
  depth: 4,
  requests: 300,
})
const head = await table(installed, {
  url: url('bodiless'),
  method: 'HEAD',
  connections: 2,
  depth: 4,
  requests: 300,
})
const notModified = await table(installed, { url: url('bodiless'), connections: 2, depth: 4, requests: 300 })
const refused = await table(installed, {
  url: `http://127.0.0.1:${await freePort()}/`,
  connections: 2,
  depth: 1,
  requests: 10,
})
server.disconnect()

writeFileSync(
  output,
  `# Load, beside other tools

Made by \`npm run compare:load\`, which runs each tool against servers whose behaviour is known, and sets what the tool says beside what the
server saw. Node ${process.version}, ${cpus().length} cores, server and tool on one machine;
${versions
  .filter(({ version }) => version !== null)
  .map(({ tool, version }) => `${tool.name} ${version}`)
  .join(', ')}${missing.length === 0 ? '' : `; not installed: ${missing.join(', ')}`}.

A tool counts right when "says answered" is "server: answers", or less by what was under way at the end. wrk cannot be told a number of requests:
it runs for 3 seconds.

## A constant 100 ms, 100 requests a second

10 connections, depth 4, 5 seconds. The 50th percentile must read 100 ms. wrk cannot be told a rate.

${constant}

The same without a rate, at depth 1:

${unpaced}

## A server that closes every five answers

2 connections, depth 4, 300 requests. The server announces the close on its fifth answer, and what comes behind the fifth request is not
answered:

${announced}

It does not announce it:

${unannounced}

## HEAD

2 connections, depth 4, 300 requests. The answers have a Content-Length of 1000, and no body:

${head}

## 304

The same with GET; the answers are 304, with a Content-Length of 1000, and no body:

${notModified}

## Nothing listens

${refused}
`,
)
