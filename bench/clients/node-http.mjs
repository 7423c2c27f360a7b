// node:http with a keep-alive agent of one connection. It does not pipeline: its workers wait for each other.
import { Agent, get } from 'node:http'
import { expectOk, measure } from '../measure.mjs'

await measure(({ host, port, path, depth }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  /** @returns {Promise<number>} the length of the body */
  const exchange = () =>
    new Promise((resolve, reject) => {
      const request = get({ host, port, path, agent }, response => {
        let bodyBytes = 0
        expectOk(response.statusCode ?? 0)
        response.on('data', chunk => (bodyBytes += chunk.length))
        response.on('end', () => resolve(bodyBytes))
        response.on('error', reject)
      })
      request.on('error', reject)
    })
  return {
    run: async requests => {
      let sent = 0
      let bodyBytes = 0
      const worker = async () => {
        while (sent < requests) {
          sent++
          const length = await exchange()
          bodyBytes += length
        }
      }
      await Promise.all(Array.from({ length: depth }, worker))
      return { responses: requests, bodyBytes }
    },
    close: () => agent.destroy(),
  }
})
