// The programs in docs/examples, run as their readers run them, against servers that look at what comes over the wire.
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { behaved, type Behaviour, type BehavedServer } from './support/clients'
import { example, root, Running } from './support/examples'
import { Loopback } from './support/loopback'
import { ok } from './support/reading'

// Each is a process that has to start.
jest.setTimeout(120_000)

/** Where nobody listens. */
async function nowhere(): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}/`
}

/** Answers nothing before so many requests have arrived, on all connections together; then each. Strings are latin1. */
function answeredTogether(many: number, answerOf: (path: string) => string): Behaviour {
  let waiting: (() => void)[] | null = []
  return ({ path }, socket) => {
    const write = (): void => void socket.write(answerOf(path), 'latin1')
    if (waiting === null) return write()
    waiting.push(write)
    if (waiting.length < many) return
    for (const answer of waiting) answer()
    waiting = null
  }
}

const html = (body: string, type = 'text/html; charset=utf-8'): string =>
  ok(body, `Content-Type: ${type}\r\n`)
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnone'

describe('every example', () => {
  const pages = readdirSync(path.join(root, 'docs/examples'))
  const readme = readFileSync(path.join(root, 'docs/examples/README.md'), 'utf8')

  it('is in the index', () => {
    for (const name of pages.filter(name => name !== 'README.md')) expect(readme).toContain(name)
  })

  it('runs by the command that the index gives, against the site that the index names', async () => {
    const commands = Array.from(readme.matchAll(/^npx tsx (.*)$/gm), ([, command]) => command)
    const [site, ...others] = commands
    expect(others).toHaveLength(5)
    const running = new Running([...site.split(' '), '0'])
    const [origin] = (await running.prints('\n')).split('\n')
    for (const command of others) {
      const words = command.replaceAll('http://127.0.0.1:8080/', origin).split(' ')
      // A link of the site leads nowhere.
      const status = command.includes('crawl') ? 2 : 0
      expect(await new Running(words).ended).toMatchObject({ status, stderr: '' })
    }
  })

  it.each(['pipelined-gets', 'upload', 'links', 'crawl'])(
    '%s exits with 1 without arguments, and with 3 where nobody listens',
    async name => {
      const url = await nowhere()
      const args = name === 'upload' ? ['README.md', url] : [url]
      const [bad, refused] = await Promise.all([example(`${name}.mts`), example(`${name}.mts`, ...args)])
      expect(bad.status).toBe(1)
      expect(bad.stderr).toMatch(new RegExp(`^usage: ${name}\\.mts `))
      expect(refused.status).toBe(3)
      expect(refused.stderr).toContain('ECONNREFUSED')
    },
  )
})

describe('pipelined-gets.mts', () => {
  const news = ['news/1', 'news/2', 'news/3']

  it('has all requests on the wire before the first answer, and prints each answer', async () => {
    const server = await behaved(answeredTogether(4, path => (path === '/news/2' ? NOT_FOUND : ok(path))))
    expect(await example('pipelined-gets.mts', `${server.origin}/`, ...news)).toEqual({
      status: 2,
      stdout: [
        '200        1 bytes  /',
        '200        7 bytes  /news/1',
        '404        4 bytes  /news/2',
        '200        7 bytes  /news/3\n',
      ].join('\n'),
      stderr: '',
    })
    // One connection, and all in one segment.
    expect(server.portions).toEqual([[['/', '/news/1', '/news/2', '/news/3']]])
  })

  it('asks again, one after the other, for what a lost connection did not answer', async () => {
    const server = await behaved(({ path, count }, socket) => {
      const isFirst = server.portions.length === 1
      if (isFirst && count === 2) socket.end(ok(path))
      else if (!isFirst || count < 2) socket.write(ok(path))
    })
    const { status, stdout } = await example('pipelined-gets.mts', `${server.origin}/`, ...news)
    expect(status).toBe(0)
    expect(stdout.match(/\/.*$/gm)).toEqual(['/', '/news/1', '/news/2', '/news/3'])
    expect(server.portions).toEqual([[['/', '/news/1', '/news/2', '/news/3']], [['/news/2'], ['/news/3']]])
  })

  it('gives up on a server that does nothing but close', async () => {
    const server = await behaved((_request, socket) => socket.end())
    const { status, stderr } = await example('pipelined-gets.mts', `${server.origin}/`, ...news)
    expect(status).toBe(2)
    expect(stderr).toContain('no answer to / /news/1 /news/2 /news/3')
    expect(server.asked).toHaveLength(4)
  })

  it('takes URLs of one server only', async () => {
    expect(await example('pipelined-gets.mts', 'http://a.test/', 'http://b.test/')).toMatchObject({
      status: 1,
    })
  })
})

describe('upload.mts', () => {
  const BYTES = 300_000
  let folder: string
  let file: string
  let server: Loopback
  beforeEach(async () => {
    server = await Loopback.tcp()
    folder = mkdtempSync(path.join(os.tmpdir(), 'httpio-spec-'))
    file = path.join(folder, 'file')
    writeFileSync(file, Buffer.alloc(BYTES, 'x'))
  })
  afterEach(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  /** Starts an upload, and reads what comes before the server has said anything: the head. */
  async function uploading(): Promise<{ ended: Running['ended']; socket: net.Socket; head: string }> {
    const target = `http://127.0.0.1:${server.port}/store/1`
    // However long this machine takes to say 100, the body is not sent before.
    const { ended } = new Running(['docs/examples/upload.mts', file, target, '600000'])
    const socket = await server.next()
    let head = ''
    while (!head.endsWith('\r\n\r\n')) head += String((await once(socket, 'data'))[0])
    return { ended, socket, head }
  }

  it('sends the body only after 100', async () => {
    const { ended, socket, head } = await uploading()
    expect(head.split('\r\n')).toEqual([
      'PUT /store/1 HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      'Accept-Encoding: identity',
      'Content-Type: application/octet-stream',
      `Content-Length: ${BYTES}`,
      'Expect: 100-continue',
      '',
      '',
    ])
    let received = 0
    const whole = new Promise<void>(resolve =>
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received === BYTES) resolve()
      }),
    )
    expect(received).toBe(0)
    socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    await whole
    socket.write('HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nthere')
    expect(await ended).toEqual({
      status: 0,
      stdout: `201 Created: ${BYTES} bytes sent. there\n`,
      stderr: '',
    })
    expect(received).toBe(BYTES)
  })

  it('sends nothing of a body that is refused', async () => {
    const { ended, socket } = await uploading()
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much')
    expect(await ended).toEqual({
      status: 2,
      stdout: '',
      stderr: '413 Content Too Large, nothing of the body was sent. too much\n',
    })
    expect(Buffer.concat(received).toString()).toBe('')
  })

  it('shows the answer of a server that closes in the middle of the body', async () => {
    // More than the buffers between the two take.
    truncateSync(file, 64 * 1024 * 1024)
    const { ended, socket } = await uploading()
    socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!')
    expect(await ended).toEqual({
      status: 2,
      stdout: '',
      stderr: '403 Forbidden, a part was sent. no!\n',
    })
  })

  it('says so when the connection is lost without an answer', async () => {
    const { ended, socket } = await uploading()
    socket.destroy()
    const { status, stderr } = await ended
    expect(status).toBe(2)
    expect(stderr).toContain('may not have been stored: ConnectionClosed')
  })

  it('takes no file that is not there', async () => {
    const outcome = await example('upload.mts', path.join(folder, 'none'), `http://127.0.0.1:${server.port}/`)
    expect(outcome).toMatchObject({ status: 1, stdout: '' })
    expect(outcome.stderr).toContain('ENOENT')
  })
})

describe('links.mts', () => {
  let loopback: Loopback
  beforeEach(async () => {
    loopback = await Loopback.tcp()
  })
  afterEach(() => loopback.close())

  it('has all requests on the wire before the first answer, and prints the links of each page', async () => {
    const bodies: Record<string, string> = {
      '/': html('<a href="news/1">1</a><A class=x HREF=/2>2</A><!-- <a href="no"> --><area href="#here">'),
      '/base': html(
        '<base href="http://other.test/dir/"><a href="x">x</a><a>none</a><a href="http://">bad</a>',
      ),
      '/latin1': html('<a href="/caf\xe9">\xe9</a>', 'text/html; charset="ISO-8859-1"'),
      '/odd': html('<p><a href=/odd>', 'text/html; charset=klingon'),
      '/data': ok('{}', 'Content-Type: application/json\r\n'),
    }
    const server = await behaved(answeredTogether(6, path => bodies[path] ?? NOT_FOUND))
    const { origin } = server
    const pages = ['base', 'latin1', 'odd', 'data', 'none']
    const { status, stdout, stderr } = await example('links.mts', `${origin}/`, ...pages)
    expect(stdout.split('\n')).toEqual([
      `${origin}/ -> ${origin}/news/1`,
      `${origin}/ -> ${origin}/2`,
      `${origin}/ -> ${origin}/#here`,
      `${origin}/base -> http://other.test/dir/x`,
      `${origin}/latin1 -> ${origin}/caf%C3%A9`,
      `${origin}/odd -> ${origin}/odd`,
      '',
    ])
    expect(stderr.split('\n')).toEqual([
      `${origin}/data: 200 OK, application/json`,
      `${origin}/none: 404 Not Found, text/plain`,
      '',
    ])
    expect(status).toBe(2)
    expect(server.portions).toHaveLength(1)
    expect(server.portions[0][0].length).toBeGreaterThan(1)
  })

  it('prints the links of a page while the rest of it is still to come', async () => {
    const program = new Running(['docs/examples/links.mts', `http://127.0.0.1:${loopback.port}/`])
    const socket = await loopback.next()
    await once(socket, 'data')
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n')
    socket.write('19\r\n<a href="/early">1</a><a \r\n')
    await program.prints('/early\n')
    socket.write('e\r\nhref="/late"> \r\n0\r\n\r\n')
    const { status, stdout } = await program.ended
    expect(status).toBe(0)
    expect(stdout.match(/\/\w+$/gm)).toEqual(['/early', '/late'])
  })

  it('says where it stopped when the connection is lost', async () => {
    const server = await behaved(({ path, count }, socket) => {
      if (count === 1) socket.write(html(`<a href="${path}">`))
      else
        socket.end(
          'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<a href="/half">',
        )
    })
    const { origin } = server
    const { status, stdout, stderr } = await example('links.mts', `${origin}/`, '2', '3')
    expect(stdout).toBe(`${origin}/ -> ${origin}/\n${origin}/2 -> ${origin}/half\n`)
    expect(stderr).toContain(`stopped at ${origin}/2, page 2 of 3: ConnectionClosed`)
    expect(status).toBe(2)
  })
})

describe('prices.test.mts', () => {
  it('passes', async () => {
    const { status, stdout } = await new Running(['--test', 'docs/examples/prices.test.mts']).ended
    expect(stdout).toMatch(/pass 4\n.*fail 0\n/)
    expect(status).toBe(0)
  })
})

describe('crawl.mts', () => {
  const links = (...hrefs: string[]): string =>
    html(hrefs.map(href => `<a href="${href}">${href}</a>`).join(' '))
  /** Twelve pages behind the first, which lead to each other, away, and to one that is not there. */
  const answerOf = (path: string): string => {
    if (path === '/')
      return links(...Array.from({ length: 12 }, (_, n) => `page/${n}`), '/', '#top', 'page/1#part')
    if (path === '/gone') return NOT_FOUND
    if (path === '/moved')
      return 'HTTP/1.1 301 Moved Permanently\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n'
    return path === '/new'
      ? ok('text')
      : links('/', 'http://other.test/', 'mailto:me@a.test', '../gone', '/moved', '3')
  }
  const asked = (server: BehavedServer): string[] => server.asked.flat().sort()

  it('asks for each page once, deeper than one request a connection, and prints what came of them', async () => {
    const rest = answeredTogether(12, answerOf)
    const server = await behaved((request, socket) => {
      if (request.path === '/') socket.write(answerOf('/'))
      else rest(request, socket)
    })
    const { status, stdout, stderr } = await example('crawl.mts', server.origin)
    expect(stderr).toBe('')
    expect(stdout.split('\n').map(line => line.replace(/\s+/g, ' '))).toEqual([
      '200 14',
      '301 1',
      '404 1',
      expect.stringMatching(
        /^16 pages over [1-4] connections: 16 requests written, 0 of them again; \d+ bytes received$/,
      ),
      '',
    ])
    expect(status).toBe(2)
    const pages = Array.from({ length: 12 }, (_, n) => `/page/${n}`)
    expect(asked(server)).toEqual(['/', ...pages, '/gone', '/moved', '/new'].sort())
    // The twelve were all on the wire before any was answered.
    expect(server.portions.length).toBeLessThanOrEqual(4)
  })

  it('asks for no more pages than it may', async () => {
    const server = await behaved(({ path }, socket) => socket.write(answerOf(path)))
    const { status, stdout } = await example('crawl.mts', server.origin, '5')
    expect(stdout).toContain('5 pages over')
    expect(status).toBe(0)
    expect(asked(server)).toEqual(['/', '/page/0', '/page/1', '/page/2', '/page/3'])
  })

  it('tells requests that were sent again, and pages that got no answer', async () => {
    let hasClosed = false
    const server = await behaved(({ path }, socket) => {
      if (path === '/page/3') return void socket.write('HTTP/1.0 200 OK\r\n\r\n')
      if (path !== '/page/1' || hasClosed) return void socket.write(answerOf(path))
      hasClosed = true
      socket.end()
    })
    const { status, stdout, stderr } = await example('crawl.mts', server.origin, '6')
    expect(stdout).toMatch(/^200 +5\nERR_HTTPIO_UNSUPPORTED_RESPONSE +1\n6 pages /)
    expect(stdout).toMatch(/ [1-9]\d* of them again/)
    expect(stderr).toContain(`${server.origin}/page/3: UnsupportedResponse`)
    expect(status).toBe(2)
  })
})
