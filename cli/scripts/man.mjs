// npm run man: writes man/httpio.1 from the program's own help; with --check it fails instead if the page is stale. The program must have
// been built.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @typedef {import('commander').Command} Command */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const file = join(root, 'man/httpio.1')
const require = createRequire(import.meta.url)

/** Text as roff takes it literally. @param {string} text */
function roff(text) {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1')
}

/** What is said behind the options. @param {Command} command */
function afterHelp(command) {
  let all = ''
  command.configureOutput({ writeOut: text => (all += text) })
  command.outputHelp()
  return all.slice(command.helpInformation().length).trim()
}

/** Headings end with a colon; what is indented stays as it is. @param {string} text @param {string} heading */
function paragraphs(text, heading) {
  return text.split('\n\n').map(block => {
    const lines = block.split('\n').filter(line => line !== '')
    const parts = []
    if (/^\S.*:$/.test(lines[0] ?? '')) parts.push(`${heading} ${roff((lines.shift() ?? '').slice(0, -1))}`)
    else parts.push('.PP')
    const isLiteral = lines.every(line => line.startsWith('  '))
    const body = lines.map(line => roff(line.trim()))
    parts.push(...(isLiteral ? ['.nf', ...body, '.fi'] : body))
    return parts.join('\n')
  })
}

/** @param {Command} command @param {string} name */
function describe(command, name) {
  const help = command.createHelp()
  const parts = [`.SH ${name.toUpperCase()}`, `.B ${roff(help.commandUsage(command))}`]
  parts.push('.PP', roff(help.commandDescription(command)))
  for (const argument of help.visibleArguments(command)) {
    parts.push('.TP', `.I ${roff(help.argumentTerm(argument))}`, roff(help.argumentDescription(argument)))
  }
  for (const option of help.visibleOptions(command)) {
    parts.push('.TP', `.B ${roff(help.optionTerm(option))}`, roff(help.optionDescription(option)))
  }
  parts.push(...paragraphs(afterHelp(command), '.SS'))
  return parts.join('\n')
}

/** @returns {string} */
function makePage() {
  /** @type {{ createProgram(): Command }} */
  const { createProgram } = require(join(root, 'dist/program.js'))
  const program = createProgram()
  const name = program.name()
  const synopsis = program.commands.flatMap(command => [
    '.br',
    `.B ${roff(`${name} ${command.name()} ${command.usage()}`)}`,
  ])
  return [
    '.\\" Made from the help of the program by npm run man.',
    `.TH HTTPIO 1 "" "httpio ${program.version()}" "User Commands"`,
    '.SH NAME',
    `${name} \\- ${roff(program.description())}`,
    '.SH SYNOPSIS',
    ...synopsis.slice(1),
    ...program.commands.map(command => describe(command, `${name} ${command.name()}`)),
    ...paragraphs(afterHelp(program), '.SH'),
    '',
  ].join('\n')
}

const page = makePage()
if (!process.argv.includes('--check')) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, page)
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== page) {
  console.error('cli/man/httpio.1 is stale: run `npm run man`')
  process.exitCode = 1
}
