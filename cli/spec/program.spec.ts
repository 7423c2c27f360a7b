import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const BINARY = join(__dirname, '../bin/httpio.js')

function httpio(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BINARY, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('httpio', () => {
  it('prints its help and the exit statuses on stdout', () => {
    const { status, stdout, stderr } = httpio('--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('Usage: httpio [options] [command]')
    expect(stdout).toContain('3  not one connection could be made')
  })

  it('prints its version', () => {
    expect(httpio('--version')).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' })
  })

  it('refuses an unknown option in one line, with status 1', () => {
    expect(httpio('--nonsense')).toEqual({
      status: 1,
      stdout: '',
      stderr: "httpio: unknown option '--nonsense' (httpio --help tells more)\n",
    })
  })

  it('refuses a missing argument of a command in one line, with status 1', () => {
    expect(httpio('load')).toEqual({
      status: 1,
      stdout: '',
      stderr: "httpio: missing required argument 'url' (httpio load --help tells more)\n",
    })
  })
})
