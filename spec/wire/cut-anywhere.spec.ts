// The peer ends the connection behind every single byte of its side of a pipeline, by FIN and by reset. Exactly the
// responses that were complete by then are delivered; every other request is named once, with what became of it.
import { BodyFollowing, ConnectionClosed, HTTPConnection } from '../../lib/index'
import type { HTTPResponse, UnansweredRequest } from '../../lib/index'
import { FakeSocket, type FakePeer } from '../../lib/testing'
import { turn } from '../support/drive'

/** A few thousand connections a test; enough even on a machine that is busy with something else. */
jest.setTimeout(60_000)

type End = 'fin' | 'reset'

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

interface Script {
  readonly asked: readonly Asked[]
  readonly parts: readonly Part[]
  /** What each response is, whole: status, body, trailers. */
  readonly answers: readonly string[]
}

/** Plain, chunked, HEAD, an upload that waits for 100, and trailers. */
const FIVE_EXCHANGES: Script = {
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

/** The server reads the head of an upload and nothing more, but answers all the same. */
const BLOCKED_UPLOAD: Script = {
  asked: [
    { method: 'GET', path: '/plain' },
    { method: 'PUT', path: '/upload', body: Buffer.alloc(400_000, 'u') },
    { method: 'GET', path: '/behind' },
  ],
  parts: [
    { after: 'PUT /upload', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain' },
    { after: 'PUT /upload', bytes: 'HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\n\r\nfull' },
  ],
  answers: ['200 plain ', '507 full '],
}

const streamOf = ({ parts }: Script) => parts.map(({ bytes }) => bytes).join('')

/** Sends the first `cutAt` bytes, each part when its time has come, and then ends the connection. */
async function serve(peer: FakePeer, { parts }: Script, cutAt: number, end: End): Promise<void> {
  let left = cutAt
  for (const { after, bytes } of parts) {
    if (left === 0) break
    await peer.waitFor(after)
    peer.send(bytes.slice(0, left))
    left -= Math.min(left, bytes.length)
  }
  if (left > 0) throw new Error('the script is over')
  if (end === 'fin') peer.end()
  else peer.reset()
}

/** So much of a head may be of an interim or of a final response; it counts as the latter. */
const AMBIGUOUS = 'HTTP/1.1 '

/** What must be seen when the stream is cut there: complete responses, and the rest from the peer's side of the wire. */
function expectedAt({ asked, parts, answers }: Script, cutAt: number, received: string) {
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
    const isSent = received.includes(`${method} ${path} `)
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

interface Outcome {
  readonly delivered: string[]
  readonly unanswered: readonly UnansweredRequest[]
}

/** A promise that must settle though no time passes. */
async function settles<T>(promise: Promise<T>, peer: FakePeer): Promise<T> {
  let isPending = true
  const done = () => {
    isPending = false
  }
  promise.then(done, done)
  for (let turns = 0; isPending && turns < 60; turns++) await turn()
  if (isPending)
    throw new Error(`pending after ${JSON.stringify(peer.received.toString('latin1').slice(0, 500))}`)
  return promise
}

function unansweredOf(error: unknown): readonly UnansweredRequest[] {
  if (error instanceof ConnectionClosed) return error.unanswered
  throw error
}

type Use = (connection: HTTPConnection, asked: readonly Asked[]) => Promise<Outcome>

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
  const send = async (sending: () => Promise<unknown>) => {
    try {
      await sending()
    } catch (error) {
      unansweredOf(error)
    }
  }
  try {
    for (const { method, path, body, expect100 } of asked) {
      const following = body && { body: new BodyFollowing(body.length), expect100 }
      await send(() => connection.sendRequest(method, path, following))
      if (body === undefined) continue
      while (expect100 === true && connection.pendingRequests[0].path !== path) await readOne()
      await send(async () => {
        if (expect100 !== true || (await connection.waitForContinue())) await connection.write(body)
      })
    }
    while (delivered.length < asked.length) await readOne()
    return { delivered, unanswered: [] }
  } catch (error) {
    const named = unansweredOf(error)
    const others = asked.slice(delivered.length + named.length)
    const unsent = others.map(
      ({ method, path }) => ({ method, path, outcome: 'unsent', processed: 'no' }) as const,
    )
    return { delivered, unanswered: [...named, ...unsent] }
  }
}

async function cut(script: Script, use: Use, cutAt: number, end: End, isStalled: boolean): Promise<void> {
  const socket = new FakeSocket()
  const { peer } = socket
  const connection = new HTTPConnection('example.test', { socket })
  const using = use(connection, script.asked)
  using.catch(() => {})
  if (isStalled) {
    await settles(peer.waitFor('PUT /upload'), peer)
    peer.stall()
  }
  await settles(serve(peer, script, cutAt, end), peer)
  const seen = await settles(using, peer)
  const expected = expectedAt(script, cutAt, peer.received.toString('latin1'))
  expect({ cutAt, ...seen }).toEqual({ cutAt, ...expected })
  await settles(connection.close(), peer)
}

const USES: readonly (readonly [string, Use])[] = [
  ['request', byRequest],
  ['pipeline', byPipeline],
  ['one-step calls', byStep],
]
const ENDS: readonly End[] = ['fin', 'reset']
const rows = USES.flatMap(([name, use]) => ENDS.map(end => [name, end, use] as const))

describe('a pipeline of five exchanges', () => {
  it.each(rows)('by %s, delivers what is complete before a %s behind any byte', async (_name, end, use) => {
    for (let cutAt = 0; cutAt <= streamOf(FIVE_EXCHANGES).length; cutAt++) {
      await cut(FIVE_EXCHANGES, use, cutAt, end, false)
    }
  })
})

describe('a pipeline that is blocked in the middle of an upload', () => {
  it.each(rows)('by %s, delivers what is complete before a %s behind any byte', async (_name, end, use) => {
    for (let cutAt = 0; cutAt <= streamOf(BLOCKED_UPLOAD).length; cutAt++) {
      await cut(BLOCKED_UPLOAD, use, cutAt, end, true)
    }
  })
})
