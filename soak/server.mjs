// The server of the soak, in a process of its own: answers each request by its id (answers.mjs), checks the bodies that it is sent, and
// remembers how often it acted upon each id. Any message is answered by its totals.
//
// node server.mjs
import { createServer } from 'node:net'
import { answerTo, textOf } from './answers.mjs'

const HEAD_END = '\r\n\r\n'
const CHUNK = 1_000

/** How often each id was acted upon. */
let acted = new Uint8Array(1 << 20)
let requests = 0
let badBodies = 0
let openConnections = 0
/** To these it said 100 Continue, and did not act upon them yet. @type {Set<number>} */
const continued = new Set()

/** @param {number} id */
function note(id) {
  if (id >= acted.length) {
    const larger = new Uint8Array(Math.max(id + 1, acted.length * 2))
    larger.set(acted)
    acted = larger
  }
  acted[id]++
  requests++
  continued.delete(id)
}

/** @param {number} id @param {string} method @returns {string} */
function respond(id, method) {
  const { status, length, isChunked, hasTrailers, isPreceded, ending } = answerTo(id)
  let head = isPreceded ? `HTTP/1.1 103 Early Hints\r\nX-Id: ${id}\r\n\r\n` : ''
  head += `HTTP/1.1 ${status} Soaked\r\nX-Id: ${id}\r\n`
  if (ending === 'close') head += 'Connection: close\r\n'
  if (status === 204 || status === 304) return `${head}\r\n`
  const body = method === 'HEAD' ? '' : textOf('answer', id, length)
  if (!isChunked) return `${head}Content-Length: ${length}\r\n\r\n${body}`
  head += 'Transfer-Encoding: chunked\r\n\r\n'
  if (method === 'HEAD') return head
  for (let at = 0; at < body.length; at += CHUNK) {
    const chunk = body.slice(at, at + CHUNK)
    head += `${chunk.length.toString(16)}\r\n${chunk}\r\n`
  }
  return `${head}0\r\n${hasTrailers ? `X-Trailer: ${id}\r\n` : ''}\r\n`
}

class Connection {
  #text = ''
  #isOver = false
  /** Has a 100 been sent for the request that is being received? */
  #isContinued = false

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    openConnections++
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => openConnections--)
    socket.on('end', () => socket.end())
    socket.on('data', data => {
      if (this.#isOver) return
      this.#text += data.toString('latin1')
      let answers = ''
      for (let answer = this.#next(); answer !== null; answer = this.#next()) answers += answer
      if (answers !== '' && !socket.write(answers, 'latin1')) {
        socket.pause()
        socket.once('drain', () => socket.resume())
      }
      if (this.#isOver) socket.end()
    })
  }

  /** Takes one request, if it is there completely. @returns {string | null} what is to be said to it */
  #next() {
    if (this.#isOver) return null
    const text = this.#text
    const end = text.indexOf(HEAD_END)
    if (end < 0) return null
    const head = text.slice(0, end)
    const [, method, digits] = /^(\w+) \/(\d+) HTTP\/1\.1\r\n/.exec(`${head}\r\n`) ?? []
    if (digits === undefined) throw new Error(`not a request of the soak: ${head}`)
    const id = Number(digits)
    let at = end + HEAD_END.length
    let body = ''
    if (method === 'POST') {
      if (/\r\nExpect: 100-continue/i.test(head) && !this.#isContinued) {
        this.#isContinued = true
        continued.add(id)
        return 'HTTP/1.1 100 Continue\r\n\r\n'
      }
      const length = /\r\nContent-Length: (\d+)/i.exec(head)
      if (length !== null) {
        body = text.slice(at, at + Number(length[1]))
        if (body.length < Number(length[1])) return null
        at += body.length
      } else {
        for (;;) {
          const lineEnd = text.indexOf('\r\n', at)
          if (lineEnd < 0) return null
          const size = parseInt(text.slice(at, lineEnd), 16)
          const next = lineEnd + 2 + size + 2
          if (text.length < next) return null
          body += text.slice(lineEnd + 2, lineEnd + 2 + size)
          at = next
          if (size === 0) break
        }
      }
      if (body !== textOf('request', id, body.length)) badBodies++
    }
    this.#isContinued = false
    this.#text = text.slice(at)
    note(id)
    if (answerTo(id).ending !== 'keep') this.#isOver = true
    return respond(id, method)
  }
}

const server = createServer({ allowHalfOpen: true }, socket => new Connection(socket))
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: /** @type {import('node:net').AddressInfo} */ (server.address()).port })
})
process.on('message', () => process.send?.({ requests, badBodies, openConnections, acted, continued }))
process.on('disconnect', () => process.exit())
