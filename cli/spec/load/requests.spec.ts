// What `httpio load` asks for, and what it makes of the answers.
import { expectSumsToAgree, loadJSON } from '../support/load'
import { httpio } from '../support/program'
import { serveHTTP, serveRaw } from '../support/servers'

describe('httpio load', () => {
  it('asks --requests times over --connections with --depth on the wire, and counts what comes back', async () => {
    let received = 0
    const server = await serveHTTP((_request, response) => {
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
    const server = await serveHTTP((_request, response) => response.end())
    const { report, status } = await loadJSON('-d', '300ms', server.url)
    expect(status).toBe(0)
    expect(report.measuredSeconds).toBeLessThanOrEqual(0.3)
    expect(report.measuredSeconds).toBeGreaterThan(0.25)
    expect(report.requests.answered).toBeGreaterThan(0)
    expectSumsToAgree(report)
  })

  it('reads statuses, and lets thresholds judge them', async () => {
    let index = 0
    const server = await serveHTTP((_request, response) => {
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

  it.each([
    ['HEAD', '200 OK', '200'],
    ['GET', '304 Not Modified', '304'],
    ['GET', '204 No Content', '204'],
  ])('waits for no body of %s and %s', async (method, line, status) => {
    // A 204 may have no Content-Length; the others say how long the body would be.
    const length = status === '204' ? '' : 'Content-Length: 1000\r\n'
    const server = await serveRaw(socket => {
      socket.write(`HTTP/1.1 ${line}\r\n${length}\r\n`)
    })
    const { report } = await loadJSON('-n', '50', '-p', '4', '-X', method, server.url)
    expect(report.statuses).toEqual({ [status]: 50 })
    expectSumsToAgree(report)
  })

  it('sends method, headers and body, and POST only with --allow-unsafe', async () => {
    const bodies: string[] = []
    const server = await serveHTTP((request, response) => {
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

  it('paces evenly, and counts latency from when a request should have gone out', async () => {
    let arrivals = 0
    // The first answer holds up the others: at depth 1 those that are due meanwhile find no place.
    const server = await serveRaw((socket, index) => {
      arrivals++
      const answer = (): void => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      }
      if (index === 0) setTimeout(answer, 300)
      else answer()
    })
    const { report } = await loadJSON('-n', '20', '-r', '50', server.url)
    expect(arrivals).toBe(20)
    expect(report.latencyMs.waiting.max).toBeGreaterThan(200)
    expect(report.latencyMs.total.p50).toBeGreaterThan(100)
    expect(report.measuredSeconds).toBeGreaterThanOrEqual(0.37)
  })

  it('leaves the warm-up out', async () => {
    let received = 0
    const server = await serveHTTP((_request, response) => {
      received++
      response.end()
    })
    const { report } = await loadJSON('-n', '10', '-w', '200ms', server.url)
    expect(report.requests).toMatchObject({ asked: 10, sent: 10, warmup: received - 10 })
    expect(report.requests.warmup).toBeGreaterThan(0)
    expectSumsToAgree(report)
  })
})
