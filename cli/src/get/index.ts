// Owns the command line of `httpio get`: its options, their checks, and what they come to.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { HTTPHeaders, type ConnectionOptions } from 'httpio'
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs'
import { CommandError } from '../exit-status'
import { tryRequest } from '../try-request'
import { describeFailure } from './failure'
import { filesOf } from './file-names'
import { GetRun, type GetPlan } from './run'
import { basic } from './transfer'
import { collectWanted } from './urls'

interface GetOptions {
  readonly input: readonly string[]
  readonly outputDir?: string
  readonly flat?: boolean
  readonly resume?: boolean
  readonly checksum?: string
  readonly connections: number
  readonly depth: number
  readonly retries: number
  readonly maxTime: number
  readonly timeout: number
  readonly fail?: boolean
  readonly header: readonly string[]
  readonly user?: string
  readonly cacert?: string
  readonly insecure?: boolean
  readonly proxy?: string
  readonly unixSocket?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

const integer =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} on.`)
    }
    return value
  }

const LONGEST_SECONDS = Math.floor((2 ** 31 - 1) / 1000)

const seconds = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= LONGEST_SECONDS)) {
    throw new InvalidArgumentError(`It must be a number of seconds, ${LONGEST_SECONDS} at most.`)
  }
  return value
}

const EXAMPLES = `
Examples:
  httpio get https://example.org/robots.txt
  httpio get --output-dir mirror 'http://localhost:8080/file/{1..500}'
  httpio get --output-dir mirror --resume --input urls.txt

Without --output-dir the bodies go to the standard output, in the order of the URLs. In a list, a URL may be followed by
its checksum (sha256:…). A file appears under its name only when it is whole. A status other than 2xx is a failure;
nothing is followed. Ctrl-C ends it, and tells what there is.

Exit status:
  0  everything was fetched, or was there already
  1  the command line cannot be meant
  2  some URLs failed, or it was interrupted
  3  not one connection could be made`

/** Adds `get` to the program. */
export function registerGet(program: Command): void {
  program
    .command('get')
    .description('Fetch many URLs over few pipelined connections: to the standard output, or into files.')
    .argument(
      '[url...]',
      'what to fetch; {1..500} stands for a range of numbers, {001..500} for one with zeros',
    )
    .addOption(
      new Option(
        '-i, --input <file>',
        'read URLs from a file, one a line; - is the standard input; may be repeated',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option('-o, --output-dir <folder>', 'write files there, under the paths of their URLs')
    .option('--flat', 'only the last part of each path becomes the name of a file')
    .option(
      '--resume',
      'leave out files that are there, go on with those that are there in part, and keep such',
    )
    .option('--checksum <sha256:…>', 'what a single URL must give')
    .option('-c, --connections <number>', 'connections to each origin at most', integer(1), 4)
    .option('-p, --depth <number>', 'requests on the wire of each connection at most', integer(1), 16)
    .option('--retries <number>', 'how often a URL is tried again when connections fail', integer(0), 2)
    .option(
      '--max-time <seconds>',
      'for one URL, from when its turn comes, all tries included; 0 = any',
      seconds,
      0,
    )
    .option(
      '--timeout <seconds>',
      'a connection on which nothing moves for so long is given up; 0 = never',
      seconds,
      60,
    )
    .option('-f, --fail', 'write no body to the standard output whose status is not 2xx')
    .addOption(
      new Option('-H, --header <name: value>', 'send this header with every request; may be repeated')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('-u, --user <name:password>', 'authenticate (Basic)')
    .option('--cacert <file>', 'trust the certificate authorities in this file (PEM)')
    .option('-k, --insecure', 'verify no certificates')
    .option('-x, --proxy <url>', 'go through this http: proxy')
    .addOption(
      new Option('--unix-socket <path>', 'connect to this socket instead of the hosts').conflicts('proxy'),
    )
    .option('--json', 'a line of JSON for each URL on the standard output; needs --output-dir')
    .option('-q, --quiet', 'neither progress nor summary')
    .addHelpText('after', EXAMPLES)
    .action(async (urls: string[], options: GetOptions) => {
      process.exitCode = await new GetRun(await planOf(urls, options)).run()
    })
}

async function planOf(urls: readonly string[], options: GetOptions): Promise<GetPlan> {
  const { input, outputDir, flat = false, resume = false, checksum, json = false, quiet = false } = options
  if (outputDir === undefined) {
    const needing = [flat && '--flat', resume && '--resume', json && '--json'].find(Boolean)
    if (needing) throw new CommandError(`${needing} needs --output-dir`)
  }
  const connection = connectionOptions(options)
  await tryRequest({ method: 'GET', path: '/', headers: connection.headers })
  const wanted = await collectWanted(urls, input, checksum)
  const isSingle = wanted.length === 1 && outputDir === undefined
  const files = outputDir === undefined ? null : filesOf(wanted, outputDir, flat)
  if (outputDir !== undefined) makeFolder(outputDir)
  return {
    wanted,
    files,
    connections: options.connections,
    depth: options.depth,
    connection,
    attempts: options.retries + 1,
    maxTimeMs: options.maxTime * 1000,
    isResumed: resume,
    isFailing: options.fail ?? false,
    isJson: json,
    // One body on its way to the standard output needs no summary, unless somebody watches.
    isQuiet: quiet || (isSingle && !process.stderr.isTTY),
  }
}

function connectionOptions(options: GetOptions): GetPlan['connection'] {
  const { timeout, maxTime, cacert, insecure, proxy, unixSocket } = options
  const timeoutMs = timeout * 1000
  const tls: ConnectionOptions['tls'] = {
    ...(cacert !== undefined && { ca: readCertificates(cacert) }),
    ...(insecure && { rejectUnauthorized: false }),
  }
  return {
    headers: headersOf(options),
    timeoutMs,
    // Nobody waits longer for a connection than for a URL.
    connectTimeoutMs: maxTime === 0 ? timeoutMs : Math.min(timeoutMs || Infinity, maxTime * 1000),
    tls,
    ...(proxy !== undefined && { proxy: checkProxy(proxy) }),
    ...(unixSocket !== undefined && { socketPath: unixSocket }),
  }
}

function headersOf({ header, user }: GetOptions): HTTPHeaders {
  const headers = new HTTPHeaders({ 'User-Agent': 'httpio-get', Accept: '*/*' })
  const named = new HTTPHeaders()
  for (const line of header) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new CommandError(`--header wants "Name: value", not ${JSON.stringify(line)}`)
    try {
      named.append(line.slice(0, colon), line.slice(colon + 1).trim())
    } catch (error) {
      throw new CommandError(`--header ${JSON.stringify(line)}: ${(error as Error).message}`)
    }
  }
  for (const name of named.keys()) headers.delete(name)
  for (const [name, value] of named) headers.append(name, value)
  if (user !== undefined) {
    const [name, ...password] = user.split(':')
    headers.set('Authorization', basic(name, password.join(':')))
  }
  return headers
}

/** Makes the folder for all files, and finds out whether they can be written, before anything is asked for. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new CommandError(`--output-dir ${folder}: ${describeFailure(error)}`)
  }
}

function readCertificates(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new CommandError(`--cacert ${file} cannot be read: ${(error as Error).message}`)
  }
}

function checkProxy(proxy: string): string {
  const url = URL.canParse(proxy) ? new URL(proxy) : null
  if (url?.protocol !== 'http:')
    throw new CommandError('--proxy wants a URL such as http://proxy.example:3128')
  return proxy
}
