// A body goes out behind its head, however its source gives it.
import { wire } from '../support/reading'

/** More than one slice of the transport, all of it given as soon as it is asked for. */
const LARGE = Buffer.alloc(200_000, '#')

describe('request', () => {
  it.each([
    ['one large chunk', [LARGE]],
    ['chunks that are large together', Array.from({ length: 20 }, () => LARGE.subarray(0, 10_000))],
  ])('writes the heads before it, then its own, then a source of %s', async (_name, source) => {
    const { connection, peer } = wire()
    const length = source.reduce((sum, chunk) => sum + chunk.length, 0)
    const first = connection.request('GET', '/first')
    const second = connection.request('PUT', '/second', {
      headers: { 'Content-Length': String(length) },
      body: source,
    })
    const third = connection.request('GET', '/third')
    const sent = (await peer.waitFor('GET /third HTTP/1.1')).toString('latin1')
    for (let n = 0; n < 3; n++) peer.send('HTTP/1.1 204 No Content\r\n\r\n')
    expect((await Promise.all([first, second, third])).map(({ status }) => status)).toEqual([204, 204, 204])
    expect(sent.replace(/#+/, 'BODY')).toBe(
      'GET /first HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n' +
        `PUT /second HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nContent-Length: ${length}\r\n\r\n` +
        'BODYGET /third HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\n\r\n',
    )
    expect(sent.length - sent.replace(/#+/, '').length).toBe(length)
  })

  it('sends a source to its end while more than the high-water mark is queued behind it', async () => {
    const { connection, peer } = wire()
    const uploaded = connection.request('PUT', '/first', { body: [Buffer.from('ab'), Buffer.from('cd')] })
    const behind = connection.request('PUT', '/second', { body: LARGE })
    const sent = (await peer.waitFor('#'.repeat(LARGE.length))).toString('latin1')
    for (let n = 0; n < 2; n++) peer.send('HTTP/1.1 204 No Content\r\n\r\n')
    await Promise.all([uploaded, behind])
    expect(sent.replace(/#+$/, 'BODY')).toBe(
      'PUT /first HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n' +
        `PUT /second HTTP/1.1\r\nHost: example.test\r\nAccept-Encoding: identity\r\nContent-Length: ${LARGE.length}\r\n\r\nBODY`,
    )
  })
})
