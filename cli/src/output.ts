// Owns the standard output: whoever writes to it is told when it is gone, and the user is told why. It knows no commands.
import { CommandError, EXIT } from './exit-status'

/** Nothing more can be written to the standard output. */
export class OutputLost extends Error {
  /** Its reader has seen enough, such as `head`: that is nobody's fault. */
  readonly isClosed: boolean

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause })
    this.isClosed = cause.code === 'EPIPE'
  }

  /** What the user is told; null if there is nothing to tell. */
  toCommandError(): CommandError | null {
    if (this.isClosed) return null
    const { code, message } = this.cause as NodeJS.ErrnoException
    const why = code === 'ENOSPC' ? 'the disk is full' : message
    return new CommandError(`the standard output cannot be written: ${why}`, EXIT.failed)
  }
}

/**
 * Writes to the standard output, and resolves when it has been taken.
 *
 * @throws OutputLost
 */
export function writeOut(data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(data, error => {
      if (error) reject(new OutputLost(error))
      else resolve()
    })
  })
}

/** To be called once: errors of the outputs are then no exceptions of the process. */
export function guardOutputs(): void {
  // Whoever writes is told by `writeOut`; a notice that nobody can see is lost.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}
