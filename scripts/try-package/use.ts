// A user's program: compiled as an ES module, as CommonJS and as a bundler sees it, and run as the first two.
import { HTTPConnection, HTTPHeaders, StateError, type HTTPResponse } from 'httpio'
import { FakeSocket, type FakeResponse } from 'httpio/testing'

const answer: FakeResponse = { headers: new HTTPHeaders({ 'X-Served-By': 'test' }), body: 'hello' }

export async function use(): Promise<string> {
  const socket = new FakeSocket()
  socket.peer.respond(({ headers }) => {
    if (!(headers instanceof HTTPHeaders)) throw new Error('the two entry points differ in HTTPHeaders')
    return answer
  })
  await using conn = new HTTPConnection('example.test', { socket })
  const responses: HTTPResponse[] = []
  for await (const response of conn.pipeline(['/1', { path: '/2', method: 'HEAD' }])) responses.push(response)
  const wrong: unknown = await conn.readResponse().catch((error: unknown) => error)
  if (!(wrong instanceof StateError)) throw new Error('a StateError was expected')
  return responses.map(({ method, path, status }) => `${method} ${path} ${status}`).join(', ')
}

use().then(
  line => console.log(line),
  (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  },
)
