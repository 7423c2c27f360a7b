// A recorded connection played back: the same answers at the same places, and a loud error when anything else is written.
import { once } from 'node:events'
import * as fs from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HTTPConnection } from '../../lib'
import { playTrace, type FakeSocket } from '../../lib/testing'

let directory: string
let file: string

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'httpio-play-'))
  file = join(directory, 'trace.log')
})

afterEach(() => fs.rmSync(directory, { recursive: true }))

/** Writes a trace file from its lines without connection and time. */
function record(...lines: string[]): void {
  fs.writeFileSync(file, ['! "open x"', ...lines].map((line, i) => `1 ${i}.000 ${line}\n`).join(''))
}

/** What the connection's side of a socket sees, in order. */
function watch(socket: FakeSocket): string[] {
  const events: string[] = []
  socket.on('data', (chunk: Buffer) => events.push(`data ${chunk.toString('latin1')}`))
  socket.on('end', () => events.push('end'))
  socket.on('error', error => events.push(`error ${error.message}`))
  return events
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

describe('playTrace', () => {
  it('sends each chunk once as much has been written as before it in the recording', async () => {
    record('> "ab"', '> "c"', '< "one"', '< "\\u00ff"', '> "de"', '< "two"')
    const socket = playTrace(file)
    const events = watch(socket)
    socket.write('ab')
    await settle()
    expect(events).toEqual([])
    socket.write('cd')
    expect(events).toEqual([])
    await settle()
    expect(events).toEqual(['data one', 'data \xff'])
    socket.write('e')
    await settle()
    expect(events).toEqual(['data one', 'data \xff', 'data two'])
    expect(socket.peer.received.toString()).toBe('abcde')
  })

  it('sends at once what was received before anything was sent', async () => {
    record('< "hello"')
    const events = watch(playTrace(file))
    await settle()
    expect(events).toEqual(['data hello'])
  })

  it.each([
    ['a FIN', ['! "end"', '! "close"'], ['end']],
    ['an error', ['! "error: read ECONNRESET"', '! "close"'], ['error read ECONNRESET']],
    ['an end that was not clean', ['! "end"', '! "error: the end was not clean"'], ['error read ECONNRESET']],
    [
      'an end that was not clean, known later',
      ['! "end"', '> "later"', '! "error: the end was not clean"'],
      ['error read ECONNRESET'],
    ],
    ['a failed write', ['! "write failed: write EPIPE"', '! "close"'], ['error read ECONNRESET']],
    ['nothing', ['! "close"'], []],
  ])('ends, after all data, as the recording: with %s', async (_, ends, shown) => {
    record('> "a"', '< "b"', ...ends)
    const socket = playTrace(file)
    const events = watch(socket)
    await settle()
    expect(events).toEqual([])
    socket.write('a')
    await settle()
    expect(events).toEqual(['data b', ...shown])
  })

  it('brings bytes that were read after a write had failed', async () => {
    record('> "a"', '! "write failed: write EPIPE"', '< "b"', '! "end"')
    const socket = playTrace(file)
    const events = watch(socket)
    socket.write('a')
    await settle()
    expect(events).toEqual(['data b', 'end'])
  })

  it.each([
    ['other bytes', 'abX', 2, '1 byte: "X"', '2 bytes: "cd"'],
    ['more than was recorded', 'abcde', 4, '1 byte: "e"', 'nothing'],
  ])('destroys the socket when the connection writes %s', async (_, text, at, wrote, recorded) => {
    record('> "abcd"', '< "never"')
    const socket = playTrace(file)
    const events = watch(socket)
    socket.write(text)
    await settle()
    expect(events).toEqual([
      `error The connection writes other bytes than ${file} recorded, from byte ${at} on. ` +
        `It wrote ${wrote}. The recording goes on with ${recorded}`,
    ])
  })

  it('finds the difference across writes', async () => {
    record('> "abcd"')
    const socket = playTrace(file)
    const events = watch(socket)
    socket.write('ab')
    socket.write('cX')
    await settle()
    expect(events).toEqual([expect.stringContaining('from byte 3 on. It wrote 1 byte: "X"')])
  })

  it('only counts bytes with strict: false', async () => {
    record('> "abcd"', '< "one"')
    const socket = playTrace(file, { strict: false })
    const events = watch(socket)
    socket.write('WXYZ!')
    await settle()
    expect(events).toEqual(['data one'])
  })

  describe('of a file', () => {
    const legend = '# httpio trace 1\n'

    it('with several connections plays the one asked for', async () => {
      const lines = [
        '1 0.1 ! "open a"',
        '2 0.1 ! "open b"',
        '2 0.2 < "second"',
        '1 0.2 < "first"',
        '1 0.0 ! "open c"',
      ]
      fs.writeFileSync(file, legend + [...lines, '1 0.2 < "third"', ''].join('\n'))
      const events = [1, 2, 3].map(connection => watch(playTrace(file, { connection })))
      await settle()
      expect(events).toEqual([['data first'], ['data second'], ['data third']])
      expect(() => playTrace(file)).toThrow(
        `${file} holds 3 connections: say which by { connection: number }`,
      )
      for (const connection of [0, 4, 1.5]) {
        expect(() => playTrace(file, { connection })).toThrow(
          `${file} holds 3 connections, no number ${connection}`,
        )
      }
    })

    it('that was cut off anywhere plays up to there', async () => {
      const whole = `${legend}1 0.000 ! "open x"\n1 1.000 < "one\\r\\n"\n1 2.000 < "two"\n1 3.000 ! "end"\n`
      for (let length = legend.length; length <= whole.length; length++) {
        const kept = whole.slice(0, length)
        fs.writeFileSync(file, kept)
        if (!kept.includes('"open x"\n')) {
          expect(() => playTrace(file)).toThrow('holds 0 connections, no number 1')
          continue
        }
        const events = watch(playTrace(file))
        await settle()
        const expected = [
          ['"one\\r\\n"\n', 'data one\r\n'],
          ['"two"\n', 'data two'],
          ['"end"\n', 'end'],
        ]
        expect(events).toEqual(expected.filter(([line]) => kept.includes(line)).map(([, event]) => event))
      }
    })

    it.each([
      ['another line', 'GET / HTTP/1.1'],
      ['broken JSON', '1 1.000 < "\\x"'],
      ['a connection that was never opened', '2 1.000 < "x"'],
      ['a very long line', 'x'.repeat(100)],
    ])('with %s names the line', (_, line) => {
      record('< "a"')
      fs.appendFileSync(file, `${line}\n1 9.000 < "b"\n`)
      expect(() => playTrace(file)).toThrow(
        new Error(
          `${file}:3 is no line of an httpio trace: ${line.length > 60 ? `${'x'.repeat(60)}…` : line}`,
        ),
      )
    })

    it('that is missing throws what reading throws', () => {
      expect(() => playTrace(file)).toThrow('ENOENT')
    })
  })

  it('turns a connection lost in the middle of a body, recorded from a real socket, into the same failure', async () => {
    const server = createServer(socket => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'))
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const exchange = async (connection: HTTPConnection) => {
      const done = [connection.request('GET', '/a'), connection.request('GET', '/b')]
      const outcomes = await Promise.allSettled(done)
      await connection.close()
      return outcomes.map(outcome => {
        const { code, unanswered } = (outcome as PromiseRejectedResult).reason
        return { code, unanswered }
      })
    }
    process.env.HTTPIO_TRACEFILE = file
    let recorded: unknown
    try {
      recorded = await exchange(new HTTPConnection('127.0.0.1', { port }))
    } finally {
      delete process.env.HTTPIO_TRACEFILE
      server.close()
    }
    const played = await exchange(new HTTPConnection('127.0.0.1', { port, socket: playTrace(file) }))
    expect(played).toEqual(recorded)
    expect(played).toMatchObject([
      {
        code: 'ERR_HTTPIO_CONNECTION_CLOSED',
        unanswered: [
          { path: '/a', outcome: 'partial-reply', processed: 'maybe' },
          { path: '/b', outcome: 'no-reply', processed: 'maybe' },
        ],
      },
      { code: 'ERR_HTTPIO_CONNECTION_CLOSED' },
    ])
  })
})
