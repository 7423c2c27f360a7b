// The client of memory.spec.ts, in a process of its own: sends a great many requests before it reads a response, and says what they
// cost. Run with --expose-gc and an IPC channel.
import { once } from 'node:events'
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { HTTPConnection, type ConnectMessage } from '../../lib'

const [port, count] = process.argv.slice(2).map(Number)
const connection = new HTTPConnection('127.0.0.1', { port })
let socket: Socket | undefined
subscribe('httpio:connect', message => {
  socket = (message as ConnectMessage).socket as Socket
})

/** Made beforehand, since they are the caller's. As many characters for each, so that the server need not search. */
const paths = Array.from({ length: count }, (_, i) => `/${String(i).padStart(7, '0')}`)

/** Bytes that this process holds, Buffers included. What was outside of the heap is given back a little after it was found to be garbage. */
async function held(): Promise<number> {
  let least = Infinity
  for (;;) {
    globalThis.gc!()
    const { heapUsed, external } = process.memoryUsage()
    if (heapUsed + external >= least) return least
    least = heapUsed + external
    await new Promise(resolve => setImmediate(resolve))
  }
}

async function main(): Promise<void> {
  await connection.connect()
  const before = await held()
  for (const path of paths) await connection.sendRequest('GET', path)
  process.send!({ event: 'sent' })
  await once(process, 'message')
  process.send!({ event: 'measured', heldBytes: (await held()) - before, receivedBytes: socket!.bytesRead })
  for (const path of paths) {
    const response = await connection.readResponse()
    const body = (await response.readAll()).toString('latin1')
    if (response.path !== path || body !== path) throw new Error(`${body} for ${path}`)
  }
  process.send!({ event: 'read', heldBytes: (await held()) - before })
  await connection.close()
  process.disconnect()
}

void main()
