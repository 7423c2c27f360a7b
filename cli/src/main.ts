// Owns the way from the command line to an exit status. It must know nothing of what the commands do.
import { CommanderError } from 'commander'
import { CommandError, EXIT } from './exit-status'
import { createProgram } from './program'

async function main(): Promise<number> {
  try {
    await createProgram().parseAsync()
    return Number(process.exitCode ?? EXIT.good)
  } catch (error) {
    // What commander refuses, it has reported; asked for help or the version, it has printed that.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.good : EXIT.usage
    if (!(error instanceof CommandError)) throw error
    process.stderr.write(`httpio: ${error.message}\n`)
    return error.exitStatus
  }
}

// A reader that has seen enough, such as `head`, is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
void main().then(status => {
  process.exitCode = status
})
