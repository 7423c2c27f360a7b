// Owns the options of `httpio load` as the user writes them: their help, their checks, and the plan made of them.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { readFileSync } from 'node:fs'
import { CommandError } from '../exit-status'
import { tryRequest } from '../try-request'
import type { Plan } from './plan'
import { parseThreshold, THRESHOLD_HELP, type Threshold } from './threshold'

export interface LoadOptions {
  duration?: number
  requests?: number
  connections: number
  depth: number
  rate?: number
  warmup: number
  timeout: number
  method: string
  header: [string, string][]
  body?: Uint8Array
  allowUnsafe?: boolean
  threads: number
  threshold: Threshold[]
  cacert?: string
  insecure?: boolean
  json?: boolean
  html?: string
}

const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']
const DEFAULT_DURATION_MS = 10_000
const MS_PER_UNIT: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const LONGEST_TIMER_MS = 2 ** 31 - 1

export function addLoadOptions(command: Command): void {
  const duration = new Option('-d, --duration <time>', 'how long, as 10s, 500ms, 2m or 1h (default: 10s)')
  const requests = new Option('-n, --requests <number>', 'how many requests, instead of a duration')
  command
    .addOption(duration.argParser(parseDuration))
    .addOption(requests.argParser(parseCount).conflicts('duration'))
    .option('-c, --connections <number>', 'how many connections are kept open', parseCount, 1)
    .option('-p, --depth <number>', 'how many requests are on the wire of each at most', parseCount, 1)
    .option(
      '-r, --rate <number>',
      'so many requests a second, evenly paced; latency then counts from the time when each should have gone out (default: as fast as answers come)',
      parseRate,
    )
    .addOption(
      new Option('-w, --warmup <time>', 'load that is not counted, before the rest')
        .argParser(parseDurationOrNothing)
        .default(0, 'none'),
    )
    .addOption(
      new Option('--timeout <time>', 'how long nothing may come before a request fails, or a dial')
        .argParser(parseDuration)
        .default(10_000, '10s'),
    )
    .option('-X, --method <method>', 'the method of all requests', 'GET')
    .addOption(
      new Option('-H, --header <name: value>', 'a header field of all requests; may be repeated')
        .argParser(collectHeader)
        .default([], 'none'),
    )
    .option('-b, --body <text|@file>', 'the body of all requests', parseBody)
    .option('--allow-unsafe', 'allow methods that do something each time they are sent, such as POST')
    .option('-t, --threads <number>', 'worker threads that share the connections', parseCount, 1)
    .addOption(
      new Option('--threshold <rule>', THRESHOLD_HELP.replace(/\n/g, ' ') + '; may be repeated')
        .argParser(collectThreshold)
        .default([], 'none'),
    )
    .option('--cacert <file>', 'trust the certificates in this file, and no others')
    .option('--insecure', 'accept any certificate')
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'write the report as a page of its own, with charts')
}

function parseDuration(text: string): number {
  const milliseconds = parseDurationOrNothing(text)
  if (milliseconds === 0) throw new InvalidArgumentError('It must be longer than nothing.')
  return milliseconds
}

function parseDurationOrNothing(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Write it as 10s, 500ms, 2m or 1h.')
  const milliseconds = Number(match[1]) * MS_PER_UNIT[match[2] ?? 's']
  if (milliseconds > LONGEST_TIMER_MS) throw new InvalidArgumentError('It must be 24 days at most.')
  return milliseconds
}

function parseCount(text: string): number {
  const count = /^[\d_]+$/.test(text) ? Number(text.replace(/_/g, '')) : NaN
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError('It must be a whole number, 1 or more.')
  return count
}

function parseRate(text: string): number {
  const rate = Number(text)
  if (!(rate > 0) || rate > 1e6)
    throw new InvalidArgumentError('It must be a number above 0, and 1000000 at most.')
  return rate
}

function collectHeader(text: string, before: [string, string][]): [string, string][] {
  const colon = text.indexOf(':')
  if (colon < 1) throw new InvalidArgumentError("Write it as 'Name: value'.")
  return [...before, [text.slice(0, colon), text.slice(colon + 1).trim()]]
}

function parseBody(text: string): Uint8Array {
  if (!text.startsWith('@')) return Buffer.from(text)
  try {
    return readFileSync(text.slice(1))
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${(error as Error).message}`)
  }
}

function collectThreshold(text: string, before: Threshold[]): Threshold[] {
  try {
    return [...before, parseThreshold(text)]
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

/** @throws CommandError for what cannot be meant */
export async function makePlan(urlText: string, options: LoadOptions): Promise<Plan> {
  const url = parseUrl(urlText)
  const { connections, threads, method, body } = options
  if (threads > connections) {
    throw new CommandError(`${threads} threads need as many connections: add --connections ${threads}`)
  }
  const isIdempotent = IDEMPOTENT.includes(method)
  if (!isIdempotent && options.allowUnsafe !== true) {
    throw new CommandError(
      `${method} may do something each time it is sent: add --allow-unsafe if the server is yours to load`,
    )
  }
  const isTls = url.protocol === 'https:'
  const ca = readCertificates(options.cacert)
  const plan: Plan = {
    url: url.href,
    hostname: url.hostname,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    tls: isTls ? { rejectUnauthorized: options.insecure !== true, ca } : false,
    method,
    path: url.pathname + url.search,
    headers: options.header,
    body: body ?? null,
    isIdempotent,
    connections,
    depth: options.depth,
    durationMs: options.requests === undefined ? (options.duration ?? DEFAULT_DURATION_MS) : null,
    requests: options.requests ?? null,
    ratePerSecond: options.rate ?? null,
    warmupMs: options.warmup,
    timeoutMs: options.timeout,
    threads,
  }
  await tryRequest(plan)
  return plan
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CommandError(
      `'${text}' is no URL to load: write it as http://host:port/path or https://host/path`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new CommandError("credentials in the URL are not sent: use --header 'Authorization: Basic ...'")
  }
  return url
}

function readCertificates(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`--cacert ${file} cannot be read: ${(error as Error).message}`)
  }
}
