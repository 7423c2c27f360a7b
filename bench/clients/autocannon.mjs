// autocannon, driven from its API. It counts statuses itself and keeps no bodies; when it stops, up to one pipeline's
// worth of answers is not in its count.
import autocannon from 'autocannon'
import { measure } from '../measure.mjs'

await measure(({ host, port, path, depth, bodyBytes }) => ({
  run: async requests => {
    const result = await autocannon({
      url: `http://${host}:${port}${path}`,
      connections: 1,
      pipelining: depth,
      amount: requests,
      // It ends only at a sample.
      sampleInt: 50,
    })
    if (result.errors > 0 || result.non2xx > 0)
      throw new Error(`${result.errors} errors, ${result.non2xx} not 2xx`)
    const responses = result['2xx']
    return { responses, bodyBytes: responses * bodyBytes }
  },
  close: () => {},
}))
