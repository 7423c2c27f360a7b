// This library, large bodies: by read(), readInto(), iteration or discard().
import { expectOk, measure } from '../measure.mjs'
import { connect } from './httpio-connection.mjs'

/** @typedef {(response: import('httpio').HTTPResponse, length: number) => Promise<number>} Reader */
/** @type {Record<string, Reader>} */
const readers = {
  read: async response => {
    let bytes = 0
    for (;;) {
      const piece = await response.read()
      if (piece.length === 0) return bytes
      bytes += piece.length
    }
  },
  readInto: async response => {
    const target = Buffer.allocUnsafe(65_536)
    let bytes = 0
    for (;;) {
      const taken = await response.readInto(target)
      if (taken === 0) return bytes
      bytes += taken
    }
  },
  iterate: async response => {
    let bytes = 0
    for await (const piece of response) bytes += piece.length
    return bytes
  },
  discard: async (response, length) => {
    await response.discard()
    return length
  },
}

await measure(async task => {
  const { path, bodyBytes, how } = task
  const connection = await connect(task)
  return {
    run: async requests => {
      let received = 0
      for (let n = 0; n < requests; n++) {
        await connection.sendRequest('GET', path)
        const response = await connection.readResponse()
        expectOk(response.status)
        received += await readers[how](response, bodyBytes)
      }
      return { responses: requests, bodyBytes: received }
    },
    close: () => connection.close(),
  }
})
