// Owns the CONNECT tunnel: what is asked of the proxy, and that not a byte behind its answer is lost. It must not know
// what is spoken through the tunnel.
import { ConnectionClosed, TunnelFailed } from '../errors'
import { authorityOf } from './hostname'
import { TunnelReplyReader } from './tunnel-reply'
import type { Proxy } from './proxy'
import type { TunnelReply } from './tunnel-reply'
import type { Duplex } from 'node:stream'

/**
 * Asks the proxy at the other end of `transport` for a tunnel (RFC 9110 section 9.3.6). Afterwards the transport is paused, and
 * what it reads is what comes through the tunnel.
 *
 * @param hostname is bare, and safe to be written.
 * @throws TunnelFailed if the answer is none of 2xx, InvalidResponse if it is not HTTP/1, ConnectionClosed if it does not
 * come.
 */
export async function openTunnel(
  transport: Duplex,
  proxy: Proxy,
  hostname: string,
  port: number,
): Promise<void> {
  const target = authorityOf(hostname, port)
  const fields = [['Host', target], ...proxy.headers].map(([name, value]) => `${name}: ${value}\r\n`)
  const answer = readReply(transport, `${authorityOf(proxy.hostname, proxy.port)}`)
  transport.write(`CONNECT ${target} HTTP/1.1\r\n${fields.join('')}\r\n`, 'latin1')

  const { status, reason } = await answer
  if (status < 200 || status > 299) {
    throw new TunnelFailed(`the proxy answered CONNECT ${target} with ${`${status} ${reason}`.trim()}`, {
      status,
    })
  }
}

function readReply(transport: Duplex, proxy: string): Promise<TunnelReply> {
  const reader = new TunnelReplyReader()
  return new Promise((resolve, reject) => {
    const settle = () => {
      transport.pause()
      transport.off('data', onData)
      transport.off('end', onEnd)
      transport.off('error', onError)
      transport.off('close', onEnd)
    }
    const onData = (bytes: Buffer) => {
      let reply
      try {
        reply = reader.push(bytes)
      } catch (error) {
        settle()
        return reject(error)
      }
      if (reply === null) return
      settle()
      // 2xx has no body, whatever its fields say: all that follows is of the tunnel.
      if (reply.rest.length > 0) transport.unshift(reply.rest)
      resolve(reply)
    }
    const onError = (cause?: Error) => {
      settle()
      const message = `the proxy ${proxy} closed the connection before it answered CONNECT`
      reject(new ConnectionClosed(message, { cause }))
    }
    const onEnd = () => onError()
    transport.on('end', onEnd)
    transport.on('error', onError)
    transport.on('close', onEnd)
    transport.on('data', onData)
    transport.resume()
  })
}
