// What a trace file holds, and that tracing never gets in the way of a connection.
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HTTPConnection } from '../lib'
import { FakeSocket } from '../lib/testing'
import { readTrace } from '../lib/testing/trace-file'
import type { openTrace as OpenTrace } from '../lib/trace'

const LEGEND =
  '# httpio trace 1. Each line: connection, milliseconds since its open, > sent or < received or ! event, and the bytes as ' +
  'JSON text (one character = one byte)'

let directory: string
let openTrace: typeof OpenTrace
let warnings: jest.SpyInstance

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'httpio-trace-'))
  // Numbers and the one warning belong to the process: each spec begins with a module that has done nothing yet.
  jest.isolateModules(() => {
    ;({ openTrace } = jest.requireActual<{ openTrace: typeof OpenTrace }>('../lib/trace'))
  })
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
})

afterEach(() => {
  delete process.env.HTTPIO_TRACEFILE
  warnings.mockRestore()
  fs.rmSync(directory, { recursive: true })
})

const path = (name: string) => join(directory, name)
const read = (name: string) => fs.readFileSync(path(name), 'latin1')
/** The lines without their times, which are checked to grow. */
function lines(name: string): string[] {
  let last = 0
  return read(name)
    .split('\n')
    .map(line =>
      line.replace(/^(\d+) (\d+\.\d{3}) /, (_, number: string, ms: string) => {
        expect(Number(ms)).toBeGreaterThanOrEqual(last)
        last = Number(ms)
        return `${number} `
      }),
    )
}

describe('openTrace', () => {
  it.each([undefined, ''])('is null when HTTPIO_TRACEFILE is %p', value => {
    if (value !== undefined) process.env.HTTPIO_TRACEFILE = value
    expect(openTrace('x')).toBeNull()
    expect(fs.readdirSync(directory)).toEqual([])
  })

  it('writes a line for each event, readable and in ASCII', () => {
    process.env.HTTPIO_TRACEFILE = path('trace-%d.log')
    const trace = openTrace('example.test:80')!
    trace.sent('GET / HTTP/1.1\r\nX: caf\xe9"\\\r\n\r\n')
    trace.sent(Buffer.from('xxbodyxx').subarray(2, 6))
    trace.received(Uint8Array.from({ length: 256 }, (_, i) => i).subarray(0x7d, 0x82))
    trace.note('end')
    trace.close()
    const [legend, open, ...rest] = lines('trace-1.log')
    expect(legend).toBe(LEGEND)
    expect(open).toMatch(/^1 ! "open example\.test:80 at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/)
    expect(rest).toEqual([
      '1 > "GET / HTTP/1.1\\r\\nX: caf\\u00e9\\"\\\\\\r\\n\\r\\n"',
      '1 > "body"',
      '1 < "}~\\u007f\\u0080\\u0081"',
      '1 ! "end"',
      '1 ! "close"',
      '',
    ])
  })

  it('has handed over each line when the call returns', () => {
    process.env.HTTPIO_TRACEFILE = path('t')
    const trace = openTrace('x')!
    trace.sent('abc')
    expect(read('t')).toMatch(/> "abc"\n$/)
    trace.close()
  })

  it('writes nothing after close', () => {
    process.env.HTTPIO_TRACEFILE = path('t')
    const trace = openTrace('x')!
    trace.close()
    const before = read('t')
    trace.sent('abc')
    trace.received(Buffer.from('x'))
    trace.note('end')
    trace.close()
    expect(read('t')).toBe(before)
    expect(warnings).not.toHaveBeenCalled()
  })

  it('numbers the files of the process from 1, and skips those that exist', () => {
    fs.writeFileSync(path('2-2.log'), 'kept')
    process.env.HTTPIO_TRACEFILE = path('%d-%d.log')
    for (const label of ['a', 'b']) openTrace(label)!.close()
    expect(fs.readdirSync(directory).sort()).toEqual(['1-1.log', '2-2.log', '3-3.log'])
    expect(read('2-2.log')).toBe('kept')
    expect(lines('3-3.log')[1]).toMatch(/^3 ! "open b /)
  })

  it('appends all connections to one file when there is no %d', () => {
    process.env.HTTPIO_TRACEFILE = path('all.log')
    const traces = ['a', 'b'].map(label => openTrace(label)!)
    traces[0].sent('1')
    traces[1].sent('2')
    traces[0].received(Buffer.from('3'))
    for (const trace of traces) trace.close()
    expect(readTrace(path('all.log')).map(lines => lines.map(({ kind, text }) => `${kind} ${text}`))).toEqual(
      [
        ['sent 1', 'received 3', 'event close'],
        ['sent 2', 'event close'],
      ],
    )
  })

  it('lets only the owner read the file', () => {
    process.env.HTTPIO_TRACEFILE = path('t')
    openTrace('x')!.close()
    expect(fs.statSync(path('t')).mode & 0o077).toBe(0)
  })

  it('keeps real time under fake timers', () => {
    jest.useFakeTimers({ now: 0 })
    try {
      process.env.HTTPIO_TRACEFILE = path('t')
      const trace = openTrace('x')!
      trace.sent('a')
      trace.close()
    } finally {
      jest.useRealTimers()
    }
    expect(read('t')).not.toMatch(/^1 0\.000 >/m)
  })

  it('warns once a process when the file cannot be opened, and is null', () => {
    process.env.HTTPIO_TRACEFILE = path('missing/trace-%d.log')
    expect([openTrace('a'), openTrace('b')]).toEqual([null, null])
    expect(warnings.mock.calls).toEqual([
      [
        expect.stringMatching(/^HTTPIO_TRACEFILE cannot be written, so nothing is traced: ENOENT: .*missing/),
        { code: 'HTTPIO_TRACEFILE' },
      ],
    ])
  })

  const full = fs.existsSync('/dev/full') ? it : it.skip
  full('warns once and stops when the disk is full', () => {
    process.env.HTTPIO_TRACEFILE = '/dev/full'
    const trace = openTrace('a')!
    trace.sent('x')
    trace.close()
    expect(warnings).toHaveBeenCalledTimes(1)
    expect(warnings.mock.calls[0][0]).toContain('ENOSPC')
  })

  it('warns when the file cannot be closed', () => {
    process.env.HTTPIO_TRACEFILE = path('t')
    const trace = openTrace('a')!
    const { closeSync } = fs
    const failing = jest
      .spyOn(jest.requireActual<typeof fs>('node:fs'), 'closeSync')
      .mockImplementationOnce(fd => {
        closeSync(fd)
        throw new Error('EIO: i/o error, close')
      })
    trace.close()
    failing.mockRestore()
    expect(warnings.mock.calls[0][0]).toContain('EIO')
  })
})

describe('HTTPConnection with HTTPIO_TRACEFILE', () => {
  it('records what it sends and reads, and how the connection ends', async () => {
    process.env.HTTPIO_TRACEFILE = path('one.log')
    const socket = new FakeSocket()
    const connection = new HTTPConnection('example.test', { socket })
    await connection.sendRequest('GET', '/a')
    const head = (await socket.peer.waitFor('\r\n\r\n')).toString('latin1')
    socket.peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n')
    socket.peer.send('\xff\x00')
    expect([...(await (await connection.readResponse()).readAll())]).toEqual([0xff, 0])
    socket.peer.end()
    await once(socket, 'end')
    await Promise.all([once(socket, 'close'), connection.close()])
    expect(readTrace(path('one.log'))).toHaveLength(1)
    expect(readTrace(path('one.log'))[0]).toEqual([
      { kind: 'sent', text: head },
      { kind: 'received', text: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' },
      { kind: 'received', text: '\xff\x00' },
      { kind: 'event', text: 'end' },
      { kind: 'event', text: 'close' },
    ])
  })

  it('records a reset', async () => {
    process.env.HTTPIO_TRACEFILE = path('reset.log')
    const socket = new FakeSocket()
    const connection = new HTTPConnection('example.test', { socket })
    await connection.sendRequest('GET', '/')
    await socket.peer.waitFor('GET')
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.peer.reset()
    await expect(connection.readResponse()).rejects.toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
    await closed
    expect(readTrace(path('reset.log'))[0].slice(1)).toEqual([
      { kind: 'event', text: 'error: read ECONNRESET' },
      { kind: 'event', text: 'close' },
    ])
  })

  it('works when the file cannot be written', async () => {
    process.env.HTTPIO_TRACEFILE = path('missing/x.log')
    const socket = new FakeSocket()
    socket.peer.respond(() => ({ body: 'fine' }))
    const connection = new HTTPConnection('example.test', { socket })
    expect(await (await connection.request('GET', '/')).text()).toBe('fine')
    await connection.close()
    expect(warnings).toHaveBeenCalledTimes(1)
  })
})
