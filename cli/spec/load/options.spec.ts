import { temporaryFolder } from '../support/program'
import { refuse } from '../support/refuse'

describe('httpio load', () => {
  it.each([
    [['nonsense'], "'nonsense' is no URL to load"],
    [['http://u:p@localhost/'], 'credentials in the URL are not sent'],
    [['-c', '0', 'http://localhost/'], 'It must be a whole number, 1 or more.'],
    [['-c', '', 'http://localhost/'], 'It must be a whole number, 1 or more.'],
    [['-n', '1e3', 'http://localhost/'], 'It must be a whole number, 1 or more.'],
    [['-r', '0', 'http://localhost/'], 'It must be a number above 0'],
    [['-d', 'soon', 'http://localhost/'], 'Write it as 10s, 500ms, 2m or 1h.'],
    [['-d', '0s', 'http://localhost/'], 'It must be longer than nothing.'],
    [['-d', '999h', 'http://localhost/'], 'It must be 24 days at most.'],
    [['-n', '5', '-d', '5s', 'http://localhost/'], 'cannot be used with option'],
    [['-t', '2', 'http://localhost/'], '2 threads need as many connections: add --connections 2'],
    [['--threshold', 'p99<50', 'http://localhost/'], "write it as 'p99<50ms'"],
    [['-X', 'get', '--allow-unsafe', 'http://localhost/'], 'methods are case-sensitive'],
    [['-H', 'nonsense', 'http://localhost/'], "Write it as 'Name: value'."],
    [['-H', 'Transfer-Encoding: chunked', 'http://localhost/'], 'the request cannot be sent'],
    [['-b', '@/does/not/exist', 'http://localhost/'], 'It cannot be read'],
    [['--cacert', '/does/not/exist', 'http://localhost/'], '--cacert /does/not/exist cannot be read'],
    [['--html', '/does/not/exist', 'http://localhost/'], '--html /does/not/exist cannot be written'],
    [['--html', temporaryFolder(), 'http://localhost/'], 'is a folder: name a file'],
  ])('refuses %j in one line, with status 1', async (args, message) => {
    const { status, stderr } = await refuse('load', ...args)
    expect(status).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/^httpio: [^\n]+\n$/)
  })
})
