// Builds dist/: CommonJS by the TypeScript compiler, and beside each entry point an ES module that re-exports the
// very same objects, so that `import` and `require` in one process share their classes.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
const require = createRequire(import.meta.url)

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
for (const entry of ['index', 'testing']) {
  const names = Object.keys(require(join(dist, `${entry}.js`))).filter(name => name !== '__esModule')
  writeFileSync(
    join(dist, `${entry}.mjs`),
    `import cjs from './${entry}.js'\nexport const { ${names.join(', ')} } = cjs\n`,
  )
  writeFileSync(join(dist, `${entry}.d.mts`), `export * from './${entry}.js'\n`)
}
