// Over real sockets: bytes that lie in the kernel when a request is made on an idle connection are seen before it is written.
import { once } from 'node:events'
import { readFile } from 'node:fs'
import type { Socket } from 'node:net'
import { HTTPConnection, InvalidResponse, type HTTPResponse } from '../../lib'
import { Loopback } from '../support/loopback'
import { closedLater, ok } from '../support/reading'
import { ca, localhost } from '../support/tls'

let server: Loopback
afterEach(async () => server.close())

/** Where a program may be when it makes a request. */
const places: [string, (call: () => void) => void][] = [
  ['a callback of the file system', call => readFile(__filename, call)],
  ['process.nextTick', call => process.nextTick(call)],
  ['a microtask', call => queueMicrotask(call)],
  ['setImmediate', call => setImmediate(call)],
  ['an immediate of an immediate', call => setImmediate(() => setImmediate(call))],
  ['a timer', call => setTimeout(call, 0)],
]

/** A request was answered, and then a stray response was written; it is in the kernel when `from` calls. */
async function strayed(
  secure: boolean,
  from: (call: () => void) => void,
): Promise<{ first: string; second: HTTPResponse | Error; received: string }> {
  const options = { port: server.port, ...(secure ? { tls: { ca } } : {}) }
  const connection = closedLater(new HTTPConnection(secure ? 'localhost' : '127.0.0.1', options))
  const first = connection.request('GET', '/first')
  const peer: Socket = await server.next()
  // Otherwise the server's kernel would hold a second small write back, and the bytes would not be there.
  peer.setNoDelay(true)
  let received = ''
  peer.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
  while (!received.includes('/first')) await once(peer, 'data')
  const written = new Promise(resolve => peer.write(ok('mine'), resolve))
  const body = await (await first).text()
  await written

  // Written just before the request is made: nothing but a poll can find it.
  const second = new Promise<HTTPResponse | Error>(resolve => {
    from(() => {
      peer.write(ok('poison'))
      connection.request('GET', '/second').then(resolve, resolve)
    })
  })
  const outcome = await second
  return { first: body, second: outcome, received }
}

describe.each([
  ['TCP', false],
  ['TLS', true],
])('an idle connection over %s', (_name, secure) => {
  beforeEach(async () => {
    server = secure ? ((await Loopback.tls(localhost)) as unknown as Loopback) : await Loopback.tcp()
  })

  it.each(places)(
    'never takes a stray response for the answer to a request made from %s',
    async (_place, from) => {
      for (let round = 0; round < 10; round++) {
        const { first, second, received } = await strayed(secure, from)
        expect(first).toBe('mine')
        expect(second).toMatchObject({
          code: 'ERR_HTTPIO_CONNECTION_CLOSED',
          cause: { code: 'ERR_HTTPIO_INVALID_RESPONSE', reason: 'UNEXPECTED_DATA' },
          unanswered: [{ path: '/second', outcome: 'unsent', processed: 'no' }],
        })
        expect((second as Error).cause).toBeInstanceOf(InvalidResponse)
        expect(received).not.toContain('/second')
      }
    },
  )
})
