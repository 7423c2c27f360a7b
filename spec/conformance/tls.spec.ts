// Runs the rows about the end of TLS over real loopback sockets: close_notify ends a body, the end of TCP alone does not.
import { cases } from './cases'
import type { ConformanceCase } from './case'
import { HTTPConnection } from '../../lib/index'
import { headOf, seenError } from '../support/drive'
import { Loopback } from '../support/loopback'
import { ca, localhost } from '../support/tls'

const rows = cases.filter(row => row.end.startsWith('tls-'))

async function read(row: ConformanceCase, maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const server = await Loopback.tls({ ...localhost, maxVersion })
  let closeRaw = () => {}
  server.onConnection = raw => {
    closeRaw = () => raw.end()
  }
  const connection = new HTTPConnection('localhost', { ...row.options, port: server.port, tls: { ca } })
  try {
    await connection.sendRequest(row.requests[0].method, row.requests[0].path)
    const secure = await server.next()
    secure.resume()
    const response = connection.readResponse()
    response.catch(() => {})
    secure.write(row.segments.join(''), 'latin1', () =>
      row.end === 'tls-truncated' ? closeRaw() : secure.end(),
    )
    const head = headOf(await response)
    const body = (await connection.readAll()).toString('latin1')
    return { responses: [{ ...head, body, trailers: [] }], error: undefined }
  } catch (error) {
    return { responses: [], error: seenError(error) }
  } finally {
    await connection.close()
    await server.close()
  }
}

describe('the conformance table over TLS', () => {
  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', version => {
    it.each(rows.map(row => [row.name, row] as const))('%s', async (_name, row) => {
      const isAnswered = row.responses.length > 0
      expect(await read(row, version)).toEqual({
        responses: row.responses,
        error: isAnswered ? undefined : row.error,
      })
    })
  })
})
