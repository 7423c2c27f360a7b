// HTTPClient against servers on loopback that end their connections as they like: every request is answered once, by its own answer,
// and the servers see few requests twice.
import fc from 'fast-check'
import { HTTPClient, type ClientOptions, type HTTPResponse } from '../../lib'
import { AT_ONCE, behaved, destroyedLater, type Behaviour, type BehavedServer } from '../support/clients'
import { ok } from '../support/reading'

const paths = (count: number): string[] => Array.from({ length: count }, (_, i) => `/${i}`)

/** Asks for all of these at once; says which got another answer than their own, or none. */
async function askAll(client: HTTPClient, count: number): Promise<PromiseSettledResult<string>[]> {
  return Promise.allSettled(
    paths(count).map(async path => {
      const response = await client.request('GET', path)
      return `${response.path} ${await response.text()}`
    }),
  )
}

const answered = (count: number): PromiseSettledResult<string>[] =>
  paths(count).map(path => ({ status: 'fulfilled', value: `${path} ${path}` }))

function clientOf(server: BehavedServer, options: ClientOptions = {}): HTTPClient {
  return destroyedLater(new HTTPClient(server.origin, { resend: AT_ONCE, ...options }))
}

const CLOSE = 'Connection: close\r\n'
/** Ends a connection with the answer of this number. Some say so, some close only when they are asked for more. */
const endsAfter = (most: number): Record<string, Behaviour> => ({
  'without saying so': ({ path, count }, socket) => {
    if (count === most) socket.end(ok(path))
    else socket.write(ok(path))
  },
  'saying so': ({ path, count }, socket) => {
    if (count === most) socket.end(ok(path, CLOSE))
    else socket.write(ok(path))
  },
  'when asked for more': ({ path, count }, socket) => {
    if (count > most) socket.end()
    else socket.write(ok(path))
  },
  'by a reset': ({ path, count }, socket) => {
    if (count > most) socket.resetAndDestroy()
    else socket.write(ok(path))
  },
  'with half an answer': ({ path, count }, socket) => {
    if (count > most) socket.end(ok(path).slice(0, -1))
    else socket.write(ok(path))
  },
})

const rows = [1, 5].flatMap(most =>
  Object.entries(endsAfter(most)).flatMap(([how, behave]) =>
    [
      [1, 20],
      [1, 150],
      [4, 20],
      [4, 200],
    ].map(([connections, count]) => ({ most, how, behave, connections, count })),
  ),
)

describe('HTTPClient against a server that ends each connection', () => {
  it.each(rows)(
    'after $most, $how: $count requests over $connections are seen at most twice as often as asked for',
    async ({ most, behave, connections, count }) => {
      const server = await behaved(behave)
      const client = clientOf(server, { connections })
      expect(await askAll(client, count)).toEqual(answered(count))
      await client.close()

      const seen = server.asked.flat()
      expect(seen.length).toBeLessThanOrEqual(2 * count)
      expect(new Set(seen).size).toBe(count)
      const { stats } = client
      expect(stats.responses).toBe(count)
      expect(stats.requestsWritten).toBeGreaterThanOrEqual(seen.length)
      expect(stats.requestsResent).toBe(stats.requestsWritten - count)
      // It has been found out: the last connections are given what they take, and are not asked for more.
      const last = server.asked.filter(asked => asked.length > 0).slice(-2)
      if (count > 20) for (const asked of last) expect(asked.length).toBeLessThanOrEqual(most + 1)
    },
  )

  it('finds out one that answers once a connection, and serves it at depth 1', async () => {
    const server = await behaved(endsAfter(1)['without saying so'])
    const client = clientOf(server)
    await askAll(client, 20)
    expect(client.stats.depth).toBe(1)
    expect(server.portions.slice(1).every(portions => portions.every(({ length }) => length === 1))).toBe(
      true,
    )
  })

  it('finds out one that answers five a connection, and sends five together', async () => {
    const server = await behaved(endsAfter(5)['saying so'])
    const client = clientOf(server)
    await askAll(client, 100)
    expect(client.stats.depth).toBe(5)
    expect(server.portions.slice(3).map(portions => portions.map(({ length }) => length))).toEqual(
      Array(17).fill([5]),
    )
  })

  it('finds out that one takes more by now', async () => {
    let most = 2
    const server = await behaved((request, socket) => endsAfter(most)['without saying so'](request, socket))
    const client = clientOf(server)
    await askAll(client, 10)
    expect(client.stats.depth).toBe(2)
    most = Infinity
    const before = server.asked.length
    expect(await askAll(client, 300)).toEqual(answered(300))
    expect(server.asked.length - before).toBeLessThan(20)
    expect(server.asked[server.asked.length - 1].length).toBeGreaterThan(200)
  })

  it('gives up on one that never gives a whole answer, after three tries of each request', async () => {
    const server = await behaved(({ path }, socket) => socket.end(ok(path).slice(0, -1)))
    const client = clientOf(server)
    const results = await askAll(client, 30)
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    expect(server.asked.flat().length).toBe(90)
  })
})

/** What a server does after an answer, or instead of one. */
const mood = fc.oneof(
  { weight: 12, arbitrary: fc.constant('answer' as const) },
  { weight: 1, arbitrary: fc.constantFrom('announce', 'end', 'vanish', 'reset', 'half', 'late', 'garbage') },
)

const behaviourOf = (moods: readonly string[]): Behaviour => {
  let turn = 0
  return ({ path }, socket) => {
    const now = moods[turn++ % moods.length]
    const answer = ok(path)
    if (now === 'answer') socket.write(answer)
    else if (now === 'announce') socket.end(ok(path, CLOSE))
    else if (now === 'end') socket.end(answer)
    else if (now === 'vanish') socket.destroy()
    else if (now === 'reset') socket.resetAndDestroy()
    else if (now === 'half') socket.end(answer.slice(0, answer.length >> 1))
    else if (now === 'garbage') socket.end('HTTP/1.1 garbage\r\n\r\n')
    else {
      socket.write(answer)
      setImmediate(() => setImmediate(() => socket.end()))
    }
  }
}

describe('HTTPClient against any server', () => {
  it('settles every promise, gives every request its own answer or one error, and sends none more often than it may', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(mood, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (moods, connections, depth, count, attempts) => {
          const server = await behaved(behaviourOf(moods))
          const client = new HTTPClient(server.origin, {
            connections,
            depth,
            resend: { ...AT_ONCE, attempts },
          })
          const posts = Array.from({ length: 3 }, (_, i) => `/post${i}`)
          const [gets, posted] = await Promise.all([
            askAll(client, count),
            Promise.allSettled(posts.map(path => client.request('POST', path))),
          ])
          await client.close()

          gets.forEach((result, i) => {
            if (result.status === 'fulfilled') expect(result.value).toBe(`/${i} /${i}`)
            else expect(result.reason).toBeInstanceOf(Error)
          })
          const seen = server.asked.flat()
          const times = (path: string): number => seen.filter(each => each === path).length
          if (!moods.includes('announce')) {
            for (const path of paths(count)) expect(times(path)).toBeLessThanOrEqual(attempts)
            for (const path of posts) expect(times(path)).toBeLessThanOrEqual(1)
          }
          posted.forEach((result, i) => {
            if (result.status === 'fulfilled') expect(times(posts[i])).toBeGreaterThan(0)
          })
          // A POST is never put behind or in front of others, and no connection carries more than the depth at once.
          for (const portions of server.portions) {
            for (const portion of portions) {
              expect(portion.length).toBeLessThanOrEqual(depth)
              if (portion.some(path => path.startsWith('/post'))) expect(portion).toHaveLength(1)
            }
          }
          const { stats } = client
          expect(stats.requestsWritten - stats.requestsResent).toBeLessThanOrEqual(count + posts.length)
          expect(stats.responses).toBe(
            [...gets, ...posted].filter(({ status }) => status === 'fulfilled').length,
          )
          await server.close()
        },
      ),
      { numRuns: 40 },
    )
  }, 60_000)

  it('yields every response of a pipeline in order, whatever happens to the connections', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(
            mood.filter(now => now !== 'garbage'),
            { minLength: 2, maxLength: 30 },
          )
          .filter(moods => moods.filter(now => now === 'answer').length * 2 > moods.length),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 8 }),
        async (moods, connections, depth) => {
          const server = await behaved(behaviourOf(moods))
          const client = new HTTPClient(server.origin, {
            connections,
            depth,
            resend: { ...AT_ONCE, attempts: 30 },
          })
          const got: string[] = []
          const check = async (response: HTTPResponse): Promise<void> => {
            expect(await response.text()).toBe(response.path)
            got.push(response.path)
          }
          for await (const response of client.pipeline(paths(50))) await check(response)
          expect(got).toEqual(paths(50))
          await client.close()
          await server.close()
        },
      ),
      { numRuns: 25 },
    )
  }, 60_000)
})
