// How the clients of this library connect.
import { HTTPConnection } from 'httpio'

/** @param {import('../measure.mjs').Task} task */
export async function connect({ host, port, tls, ca }) {
  const connection = new HTTPConnection(host, { port, ...(tls && { tls: { ca, servername: 'localhost' } }) })
  await connection.connect()
  return connection
}

/** What the `headers` rows look at. @param {import('httpio').HTTPHeaders} headers */
export function readThreeHeaders(headers) {
  if (headers.get('Content-Type') === null || headers.get('ETag') === null || !headers.has('Server')) {
    throw new Error('a header is missing')
  }
}

/** What the `trailers` rows look at. @param {import('httpio').HTTPHeaders} trailers */
export function readTrailer(trailers) {
  if (trailers.get('X-Checksum') !== '1') throw new Error('the trailer is missing')
}
