// What `httpio load` counts when connections end, answers do not come, or nobody is there.
import type { Report } from '../../src/load/report'
import { expectSumsToAgree, loadJSON } from '../support/load'
import { httpio, start } from '../support/program'
import { freePort, serveHTTP, serveRaw, serveSockets } from '../support/servers'

describe('httpio load', () => {
  it.each([
    ['announced', 'Connection: close\r\n', 'server announced the close'],
    ['not announced', '', 'server closed without announcing it'],
  ])(
    'sends again what a server that closes every five answers leaves behind, %s',
    async (_name, line, ending) => {
      let answers = 0
      const server = await serveRaw((socket, index) => {
        if (index > 4) return
        answers++
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${index === 4 ? line : ''}\r\nok`)
        if (index === 4) socket.end()
      })
      const { report, status } = await loadJSON('-n', '100', '-p', '8', server.url)
      expect(status).toBe(0)
      expect(answers).toBe(100)
      expect(report.requests).toMatchObject({ asked: 100, answered: 100, failed: 0 })
      expect(report.requests.sent).toBe(100 + report.requests.resent)
      expect(report.requests.sent).toBeLessThanOrEqual(200)
      // What the server saw no more of, since it had closed, was sent nevertheless.
      expect(report.requests.sent).toBeGreaterThanOrEqual(server.received)
      expect(report.connections.opened).toBe(server.connections)
      expect(report.connections.ended[ending]).toBeGreaterThanOrEqual(19)
      expectSumsToAgree(report)
    },
  )

  it('does not send POST again when its fate is not known', async () => {
    let received = 0
    const server = await serveRaw(socket => {
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

  it('counts answers that never come', async () => {
    const server = await serveRaw(() => undefined)
    const { report, status } = await loadJSON('-n', '2', '--timeout', '300ms', server.url)
    expect(status).toBe(2)
    expect(report.failures).toEqual({ 'timed out': 2 })
    expect(report.connections.ended).toEqual({ 'closed here after a timeout': 2 })
    expectSumsToAgree(report)
  })

  it('counts answers that are none', async () => {
    const server = await serveRaw(socket => {
      socket.write('hello\r\n\r\n')
    })
    const { report, status } = await loadJSON('-n', '2', server.url)
    expect(status).toBe(2)
    expect(report.failures).toEqual({ 'response not valid HTTP/1.1': 2 })
    expect(report.connections.ended).toEqual({ 'closed here after a response not valid HTTP/1.1': 2 })
    expectSumsToAgree(report)
  })

  it('gives up when the server has gone, and says so', async () => {
    let answers = 0
    const server = await serveRaw(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      if (++answers === 100) void server.close()
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
    ['one thread', []],
    ['several', ['-t', '2', '-c', '2']],
  ])('ends with status 3 and one line when nothing listens: %s', async (_name, args) => {
    const port = await freePort()
    expect(await httpio('load', ...args, `http://127.0.0.1:${port}/`)).toEqual({
      status: 3,
      stdout: '',
      stderr: `httpio: could not connect to 127.0.0.1:${port}: nothing listens there: is the server running, and the port right?\n`,
    })
  })

  it.each([
    ['one thread', []],
    ['several', ['-t', '2', '-c', '2']],
  ])(
    'ends with status 3 and one line when it is interrupted before there is a connection: %s',
    async (_name, args) => {
      let onArrived: () => void
      const arrived = new Promise<void>(resolve => (onArrived = resolve))
      // A TLS handshake that is never answered.
      const silent = await serveSockets(() => onArrived())
      const { child, finished } = start(['load', ...args, `https://127.0.0.1:${silent.port}/`])
      await arrived
      child.kill('SIGINT')
      expect(await finished).toEqual({
        status: 3,
        stdout: '',
        stderr: 'httpio: interrupted before a connection was made\n',
      })
    },
  )

  it('shares the work among --threads and adds up what they measured', async () => {
    let received = 0
    const server = await serveHTTP((_request, response) => {
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
})
