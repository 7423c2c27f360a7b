// `httpio get --resume`, and what is kept for it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ETAG, FileServer, filesIn, LARGE } from '../support/file-server'
import { run, temporaryFolder } from '../support/program'

let server: FileServer
let cwd: string
beforeEach(async () => {
  server = await new FileServer().listen()
  cwd = temporaryFolder()
})

/** As an earlier run would have left it. */
function leavePart(bytes: string | Buffer, validator: string): void {
  writeFileSync(join(cwd, '.large.httpio-part'), bytes)
  const note = { url: `${server.origin}/large`, validator }
  writeFileSync(join(cwd, '.large.httpio-part.json'), JSON.stringify(note))
}

/** From now on /large is cut off after `bytes`. */
function cutAfter(bytes: number): void {
  server.special = ({ url }, response) => {
    if (url !== '/large') return false
    response.writeHead(200, { 'Content-Length': LARGE.length, ETag: ETAG })
    response.write(LARGE.subarray(0, bytes), () => response.destroy())
    return true
  }
}

const resume = () => run(['get', '--resume', '-o', '.', `${server.origin}/large`], { cwd })
const isWhole = () => readFileSync(join(cwd, 'large')).equals(LARGE)

describe('httpio get --resume', () => {
  it('keeps a part, goes on with it, and leaves out what is whole', async () => {
    const args = ['get', '--resume', '--retries', '0', '-c', '1', '-p', '1', '-o', '.']
    const urls = [`${server.origin}/a`, `${server.origin}/large`]
    cutAfter(12_000_000)
    expect((await run([...args, ...urls], { cwd })).status).toBe(2)
    expect(filesIn(cwd)).toEqual(['.large.httpio-part', '.large.httpio-part.json', 'a'])

    server.special = () => false
    server.requests.length = 0
    const { status, stderr } = await run([...args, ...urls], { cwd })
    expect(status).toBe(0)
    expect(stderr).toMatch(/^1 of 2 fetched, 1 already there; /)
    expect(server.requests.map(({ url, headers }) => [url, headers['if-range']])).toEqual([['/large', ETAG]])
    expect(isWhole()).toBe(true)
    expect(filesIn(cwd)).toEqual(['a', 'large'])
  })

  it('connects to nobody when everything is there', async () => {
    writeFileSync(join(cwd, 'large'), 'there')
    const { status, stderr } = await resume()
    expect(status).toBe(0)
    expect(stderr).toMatch(/^0 of 1 fetched, 1 already there; 0 B in [\d.]+ s over 0 connections\n$/)
    expect(server.connections).toBe(0)
  })

  it('begins anew when the part is of another version', async () => {
    leavePart('something else', '"v0"')
    expect((await resume()).status).toBe(0)
    expect(server.requests[0].headers).toMatchObject({ 'if-range': '"v0"', range: 'bytes=14-' })
    expect(isWhole()).toBe(true)
  })

  it('begins anew when the part is of another URL, or nothing is known of it', async () => {
    leavePart('something else', ETAG)
    writeFileSync(join(cwd, '.large.httpio-part.json'), JSON.stringify({ url: 'http://h/', validator: ETAG }))
    expect((await resume()).status).toBe(0)
    expect(server.requests[0].headers.range).toBe(undefined)
    expect(isWhole()).toBe(true)
  })

  it('makes the file of a part that lacked nothing', async () => {
    leavePart(LARGE, ETAG)
    server.special = (_request, response) => {
      response.writeHead(416, { 'Content-Range': `bytes */${LARGE.length}` }).end('no such range')
      return true
    }
    expect((await resume()).status).toBe(0)
    expect(server.requests[0].headers.range).toBe(`bytes=${LARGE.length}-`)
    expect(isWhole()).toBe(true)
    expect(filesIn(cwd)).toEqual(['large'])
  })

  it.each([
    ['another beginning', 206, 'bytes 5-6/7', 'the server sent bytes from 5 on instead of 9'],
    ['not the end', 206, 'bytes 9-10/20', 'the server did not send all of the rest'],
    ['an end before the part', 416, 'bytes */5', 'the file has become shorter'],
  ])('refuses a part with %s, and forgets it', async (_name, status, range, message) => {
    leavePart('something', ETAG)
    server.special = (_request, response) => {
      response.writeHead(status, { 'Content-Range': range, 'Content-Length': 2, ETag: ETAG }).end('xx')
      return true
    }
    const result = await resume()
    expect(result.status).toBe(2)
    expect(result.stderr).toContain(message)
    expect(existsSync(join(cwd, 'large'))).toBe(false)
    expect(filesIn(cwd)).toEqual([])
  })

  it('keeps no part without a checksum that fits', async () => {
    leavePart(LARGE.subarray(0, 9), ETAG)
    const wrong = `sha256:${'0'.repeat(64)}`
    const args = ['get', '--resume', '--checksum', wrong, '-o', '.', `${server.origin}/large`]
    expect((await run(args, { cwd })).status).toBe(2)
    expect(filesIn(cwd)).toEqual([])
  })
})

describe('httpio get without --resume', () => {
  it('goes on where a large body was when its connection is lost', async () => {
    cutAfter(9_000_000)
    const cutting = server.special
    server.special = (request, response) => server.requests.length === 1 && cutting(request, response)
    expect((await run(['get', '-o', '.', `${server.origin}/large`], { cwd })).status).toBe(0)
    expect(isWhole()).toBe(true)
    expect(filesIn(cwd)).toEqual(['large'])
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1].headers['if-range']).toBe(ETAG)
    expect(Number(/^bytes=(\d+)-$/.exec(server.requests[1].headers.range!)![1])).toBeGreaterThan(0)
  })

  it('is not tired by connections that are lost as long as each brings it on', async () => {
    server.special = ({ headers }, response) => {
      const from = Number(/\d+/.exec(headers.range ?? '')?.[0] ?? 0)
      const until = Math.min(LARGE.length, from + 5_000_000)
      response.writeHead(from === 0 ? 200 : 206, {
        'Content-Length': LARGE.length - from,
        'Content-Range': `bytes ${from}-${LARGE.length - 1}/${LARGE.length}`,
        ETag: ETAG,
      })
      response.write(LARGE.subarray(from, until), () => until < LARGE.length && response.destroy())
      return true
    }
    const args = ['get', '--retries', '1', '-o', '.', `${server.origin}/large`]
    expect((await run(args, { cwd })).status).toBe(0)
    expect(isWhole()).toBe(true)
    expect(server.requests.length).toBeGreaterThanOrEqual(4)
  })

  it('keeps no part', async () => {
    cutAfter(12_000_000)
    const args = ['get', '--retries', '0', '-o', '.', `${server.origin}/large`]
    expect((await run(args, { cwd })).status).toBe(2)
    expect(filesIn(cwd)).toEqual([])
  })
})
