// This library, whole exchanges: as many workers as the depth, each with one request at a time.
import { expectOk, measure } from '../measure.mjs'
import { connect, readThreeHeaders, readTrailer } from './httpio-connection.mjs'

await measure(async task => {
  const { path, depth, how } = task
  const connection = await connect(task)
  return {
    run: async requests => {
      let sent = 0
      let bodyBytes = 0
      const worker = async () => {
        while (sent < requests) {
          sent++
          const response = await connection.request('GET', path)
          expectOk(response.status)
          if (how === 'headers') readThreeHeaders(response.headers)
          const body = await response.readAll()
          bodyBytes += body.length
          if (how === 'trailers') readTrailer(response.trailers)
        }
      }
      await Promise.all(Array.from({ length: depth }, worker))
      return { responses: requests, bodyBytes }
    },
    close: () => connection.close(),
  }
})
