// npm run check:pack: packs the package, installs it as a user would in an empty TypeScript project, and tries it there:
// types under each kind of resolution, `import`, `require`, both at once. It also holds what is packed against its limits.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAX_UNPACKED_BYTES = 400_000
const EXPECTED_OUTPUT = 'GET /1 200, HEAD /2 200\n'
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const project = mkdtempSync(join(tmpdir(), 'httpio-try-package-'))

/** @param {string} command @param {string[]} args @param {string} cwd */
function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

/** @param {boolean} condition @param {string} sentence */
function check(condition, sentence) {
  if (!condition) throw new Error(sentence)
}

function installPackage() {
  /** @type {{ filename: string, unpackedSize: number, files: { path: string }[] }[]} */
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', project], root))
  check(
    packed.unpackedSize < MAX_UNPACKED_BYTES,
    `unpacked, the package has ${packed.unpackedSize} of less than ${MAX_UNPACKED_BYTES} bytes`,
  )
  const paths = packed.files.map(file => file.path)
  for (const needed of ['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/LICENSE-llhttp.txt']) {
    check(paths.includes(needed), `${needed} is not in the package`)
  }
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  // Offline and with an empty cache: whatever it depended on could not be had.
  const offline = ['--offline', '--cache', join(project, 'cache'), '--no-audit', '--no-fund']
  run('npm', ['install', ...offline, join(project, packed.filename)], project)
  const installed = readdirSync(join(project, 'node_modules')).filter(name => !name.startsWith('.'))
  check(installed.join() === 'httpio', `installed with the package: ${installed.join(', ')}`)
  return packed.unpackedSize
}

/** @param {string} source @param {Record<string, string>} resolution @returns {string} the compiled program */
function compile(source, resolution) {
  const outDir = join(project, 'out')
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022', 'ESNext.Disposable'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    outDir,
    ...resolution,
  }
  copyFileSync(join(root, 'scripts/try-package/use.ts'), join(project, source))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [source] }))
  try {
    run(process.execPath, [tsc, '-p', project], project)
  } catch (error) {
    throw new Error(`tsc ${Object.values(resolution).join(' ')}: ${/** @type {any} */ (error).stdout}`, {
      cause: error,
    })
  }
  return join(outDir, source.replace(/ts$/, 'js'))
}

/** @param {string} program */
function runProgram(program) {
  const output = run(process.execPath, [program], project)
  check(output === EXPECTED_OUTPUT, `${program} printed ${JSON.stringify(output)}`)
}

/** Classes must be the same however they are loaded, or `instanceof` fails between the two halves of a program. */
function compareClasses() {
  const program = join(project, 'compare.mjs')
  writeFileSync(
    program,
    `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
for (const entry of ['httpio', 'httpio/testing']) {
  const imported = await import(entry)
  const required = require(entry)
  const names = Object.keys(required).filter(name => name !== '__esModule')
  if (names.length === 0) throw new Error(entry + ' exports nothing')
  if (Object.keys(imported).sort().join() !== names.sort().join()) throw new Error(entry + ': ' + Object.keys(imported))
  for (const name of names) if (imported[name] !== required[name]) throw new Error(entry + ': ' + name)
}
`,
  )
  run(process.execPath, [program], project)
  const manifest = JSON.parse(readFileSync(join(project, 'node_modules/httpio/package.json'), 'utf8'))
  const { main, exports } = manifest
  check(main === exports['.'].require.default, '"main" does not lead to the built CommonJS file')
  check(!('dependencies' in manifest), 'the package has dependencies')
}

try {
  const bytes = installPackage()
  runProgram(compile('use.mts', { module: 'Node16', moduleResolution: 'Node16' }))
  runProgram(compile('use.cts', { module: 'Node16', moduleResolution: 'Node16' }))
  compile('use.ts', { module: 'ESNext', moduleResolution: 'Bundler' })
  compile('use.ts', { module: 'CommonJS', moduleResolution: 'Node10' })
  compareClasses()
  console.log(`the package works by import and by require; unpacked it has ${bytes} bytes`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(project, { recursive: true, force: true })
}
