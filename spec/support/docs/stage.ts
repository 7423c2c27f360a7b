// Owns the world in which the programs of the pages run: www.example.org and a proxy are servers on loopback, the folder is
// a temporary one. It must not know the programs.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import * as httpio from '../../../lib'
import * as testing from '../../../lib/testing'
import { ca, localhost } from '../tls'
import type { Surroundings } from './programs'

/** Of every file that programs find in their folder. */
const FILES: Record<string, string | Buffer> = {
  'ca.pem': ca,
  'release.tgz': Buffer.alloc(200_000, 'release '),
  'trace-17.log': [
    '17 0.000 ! "open www.example.org:80 at 2026-01-01T00:00:00.000Z"',
    '17 1.250 > "GET /news/1 HTTP/1.1\\r\\nHost: www.example.org\\r\\nAccept-Encoding: identity\\r\\n\\r\\n"',
    '17 9.750 < "HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nhalf of it"',
    '17 9.875 ! "error: read ECONNRESET"',
    '17 9.900 ! "close"\n',
  ].join('\n'),
}

export class Stage implements Surroundings {
  readonly #plain = http.createServer()
  readonly #secure = https.createServer(localhost)
  readonly #tunnels = new Set<net.Socket>()
  /** The programs' own ends of their connections. */
  readonly #open = new Set<net.Socket>()
  #home = ''
  #folder = ''
  readonly modules = new Map<string, unknown>()

  async open(): Promise<void> {
    for (const server of [this.#plain, this.#secure]) {
      server.on('request', answer)
      server.on('checkContinue', onExpect)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }
    this.#plain.on('connect', (_request: http.IncomingMessage, socket: net.Socket) => {
      const onward = net.connect(portOf(this.#secure), '127.0.0.1')
      for (const side of [socket, onward]) {
        this.#tunnels.add(side)
        side.on('error', () => {})
        side.on('close', () => this.#tunnels.delete(side))
      }
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    this.#home = process.cwd()
    this.#folder = mkdtempSync(path.join(os.tmpdir(), 'httpio-docs-'))
    for (const [name, content] of Object.entries(FILES)) writeFileSync(path.join(this.#folder, name), content)
    process.chdir(this.#folder)
    const classes = { HTTPConnection: this.#connectionClass(), HTTPClient: this.#clientClass() }
    this.modules.set('httpio', { ...httpio, ...classes })
    this.modules.set('httpio/testing', testing)
  }

  async close(): Promise<void> {
    process.chdir(this.#home)
    rmSync(this.#folder, { recursive: true })
    for (const socket of this.#tunnels) socket.destroy()
    for (const server of [this.#plain, this.#secure]) {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }

  readonly idle = async (): Promise<void> => {
    await Promise.all(Array.from(this.#open, socket => once(socket, 'close')))
  }

  #dial(isSecure: boolean): () => net.Socket {
    return () => {
      const socket = net.connect(portOf(isSecure ? this.#secure : this.#plain), '127.0.0.1')
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket))
      return socket
    }
  }

  /** The real class, but whatever it would dial leads here. */
  #clientClass(): typeof httpio.HTTPClient {
    const dial = (isSecure: boolean): (() => net.Socket) => this.#dial(isSecure)
    return class HTTPClient extends httpio.HTTPClient {
      constructor(origin: string | URL, options: httpio.ClientOptions = {}) {
        const isSecure = new URL(origin).protocol === 'https:'
        const tls = isSecure ? { ca, servername: 'localhost' } : false
        super(origin, { connect: dial(isSecure), tls, ...options })
      }
    }
  }

  /** The same. */
  #connectionClass(): typeof httpio.HTTPConnection {
    const dial = (isSecure: boolean): (() => net.Socket) => this.#dial(isSecure)
    return class HTTPConnection extends httpio.HTTPConnection {
      constructor(hostname: string, options: httpio.ConnectionOptions = {}) {
        const { socket, socketPath: _, tls, proxy, ...rest } = options
        const trust = { ca, servername: 'localhost' }
        super(hostname, {
          ...rest,
          proxy,
          tls: socket === undefined && tls ? { ...trust, ...(tls === true ? {} : tls) } : tls,
          socket: socket ?? dial(Boolean(tls) && proxy === undefined),
        })
      }
    }
  }
}

function portOf(server: http.Server | https.Server): number {
  return (server.address() as AddressInfo).port
}

/** Every path has something to give; the last part of it says what. */
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://www.example.org')
  const received: Buffer[] = []
  request.on('data', (chunk: Buffer) => received.push(chunk))
  request.on('end', () => {
    const bytes = Buffer.concat(received).length
    if (request.method === 'PUT') {
      response.statusCode = 201
      response.end(`stored ${bytes} bytes`)
    } else if (request.method === 'POST') {
      response.end(`${request.headers['content-type'] ?? 'no type'}, ${bytes} bytes`)
    } else if (pathname.endsWith('missing')) {
      response.statusCode = 404
      response.end('not here')
    } else if (pathname.endsWith('.json')) {
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ path: pathname }))
    } else if (pathname.endsWith('.iso')) {
      response.write(Buffer.alloc(300_000))
      response.end()
    } else {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.setHeader('Set-Cookie', ['a=1', 'b=2'])
      const text = `<h1>${pathname}</h1>`
      response.setHeader('Content-Length', Buffer.byteLength(text))
      response.end(text)
    }
  })
}

function onExpect(request: http.IncomingMessage, response: http.ServerResponse): void {
  if (request.headers.authorization === undefined) {
    response.statusCode = 401
    response.end('who are you?')
  } else {
    response.writeContinue()
    answer(request, response)
  }
}
