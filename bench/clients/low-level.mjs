// This library, one step at a time: sendRequest ahead, readResponse and readAll behind.
import { expectOk, measure } from '../measure.mjs'
import { connect, readThreeHeaders, readTrailer } from './httpio-connection.mjs'

await measure(async task => {
  const { path, depth, how } = task
  const connection = await connect(task)
  return {
    run: async requests => {
      let sent = 0
      let bodyBytes = 0
      while (sent < depth && sent < requests) {
        await connection.sendRequest('GET', path)
        sent++
      }
      for (let answered = 0; answered < requests; answered++) {
        const response = await connection.readResponse()
        expectOk(response.status)
        if (how === 'headers') readThreeHeaders(response.headers)
        const body = await connection.readAll()
        bodyBytes += body.length
        if (how === 'trailers') readTrailer(response.trailers)
        if (sent < requests) {
          await connection.sendRequest('GET', path)
          sent++
        }
      }
      return { responses: requests, bodyBytes }
    },
    close: () => connection.close(),
  }
})
