// This library, pipeline(): requests from a generator, responses in order.
import { expectOk, measure } from '../measure.mjs'
import { connect, readThreeHeaders, readTrailer } from './httpio-connection.mjs'

/** @param {string} path @param {number} count */
function* paths(path, count) {
  for (let n = 0; n < count; n++) yield path
}

await measure(async task => {
  const { path, depth, how } = task
  const connection = await connect(task)
  return {
    run: async requests => {
      let responses = 0
      let bodyBytes = 0
      for await (const response of connection.pipeline(paths(path, requests), { depth })) {
        expectOk(response.status)
        if (how === 'headers') readThreeHeaders(response.headers)
        const body = await response.readAll()
        bodyBytes += body.length
        if (how === 'trailers') readTrailer(response.trailers)
        responses++
      }
      return { responses, bodyBytes }
    },
    close: () => connection.close(),
  }
})
