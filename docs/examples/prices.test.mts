// A function that uses a connection, and its tests: over a fake socket, without a network, a port or a timer.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ConnectionClosed, HTTPConnection } from 'httpio'
import { FakeSocket, type FakePeer } from 'httpio/testing'

// ---- what is tested: it is given its connection

/** The price of each item, in the order of `ids`; null for one that does not exist. After a lost connection it goes on, once. */
async function prices(conn: HTTPConnection, ids: readonly number[]): Promise<(number | null)[]> {
  const found: (number | null)[] = []
  let mayFailOnce = true
  while (found.length < ids.length) {
    try {
      const paths = ids.slice(found.length).map(id => `/prices/${id}`)
      for await (const response of conn.pipeline(paths, { depth: mayFailOnce ? 64 : 1 })) {
        if (response.status === 404) found.push(null)
        else found.push(((await response.json()) as { price: number }).price)
      }
    } catch (error) {
      if (!(error instanceof ConnectionClosed) || !mayFailOnce) throw error
      mayFailOnce = false
      await conn.close()
    }
  }
  return found
}

// ---- its tests

/** A connection that dials these sockets, one after the other. */
function connectionOver(...sockets: FakeSocket[]): HTTPConnection {
  return new HTTPConnection('shop.test', { socket: () => sockets.shift()! })
}

/** A response as it goes on the wire. */
const priceOf = (price: number): string => {
  const body = JSON.stringify({ price })
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
const requestLines = (peer: FakePeer): string[] => String(peer.received).match(/^GET .*(?=\r\n)/gm) ?? []

test('asks for all prices in one write, and has null for an item that does not exist', async () => {
  const socket = new FakeSocket()
  socket.peer.respond(({ path }) => (path === '/prices/2' ? { status: 404 } : { body: '{ "price": 17 }' }))
  await using conn = connectionOver(socket)
  assert.deepEqual(await prices(conn, [1, 2, 3]), [17, null, 17])
  assert.equal(socket.peer.writes.length, 1)
})

test('asks again for what a connection that died in the middle had not answered, one after the other', async () => {
  const [first, second] = [new FakeSocket(), new FakeSocket()]
  await using conn = connectionOver(first, second)
  const found = prices(conn, [1, 2, 3])
  await first.peer.waitFor('/prices/3')
  first.peer.send(priceOf(10) + priceOf(20).slice(0, -4)) // half of the second answer is no answer
  first.peer.reset()

  await second.peer.waitFor('/prices/2')
  assert.deepEqual(requestLines(second.peer), ['GET /prices/2 HTTP/1.1'])
  second.peer.send(priceOf(20))
  await second.peer.waitFor('/prices/3')
  second.peer.send(priceOf(30))
  assert.deepEqual(await found, [10, 20, 30])
})

test('gives up when the next connection dies as well, and says what was not answered', async () => {
  const [first, second] = [new FakeSocket(), new FakeSocket()]
  await using conn = connectionOver(first, second)
  const found = prices(conn, [1, 2])
  await first.peer.waitFor('/prices/2')
  first.peer.end()
  await second.peer.waitFor('/prices/1')
  second.peer.end()
  await assert.rejects(found, (error: unknown) => {
    assert.ok(error instanceof ConnectionClosed)
    assert.deepEqual(error.unanswered, [
      { method: 'GET', path: '/prices/1', outcome: 'no-reply', processed: 'maybe' },
    ])
    return true
  })
})

test('passes an error on that sending again does not help', async () => {
  const socket = new FakeSocket()
  socket.peer.respond(() => ({ body: 'this is no JSON' }))
  await using conn = connectionOver(socket)
  await assert.rejects(prices(conn, [1]), SyntaxError)
})
