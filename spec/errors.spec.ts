// The classes of errors: their tree, codes and names, which are what programs act upon.
import * as httpio from '../lib'
import {
  BodyTooLong,
  ConnectionClosed,
  ConnectionTimedOut,
  DNSUnavailable,
  ExcessBodyData,
  HostnameNotResolvable,
  HTTPError,
  InvalidResponse,
  StateError,
  TunnelFailed,
  UnsupportedResponse,
  type HTTPResponse,
} from '../lib'

const response = { status: 200 } as HTTPResponse
const cause = new Error('below')

const errors: [HTTPError, string, string, (new (...args: never[]) => HTTPError)[], object][] = [
  [
    new ConnectionClosed('m', {
      cause,
      unanswered: [{ method: 'GET', path: '/', outcome: 'unsent', processed: 'no' }],
    }),
    'ConnectionClosed',
    'ERR_HTTPIO_CONNECTION_CLOSED',
    [ConnectionClosed],
    { unanswered: [{ method: 'GET', path: '/', outcome: 'unsent', processed: 'no' }] },
  ],
  [
    new UnsupportedResponse('m', { cause, response }),
    'UnsupportedResponse',
    'ERR_HTTPIO_UNSUPPORTED_RESPONSE',
    [UnsupportedResponse],
    { response },
  ],
  [
    new InvalidResponse('m', { cause, response, reason: 'HPE_STRICT' }),
    'InvalidResponse',
    'ERR_HTTPIO_INVALID_RESPONSE',
    [InvalidResponse, UnsupportedResponse],
    { response, reason: 'HPE_STRICT' },
  ],
  [
    new ConnectionTimedOut('m', { cause, operation: 'receive' }),
    'ConnectionTimedOut',
    'ERR_HTTPIO_TIMED_OUT',
    [ConnectionTimedOut],
    { operation: 'receive' },
  ],
  [
    new BodyTooLong('m', { cause, response }),
    'BodyTooLong',
    'ERR_HTTPIO_BODY_TOO_LONG',
    [BodyTooLong],
    { response },
  ],
  [new StateError('m', { cause }), 'StateError', 'ERR_HTTPIO_STATE', [StateError], {}],
  [
    new ExcessBodyData('m', { cause }),
    'ExcessBodyData',
    'ERR_HTTPIO_EXCESS_BODY_DATA',
    [ExcessBodyData, StateError],
    {},
  ],
  [
    new TunnelFailed('m', { cause, status: 407 }),
    'TunnelFailed',
    'ERR_HTTPIO_TUNNEL_FAILED',
    [TunnelFailed],
    { status: 407 },
  ],
  [
    new HostnameNotResolvable('m', { cause, hostname: 'x.test' }),
    'HostnameNotResolvable',
    'ERR_HTTPIO_HOSTNAME_NOT_RESOLVABLE',
    [HostnameNotResolvable],
    { hostname: 'x.test' },
  ],
  [
    new DNSUnavailable('m', { cause, hostname: 'x.test' }),
    'DNSUnavailable',
    'ERR_HTTPIO_DNS_UNAVAILABLE',
    [DNSUnavailable],
    { hostname: 'x.test' },
  ],
]
const classes = [HTTPError, ...errors.map(([error]) => error.constructor as typeof HTTPError)]

describe.each(errors)('%s', (error, name, code, kinds, fields) => {
  it('has its name, code, message, cause and fields', () => {
    expect(error.name).toBe(name)
    expect(error.code).toBe(code)
    expect(error.message).toBe('m')
    expect(error.cause).toBe(cause)
    expect(error).toMatchObject(fields)
    expect(String(error)).toBe(`${name}: m`)
    expect(error.stack).toContain(`${name}: m`)
  })

  it('is an HTTPError and of its own kinds alone', () => {
    const expected = new Set<unknown>([HTTPError, ...kinds])
    expect(error).toBeInstanceOf(Error)
    expect(classes.filter(each => error instanceof each)).toEqual(classes.filter(each => expected.has(each)))
  })
})

describe('errors', () => {
  it('are all there is in the package, one code each', () => {
    const exported = Object.values(httpio).filter(
      value => typeof value === 'function' && (value as { prototype: unknown }).prototype instanceof Error,
    )
    expect(new Set(exported)).toEqual(new Set(classes))
    expect(new Set(errors.map(([error]) => error.code)).size).toBe(errors.length)
  })

  it('have no cause where there is none, and no response where none was parsed', () => {
    expect(Object.hasOwn(new StateError('m'), 'cause')).toBe(false)
    expect(Object.hasOwn(new StateError('m', {}), 'cause')).toBe(false)
    expect(new UnsupportedResponse('m').response).toBeUndefined()
    expect(new ConnectionClosed('m').unanswered).toEqual([])
  })

  it('show their code and fields, and not their name again, when they are printed', () => {
    expect(Object.keys(new StateError('m'))).toEqual(['code'])
    expect(JSON.stringify(new BodyTooLong('m', { response }))).toContain('ERR_HTTPIO_BODY_TOO_LONG')
  })
})
