// Runs every row of the table over a FakeSocket: in the segments it names, byte by byte, cut in two at every position,
// through `request`, and with one more request behind it. The rows about TLS are in tls.spec.ts.
import { isDeepStrictEqual } from 'node:util'
import { cases, groups } from './cases'
import { closed, unsupported } from './case'
import type { ConformanceCase } from './case'
import { Driven, headOf, NEXT_READ, optionsOf, seenError, turn } from '../support/drive'
import type { Act, Seen } from '../support/drive'

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
function expectedOf(row: ConformanceCase) {
  const answered = row.error === undefined
  return {
    responses: row.responses,
    informational: row.informational,
    head: row.head,
    code: row.error?.code,
    reason: row.error?.reason,
    next: answered ? NEXT_READ : undefined,
    unsettled: undefined,
  }
}

/** What was seen, without what the table leaves open. */
function seenOf(row: ConformanceCase, seen: Seen) {
  // Where an unsupported response has no head that could be parsed, one may still be handed out.
  const headIsOpen = row.head === undefined && row.error === unsupported
  return {
    responses: seen.responses,
    informational: seen.informational,
    head: headIsOpen ? undefined : seen.head,
    code: seen.error?.code,
    reason: row.error?.reason === undefined ? undefined : seen.error?.reason,
    next: seen.next,
    unsettled: seen.unsettled,
  }
}

async function check(row: ConformanceCase, how: string, segments: readonly Act[]): Promise<void> {
  const driven = new Driven(row.options)
  if (row.early.length > 0) {
    await driven.connection.connect()
    await driven.play(row.early)
  }
  await driven.send(row.requests)
  const reading = driven.read(row.requests.length)
  await driven.play([...segments, ...endOf(row)])
  await reading
  await driven.askNext()
  const seen = seenOf(row, await driven.finish())
  const expected = expectedOf(row)
  // Only a difference is worth the time that Jest takes to show it.
  if (!isDeepStrictEqual(seen, expected)) expect({ how, ...seen }).toEqual({ how, ...expected })
  if (row.early.length > 0) expect(driven.seen.received).toBe('')
}

function endOf(row: ConformanceCase): Act[] {
  return row.end === 'fin' || row.end === 'reset' ? [{ end: row.end }] : []
}

/** The same through `request`: the response at fault rejects with the fault, those behind it as unanswered. */
async function checkRequests(row: ConformanceCase): Promise<void> {
  const driven = new Driven(row.options)
  const { connection } = driven
  const asked = row.requests.map(request =>
    connection.request(request.method, request.path, optionsOf(request)).then(
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
  await driven.play([...row.segments, ...endOf(row)])
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
  await driven.finish()
}

describe('the conformance table', () => {
  describe.each(groups)('%s', (_, rows) => {
    const here = rows.filter(overFakeSocket).map(row => [row.name, row] as const)
    if (here.length === 0) return

    it.each(here)('%s', async (_name, row) => {
      const text = row.segments.join('')
      await check(row, 'whole', text === '' ? [] : [text])
      if (row.segments.length > 1) await check(row, 'in segments', row.segments)
      await check(row, 'byte by byte', bytesOf(text))
      for (const at of cutsOf(text.length)) {
        await check(row, `cut at ${at}`, [text.slice(0, at), { turn: true }, text.slice(at)])
      }
    })
  })

  describe('through request', () => {
    const here = cases.filter(row => overFakeSocket(row) && row.early.length === 0)

    it.each(here.map(row => [row.name, row] as const))('%s', async (_name, row) => {
      await checkRequests(row)
    })
  })
})
