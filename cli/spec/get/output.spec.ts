// `httpio get` to the standard output.
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { ETAG, FileServer, LARGE } from '../support/file-server'
import { httpio, run, start } from '../support/program'
import { serveRaw, type TestServer } from '../support/servers'

let server: FileServer
beforeEach(async () => {
  server = await new FileServer().listen()
})

describe('httpio get to the standard output', () => {
  it('writes one body, and nothing else', async () => {
    expect(await httpio('get', `${server.origin}/a`)).toEqual({ status: 0, stdout: 'body of /a', stderr: '' })
    expect(server.requests[0].headers).toMatchObject({
      'user-agent': 'httpio-get',
      'accept-encoding': 'identity',
    })
  })

  it('writes many in their order, over few connections', async () => {
    const { status, stdout, stderr } = await httpio('get', '-c', '2', `${server.origin}/{1..500}`)
    expect(stdout).toBe(Array.from({ length: 500 }, (_, i) => `body of /${i + 1}`).join(''))
    expect(status).toBe(0)
    expect(stderr).toMatch(/^500 of 500 fetched; 5\.89 kB in [\d.]+ s over [12] connections?\n$/)
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  it('keeps the order of the URLs over several origins, and when the first answer comes last', async () => {
    const other = await new FileServer().listen()
    server.special = ({ url }, response) => {
      if (url !== '/1') return false
      void other.asked('/4').then(() => response.end('first'))
      return true
    }
    const urls = [`${server.origin}/1`, `${other.origin}/2`, `${server.origin}/3`, `${other.origin}/4`]
    const { status, stdout } = await httpio('get', '-q', '-c', '1', ...urls)
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'firstbody of /2body of /3body of /4' })
  })

  it('keeps the order when one in between fails', async () => {
    server.special = ({ url }, response) => {
      if (url !== '/slow') return false
      // What is asked for then is so because the one before has failed.
      void server.asked('/last').then(() => response.end('slow, '))
      return true
    }
    const urls = ['/slow', '/a', '/missing', '/last'].map(path => server.origin + path)
    const { status, stdout } = await httpio('get', '-q', '--fail', '-c', '2', '-p', '1', ...urls)
    expect({ status, stdout }).toEqual({ status: 2, stdout: 'slow, body of /abody of /last' })
  })

  it('takes thousands of URLs from the standard input', async () => {
    const input = Array.from({ length: 3000 }, (_, i) => `${server.origin}/${i}\n`).join('')
    const { status, stdout, stderr } = await run(['get', '-q', '-i', '-'], { input })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toBe(Array.from({ length: 3000 }, (_, i) => `body of /${i}`).join(''))
  })

  it('writes the body of another status, too, unless --fail, and exits with 2', async () => {
    const url = `${server.origin}/missing`
    const stderr = `httpio: ${url}: status 404 Not Found\n`
    expect(await httpio('get', url)).toEqual({ status: 2, stdout: 'not here', stderr })
    expect(await httpio('get', '--fail', url)).toEqual({ status: 2, stdout: '', stderr })
  })

  it('writes large bodies as they come, each once asked for, and what is between them in its place', async () => {
    const { origin } = server
    const urls = [`${origin}/a`, `${origin}/large`, `${origin}/b`, `${origin}/large`, `${origin}/c`]
    const { status, stdout } = await httpio('get', '-c', '2', ...urls)
    expect(status).toBe(0)
    const large = LARGE.toString()
    expect(stdout === `body of /a${large}body of /b${large}body of /c`).toBe(true)
    expect(server.requests).toHaveLength(5)
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  it('goes on where a large body was when its connection is lost', async () => {
    server.special = (_request, response) => {
      if (server.requests.length > 1) return false
      response.writeHead(200, { 'Content-Length': LARGE.length, ETag: ETAG })
      response.write(LARGE.subarray(0, 12_000_000), () => response.destroy())
      return true
    }
    const { status, stdout } = await httpio('get', `${server.origin}/large`)
    expect(status).toBe(0)
    expect(stdout === LARGE.toString()).toBe(true)
    expect(server.requests[1].headers['if-range']).toBe(ETAG)
  })

  it('gives a connection up that waits for its turn when what comes before can go out on no other', async () => {
    const large = 'x'.repeat(3_000_000)
    let first: Socket | null = null
    const open = new Set<Socket>()
    const server: TestServer = await serveRaw((socket, _index, head) => {
      const [, path] = head.split(' ')
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      first ??= socket
      // The first connection is lost once the second one has answered, and while that is open there is no other.
      if (path === '/1' && socket === first) return
      if (server.connections > 2 && open.size > 1) return socket.destroy()
      const body = path === '/2' ? large : path
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      if (path === '/2') first.destroy()
    })
    const args = ['get', '-q', '-c', '2', '-p', '1', '--retries', '9', `${server.origin}/{1..3}`]
    const { status, stdout } = await httpio(...args)
    expect(status).toBe(0)
    expect(stdout === `/1${large}/3`).toBe(true)
  })

  it('says so when it cannot go on where a large body was', async () => {
    server.special = (_request, response) => {
      response.writeHead(200, { 'Content-Length': LARGE.length })
      response.write(LARGE.subarray(0, 12_000_000), () => response.destroy())
      return true
    }
    const url = `${server.origin}/large`
    const { status, stderr } = await httpio('get', url)
    expect(status).toBe(2)
    expect(stderr).toBe(
      `httpio: ${url}: the connection was lost, and the server does not go on where it was\n`,
    )
  })

  it('compares the checksum of what it writes, however large', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`
    const small = await httpio('get', '--checksum', wrong, `${server.origin}/a`)
    expect(small).toMatchObject({ status: 2, stdout: '' })
    expect(small.stderr).toContain(', not the one given')
    const large = await httpio('get', '--checksum', wrong, `${server.origin}/large`)
    expect(large.status).toBe(2)
    expect(large.stderr).toContain(', not the one given')
  })

  it('ends quietly when its reader has seen enough', async () => {
    const { child, finished } = start(['get', `${server.origin}/large`, `${server.origin}/{1..500}`])
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    expect(await finished).toMatchObject({ status: 0, stderr: '' })
  })

  it('says in one line that nothing more can be written', async () => {
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = await run(['get', `${server.origin}/a`], { stdout: full })
    closeSync(full)
    expect(status).toBe(2)
    expect(stderr).toBe('httpio: the standard output cannot be written: the disk is full\n')
  })
})
