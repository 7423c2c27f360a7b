// Over a real socket, with the client in a process of its own: what a million requests cost that are sent before a response is read.
import { fork, type ChildProcess } from 'node:child_process'
import { on } from 'node:events'
import type { Socket } from 'node:net'
import path from 'node:path'
import { Loopback } from '../support/loopback'

/** Seconds; enough even on a machine that is busy with something else. */
jest.setTimeout(120_000)

const REQUESTS = 1_000_000

type When = 'when all have come' | 'at once'
/**
 * What the library holds of each at most, in bytes, beyond what the server has answered. The memory that a socket was read into is kept
 * whole where more than half of it was filled, so that answers may cost up to twice their length.
 */
const rows: readonly (readonly [When, number])[] = [
  ['when all have come', 200],
  ['at once', 240],
]

const root = path.join(__dirname, '..', '..')

let server: Loopback
let client: ChildProcess

beforeEach(async () => {
  server = await Loopback.tcp({ noDelay: true })
  const args = [path.join(root, 'spec', 'support', 'many-requests.ts'), String(server.port), String(REQUESTS)]
  client = fork(path.join(root, 'scripts', 'run-typescript.mjs'), args, { execArgv: ['--expose-gc'] })
})

afterEach(async () => {
  client.kill('SIGKILL')
  await server.close()
})

/** Answers each request with its path. */
class Answers {
  readonly #peer: Socket
  readonly #requestBytes: number
  #receivedBytes = 0
  #answered = 0

  constructor(peer: Socket, requestBytes: number) {
    this.#peer = peer
    this.#requestBytes = requestBytes
  }

  get received(): number {
    return Math.floor(this.#receivedBytes / this.#requestBytes)
  }

  take(chunk: Buffer): void {
    this.#receivedBytes += chunk.length
  }

  /** Answers what was received, as long as that is taken; false = it is not. */
  flush(): boolean {
    while (this.#answered < this.received) {
      const end = Math.min(this.received, this.#answered + 1000)
      let text = ''
      for (; this.#answered < end; this.#answered++) {
        text += `HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n/${String(this.#answered).padStart(7, '0')}`
      }
      if (!this.#peer.write(text)) return false
    }
    return true
  }
}

interface Report {
  readonly event: 'sent' | 'measured' | 'read'
  readonly heldBytes: number
  readonly receivedBytes: number
}

/** Serves the client until it has read all; says what it held when it had sent all. */
async function serve(when: When): Promise<Report[]> {
  const reports: Report[] = []
  const events = on(client, 'message', { close: ['exit'] })
  const peer: Socket = await server.next()
  const head = `GET /0000000 HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept-Encoding: identity\r\n\r\n`
  const answers = new Answers(peer, head.length)
  const allCame = new Promise<void>(resolve => {
    peer.on('data', (chunk: Buffer) => {
      answers.take(chunk)
      // It takes requests only while its answers are taken.
      if (when === 'at once' && !answers.flush()) peer.pause()
      if (answers.received === REQUESTS) resolve()
    })
  })
  peer.on('drain', () => {
    if (answers.flush()) peer.resume()
  })
  for await (const [report] of events as AsyncIterable<[Report]>) {
    reports.push(report)
    if (report.event === 'sent') {
      await allCame
      client.send('measure')
    } else if (report.event === 'measured') {
      answers.flush()
    }
  }
  return reports
}

describe('a million requests sent before the first response is read', () => {
  it.each(rows)(
    'neither block nor cost much, and get their own responses, where the server answers %s',
    async (when, mostBytes) => {
      const [sent, measured, read] = await serve(when)
      expect([sent, measured, read]).toMatchObject([
        { event: 'sent' },
        { event: 'measured' },
        { event: 'read' },
      ])
      // A server that answers at once goes on taking requests only because its answers are taken.
      if (when === 'at once') expect(measured.receivedBytes).toBeGreaterThan(REQUESTS)
      else expect(measured.receivedBytes).toBe(0)
      expect((measured.heldBytes - measured.receivedBytes) / REQUESTS).toBeLessThan(mostBytes)
      expect(read.heldBytes / REQUESTS).toBeLessThan(20)
    },
  )
})
