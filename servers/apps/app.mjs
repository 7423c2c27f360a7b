// A server of node:http in a process of its own: the files of a folder with validators and ranges, uploads answered by their digest, and
// 413 where a body is too long for it. It answers for itself, and for the servers that pass requests on to it.
//
// node app.mjs PORT LIMITED-PORT TLS-PORT DOCUMENTS LOG CERTIFICATE KEY
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { LIMIT, REFUSED_ABOVE_BYTES } from '../numbers.mjs'

const [port, limitedPort, tlsPort, documents, log, certificate, key] = process.argv.slice(2)
writeFileSync(log, '')

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */

/** @param {Request} request @param {Response} response */
function serveFile({ url = '', method, headers }, response) {
  const name = join(documents, url.split('?')[0])
  if (!existsSync(name) || !statSync(name).isFile()) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('no such file\n')
    return
  }
  const { size, mtime } = statSync(name)
  const etag = `"${size.toString(16)}-${mtime.getTime().toString(16)}"`
  response.setHeader('ETag', etag)
  response.setHeader('Last-Modified', mtime.toUTCString())
  if (headers['if-none-match'] === etag || headers['if-modified-since'] === mtime.toUTCString()) {
    response.writeHead(304).end()
    return
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
  const start = range ? Number(range[1]) : 0
  const end = range ? Number(range[2]) : size - 1
  if (range) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`)
  response.writeHead(range ? 206 : 200, { 'Content-Length': end - start + 1 })
  // As one piece: a thousand pipelined requests would be a thousand open files.
  response.end(method === 'HEAD' ? undefined : readFileSync(name).subarray(start, end + 1))
}

/** Without Content-Length, so that it goes out in chunks. @param {Request} request @param {Response} response */
function digestUpload(request, response) {
  const hash = createHash('sha256')
  let bytes = 0
  const isRefusing = request.url?.startsWith('/refusing') === true
  request.on('data', (/** @type {Buffer} */ chunk) => {
    bytes += chunk.length
    hash.update(chunk)
    if (isRefusing && bytes > REFUSED_ABOVE_BYTES && !response.headersSent) refuse(response)
  })
  request.on('end', () => {
    if (response.headersSent) return
    response.setHeader('Content-Type', 'application/json')
    response.write(`{"bytes":${bytes},`)
    response.end(`"sha256":"${hash.digest('hex')}","trailer":${JSON.stringify(request.trailers)}}\n`)
  })
}

/** @param {Response} response */
function refuse(response) {
  response.writeHead(413, { Connection: 'close' }).end('too long\n')
}

/** @param {Request} request @param {Response} response */
function serve(request, response) {
  appendFileSync(log, `${request.url}\n`)
  if (request.method === 'POST' || request.method === 'PUT') digestUpload(request, response)
  else serveFile(request, response)
}

/** @param {http.Server | https.Server} server @param {string} onPort */
function listen(server, onPort) {
  server.on('checkContinue', (/** @type {Request} */ request, /** @type {Response} */ response) => {
    const isRefused =
      request.url?.startsWith('/refusing') && Number(request.headers['content-length']) > REFUSED_ABOVE_BYTES
    if (isRefused) return refuse(response)
    response.writeContinue()
    serve(request, response)
  })
  // Over TLS Node's parser may fail when answers are held up (HPE_PAUSED); its own 400 would then come in place of an answer.
  server.on('clientError', (_error, socket) => socket.destroy())
  server.keepAliveTimeout = 60_000
  server.listen(Number(onPort), '127.0.0.1')
}

const limited = http.createServer(serve)
limited.maxRequestsPerSocket = LIMIT
listen(http.createServer(serve), port)
listen(limited, limitedPort)
listen(https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, serve), tlsPort)
