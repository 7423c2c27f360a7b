// Pipelines of a few exchanges as literal bytes, to be cut behind any of them, and what a caller must see of each cut, whichever way he asks.
// It must not know what the bytes travel on.
import { BodyFollowing, ConnectionClosed } from '../../lib'
import type { HTTPConnection, HTTPResponse, UnansweredRequest } from '../../lib'

/** What a server sends, once it has received `after`; an interim response answers nobody. */
interface Part {
  readonly after: string
  readonly bytes: string
  readonly isInterim?: boolean
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: Buffer
  readonly expect100?: boolean
}

export interface Script {
  readonly asked: readonly Asked[]
  readonly parts: readonly Part[]
  /** What each response is, whole: status, body, trailers. There may be fewer than requests. */
  readonly answers: readonly string[]
}

/** Plain, chunked, HEAD, an upload that waits for 100, and trailers. */
export const FIVE_EXCHANGES: Script = {
  asked: [
    { method: 'GET', path: '/plain' },
    { method: 'GET', path: '/chunked' },
    { method: 'HEAD', path: '/head' },
    { method: 'PUT', path: '/upload', body: Buffer.from('some data'), expect100: true },
    { method: 'GET', path: '/trailers' },
  ],
  parts: [
    { after: 'GET /plain', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain' },
    {
      after: 'GET /chunked',
      bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nchu\r\n4\r\nnked\r\n0\r\n\r\n',
    },
    { after: 'HEAD /head', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n' },
    { after: 'PUT /upload', bytes: 'HTTP/1.1 100 Continue\r\n\r\n', isInterim: true },
    { after: 'some data', bytes: 'HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone' },
    {
      after: 'GET /trailers',
      bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 49f6\r\n\r\n',
    },
  ],
  answers: ['200 plain ', '200 chunked ', '200  ', '201 done ', '200 hi X-Sum: 49f6'],
}

/**
 * The server reads the head of an upload and nothing more, but answers all the same.
 *
 * @param bodyBytes - more than what lies between the two takes
 */
export const blockedUpload = (bodyBytes: number): Script => ({
  asked: [
    { method: 'GET', path: '/plain' },
    { method: 'PUT', path: '/upload', body: Buffer.alloc(bodyBytes, 'u') },
    { method: 'GET', path: '/behind' },
  ],
  parts: [
    { after: 'PUT /upload', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain' },
    { after: 'PUT /upload', bytes: 'HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\n\r\nfull' },
  ],
  answers: ['200 plain ', '507 full '],
})

export const streamOf = ({ parts }: Script) => parts.map(({ bytes }) => bytes).join('')

/** So much of a head may be of an interim or of a final response; it counts as the latter. */
const AMBIGUOUS = 'HTTP/1.1 '

/**
 * What must be seen when so many bytes have arrived and no more: the complete responses, and what became of the other requests.
 *
 * @param sent - what the connection handed to its transport
 */
export function expectedAt({ asked, parts, answers }: Script, cutAt: number, sent: string): Outcome {
  let at = 0
  let isAmbiguous = false
  const spans = parts.flatMap(({ bytes, isInterim }) => {
    const start = at
    at += bytes.length
    if (isInterim !== true) return [{ start, end: at }]
    isAmbiguous ||= cutAt > start && cutAt <= start + AMBIGUOUS.length
    return []
  })
  const complete = spans.filter(({ end }) => end <= cutAt).length
  const unanswered = asked.slice(complete).map(({ method, path }, index): UnansweredRequest => {
    const span = spans[complete + index] as { start: number } | undefined
    const isAnswered = span !== undefined && (span.start < cutAt || (index === 0 && isAmbiguous))
    const isSent = sent.includes(`${method} ${path} `)
    return {
      method,
      path,
      outcome: isAnswered ? 'partial-reply' : isSent ? 'no-reply' : 'unsent',
      processed: isSent ? 'maybe' : 'no',
    }
  })
  return { delivered: answers.slice(0, complete), unanswered }
}

async function whole(response: HTTPResponse): Promise<string> {
  const body = (await response.readAll()).toString('latin1')
  const trailers = [...response.trailers].map(([name, value]) => `${name}: ${value}`).join()
  return `${response.status} ${body} ${trailers}`
}

export interface Outcome {
  /** Whole responses, in their order. */
  readonly delivered: readonly string[]
  readonly unanswered: readonly UnansweredRequest[]
}

function unansweredOf(error: unknown): readonly UnansweredRequest[] {
  if (error instanceof ConnectionClosed) return error.unanswered
  throw error
}

/** A way to ask for all of them. */
export type Use = (connection: HTTPConnection, asked: readonly Asked[]) => Promise<Outcome>

const byRequest: Use = async (connection, asked) => {
  const outcomes = await Promise.allSettled(
    asked.map(async ({ method, path, body, expect100 }) =>
      whole(await connection.request(method, path, { body, expect100 })),
    ),
  )
  const delivered = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const lists = outcomes.flatMap(outcome =>
    outcome.status === 'rejected' ? [unansweredOf(outcome.reason)] : [],
  )
  for (const list of lists) expect(list).toEqual(lists[0])
  return { delivered, unanswered: lists[0] ?? [] }
}

const byPipeline: Use = async (connection, asked) => {
  const delivered: string[] = []
  try {
    for await (const response of connection.pipeline(asked)) delivered.push(await whole(response))
  } catch (error) {
    return { delivered, unanswered: unansweredOf(error) }
  }
  return { delivered, unanswered: [] }
}

/** One-step calls. What was refused or never came to be sent is nobody's, and is listed as unsent here. */
const byStep: Use = async (connection, asked) => {
  const delivered: string[] = []
  const readOne = async () => delivered.push(await whole(await connection.readResponse()))
  /** A send that failed does not end reading. */
  const isSent = async (sending: () => Promise<unknown>) => {
    try {
      await sending()
      return true
    } catch (error) {
      unansweredOf(error)
      return false
    }
  }
  const sendAndRead = async () => {
    for (const { method, path, body, expect100 } of asked) {
      const following = body && { body: new BodyFollowing(body.length), expect100 }
      if (!(await isSent(() => connection.sendRequest(method, path, following)))) break
      if (body === undefined) continue
      while (expect100 === true && connection.pendingRequests[0].path !== path) await readOne()
      const sending = async () => {
        if (expect100 !== true || (await connection.waitForContinue())) await connection.write(body)
      }
      if (!(await isSent(sending))) break
    }
    while (connection.responsePending) await readOne()
  }
  const named = await sendAndRead().then(() => [], unansweredOf)
  const others = asked.slice(delivered.length + named.length)
  const unsent = others.map(
    ({ method, path }) => ({ method, path, outcome: 'unsent', processed: 'no' }) as const,
  )
  return { delivered, unanswered: [...named, ...unsent] }
}

export const USES: readonly (readonly [string, Use])[] = [
  ['request', byRequest],
  ['pipeline', byPipeline],
  ['one-step calls', byStep],
]
