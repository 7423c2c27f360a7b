// undici's request(): as many workers as the depth. `blocking: false`, or it would pipeline nothing.
import { Client } from 'undici'
import { expectOk, measure } from '../measure.mjs'
import { undiciOptions } from './undici-options.mjs'

await measure(task => {
  const { path, depth, how } = task
  const client = new Client(...undiciOptions(task))
  return {
    run: async requests => {
      let sent = 0
      let bodyBytes = 0
      const worker = async () => {
        while (sent < requests) {
          sent++
          const { statusCode, headers, trailers, body } = await client.request({
            method: 'GET',
            path,
            blocking: false,
          })
          expectOk(statusCode)
          if (how === 'headers' && !(headers['content-type'] && headers.etag && headers.server)) {
            throw new Error('a header is missing')
          }
          const bytes = await body.bytes()
          bodyBytes += bytes.length
          if (how === 'trailers' && trailers['x-checksum'] !== '1') throw new Error('the trailer is missing')
        }
      }
      await Promise.all(Array.from({ length: depth }, worker))
      return { responses: requests, bodyBytes }
    },
    close: () => client.destroy(),
  }
})
