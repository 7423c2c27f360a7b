// Owns how the code of the pages becomes programs: checked by the compiler against the library, and run. It must not know
// what they connect to.
import * as diagnostics from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import path from 'node:path'
import { format } from 'node:util'
import ts from 'typescript'
import type { PageProgram } from './markdown'

const root = path.join(__dirname, '..', '..', '..')
const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...args: unknown[]) => Promise<void>

/** A program of a page, ready to be checked and run. */
export interface DocsProgram {
  /** `page:line`, for titles. */
  readonly title: string
  readonly fileName: string
  /** Each line of it stands where it stands in the page. */
  readonly source: string
}

/** @param page is relative to the project. */
export function programOf(page: string, { language, line, pieces }: PageProgram): DocsProgram {
  const lines: string[] = []
  for (const piece of pieces) {
    while (lines.length < piece.line - 1) lines.push('')
    lines.push(...piece.text.split('\n'))
  }
  const source = lines.join('\n')
  const isModule = !/\brequire\(/.test(source)
  const extension = `${isModule ? 'm' : 'c'}${language}`
  return { title: `${page}:${line}`, fileName: path.join(root, `${page}-${line}.${extension}`), source }
}

/** What the compiler has against the programs, one line each, with the line of the page. */
export function typeErrors(programs: readonly DocsProgram[]): string[] {
  const config = ts.readConfigFile(path.join(root, 'tsconfig.json'), file => ts.sys.readFile(file))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  // What a block makes and does not use is there to be read.
  Object.assign(options, { noUnusedLocals: false, noUnusedParameters: false, types: ['node'] })
  const sources = new Map(programs.map(({ fileName, source }) => [fileName, source]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.getCurrentDirectory = () => root
  host.fileExists = file => sources.has(file) || fileExists(file)
  host.getSourceFile = (file, languageVersion, ...rest) => {
    const source = sources.get(file)
    return source === undefined
      ? getSourceFile(file, languageVersion, ...rest)
      : ts.createSourceFile(file, source, languageVersion, true)
  }
  const program = ts.createProgram([...sources.keys()], options, host)
  return programs.flatMap(({ title, fileName }) => {
    const file = program.getSourceFile(fileName)!
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return found.map(({ start, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start ?? 0)
      return `${title.replace(/\d+$/, String(line + 1))} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}

/** What the comments `// → text` in a program say that it prints, in order; null if it has none. */
export function expectedOutput({ source }: DocsProgram): string | null {
  const lines = Array.from(source.matchAll(/\/\/ → (.*)$/gm), match => match[1])
  return lines.length === 0 ? null : lines.join('\n')
}

/** Stands for node:test, whose runner is not this one: the tests of a program run when its code has run. */
class Tests {
  readonly #tests: (() => Promise<void>)[] = []

  readonly module = {
    __esModule: true,
    default: (_title: string, test: () => Promise<void>): void => void this.#tests.push(test),
  }

  async run(): Promise<void> {
    for (const test of this.#tests) await test()
  }
}

/** Stands for node:diagnostics_channel, which all that runs in a process shares: what a program listens to ends with it. */
class Subscriptions {
  readonly #listeners: Parameters<typeof diagnostics.subscribe>[] = []

  readonly module = {
    ...diagnostics,
    __esModule: true,
    subscribe: (...listener: Parameters<typeof diagnostics.subscribe>): void => {
      diagnostics.subscribe(...listener)
      this.#listeners.push(listener)
    },
  }

  end(): void {
    for (const listener of this.#listeners) diagnostics.unsubscribe(...listener)
  }
}

/** What a program runs in. */
export interface Surroundings {
  /** By name, what it loads instead of the module itself. */
  readonly modules: ReadonlyMap<string, unknown>
  /** Resolves when everything that it opened has been closed. */
  idle(): Promise<void>
}

/**
 * Runs a program to its end, and the tests in it.
 *
 * @returns what it printed.
 */
export async function run(program: DocsProgram, { modules, idle }: Surroundings): Promise<string> {
  const { outputText } = ts.transpileModule(program.source, {
    fileName: program.fileName.replace(/\.[cm](?=[jt]s$)/, '.'),
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
    },
  })
  const printed: string[] = []
  const print = (...args: unknown[]): void => void printed.push(format(...args))
  const tests = new Tests()
  const subscriptions = new Subscriptions()
  const replaced = new Map<string, unknown>([
    ...modules,
    ['node:test', tests.module],
    ['node:diagnostics_channel', subscriptions.module],
  ])
  const load = createRequire(program.fileName)
  const require = (name: string): unknown => (replaced.has(name) ? replaced.get(name) : load(name))
  const body = new AsyncFunction('require', 'exports', 'console', outputText)
  try {
    await body(require, {}, { log: print, error: print, warn: print })
    await tests.run()
    await idle()
  } finally {
    subscriptions.end()
  }
  return printed.join('\n')
}
