// Owns the command `httpio load` from its arguments to its report and exit status.
import type { Command } from 'commander'
import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommandError, EXIT } from '../exit-status'
import { OutputLost, writeOut } from '../output'
import { LiveLine } from './live-line'
import { addLoadOptions, makePlan, type LoadOptions } from './options'
import { makeReport, type Report } from './report'
import { formatPage } from './report-html'
import { formatReport } from './report-text'
import { Run } from './run'

const EXAMPLES = `
Examples:
  httpio load http://localhost:8080/
  httpio load -d 30s -c 4 -p 16 http://localhost:8080/
  httpio load -r 500 -d 1m -w 5s --threshold 'p99<50ms' --threshold 'errors<0.1%' http://localhost:8080/
  httpio load -n 100000 -c 8 -p 64 -t 2 --json --html report.html http://localhost:8080/

Each request is answered, or fails, or is unfinished at the end (after Ctrl-C, or without a place for --timeout past the
end). When a connection is lost, what may be sent again goes out on the next one, which begins with one request alone.
Latency has three parts: waiting for a place, behind others' bodies (the time in which these came, between the request
and its own answer), and on the wire (the rest). All figures are of the measured time, without the warm-up; connections
that are open when it begins count as opened. Statuses are counted and judged only by thresholds. A threshold on errors
says how many may fail; without one, none may. Ctrl-C ends the run and prints what there is.

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
  if (options.html !== undefined) checkPage(options.html)
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
    await tell(makeReport(plan, outcome, options.threshold), options)
  } finally {
    line.stop()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

async function tell(report: Report, { json, html }: LoadOptions): Promise<void> {
  if (report.givenUp !== null) process.stderr.write(`httpio: given up: ${report.givenUp}\n`)
  process.exitCode = report.exitStatus
  if (html !== undefined) writePage(html, formatPage(report))
  try {
    await writeOut(json === true ? JSON.stringify(report, null, 2) + '\n' : formatReport(report))
  } catch (error) {
    // Whoever reads no further still wants to know how it went.
    if (!(error instanceof OutputLost && error.isClosed)) throw error
  }
}

/** Whether a page can be written is known before the load, and not only after it. */
function checkPage(file: string): void {
  const status = statSync(file, { throwIfNoEntry: false })
  try {
    accessSync(status === undefined ? dirname(file) : file, constants.W_OK)
  } catch (error) {
    throw new CommandError(`--html ${file} cannot be written: ${(error as Error).message}`)
  }
  if (status?.isDirectory()) throw new CommandError(`--html ${file} is a folder: name a file`)
}

function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page)
  } catch (error) {
    process.stderr.write(`httpio: the page could not be written: ${(error as Error).message}\n`)
    process.exitCode = EXIT.failed
  }
}
