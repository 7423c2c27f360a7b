import { FakeSocket } from '../../lib/testing'
import { HTTPConnection, type ConnectionOptions } from '../../lib'
import { head, received, turns, wired } from '../support/wire'

type Proxy = NonNullable<ConnectionOptions['proxy']>

/** What a plain proxy receives of one request. */
async function proxied(
  proxy: Proxy,
  path: string,
  more: Parameters<typeof wired>[0] = {},
  hostname?: string,
) {
  const { connection, peer } = wired({ proxy, ...more }, hostname)
  await connection.sendRequest('GET', path)
  await peer.waitFor('\r\n\r\n')
  return received(peer)
}

describe('a plain proxy', () => {
  const PLAIN = head(
    'GET http://example.test/a?b HTTP/1.1',
    'Host: example.test',
    'Accept-Encoding: identity',
  )

  it.each<[string, Proxy]>([
    ['text', 'http://proxy.test:3128'],
    ['a URL', new URL('http://proxy.test')],
    ['hostname and port', { hostname: 'proxy.test', port: 3128 }],
  ])('given as %s is asked in absolute form', async (_, proxy) => {
    expect(await proxied(proxy, '/a?b')).toBe(PLAIN)
  })

  it.each([
    ['example.test', 8080, 'example.test:8080'],
    ['::1', 80, '[::1]'],
    ['::1', 8080, '[::1]:8080'],
    ['fe80::1%eth0', 80, '[fe80::1]'],
  ])('is told the origin %s with port %i as %s', async (hostname, port, authority) => {
    expect(await proxied('http://proxy.test', '/', { port }, hostname)).toBe(
      head(`GET http://${authority}/ HTTP/1.1`, `Host: ${authority}`, 'Accept-Encoding: identity'),
    )
  })

  it('is told of * as a target without a path', async () => {
    const { connection, peer } = wired({ proxy: 'http://proxy.test' })
    await connection.sendRequest('OPTIONS', '*')
    await peer.waitFor('\r\n\r\n')
    expect(received(peer)).toBe(
      head('OPTIONS http://example.test HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity'),
    )
  })

  it('is given a target in absolute form as it is', async () => {
    expect(await proxied('http://proxy.test', 'http://other.test/x')).toBe(
      head('GET http://other.test/x HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity'),
    )
  })

  it('gets its own headers with every request, however that is made', async () => {
    const proxy = {
      hostname: 'proxy.test',
      port: 3128,
      headers: { 'Proxy-Authorization': 'Basic eA==', X: ['1', '2'] },
    }
    const { connection, peer } = wired({ proxy, headers: { A: '1' } })
    peer.respond(() => ({ status: 204 }))
    await connection.request('GET', '/1')
    await connection.request('POST', '/2', { body: 'b' })
    for await (const response of connection.pipeline(['/3'])) expect(response.status).toBe(204)
    const [host, accept, authorization] = [
      'Host: example.test',
      'Accept-Encoding: identity',
      'Proxy-Authorization: Basic eA==',
    ]
    const common = [host, accept, authorization, 'X: 1', 'X: 2', 'A: 1']
    expect(received(peer)).toBe(
      head('GET http://example.test/1 HTTP/1.1', ...common) +
        head(
          'POST http://example.test/2 HTTP/1.1',
          ...common,
          'Content-Type: text/plain;charset=UTF-8',
          'Content-Length: 1',
        ) +
        'b' +
        head('GET http://example.test/3 HTTP/1.1', ...common),
    )
  })

  it('gets user and password of its URL', async () => {
    expect(await proxied('http://user:p%40ss@proxy.test', '/')).toBe(
      head(
        'GET http://example.test/ HTTP/1.1',
        'Host: example.test',
        'Accept-Encoding: identity',
        `Proxy-Authorization: Basic ${Buffer.from('user:p@ss').toString('base64')}`,
      ),
    )
  })

  it.each<[string, Proxy]>([
    ['a header with CR LF', { hostname: 'proxy.test', port: 80, headers: { A: '1\r\nInjected: yes' } }],
    [
      'a header whose characters become CR LF',
      { hostname: 'proxy.test', port: 80, headers: { A: '1\u010d\u010a' } },
    ],
    ['a header name with CR LF', { hostname: 'proxy.test', port: 80, headers: { 'A: 1\r\nB': '2' } }],
    [
      'a header that frames the request',
      { hostname: 'proxy.test', port: 80, headers: { 'Content-Length': '5' } },
    ],
    ['a hostname with CR LF', { hostname: 'proxy.test\r\nInjected: yes', port: 80 }],
    ['a hostname whose characters become CR LF', { hostname: 'proxy\u010d\u010a', port: 80 }],
    [
      'a hostname that becomes text',
      { hostname: { toString: (): string => 'proxy.test\r\n' } as never, port: 80 },
    ],
    ['no hostname', {} as never],
    ['another protocol', 'socks5://proxy.test'],
  ])('is refused with %s: TypeError', (_, proxy) => {
    expect(() => new HTTPConnection('example.test', { proxy })).toThrow(TypeError)
  })

  it.each([0, 65_536, 80.5, '80'])('is refused with port %p: RangeError', port => {
    const proxy = { hostname: 'proxy.test', port: port as number }
    expect(() => new HTTPConnection('example.test', { proxy })).toThrow(RangeError)
  })
})

describe('a proxy under TLS', () => {
  it('is asked for a tunnel by CONNECT, once, and gets all that is for it there', async () => {
    const socket = new FakeSocket()
    const connection = new HTTPConnection('example.test', {
      socket,
      tls: true,
      proxy: { hostname: 'proxy.test', port: 3128, headers: { 'Proxy-Authorization': 'Basic eA==' } },
      headers: { Authorization: 'for the origin' },
    })
    const sending = connection.sendRequest('GET', '/secret')
    sending.catch(() => {})
    await socket.peer.waitFor('\r\n\r\n')
    expect(received(socket.peer)).toBe(
      head('CONNECT example.test:443 HTTP/1.1', 'Host: example.test:443', 'Proxy-Authorization: Basic eA=='),
    )
    socket.peer.takeReceived()
    socket.peer.send(head('HTTP/1.1 200 OK'))
    await turns()
    // A ClientHello, and nothing of the request in the clear.
    expect(socket.peer.received[0]).toBe(0x16)
    expect(received(socket.peer)).not.toMatch(/Authorization|secret|proxy\.test/)
    await connection.close()
    await expect(sending).rejects.toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })

  it.each([407, 403, 502])(
    'that answers %i fails the request with TunnelFailed, which does not stick',
    async status => {
      const sockets: FakeSocket[] = []
      const connection = new HTTPConnection('example.test', {
        socket: () => {
          sockets.push(new FakeSocket())
          return sockets[sockets.length - 1]
        },
        tls: true,
        proxy: 'http://proxy.test',
      })
      for (let i = 0; i < 2; i++) {
        const sending = connection.sendRequest('GET', '/')
        await turns()
        sockets[i].peer.send(head(`HTTP/1.1 ${status} No`, 'Content-Length: 0'))
        await expect(sending).rejects.toMatchObject({ code: 'ERR_HTTPIO_TUNNEL_FAILED', status })
        expect(sockets[i].destroyed).toBe(true)
      }
    },
  )
})
