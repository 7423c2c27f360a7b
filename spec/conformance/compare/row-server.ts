// Plays one row to whoever connects first, over a real loopback socket; every later connection, and every later request
// on the same one, gets an answer of its own that can be told from the row's.
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import type { ConformanceCase } from '../case'
import { localhost } from '../../support/tls'

/** What a request that the row says nothing about is answered with. */
export const NEXT_BODY = 'the answer to the next request'
const NEXT = `HTTP/1.1 200 OK\r\nContent-Length: ${NEXT_BODY.length}\r\n\r\n${NEXT_BODY}`

/** How long a client that cannot pipeline is waited for, once its last request has come. */
const PATIENCE_MS = 60
/** How long the connection has been idle when bytes arrive that no request asked for. */
const EARLY_MS = 15

export class RowServer {
  readonly #server: net.Server
  readonly #row: ConformanceCase
  readonly #open = new Set<net.Socket>()
  #played = false

  private constructor(row: ConformanceCase) {
    this.#row = row
    // The socket below TLS, so that it can be ended without close_notify.
    this.#server = net.createServer({ allowHalfOpen: true }, raw => {
      this.#open.add(raw)
      raw.on('error', () => {})
      raw.on('close', () => this.#open.delete(raw))
      if (!row.end.startsWith('tls-')) return this.#serve(raw, raw)
      const secure = new tls.TLSSocket(raw, { ...localhost, isServer: true })
      secure.on('error', () => {})
      this.#serve(secure, raw)
    })
  }

  static async start(row: ConformanceCase): Promise<RowServer> {
    const server = new RowServer(row)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  close(): void {
    for (const socket of this.#open) socket.destroy()
    this.#server.close()
  }

  #serve(socket: net.Socket, raw: net.Socket): void {
    const row = this.#row
    const first = !this.#played
    this.#played = true
    /** How many requests are still to come before the row is played; -1 = played. */
    let awaited = first ? row.requests.length : -1
    let warmUp = first && row.early.length > 0
    let patience: NodeJS.Timeout | undefined
    const waiting = row.requests.find(({ expect100 }) => expect100 === true)?.body ?? ''
    /** Has the body that waits for a 100 still to come? */
    let isBodyOwed = false
    const play = () => {
      clearTimeout(patience)
      awaited = -1
      isBodyOwed = waiting !== ''
      for (const segment of row.segments) socket.write(segment, 'latin1')
      if (row.sendsBody !== true) finish()
    }
    const finish = () => {
      for (const segment of row.afterBody) socket.write(segment, 'latin1')
      if (row.end === 'fin' || row.end === 'tls-close-notify') socket.end()
      else if (row.end === 'reset') socket.write('', () => resetLater(raw))
      else if (row.end === 'tls-truncated') socket.write('', () => raw.end())
    }
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (isBodyOwed && text.startsWith(waiting)) {
        isBodyOwed = false
        text = text.slice(waiting.length)
        if (row.sendsBody === true) finish()
      }
      for (let request = requestIn(text); request > 0; request = requestIn(text)) {
        text = text.slice(request)
        if (warmUp) {
          warmUp = false
          socket.write(NEXT)
          setTimeout(() => row.early.forEach(segment => socket.write(segment, 'latin1')), EARLY_MS)
        } else if (awaited < 0) {
          if (socket.writable) socket.write(NEXT)
        } else {
          awaited -= 1
          clearTimeout(patience)
          if (awaited === 0) play()
          else patience = setTimeout(play, PATIENCE_MS)
        }
      }
    })
    socket.on('end', () => socket.end())
  }
}

/** A reset loses what the other side has not read; it comes when that side has had the time. */
const resetLater = (raw: net.Socket) => void setTimeout(() => raw.resetAndDestroy(), EARLY_MS)

/** The length of the first request in `text`, with a body by Content-Length that waits for nothing; 0 if it is not complete. */
function requestIn(text: string): number {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return 0
  if (/\r\nexpect:/i.test(text.slice(0, end))) return end + 4
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end)) ?? []
  const whole = end + 4 + Number(length)
  return text.length < whole ? 0 : whole
}
