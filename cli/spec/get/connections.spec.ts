// How `httpio get` uses connections, as the server sees it.
import type { Socket } from 'node:net'
import { FileServer, filesIn, LARGE } from '../support/file-server'
import { httpio, run, start, temporaryFolder } from '../support/program'
import { freePort, serveRaw, serveSockets } from '../support/servers'

const ok = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
const pathOf = (head: string): string => head.split(' ')[1]

/** Answers /silent never, and what is behind it on its connection neither. */
const serveSilent = () => {
  const silent = new Set<Socket>()
  return serveRaw((socket, _index, head) => {
    if (pathOf(head) === '/silent') silent.add(socket)
    if (!silent.has(socket)) socket.write(ok(pathOf(head)))
  })
}

describe('the connections of httpio get', () => {
  it('are --connections at most, with --depth requests on the wire of each', async () => {
    const waiting = new Map<Socket, string[]>()
    let most = 0
    // Nobody is answered before all places are taken, or nothing is left.
    const server = await serveRaw((socket, index, head) => {
      const held = waiting.get(socket) ?? []
      held.push(ok(pathOf(head)))
      waiting.set(socket, held)
      most = Math.max(most, held.length)
      if (index === 0 && waiting.size < 3) return
      const places = Array.from(waiting.values()).reduce((sum, { length }) => sum + length, 0)
      if (places < 12 && index < 4) return
      for (const [each, answers] of waiting) each.write(answers.splice(0).join(''))
    })
    const { status, stdout } = await httpio('get', '-q', '-c', '3', '-p', '4', `${server.origin}/{1..60}`)
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: Array.from({ length: 60 }, (_, i) => `/${i + 1}`).join(''),
    })
    expect(server.connections).toBe(3)
    expect(most).toBe(4)
  })

  it('get one long body each, before any gets two', async () => {
    const server = await new FileServer().listen()
    const asked: (Socket | null)[] = []
    const release: (() => void)[] = []
    // Nobody is answered before all have been asked for.
    server.special = ({ socket }, response) => {
      asked.push(socket)
      release.push(() => response.end(LARGE))
      if (release.length >= 6) for (const answer of release) answer()
      return true
    }
    const cwd = temporaryFolder()
    const { status } = await run(['get', '-c', '3', '-o', 'out', `${server.origin}/large{1..6}`], { cwd })
    expect(status).toBe(0)
    const socketOf = (n: number) => asked[server.requests.findIndex(({ url }) => url === `/large${n}`)]
    expect(new Set([1, 2, 3].map(socketOf)).size).toBe(3)
  })

  it('are no more for large bodies than for others, and each is asked for once', async () => {
    const server = await new FileServer().listen()
    server.special = ({ url }, response) => {
      if (url!.startsWith('/large')) response.end(LARGE)
      return url!.startsWith('/large')
    }
    const cwd = temporaryFolder()
    const args = ['get', '-c', '2', '-o', 'out', `${server.origin}/large{1..10}`, `${server.origin}/{1..10}`]
    const { status, stderr } = await run(args, { cwd })
    expect(status).toBe(0)
    expect(stderr).toMatch(/^20 of 20 fetched; 200 MB in [\d.]+ s over [12] connections?\n$/)
    expect(server.requests).toHaveLength(20)
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  it.each([
    ['announced', 'Connection: close\r\n'],
    ['not announced', ''],
  ])('are made anew when the server closes them every five answers, %s', async (_name, announcement) => {
    const server = await serveRaw((socket, index, head) => {
      if (index > 4) return
      socket.write(ok(pathOf(head), index === 4 ? announcement : ''))
      if (index === 4) socket.end()
    })
    const args = ['get', '-q', '-c', '1', '--retries', '0', `${server.origin}/{1..100}`]
    const { status, stdout } = await httpio(...args)
    expect(status).toBe(0)
    expect(stdout).toBe(Array.from({ length: 100 }, (_, i) => `/${i + 1}`).join(''))
    // What was behind on the first one is sent again; then it is known how many requests a connection takes.
    expect(server.received).toBeLessThanOrEqual(100 + 15 + 20)
  })

  it('carry one request alone after one was lost, until that is answered (RFC 9112 section 9.3.2)', async () => {
    const first: string[] = []
    const server = await serveRaw((socket, index, head) => {
      if (server.connections === 1) {
        if (index < 3) socket.write(ok(pathOf(head)))
        if (index === 2) socket.end()
        return
      }
      // All that leaves in one turn arrives in one.
      if (first.length === 0) setImmediate(() => socket.write(first.map(path => ok(path)).join('')))
      if (!socket.bytesWritten) first.push(pathOf(head))
      else socket.write(ok(pathOf(head)))
    })
    const { status, stdout } = await httpio('get', '-q', '-c', '1', '-p', '8', `${server.origin}/{1..20}`)
    expect(status).toBe(0)
    expect(stdout).toBe(Array.from({ length: 20 }, (_, i) => `/${i + 1}`).join(''))
    expect(first).toEqual(['/4'])
  })

  it('send again what was lost, and --retries says how often what was lost itself', async () => {
    const server = await serveRaw((socket, _index, head) => {
      if (pathOf(head) === '/bad') socket.destroy()
      else socket.write(ok(pathOf(head)))
    })
    const urls = ['/1', '/bad', '/2', '/3'].map(path => server.origin + path)
    const { status, stdout, stderr } = await httpio('get', '-c', '1', '--retries', '1', ...urls)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '/1/2/3' })
    expect(stderr).toMatch(/\/bad: [^\n]+: try again, or allow more --retries\n3 of 4 fetched/)
    expect(server.received).toBeLessThanOrEqual(10)
  })

  it('are no more than the server takes at once', async () => {
    let only: Socket | null = null
    const server = await serveRaw((socket, _index, head) => {
      only ??= socket
      if (socket === only) socket.write(ok(pathOf(head)))
      else socket.destroy()
    })
    const args = ['get', '-q', '-c', '4', '-p', '2', '--retries', '0', `${server.origin}/{1..200}`]
    const { status, stdout } = await httpio(...args)
    expect(status).toBe(0)
    expect(stdout).toBe(Array.from({ length: 200 }, (_, i) => `/${i + 1}`).join(''))
    expect(server.connections).toBeLessThanOrEqual(4)
  })

  it('are given up when nobody is ever answered, before every URL has been tried', async () => {
    const server = await serveRaw(socket => {
      socket.destroy()
    })
    const { status, stderr } = await httpio('get', '-p', '1', '--retries', '0', `${server.origin}/{1..100}`)
    expect(status).toBe(2)
    expect(stderr).toContain('0 of 100 fetched, 100 failed; ')
    expect(server.received).toBeLessThan(20)
  })

  it('are given up when nothing moves for --timeout', async () => {
    const server = await serveSilent()
    const { status, stdout, stderr } = await httpio(
      ...['get', '-c', '1', '--timeout', '2', '--retries', '1'],
      ...['/1', '/silent', '/2'].map(path => server.origin + path),
    )
    expect({ status, stdout }).toEqual({ status: 2, stdout: '/1/2' })
    expect(stderr).toMatch(/\/silent: [^\n]+: try again, or allow more with --timeout\n2 of 3 fetched/)
  })

  it('go on with the others when a URL has taken --max-time', async () => {
    const server = await serveSilent()
    const urls = ['/1', '/silent', '/2', '/3'].map(path => server.origin + path)
    const { status, stdout, stderr } = await httpio('get', '-c', '1', '--max-time', '5', ...urls)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '/1/2/3' })
    expect(stderr).toContain('/silent: it took longer than --max-time allows\n3 of 4 fetched, 1 failed; ')
  })

  it('are not waited for longer than --max-time', async () => {
    // TLS that is never spoken.
    const server = await serveSockets(() => undefined)
    const url = `https://127.0.0.1:${server.port}/`
    const { status, stderr } = await httpio('get', '--max-time', '0.3', url)
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: `httpio: ${url}: it took longer than --max-time allows\n`,
    })
  })

  it('are ended by a response that is none, for which its own URL fails', async () => {
    const server = await serveRaw((socket, _index, head) => {
      socket.write(pathOf(head) === '/bad' ? 'nonsense\r\n\r\n' : ok(pathOf(head)))
    })
    const urls = ['/1', '/bad', '/2'].map(path => server.origin + path)
    const { status, stdout, stderr } = await httpio('get', '-c', '1', ...urls)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '/1/2' })
    expect(stderr).toMatch(/^httpio: [^\n]+\/bad: [^\n]+\n2 of 3 fetched, 1 failed; [^\n]+\n$/)
  })

  it('are ended rather than read on for a long body that nobody wants', async () => {
    const server = await new FileServer().listen()
    server.special = ({ url }, response) => {
      if (url === '/large') response.writeHead(404, { 'Content-Length': LARGE.length }).end(LARGE)
      return url === '/large'
    }
    const args = ['get', '-c', '1', '--fail', `${server.origin}/large`, `${server.origin}/a`]
    const { status, stdout } = await httpio(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: 'body of /a' })
    expect(server.connections).toBe(2)
  })

  it('cannot be made: status 3, and a line for each URL', async () => {
    const origin = `http://127.0.0.1:${await freePort()}`
    const cwd = temporaryFolder()
    const args = ['get', '--retries', '1', '-o', 'out', `${origin}/{1..30}`]
    const { status, stderr } = await run(args, { cwd })
    const why = 'nothing listens there: is the server running, and the port right?'
    const lines = Array.from({ length: 20 }, (_, i) => `httpio: ${origin}/${i + 1}: ${why}\n`)
    expect(status).toBe(3)
    expect(stderr.startsWith(lines.join(''))).toBe(true)
    expect(stderr.slice(lines.join('').length)).toMatch(
      /^httpio: and 10 more failed: --json names every one\n0 of 30 fetched, 30 failed; 0 B in [^\n]+\n$/,
    )
  })

  it('to one origin do not stand in the way of those to another', async () => {
    const server = await new FileServer().listen()
    const nowhere = `http://127.0.0.1:${await freePort()}`
    const cwd = temporaryFolder()
    const { status, stderr } = await run(['get', '-o', 'out', `${nowhere}/x`, `${server.origin}/{1..5}`], {
      cwd,
    })
    expect(status).toBe(2)
    expect(stderr).toContain(`${nowhere}/x: nothing listens there`)
    expect(filesIn(cwd)).toHaveLength(5)
  })

  it('are closed when all is done, not only when the server has had enough', async () => {
    const server = await new FileServer().listen()
    const { finished } = start(['get', `${server.origin}/a`])
    await finished
    await server.abandoned()
    expect(server.connections).toBe(1)
  })
})
