// CONNECT against a scripted proxy, with a real TLS server behind it.
import net from 'node:net'
import { once } from 'node:events'
import { dial } from '../../lib/net/dial'
import { normaliseProxy } from '../../lib/net/proxy'
import { duplexPair } from '../support/duplex-pair'
import { ca, localhost } from '../support/tls'
import { Loopback, readAll, rejection } from '../support/loopback'
import type { DialOptions } from '../../lib/net/dial'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

let proxy: Loopback
let origin: Loopback<TLSSocket>

beforeEach(async () => {
  proxy = await Loopback.tcp()
  origin = await Loopback.tls(localhost)
})

afterEach(async () => {
  jest.useRealTimers()
  await proxy.close()
  await origin.close()
})

const options = (more: Partial<DialOptions> = {}): DialOptions => ({
  hostname: 'example.test',
  port: 443,
  tls: { ca },
  proxy: normaliseProxy(`http://127.0.0.1:${proxy.port}`),
  wantsCleanEnd: false,
  timeoutMs: 0,
  ...more,
})

/** Reads what the proxy is asked, up to the blank line. */
async function asked(client: Duplex): Promise<string> {
  let text = ''
  while (!text.endsWith('\r\n\r\n')) text += String(await once(client, 'data'))
  // Until it is joined to the origin.
  client.pause()
  return text
}

/** Answers with these pieces, one after the other, and joins the client to the origin. */
async function answer(client: Duplex, ...pieces: (string | Buffer)[]): Promise<void> {
  for (const piece of pieces)
    await new Promise<void>(resolve => client.write(piece, 'latin1', () => resolve()))
  const inner = net.connect({ port: origin.port, host: '127.0.0.1', allowHalfOpen: true })
  inner.on('error', () => client.destroy())
  client.on('close', () => inner.destroy())
  client.pipe(inner).pipe(client)
}

describe.each([false, true])('dial through a proxy (watched: %p)', wantsCleanEnd => {
  it('asks for the origin, tells the proxy what is for it alone, and speaks TLS to the origin', async () => {
    const headers = [
      ['Proxy-Authorization', 'Basic dTpw'],
      ['X-Token', '\xe4'],
    ] as const
    const named = normaliseProxy({ hostname: '127.0.0.1', port: proxy.port, headers })
    const dialling = dial(options({ wantsCleanEnd, proxy: named }))
    const client = await proxy.next()
    expect(await asked(client)).toBe(
      'CONNECT example.test:443 HTTP/1.1\r\n' +
        'Host: example.test:443\r\n' +
        'Proxy-Authorization: Basic dTpw\r\n' +
        'X-Token: \ufffd\r\n' +
        '\r\n',
    )
    await answer(client, 'HTTP/1.1 200 OK\r\n\r\n')
    const { stream, tls, endedCleanly } = await dialling
    const peer = await origin.next()
    expect(tls).toBe(stream)
    expect(tls?.authorized).toBe(true)
    expect(peer.servername).toBe('example.test')

    stream.write('question')
    expect(String(await once(peer, 'data'))).toBe('question')
    peer.end('answer')
    expect(await readAll(stream)).toBe('answer')
    expect(await endedCleanly()).toBe(wantsCleanEnd)
    stream.destroy()
  })

  it.each([
    ['HTTP/1.0', ['HTTP/1.0 200 Connection established\r\n\r\n']],
    ['another 2xx', ['HTTP/1.1 204 \r\n\r\n']],
    ['a length that means nothing', ['HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n']],
    ['interim responses before it', ['HTTP/1.1 102 \r\n\r\nHTTP/1.1 200 ', 'OK\r\n\r\n']],
    ['a byte at a time', [...'HTTP/1.1 200 OK\r\nVia: 1.1 a\r\n\r\n']],
  ])('takes a 2xx answer with %s', async (_, pieces) => {
    const dialling = dial(options({ wantsCleanEnd }))
    const client = await proxy.next()
    await asked(client)
    await answer(client, ...pieces)
    const { tls, stream } = await dialling
    expect(tls?.authorized).toBe(true)
    stream.destroy()
  })

  it('gives TLS the bytes that came together with the answer', async () => {
    const dialling = rejection(dial(options({ wantsCleanEnd })))
    const client = await proxy.next()
    await asked(client)
    // A fatal alert: handshake_failure.
    client.write(Buffer.from('HTTP/1.1 200 OK\r\n\r\n\x15\x03\x03\x00\x02\x02\x28', 'latin1'))
    expect(await dialling).toMatchObject({
      code: expect.stringMatching(/^ERR_SSL_.*ALERT_HANDSHAKE_FAILURE$/),
    })
    await proxy.abandoned()
  })

  it('verifies the origin, not the proxy', async () => {
    const dialling = rejection(dial(options({ wantsCleanEnd, hostname: 'else.test' })))
    const client = await proxy.next()
    expect(await asked(client)).toMatch(/^CONNECT else\.test:443 HTTP\/1\.1\r\n/)
    await answer(client, 'HTTP/1.1 200 OK\r\n\r\n')
    expect(await dialling).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    await proxy.abandoned()
  })
})

describe('dial through a proxy', () => {
  it('asks for IPv6 in brackets', async () => {
    const dialling = rejection(dial(options({ hostname: '[::1]', port: 8443 })))
    const client = await proxy.next()
    expect(await asked(client)).toBe('CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n')
    client.destroy()
    await dialling
  })

  it.each([
    [407, '407 Proxy Authentication Required'],
    [502, '502 Bad Gateway'],
    [302, '302 Found'],
    [101, '101 Switching Protocols'],
  ])('rejects with TunnelFailed when the answer is %i, and lets go of the proxy', async (status, line) => {
    const dialling = rejection(dial(options()))
    const client = await proxy.next()
    await asked(client)
    client.write(`HTTP/1.1 ${line}\r\nContent-Length: 4\r\n\r\nsome`)
    expect(await dialling).toMatchObject({
      code: 'ERR_HTTPIO_TUNNEL_FAILED',
      status,
      message: `the proxy answered CONNECT example.test:443 with ${line}`,
    })
    await proxy.abandoned()
  })

  it('rejects with InvalidResponse when the answer is not HTTP/1, and lets go of the proxy', async () => {
    const dialling = rejection(dial(options()))
    ;(await proxy.next()).write('SSH-2.0-OpenSSH_9.6\r\n')
    expect(await dialling).toMatchObject({
      code: 'ERR_HTTPIO_INVALID_RESPONSE',
      reason: 'TUNNEL_STATUS_LINE',
    })
    await proxy.abandoned()
  })

  it('rejects with ConnectionClosed when the proxy ends before its answer is complete', async () => {
    const dialling = rejection(dial(options()))
    const client = await proxy.next()
    await asked(client)
    client.end('HTTP/1.1 200 OK\r\n')
    expect(await dialling).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED', unanswered: [] })
    await proxy.abandoned()
  })

  it('rejects with ConnectionClosed when the proxy resets, which is the cause', async () => {
    const dialling = rejection(dial(options()))
    const client = await proxy.next()
    await asked(client)
    client.resetAndDestroy()
    expect(await dialling).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      cause: { code: 'ECONNRESET' },
    })
  })

  it('counts the wait for the answer into the limit', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const dialling = rejection(dial(options({ timeoutMs: 1000 })))
    await asked(await proxy.next())
    jest.advanceTimersByTime(1000)
    expect(await dialling).toMatchObject({ code: 'ERR_HTTPIO_TIMED_OUT', operation: 'connect' })
    await proxy.abandoned()
  })

  it('lets go of the proxy when it is aborted while it waits for the answer', async () => {
    const controller = new AbortController()
    const dialling = rejection(dial(options({ signal: controller.signal })))
    await asked(await proxy.next())
    const reason = new Error('closed')
    controller.abort(reason)
    expect(await dialling).toBe(reason)
    await proxy.abandoned()
  })

  it('passes on what Node says when the proxy does not listen', async () => {
    const { port } = proxy
    await proxy.close()
    const named = normaliseProxy(`http://127.0.0.1:${port}`)
    expect(await rejection(dial(options({ proxy: named })))).toMatchObject({ code: 'ECONNREFUSED' })
    proxy = await Loopback.tcp()
  })

  it('asks over a unix domain socket, if there the proxy is', async () => {
    const unix = await Loopback.unix()
    const dialling = dial(options({ socketPath: unix.socketPath }))
    const client = await unix.next()
    expect(await asked(client)).toMatch(/^CONNECT example\.test:443 /)
    await answer(client, 'HTTP/1.1 200 OK\r\n\r\n')
    const { stream } = await dialling
    stream.destroy()
    await unix.close()
  })

  it('asks over a socket given, and leaves no listener of its own on it', async () => {
    const [ours, theirs] = duplexPair()
    const dialling = dial(options({ socket: ours, wantsCleanEnd: true }))
    expect(await asked(theirs)).toMatch(/^CONNECT example\.test:443 /)
    const listeners = (event: string) => ours.listenerCount(event)
    const before = { data: listeners('data'), end: listeners('end'), close: listeners('close') }
    await answer(theirs, 'HTTP/1.1 200 OK\r\n\r\n')
    const { stream } = await dialling
    // As many of TLS now as of the tunnel before.
    expect({ data: listeners('data'), end: listeners('end'), close: listeners('close') }).toEqual(before)
    const closed = once(ours, 'close')
    stream.destroy()
    await closed
  })
})
