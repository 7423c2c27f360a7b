// A minimal server that answers one request on each connection and closes without saying so, while more requests are there. On its first
// port it reads on until the other side has ended, too (FIN); on the second it lets go at once, with requests unread (RST); on the third
// it ends in the middle of the second answer. Prints the ports; logs the ids of the requests that it acted upon.
//
// node abrupt.mjs LOG
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const [log] = process.argv.slice(2)
writeFileSync(log, '')

/** @param {string} line the request line @returns {string} */
function act(line) {
  appendFileSync(log, `${line}\n`)
  const body = `answer to ${line}`
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** @type {((socket: import('node:net').Socket, lines: string[]) => void)[]} */
const endings = [
  (socket, [first]) => socket.end(act(first)),
  (socket, [first]) => socket.write(act(first), () => socket.resetAndDestroy()),
  (socket, [first, second]) =>
    socket.end(act(first) + (second === undefined ? '' : act(second).slice(0, -3))),
]

const ports = await Promise.all(
  endings.map(async ending => {
    const server = createServer({ allowHalfOpen: true }, socket => {
      let text = ''
      socket.on('error', () => {})
      socket.on('end', () => socket.end())
      socket.on('data', data => {
        const isFirst = text === ''
        text += data.toString('latin1')
        const lines = text
          .split('\r\n\r\n')
          .slice(0, -1)
          .map(head => head.split('\r\n')[0])
        if (isFirst) ending(socket, lines)
      })
    })
    await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)))
    return /** @type {import('node:net').AddressInfo} */ (server.address()).port
  }),
)
console.log(JSON.stringify(ports))
