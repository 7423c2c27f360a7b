// How each tool is called and how its report is read. It knows nothing of servers.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LIMIT_MS = 20_000
const require = createRequire(import.meta.url)
const httpio = fileURLToPath(new URL('../../bin/httpio.js', import.meta.url))

/**
 * What is asked of a tool.
 * @typedef {object} Task
 * @property {string} url
 * @property {'GET' | 'HEAD'} [method]
 * @property {number} connections
 * @property {number} depth
 * @property {number} [requests]
 * @property {number} [seconds]
 * @property {number} [rate] requests a second in all
 */

/**
 * What a tool said; null where it says nothing of the kind.
 * @typedef {object} Said
 * @property {string} answered
 * @property {string} failed
 * @property {string} latency
 */

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {() => string | null} version null = not installed
 * @property {(task: Task) => string[]} command
 * @property {(stdout: string, stderr: string) => Said} read
 */

/** @param {string[]} command @returns {Promise<{ status: number | null, stdout: string, stderr: string, ms: number }>} status null = it did not end */
export function run([command, ...args]) {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, LIMIT_MS)
    child.stdout.on('data', data => (stdout += String(data)))
    child.stderr.on('data', data => (stderr += String(data)))
    child.on('error', reject)
    child.on('close', status => {
      clearTimeout(timer)
      resolve({ status: isLate ? null : status, stdout, stderr, ms: performance.now() - began })
    })
  })
}

/** @param {string} text @param {RegExp} pattern */
function first(text, pattern) {
  return pattern.exec(text)?.[1] ?? '-'
}

/** @param {string} command @param {string} flag @param {RegExp} pattern */
function versionOf(command, flag, pattern) {
  const { stdout, stderr, error } = spawnSync(command, [flag], { encoding: 'utf8' })
  return error === undefined ? first(stdout + stderr, pattern) : null
}

/** @param {Task} task @param {string} requestsFlag @param {string} secondsFlag */
function extent({ requests, seconds }, requestsFlag, secondsFlag) {
  return requests === undefined ? [`${secondsFlag}${seconds}`] : [`${requestsFlag}${requests}`]
}

const folder = mkdtempSync(join(tmpdir(), 'httpio-compare-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** wrk is told about methods and depth by a script. @param {Task} task */
function wrkScript({ method = 'GET', depth }) {
  const file = join(folder, `${method}-${depth}.lua`)
  writeFileSync(
    file,
    `init = function(args)
  local all = {}
  for i = 1, ${depth} do all[i] = wrk.format("${method}") end
  batch = table.concat(all)
end
request = function() return batch end
`,
  )
  return file
}

/** @type {Tool[]} */
export const TOOLS = [
  {
    name: 'httpio load',
    version: () => /** @type {{ version: string }} */ (require('../../package.json')).version,
    command: task => [
      process.execPath,
      httpio,
      'load',
      '--json',
      ...extent(task, '-n', '-d'),
      ...(task.method === undefined ? [] : ['-X', task.method]),
      ...(task.rate === undefined ? [] : ['-r', String(task.rate)]),
      '-c',
      String(task.connections),
      '-p',
      String(task.depth),
      task.url,
    ],
    read: stdout => {
      if (stdout === '') return { answered: '-', failed: '-', latency: '-' }
      const { requests, latencyMs } = JSON.parse(stdout)
      const { p50, p99 } = latencyMs.total
      return { answered: requests.answered, failed: requests.failed, latency: `p50 ${p50} ms, p99 ${p99} ms` }
    },
  },
  {
    name: 'autocannon',
    version: () => /** @type {{ version: string }} */ (require('autocannon/package.json')).version,
    command: task => [
      process.execPath,
      require.resolve('autocannon/autocannon.js'),
      '--json',
      ...(task.requests === undefined ? ['-d', String(task.seconds)] : ['-a', String(task.requests)]),
      ...(task.method === undefined ? [] : ['-m', task.method]),
      ...(task.rate === undefined ? [] : ['-R', String(task.rate)]),
      '-c',
      String(task.connections),
      '-p',
      String(task.depth),
      task.url,
    ],
    read: stdout => {
      const start = stdout.indexOf('{')
      if (start < 0) return { answered: '-', failed: '-', latency: '-' }
      const { requests, errors, latency } = JSON.parse(stdout.slice(start))
      const { p50, p99 } = latency
      return { answered: requests.total, failed: errors, latency: `p50 ${p50} ms, p99 ${p99} ms` }
    },
  },
  {
    name: 'h2load',
    version: () => versionOf('h2load', '--version', /nghttp2\/(\S+)/),
    command: task => [
      'h2load',
      '--h1',
      ...extent(task, '-n', '-D'),
      ...(task.method === undefined ? [] : ['-H', `:method: ${task.method}`]),
      ...(task.rate === undefined ? [] : [`--rps=${task.rate / task.connections}`]),
      `-c${task.connections}`,
      `-m${task.depth}`,
      task.url,
    ],
    read: stdout => ({
      answered: first(stdout, /(\d+) done/),
      failed: first(stdout, /(\d+) failed/),
      latency: `mean ${first(stdout, /time for request:\s+\S+\s+\S+\s+(\S+)/)}`,
    }),
  },
  {
    name: 'wrk',
    version: () => versionOf('wrk', '--version', /wrk \S*?(\d[\d.]+)/),
    command: task => [
      'wrk',
      '--latency',
      '-t1',
      `-c${task.connections}`,
      `-d${task.seconds ?? 3}s`,
      '-s',
      wrkScript(task),
      task.url,
    ],
    read: stdout => ({
      answered: first(stdout, /(\d+) requests in/),
      failed: first(stdout, /(Socket errors: .*)/).replace('Socket errors: ', ''),
      latency: `p50 ${first(stdout, /50%\s+(\S+)/)}, p99 ${first(stdout, /99%\s+(\S+)/)}`,
    }),
  },
]
