// The floor for large bodies: a socket that counts the bytes of one response, by 'data' events or into one buffer.
import { connect } from 'node:net'
import { once } from 'node:events'
import { measure } from '../measure.mjs'

await measure(async ({ host, port, path, bodyBytes, how }) => {
  let received = 0
  let wanted = Infinity
  let done = () => {}
  /** @param {number} bytes */
  const count = bytes => {
    received += bytes
    if (received >= wanted) done()
    return true
  }
  const onread = { buffer: Buffer.allocUnsafe(65_536), callback: count }
  const socket = connect({ host, port, ...(how.startsWith('onread') && { onread }) })
  await once(socket, 'connect')
  if (how.startsWith('data')) socket.on('data', segment => count(segment.length))
  // How long the response is on the wire, head and chunk framing included, comes with the task.
  const wireBytes = Number(how.split(' ')[1])
  return {
    run: async requests => {
      for (let n = 0; n < requests; n++) {
        received = 0
        wanted = wireBytes
        const all = new Promise(resolve => (done = () => resolve(undefined)))
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept-Encoding: identity\r\n\r\n`)
        await all
      }
      return { responses: requests, bodyBytes: requests * bodyBytes }
    },
    close: () => socket.destroy(),
  }
})
