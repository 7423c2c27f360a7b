// Child processes: started, awaited, and ended after a time limit or with this process. Knows nothing of HTTP.
import { spawn } from 'node:child_process'

const LIMIT_MS = 60_000

/** Leaders of process groups, so that what a wrapper such as time(1) started ends with it. @type {Set<number>} */
const running = new Set()

/** @param {number} leader */
function endGroup(leader) {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
process.on('exit', () => running.forEach(endGroup))
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

/**
 * Runs a command to its end and resolves with what it printed.
 * @param {string} command @param {string[]} commandArguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ stdout: string, stderr: string }>}
 * @throws when it exits other than with 0, with the last lines that it printed
 */
export function run(command, commandArguments, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      ...options,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const leader = child.pid
    if (leader !== undefined) running.add(leader)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', text => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', text => (stderr += text))
    const limit = setTimeout(() => leader !== undefined && endGroup(leader), LIMIT_MS)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      if (leader !== undefined) running.delete(leader)
      if (code === 0) resolve({ stdout, stderr })
      else
        reject(new Error(`${command} ended with ${code ?? signal}: ${(stderr || stdout).trim().slice(-600)}`))
    })
  })
}

/** Whether a command can be started here. @param {string} command @param {string[]} commandArguments */
export async function canRun(command, commandArguments) {
  try {
    await run(command, commandArguments)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}
