// undici, uploads: request() with the body as a Readable.
import { Readable } from 'node:stream'
import { Client } from 'undici'
import { expectOk, measure } from '../measure.mjs'
import { undiciOptions } from './undici-options.mjs'
import { blocks } from './upload-source.mjs'

await measure(task => {
  const { path, bodyBytes } = task
  const client = new Client(...undiciOptions(task))
  const headers = { 'content-length': String(bodyBytes) }
  return {
    run: async requests => {
      for (let n = 0; n < requests; n++) {
        const { statusCode, body } = await client.request({
          method: 'PUT',
          path,
          headers,
          body: Readable.from(blocks(bodyBytes)),
        })
        expectOk(statusCode)
        await body.dump()
      }
      return { responses: requests, bodyBytes: requests * bodyBytes }
    },
    close: () => client.destroy(),
  }
})
