// TLS as its user sees it: what is verified, what is asked for, and what is told of it.
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { HTTPConnection, type ConnectionOptions } from '../../lib'
import { FakeSocket } from '../../lib/testing'
import { Loopback, rejection } from '../support/loopback'
import { ca, expired, localhost, otherHost } from '../support/tls'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const resources: (() => Promise<unknown>)[] = []

async function listen(options: tls.TlsOptions = {}): Promise<Loopback<tls.TLSSocket>> {
  const server = await Loopback.tls({ ...localhost, ALPNProtocols: ['http/1.1'], ...options })
  resources.push(() => server.close())
  return server
}

function connect(
  server: { port: number },
  options: ConnectionOptions,
  hostname = '127.0.0.1',
): HTTPConnection {
  const connection = new HTTPConnection(hostname, { port: server.port, ...options })
  resources.push(() => connection.close())
  return connection
}

/** Resolves every name to the loopback interface. */
const lookup: net.LookupFunction = (_, { all }, callback) => {
  const address = '127.0.0.1'
  process.nextTick(() => callback(null, all ? [{ address, family: 4 }] : address, 4))
}

afterEach(async () => {
  for (const release of resources.splice(0).reverse()) await release()
})

describe('tls', () => {
  it('verifies the peer, with the authorities that Node trusts unless others are given', async () => {
    const server = await listen()
    const error = await rejection(connect(server, { tls: true }).connect())
    expect(error).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    await connect(server, { tls: { ca } }).connect()
  })

  it.each([
    ['of another host', otherHost, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['that has expired', expired, 'CERT_HAS_EXPIRED'],
  ])('refuses a certificate %s, and sends nothing', async (_, certificate, code) => {
    const server = await listen(certificate)
    let received = 0
    server.onConnection = socket => socket.on('data', (chunk: Buffer) => (received += chunk.length))
    const connection = connect(server, { tls: { ca } })
    expect(await rejection(connection.sendRequest('GET', '/secret'))).toMatchObject({ code })
    // The error of dialling does not stick: the next request meets it again.
    expect(await rejection(connection.request('GET', '/secret'))).toMatchObject({ code })
    expect([server.accepted, connection.connected]).toEqual([2, false])
    await server.abandoned()
    expect(received).toBeLessThan(5_000)
  })

  it('takes what the caller takes upon himself', async () => {
    const server = await listen(otherHost)
    const connection = connect(server, { tls: { ca, rejectUnauthorized: false } })
    await connection.connect()
    expect(await connection.getPeerCertificate()).toMatchObject({ subject: { CN: expect.any(String) } })
  })

  it('asks for the server by its name, and for HTTP/1.1 alone', async () => {
    const server = await listen({ ALPNProtocols: ['h2', 'http/1.1'] })
    const connection = connect(server, { tls: { ca, lookup } }, 'localhost')
    await connection.connect()
    const peer = (await server.next()) as tls.TLSSocket & { servername?: string }
    expect([peer.servername, peer.alpnProtocol]).toEqual(['localhost', 'http/1.1'])
  })

  it('refuses a server that speaks something else', async () => {
    const server = await listen({ ALPNProtocols: ['h2'] })
    const error = await rejection(connect(server, { tls: { ca } }).connect())
    expect(error.code).toMatch(/^ERR_SSL_.*NO_APPLICATION_PROTOCOL$/i)
  })

  it('carries requests and bodies of all sizes, each way', async () => {
    const server = await listen()
    const connection = connect(server, { tls: { ca } })
    const body = Buffer.alloc(300_000, 'x')
    const answers = ['/1', '/2'].map(path => connection.request('PUT', path, { body }))
    const peer = await server.next()
    let received = ''
    while (received.length < 600_000) received += String((await once(peer, 'data'))[0])
    const put = (path: string) =>
      `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept-Encoding: identity\r\n` +
      `Content-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`
    while (received.length < put('/1').length * 2) received += String((await once(peer, 'data'))[0])
    expect(received).toBe(put('/1') + put('/2'))
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n')
    peer.write(body)
    peer.write(OK)
    expect(await Promise.all(answers.map(async answer => (await answer).length))).toEqual([300_000, 2])
  })
})

describe('getCipher and getPeerCertificate', () => {
  it('tell of the connection, and make it if there is none', async () => {
    const server = await listen({ maxVersion: 'TLSv1.2' })
    const connection = connect(server, { tls: { ca } })
    expect(await connection.getCipher()).toMatchObject({
      name: expect.any(String),
      standardName: expect.any(String),
      version: 'TLSv1.2',
    })
    expect(await connection.getPeerCertificate()).toMatchObject({
      subject: { CN: 'httpio specs localhost' },
      fingerprint256: expect.stringMatching(/^([0-9A-F]{2}:){31}/),
    })
    expect(server.accepted).toBe(1)
  })

  it('reject when there is no connection to be had', async () => {
    const server = await listen()
    const connection = connect(server, { tls: true })
    expect(await rejection(connection.getCipher())).toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    expect(await rejection(connection.getPeerCertificate())).toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    })
  })

  it('are null on a plain connection: one that would be dialled, and one that was given', async () => {
    const dialled = new HTTPConnection('example.test')
    expect([await dialled.getCipher(), await dialled.getPeerCertificate()]).toEqual([null, null])
    const given = new HTTPConnection('example.test', { socket: new FakeSocket() })
    expect([await given.getCipher(), await given.getPeerCertificate()]).toEqual([null, null])
    await given.close()
  })

  it('tell of a TLS socket that was given ready', async () => {
    const server = await listen()
    const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca })
    await once(socket, 'secureConnect')
    const connection = connect(server, { socket })
    expect(await connection.getCipher()).toMatchObject({ version: 'TLSv1.3' })
    expect(await connection.getPeerCertificate()).toMatchObject({ subject: { CN: 'httpio specs localhost' } })
  })

  it('tell of TLS over a socket that was given', async () => {
    const server = await listen()
    const connection = connect(server, {
      tls: { ca },
      socket: () => net.connect({ port: server.port, host: '127.0.0.1' }),
    })
    const answer = connection.request('GET', '/')
    const peer = await server.next()
    const [request] = (await once(peer, 'data')) as [Buffer]
    expect(String(request)).toBe(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept-Encoding: identity\r\n\r\n`,
    )
    peer.write(OK)
    expect((await answer).status).toBe(200)
    expect(await connection.getCipher()).toMatchObject({ version: 'TLSv1.3' })
  })
})
