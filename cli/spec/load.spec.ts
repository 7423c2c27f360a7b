import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '../src/load/report'
import { httpio, startOnTerminal, startPiped } from './support/program'
import { serveHTTP, serveRaw, type TestServer } from './support/servers'

let server: TestServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function loadJSON(...args: string[]): Promise<{ report: Report; status: number | null }> {
  const { status, stdout, stderr } = await httpio('load', '--json', ...args)
  if (stdout === '') throw new Error(`no report: ${stderr}`)
  return { report: JSON.parse(stdout) as Report, status }
}

/** Each request has one fate, and each sending is one of a request that was asked for. */
function expectSumsToAgree({ requests, failures, statuses, connections }: Report): void {
  const sum = (counts: object): number =>
    Object.values(counts).reduce((total: number, count: number) => total + count, 0)
  expect(requests.answered + requests.failed + requests.unfinished).toBe(requests.asked)
  expect(sum(failures)).toBe(requests.failed)
  expect(sum(statuses)).toBe(requests.answered)
  expect(sum(connections.ended)).toBe(connections.opened)
}

describe('httpio load', () => {
  it('asks --requests times over --connections with --depth on the wire, and counts what comes back', async () => {
    let received = 0
    server = await serveHTTP((_request, response) => {
      received++
      response.end('hello')
    })
    const { report, status } = await loadJSON('-n', '500', '-c', '2', '-p', '8', server.url)
    expect(status).toBe(0)
    expect(received).toBe(500)
    expect(report.requests).toEqual({
      asked: 500,
      sent: 500,
      resent: 0,
      answered: 500,
      failed: 0,
      unfinished: 0,
      warmup: 0,
    })
    expect(report.statuses).toEqual({ 200: 500 })
    expect(report.connections).toEqual({ opened: 2, dialsFailed: 0, ended: { 'closed here at the end': 2 } })
    expect(report.depth.max).toBe(8)
    expectSumsToAgree(report)
  })

  it('goes on for --duration', async () => {
    server = await serveHTTP((_request, response) => response.end())
    const { report, status } = await loadJSON('-d', '300ms', server.url)
    expect(status).toBe(0)
    expect(report.measuredSeconds).toBeCloseTo(0.3, 1)
    expect(report.requests.answered).toBeGreaterThan(0)
    expectSumsToAgree(report)
  })

  it('reads statuses, and lets thresholds judge them', async () => {
    let index = 0
    server = await serveHTTP((_request, response) => {
      response.statusCode = index++ % 4 === 0 ? 503 : 200
      response.end()
    })
    const plain = await loadJSON('-n', '40', server.url)
    expect(plain.report.statuses).toEqual({ 200: 30, 503: 10 })
    expect(plain.status).toBe(0)
    const judged = await loadJSON('-n', '40', '--threshold', '5xx<20%', '--threshold', 'errors<1', server.url)
    expect(judged.status).toBe(2)
    expect(judged.report.thresholds).toEqual([
      { threshold: '5xx<20%', measured: 25, unit: '%', isMet: false },
      { threshold: 'errors<1', measured: 0, unit: '', isMet: true },
    ])
  })

  it('sends again what a server that closes every five answers leaves behind, announced or not', async () => {
    for (const announcement of ['Connection: close\r\n', '']) {
      let answers = 0
      server = await serveRaw((socket, index) => {
        if (index > 4) return
        answers++
        const isLast = index === 4
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${isLast ? announcement : ''}\r\nok`)
        if (isLast) socket.end()
      })
      const { report, status } = await loadJSON('-n', '100', '-p', '8', server.url)
      expect(status).toBe(0)
      expect(answers).toBe(100)
      expect(report.requests).toMatchObject({ asked: 100, answered: 100, failed: 0 })
      expect(report.requests.sent).toBe(100 + report.requests.resent)
      expect(report.requests.sent).toBeLessThanOrEqual(200)
      expect(report.connections.opened).toBeGreaterThanOrEqual(20)
      expectSumsToAgree(report)
      await server.close()
    }
  })

  it('does not wait for bodies of HEAD and 304', async () => {
    server = await serveRaw((socket, _index, head) => {
      const status = head.startsWith('HEAD') ? '200 OK' : '304 Not Modified'
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 1000\r\n\r\n`)
    })
    const head = await loadJSON('-n', '50', '-p', '4', '-X', 'HEAD', server.url)
    expect(head.report.statuses).toEqual({ 200: 50 })
    const notModified = await loadJSON('-n', '50', '-p', '4', server.url)
    expect(notModified.report.statuses).toEqual({ 304: 50 })
  })

  it('paces evenly, and counts latency from when a request should have gone out', async () => {
    const arrivals: number[] = []
    // The first answer holds up the others: each of them waits for less.
    server = await serveRaw((socket, index) => {
      arrivals.push(performance.now())
      const answer = (): void => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      }
      if (index === 0) setTimeout(answer, 300)
      else answer()
    })
    const { report } = await loadJSON('-n', '20', '-r', '50', server.url)
    // At depth 1 requests 2 to 15 found no place when they were due.
    expect(arrivals).toHaveLength(20)
    expect(report.latencyMs.waiting.max).toBeGreaterThan(200)
    expect(report.latencyMs.total.p50).toBeGreaterThan(100)
    expect(report.measuredSeconds).toBeGreaterThanOrEqual(0.37)
  })

  it('says how long an answer was held up by the bodies before it', async () => {
    server = await serveRaw((socket, index) => {
      if (index % 2 === 1) return
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na')
      setTimeout(() => socket.write('bHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 150)
    })
    const { report } = await loadJSON('-n', '2', '-p', '2', server.url)
    expect(report.requests.answered).toBe(2)
    expect(report.latencyMs.behindBodies.max).toBeGreaterThan(100)
    expect(report.latencyMs.onWire.max).toBeGreaterThan(100)
  })

  it('shares the work among --threads and adds up what they measured', async () => {
    let received = 0
    server = await serveHTTP((_request, response) => {
      received++
      response.end()
    })
    const { report, status } = await loadJSON('-n', '301', '-c', '3', '-t', '2', server.url)
    expect(status).toBe(0)
    expect(received).toBe(301)
    expect(report.requests.answered).toBe(301)
    expect(report.connections.opened).toBe(3)
    expectSumsToAgree(report)
  })

  it('leaves the warm-up out', async () => {
    let received = 0
    server = await serveHTTP((_request, response) => {
      received++
      response.end()
    })
    const { report } = await loadJSON('-n', '10', '-w', '200ms', server.url)
    expect(report.requests.asked).toBe(10)
    expect(report.requests.warmup).toBe(received - 10)
    expect(report.requests.warmup).toBeGreaterThan(0)
  })

  it('sends method, headers and body, and POST only with --allow-unsafe', async () => {
    const bodies: string[] = []
    server = await serveHTTP((request, response) => {
      let body = `${request.method} ${request.headers['x-test'] as string} `
      request.on('data', data => (body += String(data)))
      request.on('end', () => {
        bodies.push(body)
        response.end()
      })
    })
    const args = ['load', '-n', '2', '-X', 'POST', '-H', 'X-Test: 7', '-b', 'data', server.url]
    const refused = await httpio(...args)
    expect(refused.status).toBe(1)
    expect(refused.stderr).toBe(
      'httpio: POST may do something each time it is sent: add --allow-unsafe if the server is yours to load\n',
    )
    expect((await httpio(...args, '--allow-unsafe')).status).toBe(0)
    expect(bodies).toEqual(['POST 7 data', 'POST 7 data'])
  })

  it('does not send POST again when its fate is not known', async () => {
    let received = 0
    server = await serveRaw(socket => {
      received++
      socket.destroy()
    })
    const { report, status } = await loadJSON('-n', '3', '-X', 'POST', '--allow-unsafe', server.url)
    expect(status).toBe(2)
    expect(received).toBe(3)
    expect(report.requests).toMatchObject({ sent: 3, resent: 0, failed: 3 })
    expect(report.failures).toEqual({ 'connection lost': 3 })
    expectSumsToAgree(report)
  })

  it('counts answers that never come, and answers that are none', async () => {
    server = await serveRaw((socket, _index, head) => {
      if (head.startsWith('GET /nonsense')) socket.write('hello\r\n\r\n')
    })
    const late = await loadJSON('-n', '2', '--timeout', '200ms', server.url)
    expect(late.status).toBe(2)
    expect(late.report.failures).toEqual({ 'timed out': 2 })
    expectSumsToAgree(late.report)
    const nonsense = await loadJSON('-n', '2', server.url + 'nonsense')
    expect(nonsense.status).toBe(2)
    expect(nonsense.report.failures).toEqual({ 'response not valid HTTP/1.1': 2 })
    expectSumsToAgree(nonsense.report)
  })

  it('ends with status 3 and one line when nothing listens', async () => {
    server = await serveHTTP(() => undefined)
    const { port, url } = server
    await server.close()
    expect(await httpio('load', url)).toEqual({
      status: 3,
      stdout: '',
      stderr: `httpio: could not connect to 127.0.0.1:${port}: nothing listens there: is the server running, and the port right?\n`,
    })
    expect((await httpio('load', '-t', '2', '-c', '2', url)).status).toBe(3)
  })

  it('ends with status 3 and one line when it is interrupted before there is a connection', async () => {
    let onArrived: () => void
    const arrived = new Promise<void>(resolve => (onArrived = resolve))
    // A TLS handshake that is never answered.
    const silent = createServer(() => onArrived())
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const { child, finished } = startPiped('load', `https://127.0.0.1:${port}/`)
    await arrived
    child.kill('SIGINT')
    const result = await finished
    silent.close()
    expect(result).toEqual({
      status: 3,
      stdout: '',
      stderr: 'httpio: interrupted before a connection was made\n',
    })
  })

  it('gives up when the server has gone, and says so', async () => {
    let answers = 0
    server = await serveRaw(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      if (++answers === 100) void server!.close()
    })
    const { status, stdout, stderr } = await httpio('load', '--json', '-d', '1h', server.url)
    const report = JSON.parse(stdout) as Report
    expect(status).toBe(2)
    expect(stderr).toMatch(/^httpio: given up: could not connect to [^\n]+\n$/)
    expect(report.requests.answered).toBeGreaterThanOrEqual(99)
    expect(report.failures['could not connect']).toBeGreaterThan(3)
    expectSumsToAgree(report)
  })

  it.each([
    [['nonsense'], "'nonsense' is no URL to load"],
    [['http://u:p@localhost/'], 'credentials in the URL are not sent'],
    [['-c', '0', 'http://localhost/'], 'It must be a whole number, 1 or more.'],
    [['-d', 'soon', 'http://localhost/'], 'Write it as 10s, 500ms, 2m or 1h.'],
    [['-n', '5', '-d', '5s', 'http://localhost/'], 'cannot be used with option'],
    [['-t', '2', 'http://localhost/'], '2 threads need as many connections: add --connections 2'],
    [['--threshold', 'p99<50', 'http://localhost/'], "write it as 'p99<50ms'"],
    [['-X', 'get', '--allow-unsafe', 'http://localhost/'], 'methods are case-sensitive'],
    [['-H', 'Transfer-Encoding: chunked', 'http://localhost/'], 'the request cannot be sent'],
    [['-b', '@/does/not/exist', 'http://localhost/'], 'It cannot be read'],
  ])('refuses %j in one line, with status 1', async (args, message) => {
    const { status, stdout, stderr } = await httpio('load', ...args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/^httpio: [^\n]+\n$/)
  })

  it('shows no live line on a pipe', async () => {
    server = await serveHTTP((_request, response) => response.end())
    const { stdout, stderr } = await httpio('load', '-d', '500ms', server.url)
    expect(stderr).toBe('')
    expect(stdout).toContain('Latency, ms')
    expect(stdout).not.toContain('\u001b')
  })

  it('shows a live line on a terminal, and then the report', async () => {
    server = await serveHTTP((_request, response) => response.end())
    const { finished } = startOnTerminal('load', '-d', '1s', server.url)
    const { status, stdout } = await finished
    expect(status).toBe(0)
    expect(stdout).toMatch(/load [█░]{20} \d+%\s+[\d,]+ answered, [\d,]+ a second, 0 failed/)
    expect(stdout.indexOf('Latency, ms')).toBeGreaterThan(stdout.lastIndexOf('█'))
  })

  it('prints what there is after Ctrl-C', async () => {
    server = await serveHTTP((_request, response) => response.end())
    const { child, finished, shows } = startOnTerminal('load', '-d', '1h', server.url)
    await shows(/ [1-9]\d* answered|,\d+ answered/)
    child.stdin!.write('\u0003')
    const { status, stdout } = await finished
    expect(status).toBe(0)
    expect(stdout).toContain(', interrupted')
    expect(stdout).toMatch(/asked [\d,]+ = answered [\d,]+ \+ failed 0 \+ unfinished [01]\b/)
  })

  it('counts what is under way as unfinished after an interrupt', async () => {
    let onArrived: () => void
    const bothArrived = new Promise<void>(resolve => (onArrived = resolve))
    let count = 0
    server = await serveHTTP(() => {
      if (++count === 2) onArrived()
    })
    const { child, finished } = startPiped('load', '--json', '-d', '1h', '-t', '2', '-c', '2', server.url)
    await bothArrived
    child.kill('SIGINT')
    const { status, stdout } = await finished
    const report = JSON.parse(stdout) as Report
    expect(status).toBe(0)
    expect(report.isInterrupted).toBe(true)
    expect(report.requests).toMatchObject({ asked: 2, answered: 0, failed: 0, unfinished: 2 })
    expectSumsToAgree(report)
  })

  it('writes a page that needs nothing else, with both charts', async () => {
    server = await serveHTTP((_request, response) => response.end())
    const folder = mkdtempSync(join(tmpdir(), 'httpio-load-'))
    try {
      const file = join(folder, 'report.html')
      const { status } = await httpio('load', '-n', '200', '--html', file, server.url + '?a=<b>&c')
      expect(status).toBe(0)
      const page = readFileSync(file, 'utf8')
      expect(page.match(/<svg /g)).toHaveLength(2)
      expect(page).not.toMatch(/(?:src|href)=|@import|url\(|<script/)
      expect(page).not.toContain('<b>')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(file => existsSync(file))
  const itInBrowser = browser === undefined ? it.skip : it

  itInBrowser('writes a page whose charts a browser draws', async () => {
    server = await serveHTTP((_request, response) => response.end())
    const folder = mkdtempSync(join(tmpdir(), 'httpio-load-'))
    try {
      const file = join(folder, 'report.html')
      await httpio('load', '-d', '500ms', '--html', file, server.url)
      // The browser writes down how large it drew the lines.
      const measure = `<script>document.title = [...document.querySelectorAll('polyline.one')].map(line => {
        const { width, height } = line.getBoundingClientRect()
        return width > 300 && height > 0 && height < 400 ? 'drawn' : 'not drawn'
      }).join()</script>`
      writeFileSync(file, readFileSync(file, 'utf8').replace('</body>', `${measure}</body>`))
      const dom = execFileSync(
        browser!,
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
          `--user-data-dir=${join(folder, 'profile')}`,
          '--dump-dom',
          `file://${file}`,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 50_000 },
      )
      expect(/<title>(.*)<\/title>/.exec(dom)?.[1]).toBe('drawn,drawn')
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  })
})
