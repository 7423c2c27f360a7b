import net from 'node:net'
import tls from 'node:tls'
import { once } from 'node:events'
import { duplexPair } from '../support/duplex-pair'
import { dial } from '../../lib/net/dial'
import { ca, expired, localhost, otherHost } from '../support/tls'
import { Loopback, readAll, rejection } from '../support/loopback'
import type { DialOptions } from '../../lib/net/dial'

let server: Loopback<tls.TLSSocket>

async function serve(options: tls.TlsOptions = localhost): Promise<void> {
  server = await Loopback.tls(options)
}

afterEach(async () => {
  jest.restoreAllMocks()
  await server.close()
})

const options = (more: Partial<DialOptions> = {}): DialOptions => ({
  hostname: '127.0.0.1',
  port: server.port,
  tls: { ca },
  wantsCleanEnd: false,
  timeoutMs: 0,
  ...more,
})

/** A name that leads to loopback. */
const named = (hostname: string, more: tls.ConnectionOptions = {}): Partial<DialOptions> => ({
  hostname,
  tls: {
    ca,
    lookup: (_, { all }, callback) =>
      process.nextTick(callback, null, all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
    ...more,
  },
})

async function connected(more: Partial<DialOptions> = {}) {
  const [dialled, peer] = await Promise.all([dial(options(more)), server.next()])
  return { ...dialled, peer }
}

// With the detour that tells close_notify, and without.
describe.each([false, true])('dial over TLS (watched: %p)', wantsCleanEnd => {
  it('gives a verified stream that carries bytes both ways', async () => {
    await serve()
    const { stream, tls: secure, peer } = await connected({ wantsCleanEnd })
    expect(secure).toBe(stream)
    expect(secure?.authorized).toBe(true)
    const question = Buffer.alloc(300_000, 'question')
    const answer = Buffer.alloc(300_000, 'answer')
    stream.write(question)
    peer.end(answer)
    const [asked, answered] = await Promise.all([
      readAll(peer),
      readAll(stream).then(text => {
        stream.end()
        return text
      }),
    ])
    expect(asked).toBe(question.toString())
    expect(answered).toBe(answer.toString())
    await server.abandoned()
  })

  it('offers HTTP/1.1 alone by ALPN', async () => {
    await serve({ ...localhost, ALPNProtocols: ['h2', 'http/1.1'] })
    const { stream, peer } = await connected({ wantsCleanEnd })
    expect(peer.alpnProtocol).toBe('http/1.1')
    stream.destroy()
  })

  it('is content with a server that does not know ALPN', async () => {
    await serve()
    const { stream, tls: secure } = await connected({ wantsCleanEnd })
    expect(secure?.alpnProtocol).toBe(false)
    stream.destroy()
  })

  it('offers what the caller says by ALPN, and refuses it if the server takes it', async () => {
    await serve({ ...localhost, ALPNProtocols: ['h2', 'http/1.1'] })
    const error = await rejection(
      dial(options({ wantsCleanEnd, tls: { ca, ALPNProtocols: ['h2', 'http/1.1'] } })),
    )
    expect(error).toMatchObject({
      code: 'ERR_HTTPIO_UNSUPPORTED_RESPONSE',
      message: 'the server chose to speak h2 (ALPN), not http/1.1',
    })
    await server.abandoned()
  })

  it('sends the hostname as server name, without a trailing dot, and verifies it', async () => {
    await serve()
    for (const hostname of ['example.test', 'example.test.']) {
      const { stream, tls: secure, peer } = await connected({ wantsCleanEnd, ...named(hostname) })
      expect(peer.servername).toBe('example.test')
      expect(secure?.authorized).toBe(true)
      stream.destroy()
    }
  })

  it('sends no server name for an address, and verifies the address', async () => {
    await serve()
    const { stream, peer } = await connected({ wantsCleanEnd })
    expect(peer.servername).toBe(false)
    stream.destroy()
  })

  it('sends and verifies the server name that the caller says', async () => {
    await serve()
    const { stream, peer } = await connected({ wantsCleanEnd, tls: { ca, servername: 'localhost' } })
    expect(peer.servername).toBe('localhost')
    stream.destroy()
    expect(
      await rejection(dial(options({ wantsCleanEnd, tls: { ca, servername: 'else.test' } }))),
    ).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  it.each<[string, tls.TlsOptions, Partial<DialOptions>, string]>([
    ['an unknown authority', localhost, { tls: true }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['an expired certificate', expired, {}, 'CERT_HAS_EXPIRED'],
    ['a certificate for another host', otherHost, {}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'a certificate for another host, by name',
      otherHost,
      named('example.test'),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('refuses %s, and lets go of the connection', async (_, certificate, more, code) => {
    await serve(certificate)
    expect(await rejection(dial(options({ wantsCleanEnd, ...more })))).toMatchObject({ code })
    await server.abandoned()
  })

  it('accepts them when the caller asks for no verification', async () => {
    await serve(expired)
    const { stream, tls: secure } = await connected({ wantsCleanEnd, tls: { rejectUnauthorized: false } })
    expect(secure?.authorized).toBe(false)
    stream.destroy()
  })

  it('takes options that are there but undefined for absent', async () => {
    await serve()
    const undefinedOptions = {
      checkServerIdentity: undefined,
      ALPNProtocols: undefined,
      servername: undefined,
      rejectUnauthorized: undefined,
      ciphers: undefined,
    }
    const { stream } = await connected({ wantsCleanEnd, ...named('example.test', undefinedOptions) })
    stream.destroy()
    const error = await rejection(dial(options({ wantsCleanEnd, ...named('else.test', undefinedOptions) })))
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  it('lets the TLS options say nothing about where to connect', async () => {
    await serve()
    const elsewhere = { host: 'else.test', port: 1, path: '/nowhere', socket: new net.Socket() }
    const { stream } = await connected({ wantsCleanEnd, tls: { ca, ...elsewhere } })
    stream.destroy()
  })

  it('finds the address that answers, and still sends the server name', async () => {
    await serve()
    const lookup: net.LookupFunction = (_, __, callback) =>
      process.nextTick(callback, null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ])
    const { stream, peer } = await connected({ wantsCleanEnd, hostname: 'example.test', tls: { ca, lookup } })
    expect(peer.servername).toBe('example.test')
    stream.destroy()
  })

  it('passes on what Node says when the other side speaks no TLS', async () => {
    await serve()
    const plain = await Loopback.tcp()
    const dialling = rejection(dial(options({ wantsCleanEnd, port: plain.port })))
    ;(await plain.next()).end('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect(await dialling).toMatchObject({ code: expect.stringMatching(/^(ERR_SSL_|EPROTO)/) })
    await plain.abandoned()
    await plain.close()
  })

  it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
    'passes on ECONNRESET when the connection is lost in the handshake (by %s)',
    async how => {
      await serve()
      const plain = await Loopback.tcp()
      const dialling = rejection(dial(options({ wantsCleanEnd, port: plain.port })))
      const peer = await plain.next()
      await once(peer, 'data')
      peer[how]()
      expect(await dialling).toMatchObject({ code: 'ECONNRESET' })
      await plain.abandoned()
      await plain.close()
    },
  )

  it.each<[string, object]>([
    ['a version', { minVersion: 'TLSv9' }],
    ['a server name', { servername: 5 }],
    ['a session', { session: 5 }],
    ['a check', { checkServerIdentity: 5 }],
  ])('passes on what Node says of %s that is none, and lets go of the connection', async (_, wrong) => {
    await serve()
    const error = await rejection(dial(options({ wantsCleanEnd, tls: { ca, ...wrong } })))
    expect(error.code).toMatch(/^ERR_/)
    await server.abandoned()
  })

  it('works over a unix domain socket', async () => {
    await serve()
    const unix = await Loopback.unix()
    const dialling = dial(options({ wantsCleanEnd, hostname: 'example.test', socketPath: unix.socketPath }))
    const peer = new tls.TLSSocket(await unix.next(), { isServer: true, ...localhost })
    const { stream } = await dialling
    stream.write('hello')
    expect(String(await once(peer, 'data'))).toBe('hello')
    stream.destroy()
    await unix.close()
  })

  it('works over a stream given, and destroys it with itself', async () => {
    await serve()
    const [ours, theirs] = duplexPair()
    const dialling = dial(options({ wantsCleanEnd, hostname: 'example.test', socket: ours }))
    const peer = new tls.TLSSocket(theirs, { isServer: true, ...localhost })
    const { stream, tls: secure, endedCleanly } = await dialling
    expect(secure).toBe(stream)
    stream.write('hello')
    expect(String(await once(peer, 'data'))).toBe('hello')
    peer.end('bye')
    expect(await readAll(stream)).toBe('bye')
    expect(await endedCleanly()).toBe(wantsCleanEnd)
    stream.destroy()
    await once(ours, 'close')
    peer.destroy()
  })

  it('destroys the stream given when the handshake over it fails', async () => {
    await serve()
    const [ours, theirs] = duplexPair()
    const dialling = rejection(
      dial(options({ wantsCleanEnd, hostname: 'else.test', socket: async () => ours })),
    )
    const peer = new tls.TLSSocket(theirs, { isServer: true, ...localhost })
    peer.on('error', () => {})
    const closed = once(ours, 'close')
    expect(await dialling).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    await closed
    peer.destroy()
  })

  it('reports a reset of the connection once it is made', async () => {
    await serve()
    let below: net.Socket | undefined
    server.onConnection = socket => (below = socket)
    const { stream } = await connected({ wantsCleanEnd })
    const closed = new Promise<void>(resolve => stream.on('close', () => resolve()))
    stream.resume()
    below?.resetAndDestroy()
    await closed
    expect(stream.destroyed).toBe(true)
  })

  it('closes the TCP connection when it is destroyed', async () => {
    await serve()
    const { stream } = await connected({ wantsCleanEnd })
    stream.destroy()
    await server.abandoned()
  })
})

describe('dial over TLS (watched) over a stream whose writes fail', () => {
  /** Connected over a pair of streams; the writes of ours fail from the moment the spec says so. */
  async function overFailing() {
    await serve()
    const [ours, theirs] = duplexPair()
    const failure = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    let isFailing = false
    const write = ours._write.bind(ours)
    ours._write = (chunk, encoding, callback) =>
      isFailing ? callback(failure) : write(chunk, encoding, callback)
    const dialling = dial(options({ wantsCleanEnd: true, hostname: 'example.test', socket: ours }))
    const peer = new tls.TLSSocket(theirs, { isServer: true, ...localhost })
    peer.on('error', () => {})
    const { stream, endedCleanly } = await dialling
    stream.write('hello')
    await once(peer, 'data')
    isFailing = true
    return { stream, endedCleanly, peer, ours, failure }
  }

  it('destroys it with the error of writing when nothing comes any more', async () => {
    const { stream, peer, ours, failure } = await overFailing()
    const failed = new Promise(resolve => stream.on('error', resolve))
    stream.resume()
    stream.write('lost')
    expect(await failed).toBe(failure)
    expect(ours.destroyed).toBe(true)
    peer.destroy()
  })

  it('reads what still comes to its end, however long that takes', async () => {
    const { stream, endedCleanly, peer } = await overFailing()
    let text = ''
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const ended = once(stream, 'end')
    stream.write('lost')
    for (let i = 0; i < 20; i++) {
      peer.write('.')
      await new Promise(resolve => setImmediate(resolve))
    }
    peer.end('!')
    await ended
    expect(text).toBe('....................!')
    expect(await endedCleanly()).toBe(true)
    stream.destroy()
    peer.destroy()
  })
})
