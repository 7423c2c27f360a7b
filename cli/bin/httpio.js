#!/usr/bin/env node
// What the shell starts. It must know only where the compiled program lies.
'use strict'

const { existsSync } = require('node:fs')
const { join } = require('node:path')

const program = join(__dirname, '../dist/main.js')
if (existsSync(program)) {
  require(program).start()
} else {
  console.error('httpio: not built yet: run `npm run build -w httpio-cli` in the root of the repository')
  process.exitCode = 1
}
