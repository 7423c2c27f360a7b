// The peer ends the connection behind every single byte of its side of a pipeline, by FIN and by reset. Exactly the
// responses that were complete by then are delivered; every other request is named once, with what became of it.
import { HTTPConnection } from '../../lib/index'
import { FakeSocket, type FakePeer } from '../../lib/testing'
import { turn } from '../support/drive'
import { blockedUpload, expectedAt, FIVE_EXCHANGES, streamOf, USES } from '../support/scripted-exchanges'
import type { Script, Use } from '../support/scripted-exchanges'

const BLOCKED_UPLOAD = blockedUpload(400_000)

/** A few thousand connections a test; enough even on a machine that is busy with something else. */
jest.setTimeout(60_000)

type End = 'fin' | 'reset'

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
