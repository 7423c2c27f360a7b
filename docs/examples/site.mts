// A small site on this machine to try the other programs on: pages that lead to each other, and a store that files can be put into.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

const MOST_STORED_BYTES = 1_000_000

const page = (title: string, ...links: string[]): string =>
  `<!doctype html><title>${title}</title>${links.map(link => `<p><a href="${link}">${link}</a>`).join('')}`

const pages = new Map([['/', page('home', ...Array.from({ length: 10 }, (_, n) => `news/${n + 1}`), 'gone')]])
for (let n = 1; n <= 20; n++) {
  pages.set(
    `/news/${n}`,
    page(`news ${n}`, '/', `${n + 1}`, 'https://www.example.org/', 'mailto:me@example.org'),
  )
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const found = pages.get(request.url ?? '')
  if (request.method === 'PUT') store(request, response)
  else if (found === undefined) response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not here\n')
  else response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(found)
}

function store(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => (bytes += chunk.length))
  request.on('end', () => response.writeHead(201).end(`${bytes} bytes stored as ${request.url}\n`))
}

const server = createServer(answer)
server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
  if (Number(request.headers['content-length']) > MOST_STORED_BYTES) {
    // Nothing of the body has been sent. It would only be dropped.
    response.writeHead(413).end(`at most ${MOST_STORED_BYTES} bytes\n`)
  } else {
    response.writeContinue()
    answer(request, response)
  }
})
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(`http://127.0.0.1:${address.port}/`)
})
