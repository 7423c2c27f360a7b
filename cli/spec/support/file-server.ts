// Owns the server of files that `httpio get` is tried on, and what may be found in a folder afterwards.
import { readdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { TestServer } from './servers'

/** The body of /large: too much for memory. */
export const LARGE = Buffer.alloc(20_000_000, 'a large file, ')
export const ETAG = '"v1"'

/** A server, and what it was asked for. */
export class FileServer extends TestServer {
  readonly requests: IncomingMessage[] = []
  /** Answers if it likes, and says whether it does; otherwise the answer is the usual one. */
  special: (request: IncomingMessage, response: ServerResponse) => boolean = () => false
  #onRequest: (() => void) | null = null

  constructor() {
    super(
      createServer((request, response) => {
        this.requests.push(request)
        this.#onRequest?.()
        if (!this.special(request, response)) answer(request, response)
      }),
    )
  }

  /** Resolves when `path` has been asked for. */
  asked(path: string): Promise<void> {
    return new Promise(resolve => {
      this.#onRequest = () => {
        if (this.requests.some(({ url }) => url === path)) resolve()
      }
      this.#onRequest()
    })
  }
}

function answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
  if (url === '/missing') {
    response.statusCode = 404
    response.end('not here')
  } else if (url === '/moved') {
    response.writeHead(301, { Location: '/there' }).end()
  } else if (url === '/large') {
    const range = /^bytes=(\d+)-$/.exec(headers.range ?? '')
    const from = range !== null && headers['if-range'] === ETAG ? Number(range[1]) : 0
    response.setHeader('ETag', ETAG)
    if (from > 0) {
      response.statusCode = 206
      response.setHeader('Content-Range', `bytes ${from}-${LARGE.length - 1}/${LARGE.length}`)
    }
    response.setHeader('Content-Length', LARGE.length - from)
    response.end(LARGE.subarray(from))
  } else {
    response.end(`body of ${url}`)
  }
}

/** All files below a folder, hidden ones too. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}
