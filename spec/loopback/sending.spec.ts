// Sending over real sockets: what only a kernel does.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { BodyFollowing, HTTPConnection, type ConnectionOptions, type ConnectMessage } from '../../lib'
import { Loopback } from '../support/loopback'
import { turns, watch } from '../support/wire'

const resources: (() => Promise<unknown>)[] = []

async function connected(options: ConnectionOptions = {}) {
  const server = await Loopback.tcp()
  resources.push(() => server.close())
  const connection = new HTTPConnection('127.0.0.1', { port: server.port, ...options })
  resources.push(() => connection.close())
  const [peer] = await Promise.all([server.next(), connection.connect()])
  return { connection, peer }
}

/** Reads so many bytes of what a peer receives, and no more. */
async function take(peer: Duplex, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let missing = bytes; missing > 0;) {
    const part = peer.read(Math.min(missing, peer.readableLength || missing)) as Buffer | null
    if (part === null) await once(peer, 'readable')
    else {
      parts.push(part)
      missing -= part.length
    }
  }
  return Buffer.concat(parts)
}

afterEach(async () => {
  for (const release of resources.splice(0).reverse()) await release()
})

describe('requests of one turn', () => {
  it('leave in one write', async () => {
    const written: jest.SpyInstance[] = []
    const onConnect = (message: unknown): void => {
      const { socket } = message as ConnectMessage
      written.push(jest.spyOn(socket, '_write'), jest.spyOn(socket, '_writev' as '_write'))
    }
    subscribe('httpio:connect', onConnect)
    try {
      const { connection, peer } = await connected()
      const body = Buffer.alloc(20_000, 'x')
      for (let i = 0; i < 50; i++) void connection.sendRequest('GET', `/${i}`)
      void connection.sendRequest('POST', '/body', { body })
      await connection.sendRequest('GET', '/last')
      let received = ''
      while (!received.includes('/last')) received += String((await once(peer, 'data'))[0])
      expect(received.match(/HTTP\/1\.1/g)).toHaveLength(52)
      expect(written.map(({ mock }) => mock.calls.length).reduce((sum, calls) => sum + calls)).toBe(1)
    } finally {
      unsubscribe('httpio:connect', onConnect)
    }
  })
})

describe('partial writes', () => {
  it('fill what the kernel takes, never wait, and lose nothing', async () => {
    const { connection, peer } = await connected()
    const bytes = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 31) % 253))
    const total = bytes.length * 20
    await connection.sendRequest('PUT', '/', { body: new BodyFollowing(total) })
    let sent = 0
    /** Writes until all is taken, or nothing was for so many turns. */
    const pump = async (patience: number): Promise<void> => {
      for (let refusals = 0; sent < total && refusals < patience;) {
        const taken = await connection.write(bytes.subarray(sent % bytes.length), { partial: true })
        sent += taken
        refusals = taken > 0 ? 0 : refusals + 1
        if (taken === 0) await turns(1)
      }
    }
    peer.pause()
    await pump(20)
    expect(sent).toBeGreaterThan(65_536)
    expect(sent).toBeLessThan(total)
    const sending = pump(Infinity)
    const head = `PUT / HTTP/1.1\r\nHost: 127.0.0.1:${connection.port}\r\nAccept-Encoding: identity\r\nContent-Length: ${total}\r\n\r\n`
    expect(String(await take(peer, head.length))).toBe(head)
    for (let i = 0; i < 20; i++) expect((await take(peer, bytes.length)).equals(bytes)).toBe(true)
    await sending
    peer.write('HTTP/1.1 204 No Content\r\n\r\n')
    expect((await connection.readResponse()).status).toBe(204)
  })
})

describe('a server that takes requests only while its answers are taken', () => {
  it('does not block a client that sends all before it reads anything', async () => {
    const { connection, peer } = await connected({ maxBufferedBytes: 65_536 })
    const requests = 300
    const padding = 'p'.repeat(50_000)
    const answer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(100_000)}`)
    const serving = (async () => {
      const requestBytes =
        `GET /000 HTTP/1.1\r\nHost: 127.0.0.1:${connection.port}\r\nAccept-Encoding: identity\r\nP: ${padding}\r\n\r\n`
          .length
      for (let i = 0; i < requests; i++) {
        const request = await take(peer, requestBytes)
        expect(request.toString('latin1', 0, 19)).toBe(`GET /${String(i).padStart(3, '0')} HTTP/1.1\r\n`)
        if (!peer.write(answer)) await once(peer, 'drain')
      }
    })()
    for (let i = 0; i < requests; i++) {
      await connection.sendRequest('GET', `/${String(i).padStart(3, '0')}`, { headers: { P: padding } })
    }
    for (let i = 0; i < requests; i++) {
      const response = await connection.readResponse()
      expect((await response.readAll()).length).toBe(100_000)
    }
    await serving
  }, 30_000)
})

describe('backpressure', () => {
  it('holds a sender back while the peer takes nothing', async () => {
    const { connection, peer } = await connected()
    peer.pause()
    await connection.sendRequest('PUT', '/', { body: new BodyFollowing() })
    let given = 0
    const sending = watch(
      connection.sendBody(
        (function* () {
          for (; given < 100_000_000; given += 50_000) yield Buffer.alloc(50_000)
        })(),
      ),
    )
    let before = -1
    while (given !== before) {
      before = given
      await turns(20)
    }
    expect(sending.state).toBe('pending')
    // As much as two kernel buffers hold, and not all there is.
    expect(given).toBeLessThan(30_000_000)
    await connection.close()
    await turns()
    expect(sending.error).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })
})
