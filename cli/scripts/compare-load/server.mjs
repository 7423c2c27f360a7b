// The servers that the comparison puts under load, in a process of its own. It tells its parent the ports, and, asked, what it has seen.
import { createServer } from 'node:net'

/** Answers that are due after 100 ms, however many wait. */
const LATE_MS = 100
const LIMIT = 5

/** @typedef {import('node:net').Socket} Socket */

const seen = { connections: 0, requests: 0, answers: 0 }

/** @type {Record<string, (socket: Socket, index: number, head: string) => void>} */
const BEHAVIOURS = {
  constant: socket => void setTimeout(() => answer(socket, '200 OK', 'ok'), LATE_MS),
  announced: (socket, index) => five(socket, index, 'Connection: close\r\n'),
  unannounced: (socket, index) => five(socket, index, ''),
  bodiless: (socket, _index, head) =>
    head.startsWith('HEAD') ? answer(socket, '200 OK', null) : answer(socket, '304 Not Modified', null),
}

/** @param {Socket} socket @param {string} status @param {string | null} body null = there is none, whatever the length says */
function answer(socket, status, body, fields = '') {
  if (socket.destroyed) return
  seen.answers++
  socket.write(
    `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body === null ? 1000 : body.length}\r\n\r\n${body ?? ''}`,
  )
}

/** @param {Socket} socket @param {number} index @param {string} announcement */
function five(socket, index, announcement) {
  if (index >= LIMIT) return
  const isLast = index === LIMIT - 1
  answer(socket, '200 OK', 'ok', isLast ? announcement : '')
  if (isLast) socket.end()
}

/** @param {string} name @returns {Promise<number>} the port */
function listen(name) {
  const server = createServer({ noDelay: true }, socket => {
    seen.connections++
    let index = 0
    let input = ''
    socket.on('error', () => undefined)
    socket.on('data', data => {
      input += data.toString('latin1')
      for (let end = input.indexOf('\r\n\r\n'); end >= 0; end = input.indexOf('\r\n\r\n')) {
        const head = input.slice(0, end + 4)
        input = input.slice(end + 4)
        seen.requests++
        BEHAVIOURS[name](socket, index++, head)
      }
    })
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      resolve(/** @type {import('node:net').AddressInfo} */ (server.address()).port)
    })
  })
}

/** @type {Record<string, number>} */
const ports = {}
for (const name of Object.keys(BEHAVIOURS)) ports[name] = await listen(name)
process.on('message', () => {
  process.send?.({ ...seen })
  Object.assign(seen, { connections: 0, requests: 0, answers: 0 })
})
process.on('disconnect', () => process.exit())
process.send?.(ports)
