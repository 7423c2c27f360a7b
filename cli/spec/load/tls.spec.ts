// `httpio load` over TLS.
import * as identities from '../../../spec/support/tls'
import { expectSumsToAgree, loadJSON } from '../support/load'
import { httpio } from '../support/program'
import { CA_FILE, serveHTTP, serveHTTPS } from '../support/servers'

describe('httpio load to https:', () => {
  it.each([
    ['--cacert, which verifies', ['--cacert', CA_FILE]],
    ['--insecure, which does not', ['--insecure']],
    ['several threads', ['--cacert', CA_FILE, '-t', '2', '-c', '2']],
  ])('asks as over plain TCP with %s', async (_name, args) => {
    let received = 0
    const server = await serveHTTPS(identities.localhost, (_request, response) => {
      received++
      response.end('hello')
    })
    const { report, status } = await loadJSON('-n', '100', '-p', '8', ...args, server.url)
    expect(status).toBe(0)
    expect(received).toBe(100)
    expect(report.requests).toMatchObject({ asked: 100, answered: 100, resent: 0 })
    expect(report.bytes.received).toBeGreaterThan(100 * 'hello'.length)
    expectSumsToAgree(report)
  })

  it.each([
    [
      'is not trusted',
      identities.localhost,
      [],
      'its certificate is not trusted: give --cacert FILE, or --insecure for tests',
    ],
    [
      'is for another name',
      identities.otherHost,
      ['--cacert', CA_FILE],
      'its certificate is for another name',
    ],
    ['has expired', identities.expired, ['--cacert', CA_FILE], 'its certificate has expired'],
    [
      'is not trusted by any thread',
      identities.localhost,
      ['-t', '2', '-c', '2'],
      'its certificate is not trusted: give --cacert FILE, or --insecure for tests',
    ],
  ])('ends with status 3 and one line when the certificate %s', async (_name, identity, args, why) => {
    let received = 0
    const server = await serveHTTPS(identity, (_request, response) => {
      received++
      response.end()
    })
    expect(await httpio('load', ...args, server.url)).toEqual({
      status: 3,
      stdout: '',
      stderr: `httpio: could not connect to 127.0.0.1:${server.port}: ${why}\n`,
    })
    expect(received).toBe(0)
  })

  it('ends with status 3 and one line when no TLS is spoken there', async () => {
    const server = await serveHTTP((_request, response) => response.end())
    const { status, stderr } = await httpio('load', `https://127.0.0.1:${server.port}/`)
    expect(status).toBe(3)
    expect(stderr).toBe(
      `httpio: could not connect to 127.0.0.1:${server.port}: no TLS is spoken there: use http:// instead of https://\n`,
    )
  })
})
