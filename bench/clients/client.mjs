// This library, HTTPClient over one connection: as many workers as the depth, or its pipeline.
import { HTTPClient } from 'httpio'
import { expectOk, measure } from '../measure.mjs'

await measure(async ({ host, port, path, depth, how }) => {
  const client = new HTTPClient(`http://${host}:${port}`, { depth })
  return {
    run: async requests => {
      let bodyBytes = 0
      /** @param {import('httpio').HTTPResponse} response */
      const take = async response => {
        expectOk(response.status)
        const body = await response.readAll()
        bodyBytes += body.length
      }
      if (how === 'pipeline') {
        for await (const response of client.pipeline(repeat(path, requests))) await take(response)
      } else {
        let sent = 0
        const worker = async () => {
          while (sent++ < requests) await take(await client.request('GET', path))
        }
        await Promise.all(Array.from({ length: depth }, worker))
      }
      return { responses: requests, bodyBytes }
    },
    close: () => client.close(),
  }
})

/** @param {string} path @param {number} times */
function* repeat(path, times) {
  for (let n = 0; n < times; n++) yield path
}
