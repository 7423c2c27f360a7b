// Bodies that end with the connection: refused unless asked for, and then complete only after a clean close.
import { HTTPConnection } from '../../lib'
import { arrival, asked, failure, follow, text, turns, wire } from '../support/reading'

const HEAD = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'
const accept = { closeDelimited: 'accept' } as const

describe("closeDelimited: 'accept'", () => {
  it('reads a body to the end of the connection', async () => {
    const { connection, peer } = await asked(['/a', '/b'], accept)
    peer.send(`${HEAD}abc`)
    const response = await connection.readResponse()
    expect(response.length).toBeNull()
    expect(text(await response.read())).toBe('abc')
    const rest = response.readAll()
    const state = follow(rest)
    peer.send('def')
    await turns()
    expect(state.is).toBe('pending')
    peer.end()
    expect(text(await rest)).toBe('def')
    expect((await response.read()).length).toBe(0)
    expect(await failure(connection.readResponse())).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [{ path: '/b', outcome: 'no-reply', processed: 'no' }],
    })
  })

  it('reads an empty one, and one that is read when all is over', async () => {
    for (const body of ['', 'all of it']) {
      const { connection, peer } = await asked(['/a'], accept)
      peer.send(HEAD + body)
      peer.end()
      await turns()
      await connection.readResponse()
      expect(text(await connection.readAll())).toBe(body)
    }
  })

  it.each<[string, (connection: HTTPConnection) => Promise<unknown>]>([
    ['read', connection => connection.read()],
    ['readInto', connection => connection.readInto(Buffer.alloc(1))],
    ['readAll', connection => connection.readAll()],
    ['discard', connection => connection.discard()],
  ])('settles a %s that waits for the end', async (_name, read) => {
    const { connection, peer } = await asked(['/a'], accept)
    peer.send(HEAD)
    await connection.readResponse()
    const pending = read(connection)
    peer.end()
    await pending
    expect(connection.responsePending).toBe(false)
  })

  it('works in a request and in a pipeline', async () => {
    const first = wire(accept)
    const request = first.connection.request('GET', '/a')
    await arrival(first.peer, '/a')
    first.peer.send(`${HEAD}abc`)
    first.peer.end()
    expect(await (await request).text()).toBe('abc')

    const second = wire(accept)
    const pipeline = second.connection.pipeline(['/a'])
    const next = pipeline.next()
    await arrival(second.peer, '/a')
    second.peer.send(`${HEAD}abc`)
    const { value } = await next
    const end = pipeline.next()
    second.peer.end()
    expect(await end).toEqual({ done: true, value: undefined })
    expect(value!.status).toBe(200)
  })

  it('is ConnectionClosed after a reset', async () => {
    const { connection, peer } = await asked(['/a'], accept)
    peer.send(`${HEAD}abc`)
    await connection.readResponse()
    const all = failure(connection.readAll())
    peer.reset()
    expect(await all).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [{ path: '/a', outcome: 'partial-reply' }],
    })
  })

  it('is ConnectionClosed when the transport closes without an end', async () => {
    const { connection, peer, socket } = await asked(['/a'], accept)
    peer.send(`${HEAD}abc`)
    await connection.readResponse()
    const all = failure(connection.readAll())
    socket.destroy()
    expect(await all).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })

  it('is not for a response that keeps the connection open', async () => {
    const { connection, peer } = await asked(['/a'], accept)
    peer.send('HTTP/1.1 200 OK\r\n\r\nabc')
    await connection.readResponse()
    expect(await failure(connection.readAll())).toMatchObject({ code: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE' })
  })

  it('leaves framed responses as they are', async () => {
    const { connection, peer } = await asked(['/a'], accept)
    peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabc')
    peer.end()
    await connection.readResponse()
    expect(await failure(connection.readAll())).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })
})

describe('closeDelimited', () => {
  it("is 'reject' by default", async () => {
    for (const options of [{}, { closeDelimited: 'reject' } as const]) {
      const { connection, peer } = await asked(['/a'], options)
      peer.send(`${HEAD}abc`)
      await connection.readResponse()
      expect(await failure(connection.readAll())).toMatchObject({ code: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE' })
    }
  })

  it('refuses anything else at construction', () => {
    expect(() => wire({ closeDelimited: 'maybe' as 'accept' })).toThrow(TypeError)
  })
})
