// Owns the exit statuses of all commands, and the error that ends one of them with a line for the user.

export const EXIT = {
  /** All good. */
  good: 0,
  /** The command line cannot be meant. */
  usage: 1,
  /** Some requests failed, or a threshold was missed. */
  failed: 2,
  /** Not one connection could be made. */
  notConnected: 3,
} as const

/** Ends a command: one line on stderr that says what to do, and an exit status. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitStatus: number = EXIT.usage,
  ) {
    super(message)
  }
}
