// This library, uploads: write() in a loop, sendBody() or request() with a source.
import { BodyFollowing } from 'httpio'
import { expectOk, measure } from '../measure.mjs'
import { connect } from './httpio-connection.mjs'
import { blocks } from './upload-source.mjs'

await measure(async task => {
  const { path, bodyBytes, how } = task
  const connection = await connect(task)
  const oneStepAtATime = async () => {
    await connection.sendRequest('PUT', path, { body: new BodyFollowing(bodyBytes) })
    if (how === 'write') for (const block of blocks(bodyBytes)) await connection.write(block)
    else await connection.sendBody(blocks(bodyBytes))
    const response = await connection.readResponse()
    await connection.readAll()
    return response
  }
  const exchange = () =>
    connection.request('PUT', path, { headers: { 'Content-Length': bodyBytes }, body: blocks(bodyBytes) })
  return {
    run: async requests => {
      for (let n = 0; n < requests; n++) {
        const response = await (how === 'request' ? exchange() : oneStepAtATime())
        expectOk(response.status)
      }
      return { responses: requests, bodyBytes: requests * bodyBytes }
    },
    close: () => connection.close(),
  }
})
