import { dial } from '../lib/net/dial'
import { Transport } from '../lib/transport'
import { Loopback } from './support/loopback'

let server: Loopback

beforeEach(async () => {
  server = await Loopback.tcp()
})

afterEach(async () => server.close())

describe('Transport', () => {
  it('reads what came before a reset that a write found out, and does not call it a clean end', async () => {
    const options = { hostname: '127.0.0.1', port: server.port, wantsCleanEnd: true, timeoutMs: 0 }
    const [dialled, peer] = await Promise.all([dial(options), server.next()])
    const seen: string[] = []
    const over = new Promise<void>(resolve => {
      const listener = {
        onData: (segment: Buffer) => seen.push(segment.toString()) > 0,
        onWritten: () => {},
        onEnding: () => {},
        onWriteFailed: () => void seen.push('write failed'),
        onEnd: (isClean: boolean) => resolve(void seen.push(isClean ? 'clean' : 'broken')),
        onLost: () => resolve(void seen.push('lost')),
      }
      const transport = new Transport(dialled, listener, null)
      // In one turn of the loop, so that our side writes before it reads.
      peer.write('HTTP/1.1 413 Content Too Large\r\n\r\n')
      peer.resetAndDestroy()
      transport.write('body', null)
    })
    await over
    expect(seen).toEqual([
      'write failed',
      'HTTP/1.1 413 Content Too Large\r\n\r\n',
      expect.stringMatching(/^(broken|lost)$/),
    ])
    dialled.stream.destroy()
  })
})
