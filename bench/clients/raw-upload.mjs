// The floor for uploads: a socket that writes one block again and again and waits for 'drain'.
import { connect } from 'node:net'
import { once } from 'node:events'
import { measure } from '../measure.mjs'
import { blocks } from './upload-source.mjs'

await measure(async ({ host, port, path, bodyBytes }) => {
  const socket = connect({ host, port })
  await once(socket, 'connect')
  return {
    run: async requests => {
      for (let n = 0; n < requests; n++) {
        const answer = once(socket, 'data')
        socket.write(`PUT ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
        for (const block of blocks(bodyBytes)) if (!socket.write(block)) await once(socket, 'drain')
        await answer
      }
      return { responses: requests, bodyBytes: requests * bodyBytes }
    },
    close: () => socket.destroy(),
  }
})
