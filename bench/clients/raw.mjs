// The floor: a socket that writes ready-made requests and counts the bytes that come back. Reads no HTTP.
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { once } from 'node:events'
import { measure } from '../measure.mjs'

await measure(async ({ host, port, path, tls, ca, depth, bodyBytes, how }) => {
  const responseBytes = Number(how)
  const socket = tls ? connectTls({ host, port, ca, servername: 'localhost' }) : connectTcp({ host, port })
  await once(socket, tls ? 'secureConnect' : 'connect')
  socket.setNoDelay(true)
  const request = `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept-Encoding: identity\r\n\r\n`
  const batch = Buffer.from(request.repeat(depth))

  let toSend = 0
  let toCome = 0
  let received = 0
  let done = () => {}
  /** @param {number} requests */
  const send = requests => {
    const now = Math.min(requests, toSend)
    toSend -= now
    if (now > 0) socket.write(batch.subarray(0, now * request.length))
  }
  socket.on('data', segment => {
    received += segment.length
    const responses = Math.floor(received / responseBytes)
    received -= responses * responseBytes
    toCome -= responses
    send(responses)
    if (toCome === 0) done()
  })

  return {
    run: async requests => {
      toSend = toCome = requests
      const all = new Promise(resolve => (done = () => resolve(undefined)))
      send(depth)
      await all
      return { responses: requests, bodyBytes: requests * bodyBytes }
    },
    close: () => socket.destroy(),
  }
})
