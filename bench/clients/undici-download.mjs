// undici, large bodies: request() with its body iterated.
import { Client } from 'undici'
import { expectOk, measure } from '../measure.mjs'
import { undiciOptions } from './undici-options.mjs'

await measure(task => {
  const { path } = task
  const client = new Client(...undiciOptions(task))
  return {
    run: async requests => {
      let bodyBytes = 0
      for (let n = 0; n < requests; n++) {
        const { statusCode, body } = await client.request({ method: 'GET', path })
        expectOk(statusCode)
        for await (const piece of body) bodyBytes += piece.length
      }
      return { responses: requests, bodyBytes }
    },
    close: () => client.destroy(),
  }
})
