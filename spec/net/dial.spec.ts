import dns from 'node:dns'
import net from 'node:net'
import { connect as connectTLS } from 'node:tls'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { dial } from '../../lib/net/dial'
import { normaliseProxy } from '../../lib/net/proxy'
import { FakeSocket } from '../../lib/testing'
import { ca, localhost } from '../support/tls'
import { Loopback, readAll, rejection } from '../support/loopback'
import type { DialOptions } from '../../lib/net/dial'
import type { Duplex } from 'node:stream'

const options = (more: Partial<DialOptions> = {}): DialOptions => ({
  hostname: '127.0.0.1',
  port: 1,
  wantsCleanEnd: false,
  timeoutMs: 0,
  ...more,
})

const servers: Pick<Loopback, 'close'>[] = []

async function tcpServer(): Promise<Loopback> {
  const server = await Loopback.tcp()
  servers.push(server)
  return server
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = await Loopback.tcp()
  await server.close()
  return server.port
}

afterEach(async () => {
  jest.restoreAllMocks()
  jest.useRealTimers()
  for (const server of servers.splice(0)) await server.close()
})

describe('dial over TCP', () => {
  it('connects a socket that is silent until it is read', async () => {
    const server = await tcpServer()
    const [{ stream, tls }, peer] = await Promise.all([dial(options({ port: server.port })), server.next()])
    expect(tls).toBeNull()
    expect(stream).toBeInstanceOf(net.Socket)
    peer.end('hello')
    stream.write('question')
    expect(String(await once(peer, 'data'))).toBe('question')
    expect(await readAll(stream)).toBe('hello')
    stream.end()
    await once(peer, 'end')
  })

  it('switches off the delay of small writes', async () => {
    const noDelay = jest.spyOn(net, 'connect')
    const server = await tcpServer()
    const { stream } = await dial(options({ port: server.port }))
    expect(noDelay).toHaveBeenCalledWith(expect.objectContaining({ noDelay: true, allowHalfOpen: true }))
    stream.destroy()
  })

  it('keeps its side open when the peer has ended its own', async () => {
    const server = await tcpServer()
    const [{ stream }, peer] = await Promise.all([dial(options({ port: server.port })), server.next()])
    peer.end()
    expect(await readAll(stream)).toBe('')
    stream.end('still here')
    expect(await readAll(peer)).toBe('still here')
  })

  it('passes on what Node says when nobody listens', async () => {
    const error = await rejection(dial(options({ port: await closedPort() })))
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' })
  })

  it('takes IPv6 literals in brackets', async () => {
    const error = await rejection(dial(options({ hostname: '[::1]', port: await closedPort() })))
    expect(error).toMatchObject({ syscall: 'connect', address: '::1' })
  })

  it.each(['a b', 'a\r\nHost: b', ''])(
    'refuses the hostname %p before anything is opened',
    async hostname => {
      const connect = jest.spyOn(net, 'connect')
      expect(await rejection(dial(options({ hostname })))).toBeInstanceOf(TypeError)
      expect(connect).not.toHaveBeenCalled()
    },
  )

  it('connects to a plain proxy instead of the origin', async () => {
    const server = await tcpServer()
    const proxy = normaliseProxy(`http://127.0.0.1:${server.port}`)
    const [{ stream }, peer] = await Promise.all([
      dial(options({ hostname: 'example.test', proxy })),
      server.next(),
    ])
    stream.end('GET http://example.test/ HTTP/1.1\r\n\r\n')
    expect(await readAll(peer)).toBe('GET http://example.test/ HTTP/1.1\r\n\r\n')
    stream.destroy()
  })
})

describe('dial over a unix domain socket', () => {
  it('connects there, whatever hostname and port are', async () => {
    const server = await Loopback.unix()
    servers.push(server)
    const { socketPath } = server
    const [{ stream }, peer] = await Promise.all([
      dial(options({ hostname: 'example.test', socketPath })),
      server.next(),
    ])
    stream.end('hello')
    expect(await readAll(peer)).toBe('hello')
    stream.destroy()
  })

  it('passes on what Node says when there is none', async () => {
    const error = await rejection(dial(options({ socketPath: '/nowhere/at/all' })))
    expect(error).toMatchObject({ code: 'ENOENT' })
  })
})

describe('dial with the resolver failing', () => {
  const failure = (code: string) => Object.assign(new Error(code), { code, syscall: 'getaddrinfo' })
  const failWith = (error: Error) =>
    jest.spyOn(dns, 'lookup').mockImplementation(((_: string, __: object, callback: (e: Error) => void) => {
      process.nextTick(callback, error)
    }) as never)

  it.each(['ENOTFOUND', 'ENODATA'])('takes %s for HostnameNotResolvable', async code => {
    const cause = failure(code)
    failWith(cause)
    const error = await rejection(dial(options({ hostname: 'missing.test' })))
    expect(error).toMatchObject({
      code: 'ERR_HTTPIO_HOSTNAME_NOT_RESOLVABLE',
      hostname: 'missing.test',
      cause,
    })
  })

  it.each(['EAI_AGAIN', 'EAI_FAIL', 'ESERVFAIL', 'EMFILE'])('takes %s for DNSUnavailable', async code => {
    const cause = failure(code)
    failWith(cause)
    const error = await rejection(dial(options({ hostname: 'example.test' })))
    expect(error).toMatchObject({ code: 'ERR_HTTPIO_DNS_UNAVAILABLE', hostname: 'example.test', cause })
  })

  it('names the proxy if it is the proxy that has no address', async () => {
    failWith(failure('ENOTFOUND'))
    const proxy = normaliseProxy('http://proxy.test')
    expect(await rejection(dial(options({ hostname: 'example.test', proxy })))).toMatchObject({
      hostname: 'proxy.test',
    })
  })

  it('takes an empty answer for HostnameNotResolvable', async () => {
    jest
      .spyOn(dns, 'lookup')
      .mockImplementation(((_: string, __: object, callback: (e: null, a: []) => void) =>
        process.nextTick(callback, null, [])) as never)
    expect(await rejection(dial(options({ hostname: 'example.test' })))).toMatchObject({
      code: 'ERR_HTTPIO_HOSTNAME_NOT_RESOLVABLE',
    })
  })

  it('asks for nothing but the name itself', async () => {
    const lookup = failWith(failure('ENOTFOUND'))
    await rejection(dial(options({ hostname: 'missing.test' })))
    expect(lookup.mock.calls.map(([name]) => name)).toEqual(['missing.test'])
  })

  it.each([true, false])(
    'does so under TLS too (watching for its end: %p), with its own lookup',
    async wants => {
      const cause = failure('ENOTFOUND')
      const lookup: net.LookupFunction = (_, __, callback) => process.nextTick(callback, cause, '')
      const tls = { ca, lookup }
      const error = await rejection(dial(options({ hostname: 'missing.test', tls, wantsCleanEnd: wants })))
      expect(error).toMatchObject({ code: 'ERR_HTTPIO_HOSTNAME_NOT_RESOLVABLE', cause })
    },
  )
})

describe('dial with several addresses', () => {
  const answer = (...addresses: dns.LookupAddress[]) =>
    jest
      .spyOn(dns, 'lookup')
      .mockImplementation(((_: string, __: object, callback: (e: null, a: object) => void) =>
        process.nextTick(callback, null, addresses)) as never)

  it('connects to the one that answers', async () => {
    const server = await tcpServer()
    answer({ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 })
    const { stream } = await dial(options({ hostname: 'example.test', port: server.port }))
    expect((stream as net.Socket).remoteAddress).toBe('127.0.0.1')
    stream.destroy()
  })

  it('passes on an AggregateError when none does', async () => {
    const port = await closedPort()
    answer({ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 })
    const error = await rejection(dial(options({ hostname: 'example.test', port })))
    // Not toBeInstanceOf: it is of Node's own realm, not of the specs'.
    expect(error).toMatchObject({ name: 'AggregateError', code: 'ECONNREFUSED' })
    expect(error.errors).toHaveLength(2)
  })
})

describe('dial with a socket given', () => {
  it('gives back the socket itself, without a timer', async () => {
    jest.useFakeTimers()
    const socket = new FakeSocket()
    const { stream, tls, endedCleanly } = await dial(options({ socket, hostname: 'example.test' }))
    expect(stream).toBe(socket)
    expect(tls).toBeNull()
    expect(await endedCleanly()).toBe(true)
    expect(jest.getTimerCount()).toBe(0)
  })

  it.each<[string, (socket: Duplex) => () => Duplex | Promise<Duplex>]>([
    ['a function', socket => () => socket],
    ['a function that promises one', socket => async () => socket],
  ])('takes it from %s', async (_, make) => {
    const socket = new FakeSocket()
    expect((await dial(options({ socket: make(socket) }))).stream).toBe(socket)
  })

  it('passes on what the function throws', async () => {
    const error = new Error('no tunnel today')
    const socket = () => Promise.reject(error)
    expect(await rejection(dial(options({ socket })))).toBe(error)
  })

  it('refuses what is no stream', async () => {
    for (const nothing of [undefined, null, {}, 'socket', () => undefined]) {
      const socket = nothing === undefined ? () => undefined : nothing
      expect(await rejection(dial(options({ socket: socket as never })))).toBeInstanceOf(TypeError)
    }
  })

  it('refuses one that is closed', async () => {
    const socket = new PassThrough()
    socket.destroy()
    expect(await rejection(dial(options({ socket })))).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })

  it('waits for one that is still connecting, and passes on its error', async () => {
    const server = await tcpServer()
    const { stream } = await dial(options({ socket: () => net.connect(server.port, '127.0.0.1') }))
    expect((stream as net.Socket).connecting).toBe(false)
    stream.destroy()

    const port = await closedPort()
    const error = await rejection(dial(options({ socket: () => net.connect(port, '127.0.0.1') })))
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('waits for the handshake of a TLS socket that is still connecting, and passes on its error', async () => {
    const server = await Loopback.tls(localhost)
    servers.push(server)
    const connect = (more: object) => () => connectTLS({ port: server.port, host: '127.0.0.1', ...more })
    const { stream, tls } = await dial(options({ socket: connect({ ca }) }))
    expect(tls).toBe(stream)
    expect(tls?.authorized).toBe(true)
    stream.destroy()

    const error = await rejection(dial(options({ socket: connect({}) })))
    expect(error).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })

  it('says of a TLS socket given that it is one', async () => {
    const server = await Loopback.tls(localhost)
    servers.push(server)
    const first = await dial(options({ port: server.port, tls: { ca } }))
    const second = await dial(options({ socket: first.stream }))
    expect(second.tls).toBe(first.stream)
    first.stream.destroy()
  })
})

describe('dial within limits', () => {
  it('gives up after timeoutMs, and lets go of the socket', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const server = await tcpServer()
    const tls = { ca }
    const dialling = rejection(dial(options({ port: server.port, tls, timeoutMs: 5000 })))
    await server.next()
    jest.advanceTimersByTime(4999)
    expect(jest.getTimerCount()).toBe(1)
    jest.advanceTimersByTime(1)
    expect(await dialling).toMatchObject({ code: 'ERR_HTTPIO_TIMED_OUT', operation: 'connect' })
    await server.abandoned()
  })

  it('leaves no timer behind, however it ends', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const server = await tcpServer()
    const { stream } = await dial(options({ port: server.port, timeoutMs: 5000 }))
    stream.destroy()
    await rejection(dial(options({ port: await closedPort(), timeoutMs: 5000 })))
    expect(jest.getTimerCount()).toBe(0)
  })

  it('takes a limit longer than timers know for the longest they know', async () => {
    const server = await tcpServer()
    const { stream } = await dial(options({ port: server.port, timeoutMs: Infinity }))
    stream.destroy()
  })

  it('opens nothing when the signal is aborted already', async () => {
    const connect = jest.spyOn(net, 'connect')
    const reason = new Error('not wanted')
    expect(await rejection(dial(options({ signal: AbortSignal.abort(reason) })))).toBe(reason)
    expect(connect).not.toHaveBeenCalled()
  })

  it.each([true, false])(
    'lets go of the socket when it is aborted during the handshake (watched: %p)',
    async wantsCleanEnd => {
      const server = await tcpServer()
      const controller = new AbortController()
      const { signal } = controller
      const dialling = rejection(dial(options({ port: server.port, tls: { ca }, wantsCleanEnd, signal })))
      await once(await server.next(), 'data')
      const reason = new Error('closed')
      controller.abort(reason)
      expect(await dialling).toBe(reason)
      await server.abandoned()
    },
  )

  it('destroys a socket that a function gives too late', async () => {
    const controller = new AbortController()
    const late = new FakeSocket()
    let give: (socket: Duplex) => void = () => {}
    const socket = () => new Promise<Duplex>(resolve => (give = resolve))
    const dialling = rejection(dial(options({ socket, signal: controller.signal })))
    controller.abort(new Error('closed'))
    expect((await dialling).message).toBe('closed')
    give(late)
    await once(late, 'close')
  })

  it('leaves no listener on the signal, however it ends', async () => {
    const server = await tcpServer()
    const controller = new AbortController()
    const { signal } = controller
    const added = jest.spyOn(signal, 'addEventListener')
    const removed = jest.spyOn(signal, 'removeEventListener')
    const { stream } = await dial(options({ port: server.port, signal }))
    stream.destroy()
    await rejection(dial(options({ port: await closedPort(), signal })))
    expect(added).toHaveBeenCalledTimes(2)
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      added.mock.calls.map(([, listener]) => listener),
    )
  })
})

describe('dial given up at any moment', () => {
  it.each([false, true])('leaves nothing behind (watched: %p)', async wantsCleanEnd => {
    const proxy = await tcpServer()
    const origin = await Loopback.tls(localhost)
    servers.push(origin)
    proxy.onConnection = client => {
      client.once('data', () => {
        client.pause()
        const inner = net.connect({ port: origin.port, host: '127.0.0.1', allowHalfOpen: true })
        inner.on('error', () => client.destroy())
        inner.on('close', () => client.destroy())
        client.on('close', () => inner.destroy())
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.pipe(inner).pipe(client)
      })
    }
    const reason = new Error('given up')
    let turns = 0
    for (let isDone = false; !isDone; turns++) {
      const controller = new AbortController()
      const dialling = dial(
        options({
          hostname: 'example.test',
          tls: { ca },
          proxy: normaliseProxy(`http://127.0.0.1:${proxy.port}`),
          wantsCleanEnd,
          signal: controller.signal,
        }),
      )
      const outcome = dialling.then(
        ({ stream }) => {
          isDone = true
          stream.destroy()
        },
        (error: Error) => expect(error).toBe(reason),
      )
      for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
      controller.abort(reason)
      await outcome
    }
    // Connecting, tunnel and handshake take some turns of the loop each.
    expect(turns).toBeGreaterThan(5)
    await proxy.abandoned()
    await origin.abandoned()
  })
})
