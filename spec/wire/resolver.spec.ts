import dns from 'node:dns'
import { DNSUnavailable, HostnameNotResolvable, HTTPConnection, isTemporaryNetworkError } from '../../lib'
import { FakeSocket } from '../../lib/testing'
import { rejection } from '../support/loopback'

/** The resolver answers every question with this error. */
function failWith(code: string): jest.SpyInstance {
  const error = Object.assign(new Error(`getaddrinfo ${code}`), { code, syscall: 'getaddrinfo' })
  return jest.spyOn(dns, 'lookup').mockImplementation(((
    _hostname: string,
    _options: object,
    callback: (error: Error) => void,
  ) => {
    process.nextTick(callback, error)
  }) as never)
}

afterEach(() => {
  jest.restoreAllMocks()
})

describe('a name that the resolver does not know', () => {
  it.each(['ENOTFOUND', 'ENODATA'])('is HostnameNotResolvable, which does not stick (%s)', async code => {
    const lookup = failWith(code)
    const connection = new HTTPConnection('missing.test')
    for (const attempt of [
      () => connection.connect(),
      () => connection.sendRequest('GET', '/'),
      () => connection.request('GET', '/'),
      () => connection.pipeline(['/']).next(),
    ]) {
      const before = lookup.mock.calls.length
      const error = await rejection(attempt())
      expect(error).toBeInstanceOf(HostnameNotResolvable)
      expect(error).toMatchObject({
        code: 'ERR_HTTPIO_HOSTNAME_NOT_RESOLVABLE',
        hostname: 'missing.test',
        cause: { code },
      })
      expect(lookup.mock.calls.length).toBe(before + 1)
      expect(isTemporaryNetworkError(error)).toBe(false)
    }
  })
})

describe('a resolver that cannot answer', () => {
  it.each(['EAI_AGAIN', 'EAI_FAIL', 'ESERVFAIL', 'ECONNREFUSED', 'never seen'])(
    'is DNSUnavailable (%s)',
    async code => {
      failWith(code)
      const error = await rejection(new HTTPConnection('example.test').request('GET', '/'))
      expect(error).toBeInstanceOf(DNSUnavailable)
      expect(error).toMatchObject({
        code: 'ERR_HTTPIO_DNS_UNAVAILABLE',
        hostname: 'example.test',
        cause: { code },
      })
      expect(isTemporaryNetworkError(error)).toBe(true)
    },
  )

  it('names the proxy if that is what it was asked for', async () => {
    failWith('ENOTFOUND')
    const connection = new HTTPConnection('example.test', { proxy: 'http://proxy.test' })
    expect(await rejection(connection.connect())).toMatchObject({ hostname: 'proxy.test' })
  })

  it('is not asked where a socket is given', async () => {
    const lookup = failWith('ENOTFOUND')
    const connection = new HTTPConnection('missing.test', { socket: new FakeSocket() })
    await connection.connect()
    expect(lookup).not.toHaveBeenCalled()
    await connection.close()
  })
})

describe('isTemporaryNetworkError', () => {
  it('knows the errors of a connection by what they mean', async () => {
    const socket = new FakeSocket()
    const connection = new HTTPConnection('example.test', { socket })
    await connection.sendRequest('GET', '/')
    await socket.peer.waitFor('\r\n\r\n')
    expect(isTemporaryNetworkError(await rejection(connection.sendRequest('get', '/')))).toBe(false)
    expect(isTemporaryNetworkError(await rejection(connection.write(new Uint8Array(1))))).toBe(false)
    const closed = rejection(connection.readResponse())
    socket.peer.reset()
    expect(isTemporaryNetworkError(await closed)).toBe(true)
    await connection.close()
    const invalid = new FakeSocket()
    const other = new HTTPConnection('example.test', { socket: invalid })
    const response = rejection(other.request('GET', '/'))
    await invalid.peer.waitFor('\r\n\r\n')
    invalid.peer.send('SSH-2.0-OpenSSH\r\n')
    expect(isTemporaryNetworkError(await response)).toBe(false)
    await other.close()
  })

  it('looks through causes and AggregateErrors', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const wrapped = new Error('could not fetch', { cause: new AggregateError([new Error('no'), refused]) })
    expect(isTemporaryNetworkError(wrapped)).toBe(true)
    expect(isTemporaryNetworkError(new AggregateError([new TypeError('no')], 'none'))).toBe(false)
    for (const nothing of [undefined, null, 'ECONNREFUSED', 1, {}]) {
      expect(isTemporaryNetworkError(nothing)).toBe(false)
    }
  })
})
