// HTTPClient against servers that do their worst: counted by what they received, no request is seen more than twice on average.
import fc from 'fast-check'
import type net from 'node:net'
import { ConnectionClosed, HTTPClient } from '../../lib'
import { Adversary, treatments, type Treatment } from '../support/adversary'
import { AT_ONCE, behaved, destroyedLater, type Behaviour } from '../support/clients'
import { ok } from '../support/reading'

// Hundreds of connections each, on a machine that may be busy.
jest.setTimeout(60_000)

const COUNT = 512
const paths = Array.from({ length: COUNT }, (_, i) => `/${i}`)
const CLOSE = 'Connection: close\r\n'

/** Answers until the connection has had `most` requests, then does this with the one of that number. */
const last =
  (most: number, end: (path: string, socket: net.Socket) => void): (() => Behaviour) =>
  () =>
  ({ path, count }, socket) => {
    if (count < most) socket.write(ok(path))
    else if (count === most) end(path, socket)
  }

/** Answers but for every request of such a number, counted over all connections. */
const now =
  (isIt: (turn: number) => boolean, end: (path: string, socket: net.Socket) => void): (() => Behaviour) =>
  () => {
    let turn = 0
    const ended = new Set<net.Socket>()
    return ({ path }, socket) => {
      if (ended.has(socket)) return
      if (!isIt(turn++)) return void socket.write(ok(path))
      ended.add(socket)
      end(path, socket)
    }
  }

/** One of eight on average, in no order that a client could learn; the same every time. */
const isUnlucky = (turn: number): boolean => (Math.imul(turn + 1, 0x9e3779b1) >>> 7) % 8 === 0

/** As `write`, but what is written in one turn of the loop stays in the process until its end: a reset takes it away. */
function writeLate(socket: net.Socket, data: string): void {
  if (socket.writableCorked === 0) {
    socket.cork()
    process.nextTick(() => socket.uncork())
  }
  socket.write(data)
}

const servers: Record<string, () => Behaviour> = {
  'closes after every answer': last(1, (path, socket) => socket.end(ok(path))),
  'closes after every answer, saying so': last(1, (path, socket) => socket.end(ok(path, CLOSE))),
  'closes after each five answers': last(5, (path, socket) => socket.end(ok(path))),
  'resets when it is asked for a second': last(2, (_path, socket) => socket.resetAndDestroy()),
  'resets when it is asked for a sixth': last(6, (_path, socket) => socket.resetAndDestroy()),
  'resets after each five answers, when they have been sent': last(5, (path, socket) =>
    socket.write(ok(path), () => socket.resetAndDestroy()),
  ),
  'resets after each five answers, at once': last(5, (path, socket) => {
    socket.write(ok(path))
    socket.resetAndDestroy()
  }),
  'takes back with a reset what it answered in the same turn': () => {
    return ({ path, count }, socket) => {
      writeLate(socket, ok(path))
      if (count === 5) socket.resetAndDestroy()
    }
  },
  'resets in the middle of the sixth body': last(6, (path, socket) =>
    socket.write(ok(path).slice(0, -1), () => socket.resetAndDestroy()),
  ),
  'closes in the middle of the sixth body': last(6, (path, socket) => socket.end(ok(path).slice(0, -1))),
  'closes at random': now(isUnlucky, (path, socket) => socket.end(ok(path))),
  'closes at random without an answer': now(isUnlucky, (_path, socket) => socket.end()),
  'resets at random': now(isUnlucky, (_path, socket) => socket.resetAndDestroy()),
  'resets at random in the middle of a body': now(isUnlucky, (path, socket) =>
    socket.write(ok(path).slice(0, -1), () => socket.resetAndDestroy()),
  ),
  'lets one connection grow and says after the first answer of the next that it closes': () => {
    let made = 0
    const most = new Map<net.Socket, number>()
    return ({ path, count }, socket) => {
      if (!most.has(socket)) most.set(socket, made++ % 2 === 0 ? 18 : 1)
      if (count < most.get(socket)!) socket.write(ok(path))
      else if (count === most.get(socket)) socket.end(ok(path, CLOSE))
    }
  },
}

/** Asks an adversary for so many at once, and looks at each answer. */
async function attacked(
  treatments: readonly Treatment[],
  connections: number,
  depth: number,
  count: number,
): Promise<Adversary> {
  const adversary = new Adversary(treatments)
  const { connect } = adversary
  const client = new HTTPClient('http://example.test', { connections, depth, connect, resend: AT_ONCE })
  const asked = paths.slice(0, count)
  const results = await Promise.allSettled(
    asked.map(async path => (await client.request('GET', path)).text()),
  )
  await client.close()
  results.forEach((result, i) => {
    if (result.status === 'fulfilled') expect(result.value).toBe(asked[i])
    else expect(result.reason).toBeInstanceOf(ConnectionClosed)
  })
  return adversary
}

describe('HTTPClient against a server that', () => {
  it.each(Object.entries(servers))(
    '%s: 512 requests, 16 deep on 4 connections, are seen at most twice on average',
    async (_name, behaviour) => {
      const server = await behaved(behaviour())
      const resend = { ...AT_ONCE, attempts: 20 }
      const client = destroyedLater(new HTTPClient(server.origin, { connections: 4, depth: 16, resend }))
      const texts = await Promise.all(paths.map(async path => (await client.request('GET', path)).text()))
      await client.close()

      expect(texts).toEqual(paths)
      const seen = server.asked.flat()
      expect(new Set(seen)).toEqual(new Set(paths))
      expect(seen.length).toBeLessThanOrEqual(2 * COUNT)
      expect(client.stats.requestsWritten).toBeLessThanOrEqual(2 * COUNT)
    },
  )

  it('leaves the first request of every connection unanswered: each is seen as often as it may be tried', async () => {
    const server = await behaved(({ path }, socket) => socket.end(ok(path).slice(0, -1)))
    const client = destroyedLater(
      new HTTPClient(server.origin, { connections: 4, depth: 16, resend: AT_ONCE }),
    )
    const results = await Promise.allSettled(paths.slice(0, 100).map(path => client.request('GET', path)))
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    const seen = server.asked.flat()
    for (const path of paths.slice(0, 100)) {
      expect(seen.filter(each => each === path).length).toBeLessThanOrEqual(3)
    }
  })

  it.each<[string, [connections: number, depth: number, count: number], ...Treatment[]]>([
    [
      'connections that grow, and then say that they end, one after the other',
      [4, 16, 500],
      { answersEachTurn: 6, least: 1, pile: 11, patience: 40, how: 'saying so' },
      { answersEachTurn: 3, least: 1, pile: 2, patience: 19, how: 'saying so' },
      { answersEachTurn: 3, least: 1, pile: 1, patience: 2, how: 'saying so' },
      { answersEachTurn: 1, least: 14, pile: 3, patience: 40, how: 'saying so' },
    ],
    [
      'many requests under way on one that ends, when few may still be lost',
      [1, 16, 32],
      { answersEachTurn: 3, least: 1, pile: 2, patience: 9, how: 'with half an answer' },
      { answersEachTurn: 5, least: 17, pile: 1, patience: 0, how: 'saying so' },
      { answersEachTurn: 3, least: 1, pile: 4, patience: 0, how: 'by a FIN' },
      { answersEachTurn: 1, least: 3, pile: 1, patience: 0, how: 'by a reset' },
      { answersEachTurn: 1, least: 1, pile: 4, patience: 29, how: 'by a FIN' },
    ],
    [
      'many connections that take nothing more while a request waits that must be alone',
      [8, 2, 32],
      { answersEachTurn: 4, least: 1, pile: 1, patience: 0, how: 'by a reset' },
      { answersEachTurn: 1, least: 0, pile: 2, patience: 22, how: 'saying so' },
      { answersEachTurn: 1, least: 1, pile: 2, patience: 35, how: 'with half an answer' },
    ],
  ])(
    'has %s: requests are seen at most twice on average',
    async (_name, [connections, depth, count], ...all) => {
      const { received } = await attacked(all, connections, depth, count)
      expect(received).toBeLessThanOrEqual(2 * count)
    },
  )

  it.each([
    ['that answers the first request of each connection', 1],
    ['but for first requests of connections that it leaves unanswered', 0],
  ])(
    'does whatever hurts most, %s: requests are seen at most twice on average',
    async (_name, least) => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom([1, 16], [2, 8], [4, 4], [8, 2]).chain(([connections, depth]) =>
            fc.record({
              connections: fc.constant(connections),
              depth: fc.constant(depth),
              treatments: fc.array(treatments(least, depth), { minLength: 1, maxLength: 8 }),
            }),
          ),
          // From twice as many as may be under way at once.
          fc.integer({ min: 32, max: 160 }),
          async ({ connections, depth, treatments }, count) => {
            const { received, firstsRefused } = await attacked(treatments, connections, depth, count)
            expect(received - firstsRefused).toBeLessThanOrEqual(2 * count)
          },
        ),
        { numRuns: 100 },
      )
    },
    60_000,
  )
})
