// Owns the servers that the specs put under load. They live in the process of the specs.
import { createServer as createHTTPServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface TestServer {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

export function serveHTTP(listener: RequestListener): Promise<TestServer> {
  return listen(createHTTPServer(listener))
}

/**
 * Is given each request without body, how many came before it on its connection, and the socket to answer on.
 */
export function serveRaw(
  onRequest: (socket: Socket, index: number, head: string) => void,
): Promise<TestServer> {
  return listen(
    createServer(socket => {
      let input = ''
      let index = 0
      socket.on('error', () => undefined)
      socket.on('data', data => {
        input += data.toString('latin1')
        for (let end = input.indexOf('\r\n\r\n'); end >= 0; end = input.indexOf('\r\n\r\n')) {
          const head = input.slice(0, end + 4)
          input = input.slice(end + 4)
          if (!socket.writableEnded) onRequest(socket, index++, head)
        }
      })
    }),
  )
}
