// `httpio get --output-dir`.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FileServer, filesIn } from '../support/file-server'
import { run, start, temporaryFolder } from '../support/program'

let server: FileServer
let cwd: string
beforeEach(async () => {
  server = await new FileServer().listen()
  cwd = temporaryFolder()
})

describe('httpio get into files', () => {
  it('writes each under the path of its URL', async () => {
    const urls = ['/a', '/b/c', '/b/d/', '/q?x=1'].map(path => server.origin + path)
    const { status, stdout, stderr } = await run(['get', '-o', 'out', ...urls], { cwd })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(stderr).toMatch(/^4 of 4 fetched; /)
    expect(filesIn(join(cwd, 'out'))).toEqual(['a', 'b/c', 'b/d/index.html', 'q?x=1'])
    expect(readFileSync(join(cwd, 'out/b/c'), 'utf8')).toBe('body of /b/c')
  })

  it('writes all into one folder with --flat', async () => {
    const args = ['get', '-o', 'out', '--flat', `${server.origin}/x/a`, `${server.origin}/y/b`]
    expect((await run(args, { cwd })).status).toBe(0)
    expect(filesIn(join(cwd, 'out'))).toEqual(['a', 'b'])
  })

  it('makes no file of a status other than 2xx, and leaves nothing behind', async () => {
    const { origin } = server
    const { status, stderr } = await run(
      ['get', '-o', 'out', `${origin}/a`, `${origin}/missing`, `${origin}/moved`],
      { cwd },
    )
    expect(status).toBe(2)
    expect(stderr).toContain(`${origin}/missing: status 404 Not Found\n`)
    expect(stderr).toContain(`${origin}/moved: status 301, which leads to /there: fetch that\n`)
    expect(stderr).toContain('1 of 3 fetched, 2 failed; ')
    expect(filesIn(join(cwd, 'out'))).toEqual(['a'])
  })

  it('tells of each URL by a line of JSON', async () => {
    const { origin } = server
    const args = ['get', '--json', '-q', '-o', 'out', `${origin}/a`, `${origin}/missing`]
    const { status, stdout } = await run(args, { cwd })
    expect(status).toBe(2)
    const lines = stdout.trim().split('\n')
    const results = lines.map(line => JSON.parse(line) as { outcome: string })
    expect(results).toHaveLength(2)
    expect(results.find(({ outcome }) => outcome === 'fetched')).toEqual({
      url: `${origin}/a`,
      outcome: 'fetched',
      status: 200,
      file: 'out/a',
      bytes: 10,
      ms: expect.any(Number),
    })
    expect(results.find(({ outcome }) => outcome === 'failed')).toEqual({
      url: `${origin}/missing`,
      outcome: 'failed',
      status: 404,
      error: 'status 404 Not Found',
      ms: expect.any(Number),
    })
  })

  it('ends early, and leaves no part of a file, when nobody reads its lines of JSON any more', async () => {
    // The second is never answered: the first is the only line that can be written before the third.
    let release = (): void => {}
    server.special = ({ url }, response) => {
      if (url === '/2') release = () => response.end('late')
      return url === '/2' || url === '/4'
    }
    const args = ['get', '--json', '-q', '-c', '1', '-o', 'out', `${server.origin}/{1..4}`]
    const { child, finished } = start(args, { cwd })
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    await server.asked('/4')
    release()
    expect(await finished).toMatchObject({ status: 2, stderr: '' })
    expect(filesIn(join(cwd, 'out')).filter(name => !/^\d$/.test(name))).toEqual([])
  })

  it('compares checksums, and keeps no file that has another', async () => {
    const sum = createHash('sha256').update('body of /a').digest('hex')
    const url = `${server.origin}/a`
    const good = await run(['get', '-o', 'out', '--checksum', `sha256:${sum}`, url], { cwd })
    expect(good.status).toBe(0)
    const input = `${url} sha256:${sum}\n${server.origin}/b sha256:${sum}\n`
    const { status, stderr } = await run(['get', '-o', 'list', '-i', '-'], { cwd, input })
    expect(status).toBe(2)
    const other = createHash('sha256').update('body of /b').digest('hex')
    expect(stderr).toContain(`/b: the checksum is sha256:${other}, not the one given\n`)
    expect(filesIn(join(cwd, 'list'))).toEqual(['a'])
  })

  it('keeps what was there when the new version cannot be fetched', async () => {
    writeFileSync(join(cwd, 'missing'), 'before')
    await run(['get', '-o', '.', `${server.origin}/missing`], { cwd })
    expect(readFileSync(join(cwd, 'missing'), 'utf8')).toBe('before')
    expect(filesIn(cwd)).toEqual(['missing'])
  })

  it('names what stands in the way of a file, and writes the others', async () => {
    mkdirSync(join(cwd, 'a'))
    writeFileSync(join(cwd, 'b'), '')
    const { origin } = server
    const { status, stderr } = await run(['get', '-o', '.', `${origin}/a`, `${origin}/b/x`, `${origin}/c`], {
      cwd,
    })
    expect(status).toBe(2)
    expect(stderr).toContain(`httpio: ${origin}/a: there is a folder of that name\n`)
    expect(stderr).toContain(`httpio: ${origin}/b/x: a file of that name is where a folder should be\n`)
    expect(filesIn(cwd)).toEqual(['b', 'c'])
  })

  it('asks for nothing when files cannot be written there', async () => {
    const { status, stderr } = await run(['get', '-o', '/dev/null/out', `${server.origin}/a`], { cwd })
    expect(status).toBe(1)
    expect(stderr).toBe(
      'httpio: --output-dir /dev/null/out: a file of that name is where a folder should be\n',
    )
    expect(server.connections).toBe(0)
  })

  it('writes files whose names are as long as names may be', async () => {
    const name = 'n'.repeat(255)
    expect((await run(['get', '-o', '.', `${server.origin}/${name}`], { cwd })).status).toBe(0)
    expect(existsSync(join(cwd, name))).toBe(true)
  })
})
