import { httpio } from './support/program'

describe('httpio', () => {
  it('prints its help and the exit statuses on stdout', async () => {
    const { status, stdout, stderr } = await httpio('--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('Usage: httpio [options] [command]')
    expect(stdout).toContain('3  not one connection could be made')
  })

  it.each(['get', 'load'])('prints the help of %s with examples', async command => {
    const { status, stdout, stderr } = await httpio(command, '--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^Usage: httpio ${command} \\[options\\] `))
    expect(stdout).toContain('\nExamples:\n')
  })

  it('prints its version', async () => {
    expect(await httpio('--version')).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' })
  })

  it.each([
    [['--nonsense'], "unknown option '--nonsense' (httpio --help tells more)"],
    [['nonsense'], "unknown command 'nonsense' (httpio --help tells more)"],
    [['load'], "missing required argument 'url' (httpio load --help tells more)"],
  ])('refuses %j in one line, with status 1', async (args, line) => {
    expect(await httpio(...args)).toEqual({ status: 1, stdout: '', stderr: `httpio: ${line}\n` })
  })
})
