// The pages: every block of code compiles and runs, every link leads somewhere, and nothing is left out that must be there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { readPage } from './support/docs/markdown'
import { expectedOutput, programOf, run, typeErrors } from './support/docs/programs'
import { Stage } from './support/docs/stage'

const root = path.join(__dirname, '..')
const pages = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
].map(name => ({ name, ...readPage(path.join(root, name)) }))
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8')

describe('code in the pages', () => {
  const programs = pages.flatMap(({ name, programs }) => programs.map(program => programOf(name, program)))
  const stage = new Stage()

  beforeAll(() => stage.open())
  afterAll(() => stage.close())

  it('compiles against the library', () => {
    expect(typeErrors(programs)).toEqual([])
  }, 60_000)

  it.each(programs.map(program => [program.title, program] as const))(
    'runs to its end and prints what it says: %s',
    async (_title, program) => {
      const printed = await run(program, stage)
      expect(printed).toBe(expectedOutput(program) ?? printed)
    },
  )
})

describe('links between the pages', () => {
  const anchorsOf = (file: string): readonly string[] => readPage(path.join(root, file)).anchors

  it.each(pages)('lead somewhere: $name', ({ name, links }) => {
    const broken = links
      .filter(({ target }) => !/^[a-z]+:/.test(target))
      .filter(({ target }) => {
        const [file, anchor] = target.split('#')
        const there = file === '' ? name : path.join(path.dirname(name), file)
        if (!existsSync(path.join(root, there))) return true
        return anchor !== undefined && !anchorsOf(there).includes(anchor)
      })
    expect(broken).toEqual([])
  })
})

describe('docs/errors.md', () => {
  const { anchors } = readPage(path.join(root, 'docs/errors.md'))
  const text = read('docs/errors.md')

  it('has a heading for each code', () => {
    const codes = Array.from(read('lib/errors.ts').matchAll(/'(ERR_HTTPIO_\w+)'/g), match => match[1])
    expect(codes.length).toBeGreaterThanOrEqual(10)
    expect(codes.filter(code => !anchors.includes(code.toLowerCase()))).toEqual([])
  })

  it('explains each reason of our own for an InvalidResponse', () => {
    const [, union] = /type OwnReason =((?:\s*\| '\w+')+)/.exec(read('lib/protocol/fault.ts'))!
    const own = Array.from(union.matchAll(/\w+(?=')/g), String)
    const tunnel = Array.from(read('lib/net/tunnel-reply.ts').matchAll(/TUNNEL_\w+/g), String)
    const reasons = [...own, ...tunnel, 'CORRUPT_CONTENT_CODING']
    expect(reasons.length).toBeGreaterThan(15)
    expect(reasons.filter(reason => !text.includes(`| \`${reason}\` |`))).toEqual([])
  })
})
