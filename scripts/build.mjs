// Builds dist/: each entry point as one CommonJS file, since many small files take longer to load, its declarations, and beside it an
// ES module that re-exports the very same objects, so that `import` and `require` in one process share their classes.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { build } from 'esbuild'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ENTRIES = ['index', 'testing']
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
const require = createRequire(import.meta.url)

/** @param {string[]} options */
function compile(...options) {
  const tsc = require.resolve('typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...options], {
    cwd: root,
    stdio: 'inherit',
  })
}

/**
 * The declaration files that an entry point leads to.
 * @param {string} file @param {Set<string>} found
 */
function collectDeclarations(file, found) {
  if (found.has(file)) return
  found.add(file)
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']*)'/g)) {
    collectDeclarations(resolve(dirname(file), `${specifier}.d.ts`), found)
  }
}

rmSync(dist, { recursive: true, force: true })
compile('--emitDeclarationOnly')

/**
 * What has a file of its own: the header class, which both entry points share, and the parser, which is loaded by the first connection.
 */
const SEPARATE = new Map([
  [join(root, 'lib/headers'), './headers.js'],
  [join(root, 'lib/llhttp/binary.generated'), './llhttp-binary.js'],
])
/** @type {import('esbuild').Plugin} */
const separateFiles = {
  name: 'separate-files',
  setup(bundler) {
    bundler.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const file = SEPARATE.get(join(resolveDir, path))
      return file === undefined ? undefined : { path: file, external: true }
    })
  },
}
await build({
  absWorkingDir: root,
  entryPoints: {
    ...Object.fromEntries(ENTRIES.map(entry => [entry, `lib/${entry}.ts`])),
    headers: 'lib/headers.ts',
    'llhttp-binary': 'lib/llhttp/binary.generated.ts',
  },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  // Names stay, for those who read stack traces; comments are in the declarations.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  plugins: [separateFiles],
})

/** @type {Set<string>} */
const declarations = new Set()
for (const entry of ENTRIES) collectDeclarations(join(dist, `${entry}.d.ts`), declarations)
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const file = join(dist, name)
  if (file.endsWith('.d.ts') && !declarations.has(file)) rmSync(file)
}

for (const entry of ENTRIES) {
  const names = Object.keys(require(join(dist, `${entry}.js`))).filter(name => name !== '__esModule')
  // Node looks for the names of a CommonJS module's exports in its text before it is imported, and in those it hands on. In one of
  // 150 kB that takes 50 ms and 9 MB; in this bridge there is nothing to be found.
  const bridge = `${entry}-bridge.js`
  writeFileSync(
    join(dist, bridge),
    `'use strict'\nconst all = require('./${entry}.js')\nmodule.exports = all\n`,
  )
  writeFileSync(
    join(dist, `${entry}.mjs`),
    `import all from './${bridge}'\nexport const { ${names.join(', ')} } = all\n`,
  )
  writeFileSync(join(dist, `${entry}.d.mts`), `export * from './${entry}.js'\n`)
}

// The parser is llhttp, as compiled by another package: the licence of each goes with it.
const generated = readFileSync(join(root, 'lib/llhttp/binary.generated.ts'), 'utf8')
const compiled = /\/\* ([^]*?)\*\//.exec(generated)?.[1]
if (compiled === undefined) throw new Error('lib/llhttp/binary.generated.ts names no licence')
const licence = readFileSync(join(root, 'lib/llhttp/LICENSE-llhttp.txt'), 'utf8')
writeFileSync(join(dist, 'LICENSE-llhttp.txt'), `${licence}\n${compiled}`)
