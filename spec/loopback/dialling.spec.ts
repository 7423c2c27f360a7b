// Dialling as the user of a connection sees it: over real sockets, from the first request to the end of the connection.
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { once } from 'node:events'
import { HTTPConnection } from '../../lib'
import { ca, localhost } from '../support/tls'
import { Loopback, rejection } from '../support/loopback'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

const servers: Pick<Loopback, 'close'>[] = []
const connections: HTTPConnection[] = []

afterEach(async () => {
  jest.useRealTimers()
  for (const connection of connections.splice(0)) await connection.close()
  for (const server of servers.splice(0)) await server.close()
})

function remember<S extends net.Socket>(server: Loopback<S>): Loopback<S> {
  servers.push(server)
  return server
}

function connect(...args: ConstructorParameters<typeof HTTPConnection>): HTTPConnection {
  const connection = new HTTPConnection(...args)
  connections.push(connection)
  return connection
}

/** Reads one request head. */
async function asked(socket: Duplex): Promise<string> {
  let text = ''
  while (!text.endsWith('\r\n\r\n')) text += String(await once(socket, 'data'))
  socket.pause()
  return text
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe('HTTPConnection over TLS', () => {
  it('asks for a verified TLS connection, and tells of it', async () => {
    const server = remember(await Loopback.tls(localhost))
    const connection = connect('127.0.0.1', { port: server.port, tls: { ca } })
    const answering = connection.request('GET', '/')
    const peer = await server.next()
    expect(await asked(peer)).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/)
    peer.write(OK)
    expect(await (await answering).text()).toBe('ok')
    expect(await connection.getCipher()).toMatchObject({ version: 'TLSv1.3' })
    expect(await connection.getPeerCertificate()).toMatchObject({ subject: { CN: 'httpio specs localhost' } })
  })

  it('rejects with the error of verification, and goes on doing so with each request', async () => {
    const server = remember(await Loopback.tls(localhost))
    const connection = connect('127.0.0.1', { port: server.port, tls: true })
    for (let i = 0; i < 2; i++) {
      const error = await rejection(connection.request('GET', '/'))
      expect(error).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    }
    expect(server.accepted).toBe(2)
  })

  it.each([
    ['accepts a body that ends with close_notify', true],
    ['refuses a body that ends with a bare FIN', false],
  ])('%s', async (_, isClean) => {
    const server = remember(await Loopback.tls(localhost))
    let below: net.Socket | undefined
    server.onConnection = socket => (below = socket)
    const connection = connect('127.0.0.1', {
      port: server.port,
      tls: { ca },
      closeDelimited: 'accept',
    })
    const answering = connection.request('GET', '/')
    const peer = await server.next()
    await asked(peer)
    const response = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody'
    if (isClean) {
      peer.end(response)
      expect(await (await answering).text()).toBe('body')
    } else {
      peer.write(response, () => below?.end())
      expect(await rejection(answering)).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    }
  })
})

describe('HTTPConnection over TCP', () => {
  it('knows of no cipher and no certificate', async () => {
    const server = remember(await Loopback.tcp())
    const connection = connect('127.0.0.1', { port: server.port })
    await connection.connect()
    expect(await connection.getCipher()).toBeNull()
    expect(await connection.getPeerCertificate()).toBeNull()
  })

  it.each([
    ['accepts a body that ends with a FIN', true],
    ['refuses a body that ends with a reset', false],
  ])('%s', async (_, isClean) => {
    const server = remember(await Loopback.tcp())
    const connection = connect('127.0.0.1', { port: server.port, closeDelimited: 'accept' })
    const answering = connection.request('GET', '/')
    const peer = await server.next()
    await asked(peer)
    const response = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody'
    if (isClean) {
      peer.end(response)
      expect(await (await answering).text()).toBe('body')
    } else {
      peer.write(response)
      peer.resetAndDestroy()
      expect(await rejection(answering)).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    }
  })

  it('lets go of what it was dialling when it is closed', async () => {
    const server = remember(await Loopback.tcp())
    const connection = connect('127.0.0.1', { port: server.port, tls: true })
    const asking = rejection(connection.request('GET', '/'))
    await once(await server.next(), 'data')
    await connection.close()
    expect(await asking).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    await server.abandoned()
  })

  it('gives up dialling after connectTimeoutMs', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const server = remember(await Loopback.tcp())
    const connection = connect('127.0.0.1', { port: server.port, tls: true, connectTimeoutMs: 500 })
    const asking = rejection(connection.request('GET', '/'))
    await once(await server.next(), 'data')
    jest.advanceTimersByTime(500)
    expect(await asking).toMatchObject({ code: 'ERR_HTTPIO_TIMED_OUT', operation: 'connect' })
    await server.abandoned()
  })
})

describe('HTTPConnection through a proxy', () => {
  it('asks a plain proxy by absolute form, with its headers', async () => {
    const proxy = remember(await Loopback.tcp())
    const connection = connect('example.test', { proxy: `http://user:pass@127.0.0.1:${proxy.port}` })
    const answering = connection.request('GET', '/path?query')
    const peer = await proxy.next()
    const request = await asked(peer)
    expect(request).toMatch(/^GET http:\/\/example\.test\/path\?query HTTP\/1\.1\r\nHost: example\.test\r\n/)
    expect(request).toContain('\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n')
    peer.write(OK)
    expect(await (await answering).text()).toBe('ok')
  })

  it('asks for a tunnel under TLS, and tells the origin nothing that is for the proxy', async () => {
    const proxy = remember(await Loopback.tcp())
    const origin = remember<TLSSocket>(await Loopback.tls(localhost))
    const connection = connect('example.test', {
      proxy: `http://user:pass@127.0.0.1:${proxy.port}`,
      tls: { ca },
    })
    const answering = connection.request('GET', '/path')
    const client = await proxy.next()
    expect(await asked(client)).toBe(
      'CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n',
    )
    client.write('HTTP/1.0 200 Connection established\r\n\r\n')
    const inner = net.connect(origin.port, '127.0.0.1')
    inner.on('error', () => client.destroy())
    client.on('close', () => inner.destroy())
    client.pipe(inner).pipe(client)
    const peer = await origin.next()
    const request = await asked(peer)
    expect(request).toMatch(/^GET \/path HTTP\/1\.1\r\nHost: example\.test\r\n/)
    expect(request).not.toMatch(/proxy/i)
    peer.write(OK)
    expect(await (await answering).text()).toBe('ok')
  })

  it('rejects with TunnelFailed, and asks again for the next request', async () => {
    const proxy = remember(await Loopback.tcp())
    const connection = connect('example.test', { proxy: `http://127.0.0.1:${proxy.port}`, tls: { ca } })
    for (let i = 0; i < 2; i++) {
      const asking = rejection(connection.request('GET', '/'))
      const client = await proxy.next()
      await asked(client)
      client.end('HTTP/1.1 503 Service Unavailable\r\n\r\n')
      expect(await asking).toMatchObject({ code: 'ERR_HTTPIO_TUNNEL_FAILED', status: 503 })
    }
  })
})

describe('HTTPConnection over a unix domain socket', () => {
  it('names the host in its requests', async () => {
    const server = remember(await Loopback.unix())
    const connection = connect('example.test', { socketPath: server.socketPath })
    const answering = connection.request('GET', '/')
    const peer = await server.next()
    expect(await asked(peer)).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: example\.test\r\n/)
    peer.write(OK)
    expect(await (await answering).text()).toBe('ok')
  })

  it('dials anew after an error of dialling', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'httpio-spec-'))
    const socketPath = path.join(folder, 'socket')
    const connection = connect('example.test', { socketPath })
    expect(await rejection(connection.request('GET', '/'))).toMatchObject({ code: 'ENOENT' })

    const server = net.createServer(socket => socket.once('data', () => socket.end(OK)))
    server.listen(socketPath)
    await once(server, 'listening')
    expect(await (await connection.request('GET', '/')).text()).toBe('ok')
    server.close()
    rmSync(folder, { recursive: true })
  })
})
