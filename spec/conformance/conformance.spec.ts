// Runs every row of the table without a network: in the segments it names, byte by byte, cut in two at every position,
// through `request`, over a transport that is given and over one that is dialled, and with one more request behind it. The rows about TLS
// are in tls.spec.ts.
import { isDeepStrictEqual } from 'node:util'
import { cases, groups } from './cases'
import { closed, unsupported } from './case'
import type { CaseRequest, ConformanceCase } from './case'
import type { ExchangeOptions } from '../../lib/index'
import { Driven, headOf, NEXT_READ, optionsOf, seenError, turn } from '../support/drive'
import type { Act, Reading, Seen } from '../support/drive'
import type { Via } from '../support/far-ends'

/** A row is run a few hundred times; enough even on a machine that is busy with something else. */
jest.setTimeout(60_000)

const overFakeSocket = (row: ConformanceCase) => !row.end.startsWith('tls-')

/** A stream longer than this is cut at some positions only, and comes byte by byte only at its edges. */
const SHORT = 300

/** All positions of a short stream; of a long one those near its edges, and a few between; of a huge one fewer. */
function cutsOf(length: number): number[] {
  const all = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1)
  if (length <= SHORT) return all
  const isHuge = length > 10 * SHORT
  const edge = isHuge ? 10 : SHORT / 3
  const step = Math.ceil(length / (isHuge ? 5 : 20))
  return all.filter(at => at <= edge || at > length - edge || at % step === 0)
}

/** Each byte a segment; of a long stream the middle comes in larger pieces. */
function bytesOf(text: string): string[] {
  if (text.length <= 10 * SHORT) return [...text]
  const edge = 5 * SHORT
  const middle = text.slice(edge, -edge)
  const pieces = Array.from({ length: Math.ceil(middle.length / 1021) }, (_, index) =>
    middle.slice(index * 1021, (index + 1) * 1021),
  )
  return [...text.slice(0, edge), ...pieces, ...text.slice(-edge)]
}

/** What the table says, in the form in which the driver sees it. */
function expectedOf(row: ConformanceCase, { continueMs }: Reading) {
  const answered = row.error === undefined
  return {
    responses: row.responses,
    continued: continueMs === undefined ? row.continued : undefined,
    informational: row.informational,
    head: row.head,
    code: row.error?.code,
    reason: row.error?.reason,
    next: answered ? NEXT_READ : undefined,
    unsettled: undefined,
  }
}

/** What was seen, without what the table leaves open. */
function seenOf(row: ConformanceCase, seen: Seen, { continueMs }: Reading) {
  // Where an unsupported response has no head that could be parsed, one may still be handed out.
  const headIsOpen = row.head === undefined && row.error === unsupported
  return {
    responses: seen.responses,
    continued: row.continued === undefined || continueMs !== undefined ? undefined : seen.continued,
    informational: seen.informational,
    head: headIsOpen ? undefined : seen.head,
    code: seen.error?.code,
    reason: row.error?.reason === undefined ? undefined : seen.error?.reason,
    next: seen.next,
    unsettled: seen.unsettled,
  }
}

/** How a row is played. */
interface Way {
  readonly how: string
  /** What comes before the body that waits for a 100, and behind it. */
  readonly before: readonly Act[]
  readonly behind: readonly Act[]
  readonly via?: Via
  /** Does the reset come together with data? */
  readonly isDisguised?: true
}

async function check(row: ConformanceCase, way: Way): Promise<void> {
  for (const reading of readingsOf(row)) await checkReading(row, way, reading)
}

/** A body that waits for a 100 is told of it by `readResponse` or by `waitForContinue`. */
function readingsOf(row: ConformanceCase): Reading[] {
  const { expect100 } = row.requests[row.requests.length - 1]
  const steps: Reading = { by: 'read' }
  if (expect100 === undefined) return [steps]
  if (isIgnored(row)) return [{ ...steps, continueMs: CONTINUE_MS }]
  return [steps, { ...steps, continueMs: Infinity }]
}

async function checkReading(row: ConformanceCase, way: Way, reading: Reading): Promise<void> {
  const driven = new Driven(row.options, way.via)
  if (row.early.length > 0) {
    await driven.connection.connect()
    await driven.play(row.early)
  }
  await driven.send(row.requests)
  const done = driven.read(row.requests, reading)
  await driven.play(actsOf(row, way))
  await done
  await driven.askNext()
  const seen = seenOf(row, await driven.finish(), reading)
  const expected = expectedOf(row, reading)
  const { how } = way
  // Only a difference is worth the time that Jest takes to show it.
  if (!isDeepStrictEqual(seen, expected)) expect({ how, ...seen }).toEqual({ how, ...expected })
  if (row.early.length > 0) expect(driven.seen.received).toBe('')
  checkBody(row, driven.seen.received)
}

/** Any time will do: it is not waited for. */
const CONTINUE_MS = 1000

/** Does the server say nothing, so that the body goes out when enough time has passed? */
const isIgnored = (row: ConformanceCase): boolean => row.segments.length === 0 && row.sendsBody === true

const bodyThatWaits = (row: ConformanceCase): string => row.requests[row.requests.length - 1].body!

/** All that the server does, in that order. */
function actsOf(row: ConformanceCase, way: Pick<Way, 'before' | 'behind' | 'isDisguised'>): Act[] {
  const { before, behind } = way
  const passing: Act[] = [{ turn: true }, { call: () => jest.advanceTimersByTime(CONTINUE_MS) }]
  const waiting: Act[] = row.sendsBody === true ? [{ received: bodyThatWaits(row) }] : []
  return [
    ...before,
    ...(isIgnored(row) ? passing : []),
    ...waiting,
    ...behind,
    ...endOf(row, way.isDisguised),
  ]
}

/** Did the body that waits for a 100 go out once, or not at all, where the table says so? */
function checkBody(row: ConformanceCase, received: string): void {
  if (row.sendsBody === undefined) return
  expect(received.split(bodyThatWaits(row)).length - 1).toBe(row.sendsBody ? 1 : 0)
}

function endOf({ end }: ConformanceCase, isDisguised = false): Act[] {
  if (end !== 'fin' && end !== 'reset') return []
  return [{ end: isDisguised ? 'reset like a FIN' : end }]
}

/** The same through `request`: the response at fault rejects with the fault, those behind it as unanswered. */
async function checkRequests(row: ConformanceCase): Promise<void> {
  const driven = new Driven(row.options)
  const { connection } = driven
  const asked = row.requests.map(request =>
    connection.request(request.method, request.path, wholeOptionsOf(row, request)).then(
      async response => ({
        ...headOf(response),
        body: (await response.readAll()).toString('latin1'),
        trailers: [...response.trailers],
      }),
      (error: Error & { unanswered?: unknown[]; response?: Parameters<typeof headOf>[0] }) => ({
        code: seenError(error).code,
        cause: error.cause instanceof Error ? seenError(error.cause).code : undefined,
        unanswered: error.unanswered?.length,
        head: error.response && row.head && headOf(error.response),
      }),
    ),
  )
  const outcomes = Promise.all(asked)
  await driven.settled('sent', connection.connect())
  for (let turns = 0; turns < 4; turns++) await turn()
  await driven.play(actsOf(row, { before: row.segments, behind: row.afterBody }))
  const seen = await driven.settled('request', outcomes)
  const missing = row.requests.length - row.responses.length
  const faults = Array.from({ length: missing }, (_, index) => {
    const code = index === 0 ? row.error!.code : closed.code
    const isClosed = code === closed.code
    return {
      code,
      cause: isClosed && row.error!.code !== closed.code ? row.error!.code : undefined,
      unanswered: isClosed ? expect.any(Number) : undefined,
      head: index === 0 && !isClosed ? row.head : undefined,
    }
  })
  expect(
    seen.map(outcome =>
      'code' in outcome && outcome.code === closed.code && row.error!.code === closed.code
        ? { ...outcome, cause: undefined }
        : outcome,
    ),
  ).toEqual([...row.responses, ...faults])
  if (missing === 0 && row.error === closed) {
    const next = connection.request('GET', '/next').then(() => undefined, seenError)
    expect(await driven.settled('the next request', next)).toEqual(closed)
  }
  checkBody(row, (await driven.finish()).received)
}

function wholeOptionsOf(row: ConformanceCase, request: CaseRequest): ExchangeOptions {
  if (request.expect100 === undefined) return optionsOf(request)
  return { ...optionsOf(request), expect100: { timeoutMs: isIgnored(row) ? CONTINUE_MS : Infinity } }
}

beforeEach(() => {
  jest.useFakeTimers()
})

afterEach(() => {
  jest.useRealTimers()
})

describe('the conformance table', () => {
  describe.each(groups)('%s', (_, rows) => {
    const here = rows.filter(overFakeSocket).map(row => [row.name, row] as const)
    if (here.length === 0) return

    it.each(here)('%s', async (_name, row) => {
      const text = row.segments.join('')
      const bodyText = row.afterBody.join('')
      const before = text === '' ? [] : [text]
      const behind = bodyText === '' ? [] : [bodyText]
      await check(row, { how: 'whole', before, behind })
      if (row.segments.length + row.afterBody.length > 1)
        await check(row, { how: 'in segments', before: row.segments, behind: row.afterBody })
      await check(row, { how: 'byte by byte', before: bytesOf(text), behind: bytesOf(bodyText) })
      for (const at of cutsOf(text.length)) {
        const cut = [text.slice(0, at), { turn: true as const }, text.slice(at)]
        await check(row, { how: `cut at ${at}`, before: cut, behind })
      }
      for (const at of cutsOf(bodyText.length)) {
        const cut = [bodyText.slice(0, at), { turn: true as const }, bodyText.slice(at)]
        await check(row, { how: `cut behind the body at ${at}`, before, behind: cut })
      }
    })
  })

  describe('through request', () => {
    const here = cases.filter(row => overFakeSocket(row) && row.early.length === 0)

    it.each(here.map(row => [row.name, row] as const))('%s', async (_name, row) => {
      await checkRequests(row)
    })
  })

  describe('over a transport that is dialled', () => {
    const here = cases.filter(overFakeSocket)

    it.each(here.map(row => [row.name, row] as const))('%s', async (_name, row) => {
      const way: Way = { how: 'dialled', before: row.segments, behind: row.afterBody, via: 'TCP' }
      await check(row, way)
      if (row.end === 'reset') await check(row, { ...way, how: 'with a reset like a FIN', isDisguised: true })
    })
  })
})
