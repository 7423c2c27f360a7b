import { authorityOf, bareHostname, hostOf, serverNameOf } from '../../lib/net/hostname'

describe('bareHostname', () => {
  it.each([
    ['example.test', 'example.test'],
    ['EXAMPLE.test.', 'EXAMPLE.test.'],
    ['under_score.test', 'under_score.test'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['[fe80::1%eth0]', 'fe80::1%eth0'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
  ])('takes %s as %s', (given, bare) => {
    expect(bareHostname(given)).toBe(bare)
  })

  it.each([
    ['nothing', ''],
    ['a space', 'a b'],
    ['CR LF', 'a\r\nX: y'],
    ['a character that becomes LF in latin1', 'a\u010ab'],
    ['NUL', 'a\0'],
    ['a path', 'a/b'],
    ['a query', 'a?b'],
    ['credentials', 'user@a'],
    ['a port', 'a:80'],
    ['a script other than latin', 'bücher.test'],
    ['brackets round a name', '[example.test]'],
    ['brackets round IPv4', '[127.0.0.1]'],
    ['half a bracket', '[::1'],
    ['CR LF in a zone', 'fe80::1%a\r\nb'],
    ['an empty zone', 'fe80::1%'],
  ])('refuses %s', (_, given) => {
    expect(() => bareHostname(given)).toThrow(TypeError)
  })
})

describe('bareHostname of what is no string', () => {
  it.each([
    ['undefined', undefined],
    ['an array', ['example.test']],
    ['an object that becomes one', { toString: (): string => 'example.test' }],
  ])('refuses %s', (_, given) => {
    expect(() => bareHostname(given as never)).toThrow(TypeError)
  })
})

describe('hostOf', () => {
  it.each([
    ['example.test', 80, 'example.test'],
    ['example.test', 443, 'example.test:443'],
    ['::1', 80, '[::1]'],
    ['::1', 8080, '[::1]:8080'],
    ['fe80::1%eth0', 80, '[fe80::1]'],
  ])('writes %s and port %i, where 80 is usual, as %s', (hostname, port, host) => {
    expect(hostOf(hostname, port, 80)).toBe(host)
  })
})

describe('authorityOf', () => {
  it.each([
    ['example.test', 'example.test:443'],
    ['::1', '[::1]:443'],
    ['fe80::1%eth0', '[fe80::1]:443'],
  ])('writes %s as %s', (hostname, authority) => {
    expect(authorityOf(hostname, 443)).toBe(authority)
  })
})

describe('serverNameOf', () => {
  it.each([
    ['example.test', 'example.test'],
    ['example.test.', 'example.test'],
    ['127.0.0.1', undefined],
    ['::1', undefined],
  ])('is for %s: %s', (hostname, name) => {
    expect(serverNameOf(hostname)).toBe(name)
  })
})
