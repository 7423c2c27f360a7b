// An answer that comes before its request has been sent to the end: what was announced still goes out, and nothing in between.
import { BodyFollowing } from '../../lib'
import { ok, turns, wire } from '../support/reading'

const HOST = 'Host: example.test\r\nAccept-Encoding: identity\r\n'

describe('an answer before the end of the body', () => {
  it('does not let the next request out before the rest of a body that is written step by step', async () => {
    const { connection, peer } = wire()
    await connection.sendRequest('POST', '/a', { body: new BodyFollowing(10) })
    await connection.write(Buffer.from('12345'))
    await peer.waitFor('12345')
    peer.send(ok())
    await connection.readResponse()

    await connection.write(Buffer.from('67890'))
    await connection.sendRequest('GET', '/b')
    await peer.waitFor('/b')
    expect(peer.received.toString()).toBe(
      `POST /a HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n1234567890GET /b HTTP/1.1\r\n${HOST}\r\n`,
    )
    peer.send(ok('b'))
    expect(await (await connection.readResponse()).text()).toBe('b')
  })

  it.each(['queued already', 'sent afterwards'])('nor before the rest of given bytes, %s', async when => {
    const { connection, peer } = wire()
    await connection.connect()
    peer.stall()
    const body = Buffer.alloc(300_000, 'x')
    const first = connection.request('POST', '/a', { body })
    const second = when === 'queued already' ? connection.request('GET', '/b') : null
    await turns()
    peer.send(ok())
    expect((await first).status).toBe(200)
    body.fill('y')

    const last = second ?? connection.request('GET', '/b')
    await turns()
    peer.unstall()
    await peer.waitFor('/b')
    const head = `POST /a HTTP/1.1\r\n${HOST}Content-Length: 300000\r\n\r\n`
    expect(peer.received.toString()).toBe(`${head}${'x'.repeat(300_000)}GET /b HTTP/1.1\r\n${HOST}\r\n`)
    peer.send(ok('b'))
    expect(await (await last).text()).toBe('b')
  })

  it('nor when the request behind it is withdrawn', async () => {
    const { connection, peer } = wire()
    await connection.connect()
    peer.stall()
    const { signal, withdraw } = withdrawal()
    const first = connection.request('POST', '/a', { body: Buffer.alloc(300_000, 'x') })
    const withdrawn = connection.request('GET', '/b', { signal })
    const last = connection.request('GET', '/c')
    await turns()
    peer.send(ok())
    await first
    withdraw()
    await expect(withdrawn).rejects.toThrow('withdrawn')
    peer.unstall()
    await peer.waitFor('/c')
    expect(peer.received.subarray(-200).toString()).toMatch(/xGET \/c HTTP\/1\.1\r\n/)
    peer.send(ok('c'))
    expect(await (await last).text()).toBe('c')
  })
})

function withdrawal(): { signal: AbortSignal; withdraw(): void } {
  const controller = new AbortController()
  return { signal: controller.signal, withdraw: () => controller.abort(new Error('withdrawn')) }
}
