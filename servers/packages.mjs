// Which programs the targets need, which Debian packages hold them, and how they come onto the machine: by apt-get where this process is
// root and may, or not at all.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Programs of servers lie outside of the path that ordinary users have. */
const PATH = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`

/** @param {string} program @returns {string | null} its absolute path */
export function locate(program) {
  for (const folder of PATH.split(':')) {
    const path = join(folder, program)
    if (folder !== '' && existsSync(path)) return path
  }
  return null
}

/** @param {string} path absolute; anything else is a program */
const isThere = path => (path.startsWith('/') ? existsSync(path) : locate(path) !== null)

/** @param {{ needs: Record<string, string> }} target by program or file, the package that has it @returns {string[]} packages */
export function missingPackages({ needs }) {
  return Object.entries(needs)
    .filter(([path]) => !isThere(path))
    .map(([, name]) => name)
}

/** Packages of servers start them at once; a policy that says no is how Debian keeps them from it. */
const POLICY = '/usr/sbin/policy-rc.d'
/** What comes over the network has so much time: where nothing can be reached, the rest is to be run all the same. */
const UPDATE_WITHIN_MS = 45_000
const DOWNLOAD_WITHIN_MS = 90_000

/** @param {string[]} packages @returns {string | null} why they could not be installed */
export function install(packages) {
  if (process.getuid?.() !== 0) return 'only root may install packages'
  if (locate('apt-get') === null) return 'there is no apt-get'
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const env = { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive' }
    // A failed update may still leave lists that are good enough.
    spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore', timeout: UPDATE_WITHIN_MS })
    /** @param {string} how @param {number} [timeout] */
    const run = (how, timeout) =>
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', how, ...packages], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout,
      })
    // Only what is downloaded may be broken off at any time.
    run('--download-only', DOWNLOAD_WITHIN_MS)
    run('--no-download')
    return null
  } catch (error) {
    const { stderr, message, code } = /** @type {Error & { stderr?: Buffer, code?: string }} */ (error)
    if (code === 'ETIMEDOUT') return `they did not come within ${DOWNLOAD_WITHIN_MS / 1_000} s`
    return (stderr?.toString().trim().split('\n').pop() ?? '') || message
  } finally {
    if (isOurs) rmSync(POLICY, { force: true })
  }
}

/** @param {string} program @param {string[]} args @returns {string} the first number with a dot that it prints of itself */
export function versionOf(program, args) {
  const { stdout, stderr } = spawnSync(locate(program) ?? program, args, { encoding: 'utf8' })
  return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? '?'
}
