// undici's dispatch(): its lowest level, callbacks instead of promises.
import { Client } from 'undici'
import { expectOk, measure } from '../measure.mjs'
import { undiciOptions } from './undici-options.mjs'

await measure(task => {
  const { path, depth } = task
  const client = new Client(...undiciOptions(task))
  return {
    run: requests =>
      new Promise((resolve, reject) => {
        let sent = 0
        let responses = 0
        let bodyBytes = 0
        /** @type {import('undici').Dispatcher.DispatchHandler} */
        const handler = {
          onRequestStart() {},
          onResponseStart(_controller, status) {
            expectOk(status)
          },
          onResponseData(_controller, chunk) {
            bodyBytes += chunk.length
          },
          onResponseEnd() {
            responses++
            if (responses === requests) resolve({ responses, bodyBytes })
            else send()
          },
          onResponseError(_controller, error) {
            reject(error)
          },
        }
        const send = () => {
          if (sent === requests) return
          sent++
          client.dispatch({ method: 'GET', path, blocking: false }, handler)
        }
        for (let n = 0; n < depth; n++) send()
      }),
    close: () => client.destroy(),
  }
})
