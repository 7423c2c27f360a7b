import {
  ConnectionClosed,
  ConnectionTimedOut,
  DNSUnavailable,
  HostnameNotResolvable,
  InvalidResponse,
  StateError,
  TunnelFailed,
  UnsupportedResponse,
} from '../../lib/errors'
import { isTemporaryNetworkError } from '../../lib/net/temporary'

const system = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more })
const hostname = 'example.test'

describe('isTemporaryNetworkError', () => {
  it.each<[string, unknown]>([
    ['ConnectionClosed', new ConnectionClosed('')],
    ['ConnectionClosed by a faulty response', new ConnectionClosed('', { cause: new TypeError() })],
    ['ConnectionTimedOut', new ConnectionTimedOut('', { operation: 'receive' })],
    ['DNSUnavailable', new DNSUnavailable('', { hostname })],
    ['TunnelFailed with 502', new TunnelFailed('', { status: 502 })],
    ['TunnelFailed with 503', new TunnelFailed('', { status: 503 })],
    ['TunnelFailed with 504', new TunnelFailed('', { status: 504 })],
    ['ECONNREFUSED', system('ECONNREFUSED', { syscall: 'connect' })],
    ['ECONNRESET', system('ECONNRESET')],
    ['ECONNABORTED', system('ECONNABORTED')],
    ['EPIPE', system('EPIPE')],
    ['ETIMEDOUT', system('ETIMEDOUT')],
    ['EHOSTUNREACH', system('EHOSTUNREACH')],
    ['EHOSTDOWN', system('EHOSTDOWN')],
    ['ENETUNREACH', system('ENETUNREACH')],
    ['ENETDOWN', system('ENETDOWN')],
    ['ENETRESET', system('ENETRESET')],
    ['ENOTCONN', system('ENOTCONN')],
    ['EAI_AGAIN', system('EAI_AGAIN', { syscall: 'getaddrinfo' })],
    ['an unknown failure of getaddrinfo', system('EAI_FAIL', { syscall: 'getaddrinfo' })],
    ['an unknown failure of dns.resolve', system('ESERVFAIL', { syscall: 'queryA' })],
    ['a stream that closed early', system('ERR_STREAM_PREMATURE_CLOSE')],
    ['an error caused by one', new Error('', { cause: system('ECONNRESET') })],
    ['a TypeError caused by one', new TypeError('fetch failed', { cause: system('ECONNRESET') })],
    ['a cause of a cause', new Error('', { cause: new Error('', { cause: new ConnectionClosed('') }) })],
    ['an AggregateError with one', new AggregateError([system('EACCES'), system('ENETUNREACH')])],
    ['a cause with an AggregateError', new Error('', { cause: new AggregateError([system('EPIPE')]) })],
  ])('is true for %s', (_, error) => {
    expect(isTemporaryNetworkError(error)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['HostnameNotResolvable', new HostnameNotResolvable('', { hostname, cause: system('ECONNRESET') })],
    ['UnsupportedResponse', new UnsupportedResponse('')],
    ['InvalidResponse', new InvalidResponse('', { reason: 'HPE_STRICT', cause: system('ECONNRESET') })],
    ['StateError', new StateError('')],
    ['TunnelFailed with 407', new TunnelFailed('', { status: 407 })],
    ['TunnelFailed with 500', new TunnelFailed('', { status: 500 })],
    ['ENOTFOUND of getaddrinfo', system('ENOTFOUND', { syscall: 'getaddrinfo' })],
    ['ENOTFOUND of dns.resolve', system('ENOTFOUND', { syscall: 'queryAaaa' })],
    ['ENODATA', system('ENODATA', { syscall: 'queryA' })],
    ['an expired certificate', system('CERT_HAS_EXPIRED')],
    ['a certificate for another host', system('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['EACCES', system('EACCES', { syscall: 'connect' })],
    ['ENOENT', system('ENOENT', { syscall: 'connect' })],
    ['TypeError', new TypeError()],
    ['an abort', new DOMException('', 'AbortError')],
    ['an AggregateError without one', new AggregateError([system('EACCES'), new TypeError()])],
    ['an empty AggregateError', new AggregateError([])],
    ['undefined', undefined],
    ['null', null],
    ['a string', 'ECONNRESET'],
    ['a number', 104],
  ])('is false for %s', (_, error) => {
    expect(isTemporaryNetworkError(error)).toBe(false)
  })

  it('ends when causes go in a circle', () => {
    const first = new Error('first')
    const second = new AggregateError([first], 'second', { cause: first })
    first.cause = second
    expect(isTemporaryNetworkError(first)).toBe(false)
    second.errors.push(system('EPIPE'))
    expect(isTemporaryNetworkError(first)).toBe(true)
  })
})
