// Between the server's FIN and the verdict on how the connection ended lies a turn of the loop: nothing is sent in it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { HTTPConnection, type ConnectMessage } from '../../lib'
import { closedLater, failure, ok } from '../support/reading'
import { Loopback } from '../support/loopback'

describe('HTTPConnection when the server has ended its side', () => {
  it('takes no request any more, so that none is lost on a connection that cannot answer', async () => {
    const server = await Loopback.tcp()
    const connection = closedLater(new HTTPConnection('127.0.0.1', { port: server.port }))
    const late: Promise<unknown>[] = []
    const onConnect = (message: unknown): void => {
      const { socket } = message as ConnectMessage
      socket.on('end', () => late.push(connection.request('POST', '/late')))
    }
    subscribe('httpio:connect', onConnect)
    try {
      const first = connection.request('GET', '/first')
      const second = connection.request('GET', '/second')
      const peer: Socket = await server.next()
      let received = ''
      peer.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
      while (!received.includes('/second')) await once(peer, 'data')
      peer.end(ok('first'))

      expect(await (await first).text()).toBe('first')
      const error = await failure(second)
      expect(error.unanswered).toEqual([
        { method: 'GET', path: '/second', outcome: 'no-reply', processed: 'maybe' },
      ])
      expect((await failure(late[0])).code).toBe('ERR_HTTPIO_CONNECTION_CLOSED')
      await once(peer, 'close')
      expect(received).not.toContain('/late')
    } finally {
      unsubscribe('httpio:connect', onConnect)
      await server.close()
    }
  })
})
