// What somebody sees who watches `httpio get`, and what happens when he interrupts it.
import { join } from 'node:path'
import { ETAG, FileServer, filesIn, LARGE } from '../support/file-server'
import { run, start, startOnTerminal, temporaryFolder } from '../support/program'

let server: FileServer
let cwd: string
beforeEach(async () => {
  server = await new FileServer().listen()
  cwd = temporaryFolder()
})

describe('httpio get on a terminal', () => {
  it('shows a line that moves, and none in a pipe', async () => {
    let release = (): void => {}
    server.special = ({ url }, response) => {
      if (url === '/20') release = () => response.end('late')
      return url === '/20'
    }
    const args = ['get', '-o', 'out', `${server.origin}/{1..20}`]
    const program = startOnTerminal(args, cwd)
    await program.shows('19 of 20')
    release()
    const { status, stdout } = await program.finished
    expect(status).toBe(0)
    expect(stdout).toContain('20 of 20 fetched; ')
    server.special = () => false
    const { stderr } = await run(args, { cwd })
    expect(stderr).toMatch(/^20 of 20 fetched; [^\n\u001b]+\n$/)
  })

  it('shows a line for each large body', async () => {
    let release = (): void => {}
    server.special = ({ url }, response) => {
      if (url !== '/large') return false
      response.writeHead(200, { 'Content-Length': LARGE.length })
      response.write(LARGE.subarray(0, 10_000_000))
      release = () => response.end(LARGE.subarray(10_000_000))
      return true
    }
    const program = startOnTerminal(['get', '-o', 'out', `${server.origin}/large`], cwd)
    await program.shows(`10.0 MB of 20.0 MB | ${server.origin}/large`)
    release()
    expect((await program.finished).stdout).toContain('1 of 1 fetched; ')
  })

  it('names failures above its line', async () => {
    const { finished } = startOnTerminal(
      ['get', '-o', 'out', `${server.origin}/missing`, `${server.origin}/a`],
      cwd,
    )
    const { status, stdout } = await finished
    expect(status).toBe(2)
    expect(stdout).toContain(`httpio: ${server.origin}/missing: status 404 Not Found`)
    expect(stdout).toContain('1 of 2 fetched, 1 failed; ')
  })
})

describe('httpio get, interrupted', () => {
  const hang = (): void => {
    server.special = ({ url }) => url === '/3'
  }
  const args = (): string[] => ['get', '-p', '1', '-c', '1', '-o', 'out', `${server.origin}/{1..4}`]

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'tells at %s what there is, and leaves no part of a file',
    async signal => {
      hang()
      const { child, finished } = start(args(), { cwd })
      await server.asked('/3')
      child.kill(signal)
      const { status, stderr } = await finished
      expect(status).toBe(2)
      expect(stderr).toMatch(/^2 of 4 fetched, 2 not tried any more; /)
      expect(filesIn(join(cwd, 'out'))).toEqual(['1', '2'])
    },
  )

  it('ends although bodies wait for their turn on the standard output', async () => {
    hang()
    const urls = ['/3', '/1', '/2'].map(path => server.origin + path)
    const { child, finished } = start(['get', '-c', '2', '-p', '1', ...urls], { cwd })
    await server.asked('/2')
    child.kill('SIGINT')
    const { status, stdout, stderr } = await finished
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^0 of 3 fetched, 3 not tried any more; /)
  })

  it('tells at Ctrl-C what there is, and shows the cursor again', async () => {
    hang()
    const program = startOnTerminal(args(), cwd)
    await program.shows('2 of 4')
    program.type('\u0003')
    const { status, stdout } = await program.finished
    expect(status).toBe(2)
    expect(stdout).toContain('2 of 4 fetched, 2 not tried any more; ')
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
  })

  it('ends at Ctrl-C typed twice, with nothing under the name of a file that is not whole', async () => {
    server.special = (_request, response) => {
      response.writeHead(200, { 'Content-Length': LARGE.length, ETag: ETAG })
      response.write(LARGE.subarray(0, 12_000_000))
      return true
    }
    const program = startOnTerminal(['get', '-o', 'out', `${server.origin}/large`], cwd)
    await program.shows('12.0 MB of 20.0 MB')
    program.type('\u0003\u0003')
    const { status } = await program.finished
    // By its own status, or by the signal if the second came before that.
    expect([2, 130]).toContain(status)
    expect(filesIn(cwd)).not.toContain('out/large')
  })

  it('keeps the part of a large file with --resume, and only then', async () => {
    server.special = (_request, response) => {
      response.writeHead(200, { 'Content-Length': LARGE.length, ETag: ETAG })
      response.write(LARGE.subarray(0, 12_000_000))
      return true
    }
    for (const flag of ['--resume', '--flat']) {
      const program = startOnTerminal(['get', flag, '-o', 'out', `${server.origin}/large`], cwd)
      await program.shows('12.0 MB of 20.0 MB')
      program.child.stdin!.write('\u0003')
      expect((await program.finished).status).toBe(2)
      const left = flag === '--resume' ? ['.large.httpio-part', '.large.httpio-part.json'] : []
      expect(filesIn(join(cwd, 'out'))).toEqual(left)
    }
  })
})
