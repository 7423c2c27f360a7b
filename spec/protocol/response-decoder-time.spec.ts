// How long the decoder takes, apart from what it reads: not run where the code is instrumented.
import { Decoding } from '../support/decoding'

describe('ResponseDecoder', () => {
  it.each(['x', '\t'])(
    'takes time in proportion to the length of a head that comes byte by byte (%j)',
    filling => {
      const timeOf = (size: number): number => {
        const head = Array.from(
          `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ${filling.repeat(size)}\r\n\r\n`,
          byte => Buffer.from(byte),
        )
        const runs = Array.from({ length: 3 }, () => {
          const decoding = new Decoding(['GET'], { maxHeaderBytes: Infinity })
          const before = process.cpuUsage().user
          for (const byte of head) decoding.decoder.push(byte)
          const time = process.cpuUsage().user - before
          expect(decoding.outcome().responses).toHaveLength(1)
          return time
        })
        return Math.min(...runs)
      }
      timeOf(20_000)
      // Eight times as long: eight times the time, or sixty-four if all were joined anew for each byte.
      expect(timeOf(160_000) / timeOf(20_000)).toBeLessThan(24)
    },
  )
})
