// How each tool is called: to fetch all files, and again after that was interrupted, as a person would. It knows nothing of servers.
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const LIMIT_MS = 600_000
const require = createRequire(import.meta.url)
const httpio = fileURLToPath(new URL('../../bin/httpio.js', import.meta.url))

/**
 * What is asked of a tool.
 * @typedef {object} Task
 * @property {string} base the URL of the folder, with a slash at its end
 * @property {string[]} names of all files, in order: numbers, with zeros before them
 * @property {string} folder to fetch into
 * @property {string} list a file that may be written
 */

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} settings
 * @property {boolean} isDefault
 * @property {(task: Task, isAgain: boolean) => string[]} command
 */

/** @param {string} command @param {RegExp} pattern @returns {string | null} null = not installed */
function versionOf(command, pattern) {
  const { stdout, error } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  return error === undefined ? (pattern.exec(stdout)?.[1] ?? '?') : null
}

/** By the name of each tool, its version; null = not installed. */
export const VERSIONS = {
  'httpio get': /** @type {{ version: string }} */ (require('../../package.json')).version,
  curl: versionOf('curl', /curl (\S+)/),
  aria2c: versionOf('aria2c', /version (\S+)/),
}

/** @param {string[]} names */
const ends = names => [names[0], names[names.length - 1]]

/** @param {string[]} settings @returns {Tool} */
function httpioWith(...settings) {
  return {
    name: 'httpio get',
    settings: settings.join(' '),
    isDefault: settings.length === 0,
    command: ({ base, names, folder }, isAgain) => [
      ...[process.execPath, httpio, 'get', ...settings, '--flat', '--output-dir', folder],
      ...(isAgain ? ['--resume'] : []),
      `${base}{${ends(names).join('..')}}`,
    ],
  }
}

/** @param {string[]} settings @returns {Tool} */
function curlWith(...settings) {
  return {
    name: 'curl',
    settings: ['--parallel', ...settings].join(' '),
    isDefault: settings.length === 0,
    command: ({ base, names, folder }, isAgain) => [
      ...['curl', '--silent', '--show-error', '--fail', '--parallel', ...settings],
      ...['--remote-name-all', '--create-dirs', '--output-dir', folder],
      ...(isAgain ? ['--continue-at', '-'] : []),
      `${base}[${ends(names).join('-')}]`,
    ],
  }
}

/** @param {string[]} settings @returns {Tool} */
function aria2With(...settings) {
  return {
    name: 'aria2c',
    settings: settings.join(' '),
    isDefault: settings.length === 0,
    command: ({ base, names, folder, list }, isAgain) => {
      writeFileSync(list, names.map(name => `${base}${name}\n`).join(''))
      return [
        ...['aria2c', '--quiet', ...settings, '--dir', folder, '--input-file', list],
        ...(isAgain ? ['--continue=true'] : []),
      ]
    },
  }
}

/** @type {Tool[]} */
export const TOOLS = [
  httpioWith(),
  httpioWith('--connections=1', '--depth=64'),
  httpioWith('--connections=8', '--depth=16'),
  httpioWith('--connections=4', '--depth=1'),
  curlWith(),
  curlWith('--parallel-max', '4'),
  curlWith('--remove-on-error'),
  aria2With(),
  aria2With('--max-concurrent-downloads=16', '--file-allocation=none'),
]

/**
 * What became of a program.
 * @typedef {object} Outcome
 * @property {number | null} status null = it did not end
 * @property {number} wallMs
 * @property {number} cpuMs user and system time, of the program alone
 */

/** The shell measures; its own time is not in the figures. */
const TIMED = 'TIMEFORMAT="%R %U %S"; time "$@" </dev/null >/dev/null 2>&1'

/** A program under way. */
class Started {
  isOver = false
  #child
  /** @type {Promise<Outcome>} */
  outcome

  /** @param {string[]} command */
  constructor(command) {
    const began = performance.now()
    // A group of its own, which can be killed together.
    const child = spawn('bash', ['-c', TIMED, 'bash', ...command], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    let timing = ''
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      this.killNow()
    }, LIMIT_MS)
    child.stderr.on('data', data => (timing += String(data)))
    this.outcome = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', status => {
        clearTimeout(timer)
        this.isOver = true
        const [, user, system] = timing.trim().split(' ').map(Number)
        const wallMs = performance.now() - began
        resolve({ status: isLate ? null : status, wallMs, cpuMs: (user + system) * 1000 })
      })
    })
  }

  killNow() {
    const { pid } = this.#child
    if (this.isOver || pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
}

/** @param {string[]} command */
export const start = command => new Started(command)
