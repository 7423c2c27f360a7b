// Owns the way from the command line to an exit status. It must know nothing of what the commands do.
import { CommanderError } from 'commander'
import { CommandError, EXIT } from './exit-status'
import { guardOutputs, OutputLost } from './output'
import { createProgram } from './program'

/** Runs a command line. @param args - without the program. @returns the exit status */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? EXIT.good)
  } catch (error) {
    // What commander refuses, it has reported; asked for help or the version, it has printed that.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.good : EXIT.usage
    const told = error instanceof OutputLost ? error.toCommandError() : error
    if (told === null) return EXIT.good
    if (!(told instanceof CommandError)) throw error
    process.stderr.write(`httpio: ${told.message}\n`)
    return told.exitStatus
  }
}

/** What the shell starts. */
export function start(): void {
  guardOutputs()
  void main(process.argv.slice(2)).then(status => {
    process.exitCode = status
  })
}
