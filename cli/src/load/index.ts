// Owns the command line of `httpio load`.
import type { Command } from 'commander'

/** Adds `load` to the program. */
export function registerLoad(program: Command): void {
  program
    .command('load')
    .description('Drive pipelined load at an endpoint and report.')
    .argument('<url>', 'where the load goes to')
}
