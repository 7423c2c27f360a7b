// Owns the command `httpio load` from its arguments to its report and exit status.
import type { Command } from 'commander'
import { writeFileSync } from 'node:fs'
import { CommandError, EXIT } from '../exit-status'
import { LiveLine } from './live-line'
import { addLoadOptions, makePlan, type LoadOptions } from './options'
import { makeReport } from './report'
import { formatPage } from './report-html'
import { formatReport } from './report-text'
import { Run } from './run'

const EXAMPLES = `
Examples:
  httpio load http://localhost:8080/
  httpio load -d 30s -c 4 -p 16 http://localhost:8080/
  httpio load -r 500 -d 1m -w 5s --threshold 'p99<50ms' --threshold 'errors<0.1%' http://localhost:8080/
  httpio load -n 100000 -c 8 -p 64 -t 2 --json --html report.html http://localhost:8080/

Each request is answered, or fails, or is unfinished at the end (after Ctrl-C, or --timeout past the end). When a
connection is lost, what may be sent again goes out on the next one, which begins with one request alone. Latency has
three parts: waiting for a place, behind others' bodies (the time in which these came, between the request and its own
answer), and on the wire (the rest). Statuses are counted and judged only by thresholds. A threshold on errors says how
many may fail; without one, none may. Ctrl-C ends the run and prints what there is.

Exit status:
  0  no request failed, and all thresholds were met
  1  the command line cannot be meant
  2  some requests failed, or a threshold was missed
  3  not one connection could be made`

/** Adds `load` to the program. */
export function registerLoad(program: Command): void {
  const command = program
    .command('load')
    .description('Drive pipelined load at an endpoint and report.')
    .argument('<url>', 'where the load goes to: http://... or https://...')
  addLoadOptions(command)
  command.addHelpText('after', EXAMPLES).action(load)
}

async function load(url: string, options: LoadOptions): Promise<void> {
  const plan = await makePlan(url, options)
  const run = new Run(plan)
  const interrupt = (): void => run.interrupt()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const line = new LiveLine(run, plan)
  try {
    const refusal = await run.connect()
    if (refusal !== null) throw new CommandError(refusal, EXIT.notConnected)
    line.start()
    const outcome = await run.carryOut()
    line.stop()
    const report = makeReport(plan, outcome, options.threshold)
    if (report.givenUp !== null) process.stderr.write(`httpio: given up: ${report.givenUp}\n`)
    process.stdout.write(
      options.json === true ? JSON.stringify(report, null, 2) + '\n' : formatReport(report),
    )
    if (options.html !== undefined) writePage(options.html, formatPage(report))
    process.exitCode = report.exitStatus
  } finally {
    line.stop()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page)
  } catch (error) {
    throw new CommandError(`the page could not be written: ${(error as Error).message}`)
  }
}
