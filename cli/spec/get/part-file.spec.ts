import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PartFile, partNameOf } from '../../src/get/part-file'
import { filesIn } from '../support/file-server'
import { temporaryFolder } from '../support/program'

const NOTE = { url: 'http://h/a', validator: '"1"' }

describe('PartFile', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = temporaryFolder()
    file = join(folder, 'sub/a')
  })

  it('appears under its name only when it is finished, and its folder with its first bytes', async () => {
    const part = new PartFile(file)
    expect(filesIn(folder)).toEqual([])
    await part.begin()
    await part.append(Buffer.from('by'))
    await part.append(Buffer.from('tes'))
    expect(filesIn(folder)).toEqual(['sub/.a.httpio-part'])
    expect(part.lengthBytes).toBe(5)
    await part.finish()
    expect(filesIn(folder)).toEqual(['sub/a'])
    expect(readFileSync(file, 'utf8')).toBe('bytes')
  })

  it('begins anew as often as it must', async () => {
    const part = new PartFile(file)
    await part.begin()
    await part.append(Buffer.from('a long body'))
    await part.begin()
    await part.append(Buffer.from('short'))
    expect(await part.sha256()).toBe('f9b0078b5df596d2ea19010c001bbd009e651de2c57e8fb7e355f31eb9d3f739')
    await part.finish()
    expect(readFileSync(file, 'utf8')).toBe('short')
  })

  it('is found again with what is known of it, by the same URL alone', async () => {
    const part = new PartFile(file)
    await part.begin()
    await part.remember(NOTE)
    await part.append(Buffer.from('half '))
    await part.leave(true)
    expect(new PartFile(file).find('http://h/b')).toBe(null)
    const again = new PartFile(file)
    expect(again.find(NOTE.url)).toEqual(NOTE)
    expect(again.lengthBytes).toBe(5)
    await again.reopen()
    await again.append(Buffer.from('and half'))
    await again.finish()
    expect(readFileSync(file, 'utf8')).toBe('half and half')
    expect(filesIn(folder)).toEqual(['sub/a'])
  })

  it('leaves nothing when it is not to be kept', async () => {
    const part = new PartFile(file)
    await part.begin()
    await part.remember(NOTE)
    await part.leave(false)
    expect(filesIn(folder)).toEqual([])
  })

  it.each([
    ['there is none', null],
    ['the note is no JSON', '{'],
    ['the note says nothing of a version', '{"url":"http://h/a"}'],
  ])('is not found when %s', async (_name, note) => {
    const part = new PartFile(file)
    await part.begin()
    await part.append(Buffer.from('bytes'))
    await part.leave(true)
    if (note !== null) writeFileSync(join(folder, 'sub/.a.httpio-part.json'), note)
    expect(new PartFile(file).find(NOTE.url)).toBe(null)
  })
})

describe('partNameOf', () => {
  it('keeps names within 255 bytes, and apart', () => {
    expect(partNameOf('a.txt')).toBe('.a.txt.httpio-part')
    const [one, other] = ['ä', 'ö'].map(letter => partNameOf(letter.repeat(127)))
    expect(one).not.toBe(other)
    expect(Buffer.byteLength(`${one}.json`)).toBeLessThanOrEqual(255)
  })
})
