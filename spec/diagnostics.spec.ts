// The channels by their public names, and what a connection publishes on them.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { HTTPConnection } from '../lib'
import {
  close,
  connect,
  requestOf,
  requestSent,
  responseComplete,
  responseHead,
  type DiagnosticChannel,
  type DiagnosticMessages,
} from '../lib/diagnostics'
import { FakeSocket } from '../lib/testing'

const channels: [keyof DiagnosticMessages, DiagnosticChannel<never>][] = [
  ['httpio:connect', connect],
  ['httpio:request:sent', requestSent],
  ['httpio:response:head', responseHead],
  ['httpio:response:complete', responseComplete],
  ['httpio:close', close],
]

describe.each(channels)('the channel %s', (name, channel) => {
  it('has subscribers exactly while somebody listens by its name', () => {
    const listener = jest.fn()
    expect(channel.hasSubscribers).toBe(false)
    subscribe(name, listener)
    expect(channel.hasSubscribers).toBe(true)
    unsubscribe(name, listener)
    expect(channel.hasSubscribers).toBe(false)
  })

  it('hands over the message itself, at once', () => {
    const listener = jest.fn()
    const message = {}
    subscribe(name, listener)
    channel.publish(message as never)
    unsubscribe(name, listener)
    expect(listener.mock.calls).toEqual([[message, name]])
    expect(listener.mock.calls[0][0]).toBe(message)
  })
})

describe('requestOf', () => {
  it('gives one frozen object for one exchange', () => {
    const exchange = { method: 'GET', path: '/', secret: 1 }
    expect(requestOf(exchange)).toBe(requestOf(exchange))
    expect(requestOf(exchange)).toEqual({ method: 'GET', path: '/' })
    expect(Object.isFrozen(requestOf(exchange))).toBe(true)
    expect(requestOf({ ...exchange })).not.toBe(requestOf(exchange))
  })
})

describe('HTTPConnection', () => {
  let log: { name: string; message: Record<string, unknown> }[]
  const listener = (message: unknown, name: string | symbol) =>
    void log.push({ name: String(name).slice('httpio:'.length), message: message as Record<string, unknown> })

  beforeEach(() => {
    log = []
    for (const [name] of channels) subscribe(name, listener)
  })
  afterEach(() => {
    for (const [name] of channels) unsubscribe(name, listener)
  })

  it('publishes connect, sent, head, complete and close, in the order of what happens', async () => {
    const socket = new FakeSocket()
    socket.peer.respond(({ path }) => ({
      status: path === '/a' ? 200 : 404,
      headers: { Via: path },
      body: 'x',
    }))
    const connection = new HTTPConnection('example.test', { socket, port: 8080 })
    await Promise.all([connection.request('GET', '/a'), connection.request('PUT', '/b', { body: 'y' })])
    await connection.close()

    const [a, b] = log.filter(({ name }) => name === 'request:sent').map(({ message }) => message.request)
    expect(a).toEqual({ method: 'GET', path: '/a' })
    expect(b).toEqual({ method: 'PUT', path: '/b' })
    const heads = log.filter(({ name }) => name === 'response:head').map(({ message }) => message.headers)
    expect(heads.map(headers => (headers as Headers).get('via'))).toEqual(['/a', '/b'])
    expect(log).toEqual([
      { name: 'connect', message: { connection, hostname: 'example.test', port: 8080, socket } },
      { name: 'request:sent', message: { connection, request: a } },
      { name: 'request:sent', message: { connection, request: b } },
      { name: 'response:head', message: { connection, request: a, status: 200, headers: heads[0] } },
      { name: 'response:complete', message: { connection, request: a, status: 200 } },
      { name: 'response:head', message: { connection, request: b, status: 404, headers: heads[1] } },
      { name: 'response:complete', message: { connection, request: b, status: 404 } },
      {
        name: 'close',
        message: { connection, error: expect.objectContaining({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' }) },
      },
    ])
    expect(log.map(({ message }) => message.request)).toEqual([undefined, a, b, a, a, b, b, undefined])
    for (const { message } of log) expect(message.connection).toBe(connection)
  })

  it('publishes no interim response, and a close once with the error that it brings', async () => {
    const socket = new FakeSocket()
    const connection = new HTTPConnection('example.test', { socket })
    await connection.sendRequest('GET', '/')
    socket.peer.send('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx')
    socket.peer.end()
    await connection.readResponse()
    const error: unknown = await connection.readAll().catch((error: unknown) => error)
    await connection.close()
    expect(log.map(({ name }) => name)).toEqual(['connect', 'request:sent', 'response:head', 'close'])
    expect(log[3].message.error).toBe(error)
  })

  it('publishes nothing of a connection that could not be dialled', async () => {
    const connection = new HTTPConnection('example.test', { socket: () => Promise.reject(new Error('no')) })
    await expect(connection.connect()).rejects.toThrow('no')
    expect(log).toEqual([])
  })

  it('makes nothing to publish while nobody listens', async () => {
    for (const [name] of channels) unsubscribe(name, listener)
    const published = channels.map(([, channel]) => jest.spyOn(channel, 'publish'))
    const socket = new FakeSocket()
    socket.peer.respond(() => ({}))
    const connection = new HTTPConnection('example.test', { socket })
    await connection.request('GET', '/')
    await connection.close()
    for (const publish of published) {
      expect(publish).not.toHaveBeenCalled()
      publish.mockRestore()
    }
  })
})
