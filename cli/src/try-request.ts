// Owns the check of a request before there is a server: what may not be sent is found out at once, and said once.
import { HTTPConnection, type HeadersInput } from 'httpio'
import { FakeSocket } from 'httpio/testing'
import { CommandError } from './exit-status'

export interface TriedRequest {
  readonly method: string
  readonly path: string
  readonly headers: HeadersInput | undefined
  readonly body?: Uint8Array | null
}

/** @throws CommandError if it cannot be sent */
export async function tryRequest({ method, path, headers, body }: TriedRequest): Promise<void> {
  let connection: HTTPConnection | undefined
  try {
    connection = new HTTPConnection('localhost', { socket: new FakeSocket(), headers })
    await connection.sendRequest(method, path, { body })
  } catch (error) {
    throw new CommandError(`the request cannot be sent: ${(error as Error).message}`)
  } finally {
    await connection?.close()
  }
}
