// `httpio get` as a person uses it, against servers of node:http on loopback.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { run, start, startOnTerminal, temporaryFolder, type Command } from '../support/command'

const LARGE = Buffer.alloc(20_000_000, 'a large file, ')
const ETAG = '"v1"'

/** A server, and what it was asked for. */
class Server {
  readonly requests: http.IncomingMessage[] = []
  readonly sockets = new Set<Socket>()
  readonly #server: http.Server
  /** Gives a response, or nothing if it is to be as usual. */
  special: (request: http.IncomingMessage, response: http.ServerResponse) => boolean = () => false

  constructor() {
    this.#server = http.createServer((request, response) => {
      this.requests.push(request)
      if (!this.special(request, response)) answer(request, response)
    })
    this.#server.on('connection', socket => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
    })
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function answer({ url, headers }: http.IncomingMessage, response: http.ServerResponse): void {
  if (url === '/missing') {
    response.statusCode = 404
    response.end('not here')
  } else if (url === '/moved') {
    response.writeHead(301, { Location: '/there' }).end()
  } else if (url === '/large') {
    const range = /^bytes=(\d+)-$/.exec(headers.range ?? '')
    const from = range !== null && headers['if-range'] === ETAG ? Number(range[1]) : 0
    response.setHeader('ETag', ETAG)
    if (from > 0) {
      response.statusCode = 206
      response.setHeader('Content-Range', `bytes ${from}-${LARGE.length - 1}/${LARGE.length}`)
    }
    response.setHeader('Content-Length', LARGE.length - from)
    response.end(LARGE.subarray(from))
  } else {
    response.end(`body of ${url}`)
  }
}

let server: Server
let folder: string
beforeEach(async () => {
  server = await new Server().listen()
  folder = temporaryFolder()
})
afterEach(() => server.close())

/** All files below a folder, hidden ones too. */
const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()

/** All that a command shows; once that has `text` in it, something happens. */
async function shownUntil(command: Command, text: string, then: () => void): Promise<string> {
  let shown = ''
  for await (const chunk of command.child.stdout as AsyncIterable<Buffer>) {
    const wasShown = shown.includes(text)
    shown += chunk.toString()
    if (!wasShown && shown.includes(text)) then()
  }
  return shown
}

describe('httpio get to the standard output', () => {
  it('writes one body, and nothing else', async () => {
    expect(await run(['get', `${server.origin}/a`], folder)).toEqual({
      status: 0,
      stdout: 'body of /a',
      stderr: '',
    })
    expect(server.requests[0].headers).toMatchObject({
      'user-agent': 'httpio-get',
      'accept-encoding': 'identity',
    })
  })

  it('writes many in their order, over few connections', async () => {
    const { status, stdout, stderr } = await run(['get', '-c', '2', `${server.origin}/{1..300}`], folder)
    expect(stdout).toBe(Array.from({ length: 300 }, (_, i) => `body of /${i + 1}`).join(''))
    expect(status).toBe(0)
    expect(stderr).toMatch(/^300 of 300 fetched; 3\.49 kB in [\d.]+ s over [12] connections?\n$/)
  })

  it('takes URLs from the standard input', async () => {
    const outcome = await run(['get', '-q', '-i', '-'], folder, `${server.origin}/a\n${server.origin}/b\n`)
    expect(outcome).toEqual({ status: 0, stdout: 'body of /abody of /b', stderr: '' })
  })

  it('writes the body of another status, too, unless --fail, and exits with 2', async () => {
    const url = `${server.origin}/missing`
    const stderr = `httpio: ${url}: status 404 Not Found\n`
    expect(await run(['get', url], folder)).toEqual({ status: 2, stdout: 'not here', stderr })
    expect(await run(['get', '--fail', url], folder)).toEqual({ status: 2, stdout: '', stderr })
  })

  it('writes a large body as it comes, and what is behind it after it', async () => {
    const { status, stdout } = await run(['get', `${server.origin}/large`, `${server.origin}/a`], folder)
    expect(status).toBe(0)
    expect(stdout.length).toBe(LARGE.length + 'body of /a'.length)
    expect(stdout.endsWith('body of /a')).toBe(true)
  })

  it('ends quietly when its reader has seen enough', async () => {
    const command = start(['get', '-q', `${server.origin}/large`], folder)
    await once(command.child.stdout!, 'data')
    command.child.stdout!.destroy()
    expect((await command.outcome()).stderr).toBe('')
  })
})

describe('httpio get into files', () => {
  it('writes each under the path of its URL', async () => {
    const urls = ['/a', '/b/c', '/b/d/', '/q?x=1'].map(path => server.origin + path)
    const { status, stdout, stderr } = await run(['get', '-o', 'out', ...urls], folder)
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(stderr).toMatch(/^4 of 4 fetched; /)
    expect(filesIn(join(folder, 'out'))).toEqual(['a', 'b/c', 'b/d/index.html', 'q?x=1'])
    expect(readFileSync(join(folder, 'out/b/c'), 'utf8')).toBe('body of /b/c')
  })

  it('makes no file of a status other than 2xx, and leaves nothing behind', async () => {
    const { status, stderr } = await run(
      ['get', '-o', 'out', `${server.origin}/a`, `${server.origin}/missing`, `${server.origin}/moved`],
      folder,
    )
    expect(status).toBe(2)
    expect(stderr).toContain(`${server.origin}/missing: status 404 Not Found\n`)
    expect(stderr).toContain(`${server.origin}/moved: status 301, which leads to /there: fetch that\n`)
    expect(stderr).toContain('1 of 3 fetched, 2 failed; ')
    expect(filesIn(join(folder, 'out'))).toEqual(['a'])
  })

  it('tells of each URL by a line of JSON', async () => {
    const { status, stdout } = await run(
      ['get', '--json', '-q', '-o', 'out', `${server.origin}/a`, `${server.origin}/missing`],
      folder,
    )
    expect(status).toBe(2)
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines.find(({ outcome }) => outcome === 'fetched')).toEqual({
      url: `${server.origin}/a`,
      outcome: 'fetched',
      status: 200,
      file: 'out/a',
      bytes: 10,
      ms: expect.any(Number),
    })
    expect(lines.find(({ outcome }) => outcome === 'failed')).toEqual({
      url: `${server.origin}/missing`,
      outcome: 'failed',
      status: 404,
      error: 'status 404 Not Found',
      ms: expect.any(Number),
    })
  })

  it('fetches a large body on a connection of its own, and goes on where it was when that is lost', async () => {
    let cut = 0
    server.special = ({ url }, response) => {
      if (url !== '/large' || server.requests.length === 1 || cut++ > 0) return false
      response.writeHead(200, { 'Content-Length': LARGE.length, ETag: ETAG })
      response.write(LARGE.subarray(0, 9_000_000), () => response.destroy())
      return true
    }
    const { status } = await run(['get', '-o', 'out', `${server.origin}/large`], folder)
    expect(status).toBe(0)
    expect(readFileSync(join(folder, 'out/large')).equals(LARGE)).toBe(true)
    expect(filesIn(join(folder, 'out'))).toEqual(['large'])
    const { headers } = server.requests[server.requests.length - 1]
    expect(headers['if-range']).toBe(ETAG)
    expect(Number(/^bytes=(\d+)-$/.exec(headers.range!)![1])).toBeGreaterThan(0)
  })

  it('keeps a part with --resume, goes on with it, and leaves out what is whole', async () => {
    const args = [
      'get',
      '--resume',
      '--retries',
      '0',
      '-o',
      'out',
      `${server.origin}/large`,
      `${server.origin}/a`,
    ]
    server.special = ({ url }, response) => {
      if (url !== '/large' || server.requests.filter(request => request.url === '/large').length === 1)
        return false
      response.writeHead(200, { 'Content-Length': LARGE.length, ETag: ETAG })
      response.write(LARGE.subarray(0, 12_000_000), () => response.destroy())
      return true
    }
    expect((await run(args, folder)).status).toBe(2)
    expect(filesIn(join(folder, 'out'))).toEqual(['.large.httpio-part', '.large.httpio-part.json', 'a'])

    server.special = () => false
    server.requests.length = 0
    const { status, stderr } = await run(args, folder)
    expect(status).toBe(0)
    expect(stderr).toMatch(/^1 of 2 fetched, 1 already there; /)
    expect(server.requests.map(({ url, headers }) => [url, headers['if-range']])).toEqual([['/large', ETAG]])
    expect(readFileSync(join(folder, 'out/large')).equals(LARGE)).toBe(true)
    expect(filesIn(join(folder, 'out'))).toEqual(['a', 'large'])
  })

  it('begins anew when the part is of another version', async () => {
    writeFileSync(join(folder, '.large.httpio-part'), 'something else')
    const note = { url: `${server.origin}/large`, validator: '"v0"' }
    writeFileSync(join(folder, '.large.httpio-part.json'), JSON.stringify(note))
    expect((await run(['get', '--resume', '-o', '.', `${server.origin}/large`], folder)).status).toBe(0)
    expect(server.requests[0].headers['if-range']).toBe('"v0"')
    expect(readFileSync(join(folder, 'large')).equals(LARGE)).toBe(true)
  })

  it('refuses a part that does not fit what is there', async () => {
    writeFileSync(join(folder, '.large.httpio-part'), 'something')
    const note = { url: `${server.origin}/large`, validator: ETAG }
    writeFileSync(join(folder, '.large.httpio-part.json'), JSON.stringify(note))
    server.special = (_request, response) => {
      response.writeHead(206, { 'Content-Range': 'bytes 5-6/7', 'Content-Length': 2, ETag: ETAG }).end('xx')
      return true
    }
    const { status, stderr } = await run(['get', '--resume', '-o', '.', `${server.origin}/large`], folder)
    expect(status).toBe(2)
    expect(stderr).toContain('the server sent bytes from 5 on instead of 9: fetch it again without --resume')
    expect(existsSync(join(folder, 'large'))).toBe(false)
  })

  it('compares checksums, and keeps no file that has another', async () => {
    const sum = createHash('sha256').update('body of /a').digest('hex')
    const url = `${server.origin}/a`
    expect((await run(['get', '-o', 'good', '--checksum', `sha256:${sum}`, url], folder)).status).toBe(0)
    const wrong = `sha256:${sum.replace(/./g, '0')}`
    const { status, stderr } = await run(['get', '-o', 'bad', '--checksum', wrong, url], folder)
    expect(status).toBe(2)
    expect(stderr).toContain(`the checksum is sha256:${sum}, not the one given`)
    expect(filesIn(join(folder, 'bad'))).toEqual([])
  })

  it('sends again what was lost, and gives up as --retries says', async () => {
    let lost = 0
    server.special = ({ socket }) => {
      if (lost++ > 0) return false
      socket.destroy()
      return true
    }
    expect((await run(['get', '-o', 'out', `${server.origin}/{1..20}`], folder)).status).toBe(0)
    expect(filesIn(join(folder, 'out'))).toHaveLength(20)
    server.special = ({ socket }) => {
      socket.destroy()
      return true
    }
    server.requests.length = 0
    const { status, stderr } = await run(['get', '--retries', '1', '-o', 'out', `${server.origin}/x`], folder)
    expect(status).toBe(2)
    expect(stderr).toMatch(/\/x: .*: try again, or allow more --retries\n/)
    expect(server.requests).toHaveLength(2)
  })
})

describe('httpio get and its options', () => {
  it('sends headers and credentials', async () => {
    const args = ['-H', 'X-A: 1', '-H', 'Accept: text/plain', '-u', 'me:se:cret']
    await run(['get', ...args, `${server.origin}/a`], folder)
    expect(server.requests[0].headers).toMatchObject({
      'x-a': '1',
      accept: 'text/plain',
      authorization: `Basic ${Buffer.from('me:se:cret').toString('base64')}`,
    })
  })

  it('goes through a proxy', async () => {
    const { stdout } = await run(['get', '--proxy', server.origin, 'http://elsewhere.test/a'], folder)
    expect(stdout).toBe('body of http://elsewhere.test/a')
  })

  it('connects to a unix domain socket', async () => {
    const path = join(folder, 'socket')
    const unix = http.createServer((request, response) => response.end(request.headers.host))
    unix.listen(path)
    await once(unix, 'listening')
    const { stdout } = await run(['get', '--unix-socket', path, 'http://there.test/'], folder)
    expect(stdout).toBe('there.test')
    unix.closeAllConnections()
    unix.close()
  })

  it('gives up a URL after --max-time', async () => {
    server.special = () => true
    const { status, stderr } = await run(['get', '--max-time', '0.2', `${server.origin}/a`], folder)
    expect(status).toBe(2)
    expect(stderr).toBe(`httpio: ${server.origin}/a: it took longer than --max-time allows\n`)
  })

  it.each([
    [[], 'nothing to fetch: give URLs, or a list of them with --input'],
    [['example.org'], '"example.org" is no URL of http:// or https://'],
    [['--flat', 'http://h/'], '--flat needs --output-dir'],
    [['--json', 'http://h/'], '--json needs --output-dir'],
    [['--depth', '0', 'http://h/'], "option '-p, --depth <number>' argument '0' is invalid"],
    [['--header', 'nonsense', 'http://h/'], '--header wants "Name: value"'],
    [['--header', 'A: \u0001', 'http://h/'], '--header "A: '],
    [['--cacert', 'not-there', 'http://h/'], '--cacert not-there cannot be read'],
    [['--proxy', 'socks5://h', 'http://h/'], '--proxy wants a URL'],
    [['-o', 'out', 'http://h/a', 'http://h/a'], 'would both become out/a'],
    [['--nonsense'], "unknown option '--nonsense'"],
  ])('refuses %j in one line, with status 1', async (args, message) => {
    const { status, stdout, stderr } = await run(['get', ...args], folder)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr.match(/\n/g)).toHaveLength(1)
  })

  it('exits with 3 when nothing listens', async () => {
    const { origin } = server
    await server.close()
    const { status, stderr } = await run(['get', '--retries', '0', '-o', 'out', `${origin}/{1..3}`], folder)
    expect(status).toBe(3)
    expect(stderr).toContain(
      `httpio: ${origin}/1: nothing listens there: is the server running, and the port right?\n`,
    )
    expect(stderr).toContain('0 of 3 fetched, 3 failed; ')
    server = await new Server().listen()
  })
})

describe('httpio get and its user', () => {
  it('shows a line that moves on a terminal, and none in a pipe', async () => {
    let release = (): void => {}
    server.special = ({ url }, response) => {
      if (url !== '/20') return false
      release = () => response.end('late')
      return true
    }
    const args = ['get', '-o', 'out', `${server.origin}/{1..20}`]
    const shown = await shownUntil(startOnTerminal(args, folder), '19 of 20', () => release())
    expect(shown).toContain('19 of 20')
    expect(shown).toContain('20 of 20 fetched; ')
    server.special = () => false
    const { stderr } = await run(args, folder)
    expect(stderr).not.toContain('%')
    expect(stderr.match(/\n/g)).toHaveLength(1)
  })

  it('shows a line for each large body on a terminal', async () => {
    let release = (): void => {}
    server.special = ({ url }, response) => {
      if (url !== '/large' || server.requests.length === 1) return false
      response.writeHead(200, { 'Content-Length': LARGE.length })
      response.write(LARGE.subarray(0, 10_000_000))
      release = () => response.end(LARGE.subarray(10_000_000))
      return true
    }
    const line = `10.0 MB of 20.0 MB | ${server.origin}/large`
    const shown = await shownUntil(
      startOnTerminal(['get', '-o', 'out', `${server.origin}/large`], folder),
      line,
      () => release(),
    )
    expect(shown).toContain(line)
    expect(shown).toContain('1 of 1 fetched; ')
  })

  it('tells at Ctrl-C what there is, and leaves no part of a file', async () => {
    server.special = ({ url }) => url === '/3'
    const command = start(['get', '-p', '1', '-c', '1', '-o', 'out', `${server.origin}/{1..4}`], folder)
    while (!server.requests.some(({ url }) => url === '/3'))
      await new Promise(resolve => setImmediate(resolve))
    command.child.kill('SIGINT')
    const { status, stderr } = await command.outcome()
    expect(status).toBe(2)
    expect(stderr).toMatch(/^2 of 4 fetched, 2 not tried any more; /)
    expect(filesIn(join(folder, 'out'))).toEqual(['1', '2'])
  })
})
