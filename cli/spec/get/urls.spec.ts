import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from '../../src/exit-status'
import { fileOf, filesOf } from '../../src/get/file-names'
import { collectWanted, expandRanges, parseChecksum } from '../../src/get/urls'

const SUM = createHash('sha256').update('x').digest('hex')

describe('expandRanges', () => {
  it.each([
    ['http://h/a', ['http://h/a']],
    ['http://h/{1..3}', ['http://h/1', 'http://h/2', 'http://h/3']],
    ['http://h/{3..1}', ['http://h/3', 'http://h/2', 'http://h/1']],
    ['http://h/{08..10}.txt', ['http://h/08.txt', 'http://h/09.txt', 'http://h/10.txt']],
    ['http://h/{1..2}/{0..1}', ['http://h/1/0', 'http://h/1/1', 'http://h/2/0', 'http://h/2/1']],
    ['http://h/{a..c}', ['http://h/{a..c}']],
  ])('expands %s', (text, expanded) => {
    expect([...expandRanges(text)]).toEqual(expanded)
  })

  it('refuses a range that is too long before it makes any of it', () => {
    expect(() => [...expandRanges('http://h/{1..99999999999}')]).toThrow(CommandError)
  })
})

describe('parseChecksum', () => {
  it('takes sha256 and 64 digits', () => {
    expect(parseChecksum(`sha256:${SUM.toUpperCase()}`)).toBe(SUM)
  })

  it.each(['', SUM, 'md5:00', `sha256:${SUM}0`, `sha256:${SUM.slice(1)}`])('refuses %j', text => {
    expect(() => parseChecksum(text)).toThrow(CommandError)
  })
})

describe('collectWanted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'httpio-get-'))
  const list = join(folder, 'urls.txt')
  afterAll(() => rmSync(folder, { recursive: true }))

  it('takes URLs from arguments, then from lists, with their checksums', async () => {
    writeFileSync(list, `# a list\n\nhttp://h/b  sha256:${SUM}\r\nhttp://h/c{1..2}\n`)
    const wanted = await collectWanted(['http://h/a'], [list], undefined)
    expect(wanted.map(({ url, sha256 }) => [url.href, sha256])).toEqual([
      ['http://h/a', null],
      ['http://h/b', SUM],
      ['http://h/c1', null],
      ['http://h/c2', null],
    ])
  })

  it.each([
    ['nothing', [], undefined, 'nothing to fetch'],
    ['no URL', ['example.org'], undefined, 'is no URL'],
    ['another scheme', ['ftp://h/'], undefined, 'is no URL'],
    ['one checksum for two', ['http://h/a', 'http://h/b'], `sha256:${SUM}`, 'single URL'],
    ['a wrong checksum', ['http://h/a'], 'sha1:0', 'a checksum is sha256:'],
  ])('refuses %s', async (_name, urls, checksum, message) => {
    await expect(collectWanted(urls, [], checksum)).rejects.toThrow(message)
  })

  it('takes as many as a line of a list stands for', async () => {
    writeFileSync(list, 'http://h/{1..200000}\n')
    expect(await collectWanted([], [list], undefined)).toHaveLength(200_000)
  })

  it('names the line that is wrong, and the list that is not there', async () => {
    writeFileSync(list, 'http://h/a\nnonsense\n')
    await expect(collectWanted([], [list], undefined)).rejects.toThrow(
      `line 2 of ${list}: "nonsense" is no URL`,
    )
    await expect(collectWanted([], [`${list}.not`], undefined)).rejects.toThrow(CommandError)
  })
})

describe('fileOf', () => {
  it.each([
    ['http://h/a/b.txt', 'a/b.txt', 'b.txt'],
    ['http://h/', 'index.html', 'index.html'],
    ['http://h/a/', 'a/index.html', 'index.html'],
    ['http://h/a%20b/%C3%A4', 'a b/ä', 'ä'],
    ['http://h/a?b=/c', 'a?b=%2Fc', 'a?b=%2Fc'],
    ['http://h/a%2Fb', 'a%2Fb', 'a%2Fb'],
    ['http://h/a%5Cb%00', 'a%5Cb%00', 'a%5Cb%00'],
    ['http://h/a/%ff', 'a/%ff', '%ff'],
    ['http://h/a//b', 'a/b', 'b'],
  ])('makes of %s a path, or a name', (url, path, name) => {
    expect(fileOf(new URL(url), false)).toBe(path)
    expect(fileOf(new URL(url), true)).toBe(name)
  })

  it.each(['http://h/../../etc/passwd', 'http://h/%2e%2e/%2e%2e/etc/passwd', 'http://h/a/..%2f..%2fetc'])(
    'leaves no folder by %s',
    url => {
      expect(fileOf(new URL(url), false).split('/')).not.toContain('..')
    },
  )
})

describe('filesOf', () => {
  it('refuses two URLs that would be one file', () => {
    const wanted = ['http://h/a/x', 'http://h/b/x'].map(href => ({ url: new URL(href), sha256: null }))
    expect(filesOf(wanted, 'out', false)).toEqual([join('out', 'a/x'), join('out', 'b/x')])
    expect(() => filesOf(wanted, 'out', true)).toThrow('would both become out/x: leave out --flat')
  })
})
