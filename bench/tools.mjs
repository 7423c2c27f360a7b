// The clients that are not written in JavaScript: finds out which are installed, runs them, reads their reports.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canRun, run } from './child.mjs'

/** @typedef {import('./measure.mjs').Task} Task */
/** @typedef {import('./measure.mjs').Measurement} Measurement */

const here = fileURLToPath(new URL('.', import.meta.url))
const reports = join(here, '../reports')
const fasthttpBinary = join(reports, 'fasthttp-client')

/** Where Debian's package golang-github-valyala-fasthttp-dev puts Go sources. */
const GOPATH = '/usr/share/gocode'

/** Builds the Go client, without any download. */
async function buildFasthttp() {
  mkdirSync(reports, { recursive: true })
  await run('go', ['build', '-o', fasthttpBinary, './fasthttp'], {
    cwd: here,
    env: { ...process.env, GO111MODULE: 'off', GOPATH: process.env.GOPATH ?? GOPATH, GOFLAGS: '' },
  })
}

/**
 * Which of the tools can be run here, and why the others cannot.
 * @returns {Promise<{ installed: Set<string>, missing: string[] }>}
 */
export async function findTools() {
  const installed = new Set()
  const missing = []
  const time = await canRun('/usr/bin/time', ['true'])
  for (const tool of ['h2load', 'wrk']) {
    if (!(await canRun(tool, ['--version']))) missing.push(`${tool}: not installed`)
    else if (!time) missing.push(`${tool}: needs /usr/bin/time, which is not installed`)
    else installed.add(tool)
  }
  if (await canRun('nginx', ['-v'])) installed.add('nginx')
  else missing.push('nginx: not installed')
  try {
    await buildFasthttp()
    installed.add('fasthttp')
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).split('\n')[0]
    missing.push(`fasthttp: cannot be built (${reason})`)
  }
  return { installed, missing }
}

/**
 * Runs a command under time(1) and adds what the operating system accounted for it.
 * @param {string[]} command
 * @param {(stdout: string) => { responses: number, bodyBytes: number, wallMicros: number }} read
 * @returns {Promise<Measurement>}
 */
async function timed(command, read) {
  const { stdout, stderr } = await run('/usr/bin/time', ['-f', '%U %S %M', ...command])
  const [user, system, kib] = (stderr.trim().split('\n').pop() ?? '').split(' ').map(Number)
  return { ...read(stdout), cpuMicros: (user + system) * 1e6, peakRssBytes: kib * 1024 }
}

/** @param {string} text @param {RegExp} pattern */
function find(text, pattern) {
  const match = pattern.exec(text)
  if (!match) throw new Error(`no ${pattern} in: ${text.slice(-400)}`)
  return match
}

/** @param {string} amount @param {string} unit "us", "ms" or "s" */
const toMicros = (amount, unit) =>
  Number(amount) * { us: 1, ms: 1e3, s: 1e6, m: 6e7 }[/** @type {'s'} */ (unit)]

/** @param {Task} task */
const url = ({ host, port, path }) => `http://${host}:${port}${path}`

/** @type {Record<string, (task: Task) => Promise<Measurement>>} */
export const tools = {
  h2load: task =>
    timed(
      // prettier-ignore
      ['h2load', '--h1', '-t1', `-c${task.connections}`, `-m${task.depth}`, `-n${task.requests}`, url(task)],
      stdout => {
        const [, amount, unit] = find(stdout, /finished in ([\d.]+)(us|ms|s|m)/)
        const responses = Number(find(stdout, /status codes: (\d+) 2xx/)[1])
        return { responses, bodyBytes: responses * task.bodyBytes, wallMicros: toMicros(amount, unit) }
      },
    ),

  // wrk runs for a time, not for a number of requests.
  wrk: task =>
    timed(
      // prettier-ignore
      ['wrk', '-t1', `-c${task.connections}`, '-d1s', '-s', join(here, 'pipeline.lua'), url(task), '--', String(task.depth)],
      stdout => {
        const [, count, amount, unit] = find(stdout, /(\d+) requests in ([\d.]+)(us|ms|s|m)/)
        if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk met errors: ${stdout}`)
        return {
          responses: Number(count),
          bodyBytes: Number(count) * task.bodyBytes,
          wallMicros: toMicros(amount, unit),
        }
      },
    ),

  fasthttp: async task => {
    const { stdout } = await run(fasthttpBinary, [
      `-address=${task.host}:${task.port}`,
      `-depth=${task.depth}`,
      `-connections=${task.connections}`,
      `-requests=${task.requests}`,
      `-warm-up=${task.warmUp}`,
    ])
    return JSON.parse(stdout)
  },
}
