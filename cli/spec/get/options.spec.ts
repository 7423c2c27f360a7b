// The options of `httpio get` that say how requests and connections are made, and what is refused.
import * as identities from '../../../spec/support/tls'
import { FileServer } from '../support/file-server'
import { httpio } from '../support/program'
import { refuse } from '../support/refuse'
import { CA_FILE, serveHTTPS, serveUnix } from '../support/servers'

describe('httpio get and its options', () => {
  it('sends headers and credentials', async () => {
    const server = await new FileServer().listen()
    await httpio('get', '-H', 'X-A: 1', '-H', 'Accept: text/plain', '-u', 'me:se:cret', `${server.origin}/a`)
    expect(server.requests[0].headers).toMatchObject({
      'x-a': '1',
      accept: 'text/plain',
      authorization: `Basic ${Buffer.from('me:se:cret').toString('base64')}`,
    })
  })

  it('sends the credentials of a URL with that alone', async () => {
    const server = await new FileServer().listen()
    const withName = server.origin.replace('//', '//a%40b:%ff@')
    await httpio('get', '-q', `${withName}/a`, `${server.origin}/b`)
    expect(server.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/a', `Basic ${Buffer.from('a@b:%ff').toString('base64')}`],
      ['/b', undefined],
    ])
  })

  it('goes through a proxy', async () => {
    const proxy = await new FileServer().listen()
    const { stdout } = await httpio('get', '--proxy', proxy.origin, 'http://elsewhere.test/a')
    expect(stdout).toBe('body of http://elsewhere.test/a')
  })

  it('connects to a unix domain socket', async () => {
    const path = await serveUnix((request, response) => response.end(request.headers.host))
    expect((await httpio('get', '--unix-socket', path, 'http://there.test/')).stdout).toBe('there.test')
  })

  it('verifies certificates: --cacert names whom to trust, --insecure trusts everybody', async () => {
    const server = await serveHTTPS(identities.localhost, (_request, response) => response.end('secret'))
    const refused = await httpio('get', '--retries', '5', server.url)
    expect(refused.status).toBe(3)
    expect(refused.stderr).toBe(
      `httpio: ${server.url}: the certificate cannot be verified: give the authority with --cacert\n`,
    )
    // It is not tried again what would fail again.
    expect(server.connections).toBe(1)
    const secret = { status: 0, stdout: 'secret', stderr: '' }
    expect(await httpio('get', '--cacert', CA_FILE, server.url)).toEqual(secret)
    expect(await httpio('get', '--insecure', server.url)).toEqual(secret)
  })

  it.each([
    ['another host', identities.otherHost, 'the certificate is for another host'],
    ['the past', identities.expired, 'the certificate has expired'],
  ])('refuses a certificate for %s', async (_name, identity, message) => {
    const server = await serveHTTPS(identity, (_request, response) => response.end())
    expect(await httpio('get', '--cacert', CA_FILE, server.url)).toEqual({
      status: 3,
      stdout: '',
      stderr: `httpio: ${server.url}: ${message}\n`,
    })
  })

  it.each([
    [[], 'nothing to fetch: give URLs, or a list of them with --input'],
    [['example.org'], '"example.org" is no URL of http:// or https://'],
    [['--flat', 'http://h/'], '--flat needs --output-dir'],
    [['--resume', 'http://h/'], '--resume needs --output-dir'],
    [['--json', 'http://h/'], '--json needs --output-dir'],
    [['--depth', '0', 'http://h/'], "option '-p, --depth <number>' argument '0' is invalid"],
    [['--max-time', 'soon', 'http://h/'], 'It must be a number of seconds, 2147483 at most.'],
    [['--max-time', '1e9', 'http://h/'], 'It must be a number of seconds, 2147483 at most.'],
    [['--timeout', '-1', 'http://h/'], 'It must be a number of seconds'],
    [['--header', 'nonsense', 'http://h/'], '--header wants "Name: value"'],
    [['--header', 'A: \u0001', 'http://h/'], '--header "A: '],
    [['--header', 'Transfer-Encoding: chunked', 'http://h/'], 'the request cannot be sent'],
    [['--checksum', 'md5:0', 'http://h/'], 'a checksum is sha256: and 64 hexadecimal digits'],
    [['--checksum', `sha256:${'0'.repeat(64)}`, 'http://h/{1..2}'], '--checksum is for a single URL'],
    [['--cacert', 'not-there', 'http://h/'], '--cacert not-there cannot be read'],
    [['--proxy', 'socks5://h', 'http://h/'], '--proxy wants a URL'],
    [['--proxy', 'http://h', '--unix-socket', 's', 'http://h/'], 'cannot be used with option'],
    [['--input', 'not-there'], 'not-there cannot be read'],
    [['-o', 'out', 'http://h/a', 'http://h/a'], 'would both become out/a'],
    [['--nonsense'], "unknown option '--nonsense'"],
  ])('refuses %j in one line, with status 1', async (args, message) => {
    const { status, stderr } = await refuse('get', ...args)
    expect(status).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/^httpio: [^\n]+\n$/)
  })
})
