// What somebody sees who watches `httpio load`, and what happens when he interrupts it.
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '../../src/load/report'
import { expectSumsToAgree } from '../support/load'
import { httpio, run, start, startOnTerminal, temporaryFolder } from '../support/program'
import { serveHTTP, type TestServer } from '../support/servers'

const serveAll = (): Promise<TestServer> => serveHTTP((_request, response) => response.end())
const THREADS: [string, string[]][] = [
  ['one thread', []],
  ['several threads', ['-t', '2', '-c', '2']],
]

describe('httpio load on a terminal', () => {
  it('shows a live line, and then the report', async () => {
    const server = await serveAll()
    const { finished } = startOnTerminal(['load', '-d', '1s', server.url])
    const { status, stdout } = await finished
    expect(status).toBe(0)
    expect(stdout).toMatch(/load [█░]{20} \d+%\s+[\d,]+ answered, [\d,]+ a second, 0 failed/)
    expect(stdout.indexOf('Latency, ms')).toBeGreaterThan(stdout.lastIndexOf('█'))
  })

  it.each(THREADS)(
    'prints what there is after Ctrl-C, and shows the cursor again: %s',
    async (_name, args) => {
      const server = await serveAll()
      const program = startOnTerminal(['load', '-d', '1h', ...args, server.url])
      await program.shows(/ [1-9]\d* answered|,\d+ answered/)
      program.type('\u0003')
      const { status, stdout } = await program.finished
      expect(status).toBe(0)
      expect(stdout).toContain(', interrupted')
      expect(stdout).toMatch(/asked [\d,]+ = answered [\d,]+ \+ failed 0 \+ unfinished [012]\b/)
      expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
    },
  )

  it('ends at Ctrl-C typed twice', async () => {
    const server = await serveAll()
    const program = startOnTerminal(['load', '-d', '1h', '-t', '2', '-c', '2', server.url])
    await program.shows(' answered')
    program.type('\u0003\u0003')
    // By its own status, or by the signal if the second came before that.
    expect([0, 130]).toContain((await program.finished).status)
  })
})

describe('httpio load in a pipe', () => {
  it('shows no live line', async () => {
    const server = await serveAll()
    const { stdout, stderr } = await httpio('load', '-d', '500ms', server.url)
    expect(stderr).toBe('')
    expect(stdout).toContain('Latency, ms')
    expect(stdout).not.toContain('\u001b')
  })

  it.each(THREADS)('counts what is under way as unfinished after an interrupt: %s', async (_name, args) => {
    const connections = args.length === 0 ? 1 : 2
    let onArrived: () => void
    const allArrived = new Promise<void>(resolve => (onArrived = resolve))
    let count = 0
    const server = await serveHTTP(() => {
      if (++count === connections) onArrived()
    })
    const { child, finished } = start(['load', '--json', '-d', '1h', ...args, server.url])
    await allArrived
    child.kill('SIGINT')
    const { status, stdout } = await finished
    const report = JSON.parse(stdout) as Report
    expect(status).toBe(0)
    expect(report.isInterrupted).toBe(true)
    expect(report.requests).toMatchObject({
      asked: connections,
      answered: 0,
      failed: 0,
      unfinished: connections,
    })
    expectSumsToAgree(report)
  })

  it('ends by its results, and without a word, when nobody reads the report', async () => {
    const server = await serveHTTP((_request, response) => {
      response.statusCode = 503
      response.end()
    })
    const { child, finished } = start(['load', '-n', '10', '--threshold', '5xx<1', server.url])
    child.stdout!.destroy()
    expect(await finished).toMatchObject({ status: 2, stderr: '' })
  })

  it('says in one line that the report cannot be written, and writes the page nevertheless', async () => {
    const server = await serveAll()
    const page = join(temporaryFolder(), 'report.html')
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = await run(['load', '-n', '10', '--html', page, server.url], { stdout: full })
    closeSync(full)
    expect(status).toBe(2)
    expect(stderr).toBe('httpio: the standard output cannot be written: the disk is full\n')
    expect(readFileSync(page, 'utf8')).toContain('</html>')
  })

  it('ends with status 2 when the page cannot be written, and prints the report nevertheless', async () => {
    const server = await serveAll()
    const { status, stdout, stderr } = await httpio('load', '-n', '10', '--html', '/dev/full', server.url)
    expect(status).toBe(2)
    expect(stdout).toContain('Latency, ms')
    expect(stderr).toMatch(/^httpio: the page could not be written: [^\n]+\n$/)
  })
})
