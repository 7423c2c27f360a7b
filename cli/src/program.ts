// Owns the program as a whole: its name, version, commands, and how usage errors look. What a command does is its own matter.
import { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { registerGet } from './get'
import { registerLoad } from './load'

const EXIT_STATUS = `
Exit status:
  0  all good
  1  the command line cannot be meant
  2  some requests failed, or a threshold was missed
  3  not one connection could be made`

/** Makes the program; nothing is run by that. */
export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  const program = new Command('httpio')
    .description('Many HTTP/1.1 requests over few pipelined connections.')
    .version(version)
    .addHelpText('after', EXIT_STATUS)
  registerGet(program)
  registerLoad(program)
  for (const command of [program, ...program.commands]) prepare(command, program)
  return program
}

/** Errors are one line, which says where to look. */
function prepare(command: Command, program: Command): void {
  const name = command === program ? program.name() : `${program.name()} ${command.name()}`
  command.exitOverride().configureOutput({
    outputError: (text, write) => {
      const [line] = text.replace(/^error: /, '').split('\n')
      write(`${program.name()}: ${line} (${name} --help tells more)\n`)
    },
  })
}
