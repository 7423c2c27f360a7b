// HTTPIO_TRACEFILE as its user sets it: one file for each connection, with what was spoken on it, in the clear under TLS.
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { BodyFollowing, HTTPConnection } from '../../lib'
import { readTrace } from '../../lib/testing/trace-file'
import { Loopback } from '../support/loopback'
import { ca, localhost } from '../support/tls'
import { turns } from '../support/wire'

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x00\xff\n'
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'httpio-spec-'))
  process.env.HTTPIO_TRACEFILE = path.join(folder, 'trace-%d.log')
})

afterEach(() => {
  delete process.env.HTTPIO_TRACEFILE
  rmSync(folder, { recursive: true })
})

describe('HTTPIO_TRACEFILE', () => {
  it('records every byte of each connection, and nothing of one that was never made', async () => {
    const server = await Loopback.tls(localhost)
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256))
    const upload = async (name: string): Promise<void> => {
      const connection = new HTTPConnection('127.0.0.1', { port: server.port, tls: { ca } })
      await connection.sendRequest('PUT', name, { body: new BodyFollowing(body.length) })
      await connection.write(body.subarray(0, 10))
      await connection.write(body.subarray(10))
      const peer = await server.next()
      let received = 0
      while (received < body.length) received += ((await once(peer, 'data')) as [Buffer])[0].length
      peer.write(Buffer.from(ANSWER, 'latin1'))
      await (await connection.readResponse()).readAll()
      await connection.close()
      await turns()
    }
    await upload('/1')
    const untrusting = new HTTPConnection('127.0.0.1', { port: server.port, tls: true })
    await expect(untrusting.connect()).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    await upload('/2')
    await server.close()

    const files = readdirSync(folder).sort()
    expect(files).toEqual(['trace-1.log', 'trace-2.log'])
    for (const [index, file] of files.entries()) {
      const [lines, ...others] = readTrace(path.join(folder, file))
      const textOf = (kind: string) => lines.filter(line => line.kind === kind).map(({ text }) => text)
      expect(textOf('sent').join('')).toBe(
        `PUT /${index + 1} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept-Encoding: identity\r\n` +
          `Content-Length: 100000\r\n\r\n${body.toString('latin1')}`,
      )
      expect(textOf('received').join('')).toBe(ANSWER)
      expect([textOf('event').at(-1), others]).toEqual(['close', []])
    }
  })
})
