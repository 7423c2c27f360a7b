// Runs a TypeScript file of lib/ or spec/ as it is: `node scripts/run-typescript.mjs FILE [ARGUMENT ...]`. Types are
// stripped, not checked; that is what `npm run check` is for.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import ts from 'typescript'

const require = createRequire(import.meta.url)

// What `require` does with a file, by the end of its name: old, and what every loader of this kind stands on.
require.extensions['.ts'] = (/** @type {NodeJS.Module} */ module, /** @type {string} */ filename) => {
  const { outputText } = ts.transpileModule(readFileSync(filename, 'utf8'), {
    fileName: filename,
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
      inlineSourceMap: true,
    },
  })
  const compiled = /** @type {NodeJS.Module & { _compile(code: string, filename: string): void }} */ (module)
  compiled._compile(outputText, filename)
}

const file = resolve(process.argv[2])
process.argv.splice(1, 2, file)
require(file)
