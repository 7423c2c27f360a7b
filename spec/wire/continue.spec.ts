import { BodyFollowing, HTTPConnection, StateError, type HTTPResponse } from '../../lib'
import { FakeSocket } from '../../lib/testing'
import { head, received, turns, watch, wired } from '../support/wire'

const post = (path: string, length: number) =>
  head(
    `POST ${path} HTTP/1.1`,
    'Host: example.test',
    'Accept-Encoding: identity',
    `Content-Length: ${length}`,
    'Expect: 100-continue',
  )
const requestTo = (path: string) =>
  head(`GET ${path} HTTP/1.1`, 'Host: example.test', 'Accept-Encoding: identity')
const CONTINUE = head('HTTP/1.1 100 Continue')
const OK = head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'ok'
const REFUSED = head('HTTP/1.1 413 Content Too Large', 'Content-Length: 2') + 'no'
const BODY = Buffer.from('hello')

/** A connection on which a request has asked for a 100. */
async function asking(options: Parameters<typeof wired>[0] = {}) {
  const exchange = wired(options)
  await exchange.connection.sendRequest('POST', '/a', { body: new BodyFollowing(5), expect100: true })
  await exchange.peer.waitFor('\r\n\r\n')
  await turns()
  return exchange
}

afterEach(() => {
  jest.useRealTimers()
})

describe('expect100', () => {
  it('sends the head, and keeps the body back', async () => {
    const { connection, peer } = await asking()
    for (const refused of [
      connection.write(BODY),
      connection.write(BODY, { partial: true }),
      connection.write(Buffer.alloc(0)),
      connection.sendBody([BODY]),
      connection.endBody(),
      connection.sendRequest('GET', '/b'),
    ]) {
      await expect(refused).rejects.toBeInstanceOf(StateError)
    }
    await turns()
    expect(received(peer)).toBe(post('/a', 5))
  })

  it('of a chunked body is the same', async () => {
    const { connection, peer } = wired()
    await connection.sendRequest('POST', '/a', { body: new BodyFollowing(), expect100: true })
    await peer.waitFor('\r\n\r\n')
    await expect(connection.endBody()).rejects.toBeInstanceOf(StateError)
    peer.send(CONTINUE)
    expect(await connection.waitForContinue()).toBe(true)
    await connection.sendBody([BODY])
    await peer.waitFor('0\r\n\r\n')
    expect(received(peer)).toBe(
      head(
        'POST /a HTTP/1.1',
        'Host: example.test',
        'Accept-Encoding: identity',
        'Transfer-Encoding: chunked',
        'Expect: 100-continue',
      ) + '5\r\nhello\r\n0\r\n\r\n',
    )
  })

  it('is not asked for a body of length 0, which is complete at once', async () => {
    const { connection, peer } = wired()
    await connection.sendRequest('POST', '/a', { body: new BodyFollowing(0), expect100: true })
    expect(await connection.waitForContinue()).toBe(true)
    await connection.sendBody([])
    await connection.sendRequest('GET', '/b')
    await peer.waitFor('/b')
    expect(received(peer)).toBe(
      head('POST /a HTTP/1.1', 'Host: example.test', 'Accept-Encoding: identity', 'Content-Length: 0') +
        requestTo('/b'),
    )
  })

  it('false is as good as none', async () => {
    const { connection, peer } = wired()
    await connection.sendRequest('POST', '/a', { body: Buffer.from('a'), expect100: false })
    await peer.waitFor('\r\n\r\n')
    expect(received(peer)).not.toContain('Expect')
  })
})

describe('readResponse after expect100', () => {
  it('returns the 100; then the body is sent, and the final response read', async () => {
    const { connection, peer } = await asking()
    const interim = connection.readResponse()
    peer.send(head('HTTP/1.1 100 Go On', 'X: 1'))
    const response = await interim
    expect(response).toMatchObject({ status: 100, reason: 'Go On', method: 'POST', path: '/a', length: 0 })
    expect(response.headers.get('x')).toBe('1')
    expect(await connection.write(BODY)).toBe(5)
    await peer.waitFor('hello')
    peer.send(OK)
    expect((await connection.readResponse()).status).toBe(200)
    expect(String(await connection.readAll())).toBe('ok')
    expect(received(peer)).toBe(`${post('/a', 5)}hello`)
  })

  it('returns a 100 that was there before it was asked for', async () => {
    const { connection, peer } = await asking()
    peer.send(CONTINUE)
    await turns()
    expect((await connection.readResponse()).status).toBe(100)
    await connection.write(BODY)
  })

  it('returns the final response if that comes; the connection then takes no further request', async () => {
    const { connection, peer } = await asking()
    const final = connection.readResponse()
    peer.send(REFUSED)
    expect((await final).status).toBe(413)
    expect(String(await connection.readAll())).toBe('no')
    for (const refused of [
      connection.write(BODY),
      connection.sendBody([BODY]),
      connection.sendRequest('GET', '/b'),
      connection.request('GET', '/b'),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    }
    await expect(connection.readResponse()).rejects.toBeInstanceOf(StateError)
    await turns()
    expect(received(peer)).toBe(post('/a', 5))
  })

  it('returns the 100 though the final response is there already: the body may still be sent', async () => {
    const { connection, peer } = await asking()
    peer.send(CONTINUE + REFUSED)
    await turns()
    expect((await connection.readResponse()).status).toBe(100)
    await connection.write(BODY)
    expect((await connection.readResponse()).status).toBe(413)
    await connection.discard()
    await connection.sendRequest('GET', '/b')
    await peer.waitFor('/b')
    expect(received(peer)).toBe(`${post('/a', 5)}hello${requestTo('/b')}`)
  })

  it('skips other interim responses', async () => {
    const seen: HTTPResponse[] = []
    const { connection, peer } = await asking({ onInformational: response => seen.push(response) })
    peer.send(head('HTTP/1.1 103 Early Hints') + CONTINUE + head('HTTP/1.1 102 Processing'))
    expect((await connection.readResponse()).status).toBe(100)
    await connection.write(BODY)
    peer.send(OK)
    expect((await connection.readResponse()).status).toBe(200)
    expect(seen.map(({ status }) => status)).toEqual([103, 102])
  })

  it('hides a 100 that nobody asked for', async () => {
    const seen: HTTPResponse[] = []
    const { connection, peer } = wired({ onInformational: response => seen.push(response) })
    await connection.sendRequest('POST', '/a', { body: BODY })
    await peer.waitFor('hello')
    peer.send(CONTINUE + OK)
    expect((await connection.readResponse()).status).toBe(200)
    expect(seen.map(({ status }) => status)).toEqual([100])
  })
})

describe('waitForContinue', () => {
  it('says true after a 100', async () => {
    const { connection, peer } = await asking()
    const maySend = connection.waitForContinue()
    peer.send(CONTINUE)
    expect(await maySend).toBe(true)
    await connection.write(BODY)
    await peer.waitFor('hello')
    peer.send(OK)
    expect((await connection.readResponse()).status).toBe(200)
  })

  it('says true of a 100 that is there already, and again when it is asked again', async () => {
    const { connection, peer } = await asking()
    peer.send(CONTINUE)
    await turns()
    expect(await connection.waitForContinue()).toBe(true)
    expect(await connection.waitForContinue()).toBe(true)
    await connection.write(BODY)
    expect(await connection.waitForContinue()).toBe(true)
  })

  it('says true after a 100 that readResponse returned', async () => {
    const { connection, peer } = await asking()
    peer.send(CONTINUE)
    await connection.readResponse()
    expect(await connection.waitForContinue()).toBe(true)
  })

  it.each([
    ['comes', false, REFUSED],
    ['is there already', true, REFUSED],
    ['comes with a 100 before it', false, CONTINUE + REFUSED],
    ['is there already with a 100 before it', true, CONTINUE + REFUSED],
  ])('says false when a final response %s; no further request is taken', async (name, isThere, answer) => {
    const { connection, peer } = await asking()
    if (isThere) {
      peer.send(answer)
      await turns()
    }
    const maySend = connection.waitForContinue()
    if (!isThere) peer.send(answer)
    // A 100 that comes while it is waited for says that the body may be sent, whatever comes behind it.
    const expected = !isThere && answer.startsWith(CONTINUE)
    expect(await maySend).toBe(expected)
    if (expected) return
    expect(await connection.waitForContinue()).toBe(false)
    await expect(connection.write(BODY)).rejects.toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    await expect(connection.sendRequest('GET', '/b')).rejects.toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
    })
    expect((await connection.readResponse()).status).toBe(413)
    expect(String(await connection.readAll())).toBe('no')
    await expect(connection.sendRequest('GET', '/b')).rejects.toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
    })
    await turns()
    expect([name, received(peer)]).toEqual([name, post('/a', 5)])
  })

  it('lets the connection be used again after close()', async () => {
    const { connection, peer } = await asking()
    peer.send(REFUSED)
    expect(await connection.waitForContinue()).toBe(false)
    await connection.close()
    // With a socket given there is nothing to dial: the refusal is another one.
    await expect(connection.sendRequest('GET', '/b')).rejects.toMatchObject({ message: /given/ })
  })

  it.each([
    ['after 1000 ms', undefined, 1000],
    ['after the time given', 50, 50],
    ['at once', 0, 0],
  ])('says true when no answer came, %s', async (_, timeoutMs, expectedMs) => {
    const { connection, peer } = await asking()
    jest.useFakeTimers()
    const maySend = watch(connection.waitForContinue(timeoutMs))
    await turns()
    if (expectedMs > 0) {
      jest.advanceTimersByTime(expectedMs - 1)
      await turns()
      expect(maySend.state).toBe('pending')
    }
    jest.advanceTimersByTime(1)
    await turns()
    expect(maySend.value).toBe(true)
    expect(jest.getTimerCount()).toBe(0)
    await connection.write(BODY)
    await peer.waitFor('hello')
    // The 100 that comes late is not for the caller.
    peer.send(CONTINUE + OK)
    expect((await connection.readResponse()).status).toBe(200)
  })

  it('leaves no timer when the answer came in time', async () => {
    const { connection, peer } = await asking()
    jest.useFakeTimers()
    const maySend = connection.waitForContinue(500)
    await turns()
    peer.send(CONTINUE)
    expect(await maySend).toBe(true)
    expect(jest.getTimerCount()).toBe(0)
  })

  it('waits without limit for Infinity', async () => {
    const { connection, peer } = await asking()
    jest.useFakeTimers()
    const maySend = watch(connection.waitForContinue(Infinity))
    await turns()
    expect(jest.getTimerCount()).toBe(0)
    peer.send(CONTINUE)
    await turns()
    expect(maySend.value).toBe(true)
  })

  it.each([-1, NaN, '1000'])('refuses a timeout of %p', async timeoutMs => {
    const { connection, peer } = await asking()
    await expect(connection.waitForContinue(timeoutMs as number)).rejects.toBeInstanceOf(RangeError)
    peer.send(CONTINUE)
    expect(await connection.waitForContinue()).toBe(true)
  })

  it('counts the time from the connection being there', async () => {
    const socket = new FakeSocket()
    const { peer } = socket
    let give!: () => void
    const slow = new HTTPConnection('example.test', {
      socket: () => new Promise(resolve => (give = () => resolve(socket))),
    })
    jest.useFakeTimers()
    void slow.sendRequest('POST', '/a', { body: new BodyFollowing(5), expect100: true })
    const maySend = watch(slow.waitForContinue(100))
    await turns()
    jest.advanceTimersByTime(1000)
    await turns()
    expect(maySend.state).toBe('pending')
    give()
    await turns()
    jest.advanceTimersByTime(99)
    await turns()
    expect([maySend.state, received(peer)]).toEqual(['pending', post('/a', 5)])
    jest.advanceTimersByTime(1)
    await turns()
    expect(maySend.value).toBe(true)
  })

  it('rejects with the error of dialling, and leaves no timer', async () => {
    const failure = new Error('no way')
    const connection = new HTTPConnection('example.test', { socket: () => Promise.reject(failure) })
    jest.useFakeTimers()
    const sent = watch(connection.sendRequest('POST', '/a', { body: new BodyFollowing(5), expect100: true }))
    const maySend = watch(connection.waitForContinue())
    await turns()
    expect([sent.error, maySend.error, jest.getTimerCount()]).toEqual([failure, failure, 0])
  })

  it('is a StateError where no body is to follow', async () => {
    const { connection } = wired()
    await expect(connection.waitForContinue()).rejects.toBeInstanceOf(StateError)
    await connection.sendRequest('GET', '/')
    await expect(connection.waitForContinue()).rejects.toBeInstanceOf(StateError)
  })

  it('says true at once where no 100 was asked for', async () => {
    const { connection } = wired()
    await connection.sendRequest('POST', '/', { body: new BodyFollowing(5) })
    expect(await connection.waitForContinue()).toBe(true)
  })

  it('and a read do not wait at the same time: StateError', async () => {
    const { connection, peer } = await asking()
    const maySend = connection.waitForContinue()
    await expect(connection.readResponse()).rejects.toBeInstanceOf(StateError)
    await expect(connection.waitForContinue()).rejects.toBeInstanceOf(StateError)
    peer.send(CONTINUE)
    expect(await maySend).toBe(true)
  })

  it.each([
    ['the peer closes', (peer: ReturnType<typeof wired>['peer']) => peer.end()],
    ['the peer resets', (peer: ReturnType<typeof wired>['peer']) => peer.reset()],
  ])('rejects when %s', async (_, end) => {
    const { connection, peer } = await asking()
    const maySend = watch(connection.waitForContinue())
    end(peer)
    await turns()
    expect(maySend.error).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
  })

  it('waits behind earlier responses, which stay unread meanwhile', async () => {
    const { connection, peer } = wired({ maxBufferedBytes: 100 })
    await connection.sendRequest('GET', '/1')
    await connection.sendRequest('POST', '/a', { body: new BodyFollowing(5), expect100: true })
    await peer.waitFor('Expect')
    const maySend = watch(connection.waitForContinue(Infinity))
    // More than may be kept unread: the 100 behind it is read all the same, or nobody would ever go on.
    peer.send(head('HTTP/1.1 200 OK', 'Content-Length: 300') + 'x'.repeat(150))
    await turns()
    peer.send('x'.repeat(150))
    peer.send(CONTINUE)
    await turns()
    expect(maySend.value).toBe(true)
    await connection.write(BODY)
    await peer.waitFor('hello')
    peer.send(OK)
    expect((await connection.readResponse()).path).toBe('/1')
    expect(String(await connection.readAll())).toBe('x'.repeat(300))
    expect((await connection.readResponse()).path).toBe('/a')
    expect(received(peer)).toBe(`${requestTo('/1')}${post('/a', 5)}hello`)
  })

  it('reads an earlier response before the 100 behind it', async () => {
    const { connection, peer } = wired()
    await connection.sendRequest('GET', '/1')
    await connection.sendRequest('POST', '/a', { body: new BodyFollowing(5), expect100: true })
    await peer.waitFor('Expect')
    peer.send(OK + CONTINUE)
    expect((await connection.readResponse()).path).toBe('/1')
    expect(String(await connection.readAll())).toBe('ok')
    expect(await connection.readResponse()).toMatchObject({ path: '/a', status: 100 })
    await connection.write(BODY)
  })
})

describe('a body that may be sent', () => {
  it('may still be sent when the final response comes before its end', async () => {
    const { connection, peer } = await asking()
    peer.send(CONTINUE)
    await connection.waitForContinue()
    await connection.write(Buffer.from('he'))
    await peer.waitFor('he')
    peer.send(OK)
    await turns()
    expect((await connection.readResponse()).status).toBe(200)
    await connection.discard()
    await expect(connection.sendRequest('GET', '/b')).rejects.toBeInstanceOf(StateError)
    await connection.write(Buffer.from('llo'))
    await connection.sendRequest('GET', '/b')
    await peer.waitFor('/b')
    expect(received(peer)).toBe(`${post('/a', 5)}hello${requestTo('/b')}`)
  })

  it('is a must once the time has passed, though the final response came then', async () => {
    const { connection, peer } = await asking()
    expect(await connection.waitForContinue(0)).toBe(true)
    peer.send(REFUSED)
    await turns()
    expect((await connection.readResponse()).status).toBe(413)
    await connection.discard()
    await expect(connection.sendRequest('GET', '/b')).rejects.toBeInstanceOf(StateError)
    await connection.sendBody([BODY])
    await connection.sendRequest('GET', '/b')
    await peer.waitFor('/b')
    expect(received(peer)).toBe(`${post('/a', 5)}hello${requestTo('/b')}`)
  })
})

describe('expect100 of request()', () => {
  it.each<[string, boolean | { timeoutMs: number }]>([
    ['true', true],
    ['a time', { timeoutMs: 50 }],
    ['Infinity', { timeoutMs: Infinity }],
  ])('sends the body after the 100 (%s)', async (_, expect100) => {
    const { connection, peer } = wired()
    jest.useFakeTimers()
    const answer = connection.request('POST', '/a', { body: BODY, expect100 })
    await peer.waitFor('\r\n\r\n')
    await turns()
    expect(received(peer)).toBe(post('/a', 5))
    peer.send(CONTINUE)
    await peer.waitFor('hello')
    expect(jest.getTimerCount()).toBe(0)
    peer.send(OK)
    expect((await answer).status).toBe(200)
  })

  it.each<[string, boolean | { timeoutMs: number }, number]>([
    ['1000 ms', true, 1000],
    ['the time given', { timeoutMs: 50 }, 50],
  ])('sends the body after %s without an answer', async (_, expect100, expectedMs) => {
    const { connection, peer } = wired()
    jest.useFakeTimers()
    const answer = connection.request('POST', '/a', { body: BODY, expect100 })
    await peer.waitFor('\r\n\r\n')
    jest.advanceTimersByTime(expectedMs - 1)
    await turns()
    expect(received(peer)).toBe(post('/a', 5))
    jest.advanceTimersByTime(1)
    await peer.waitFor('hello')
    peer.send(OK)
    expect((await answer).status).toBe(200)
  })

  it('sends the body once, though the 100 comes after the time has passed', async () => {
    const { connection, peer } = wired()
    jest.useFakeTimers()
    const answer = connection.request('POST', '/a', { body: BODY, expect100: { timeoutMs: 50 } })
    await peer.waitFor('\r\n\r\n')
    jest.advanceTimersByTime(50)
    await peer.waitFor('hello')
    peer.send(CONTINUE)
    await turns()
    peer.send(OK)
    expect((await answer).status).toBe(200)
    expect(received(peer)).toBe(`${post('/a', 5)}hello`)
  })

  it('never sends the body without an answer, for Infinity', async () => {
    const { connection, peer } = wired()
    jest.useFakeTimers()
    const answer = watch(connection.request('POST', '/a', { body: BODY, expect100: { timeoutMs: Infinity } }))
    await peer.waitFor('\r\n\r\n')
    await turns()
    expect(jest.getTimerCount()).toBe(0)
    expect([received(peer), answer.state]).toEqual([post('/a', 5), 'pending'])
    await connection.close()
  })

  it('resolves with a final response, and sends no body; those behind reject with ConnectionClosed', async () => {
    const { connection, peer } = wired()
    jest.useFakeTimers()
    const answer = connection.request('POST', '/a', { body: BODY, expect100: true })
    const behind = watch(connection.request('GET', '/b'))
    await peer.waitFor('\r\n\r\n')
    peer.send(REFUSED)
    expect((await answer).status).toBe(413)
    await turns()
    expect(behind.error).toMatchObject({
      code: 'ERR_HTTPIO_CONNECTION_CLOSED',
      unanswered: [{ method: 'GET', path: '/b', outcome: 'unsent', processed: 'no' }],
    })
    expect(jest.getTimerCount()).toBe(0)
    expect([received(peer), peer.ended]).toEqual([post('/a', 5), true])
  })

  it('needs a body: TypeError', async () => {
    const { connection, peer } = wired()
    await expect(connection.request('POST', '/a', { expect100: true })).rejects.toBeInstanceOf(TypeError)
    await expect(connection.request('POST', '/a', { expect100: true, body: null })).rejects.toBeInstanceOf(
      TypeError,
    )
    await turns()
    expect(received(peer)).toBe('')
  })

  it('is not asked for a body of length 0', async () => {
    const { connection, peer } = wired()
    void connection.request('POST', '/a', { body: '', expect100: true }).catch(() => {})
    await peer.waitFor('\r\n\r\n')
    expect(received(peer)).not.toContain('Expect')
    await connection.close()
  })
})
