// Owns the transfer of a body that is too large for memory, or of the rest of one: it goes on where it was when the connection is lost,
// as long as the server lets it. It knows no URLs and no names of files.
import { isTemporaryNetworkError, type HTTPConnection, type HTTPResponse } from 'httpio'
import { setTimeout as wait } from 'node:timers/promises'
import { mismatch, parseUnsatisfied, validatorOf } from './content-range'
import { TransferFailed } from './failure'

/** Where the bytes go. */
export interface Sink {
  /** Bytes that are there. */
  readonly lengthBytes: number
  /** Of the version that they belong to; null if they can only be thrown away. */
  readonly validator: string | null
  /** Forgets all bytes. What comes then is of this version. Throws if it cannot. */
  restart(validator: string | null): Promise<void>
  append(bytes: Uint8Array): Promise<void>
}

export interface StreamOptions {
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  /** In a row, without a byte. */
  readonly attempts: number
  readonly signal: AbortSignal
  /** Dialled. */
  readonly onConnected: () => void
  /** More bytes have arrived; `totalBytes` null = nobody knows of how many. */
  readonly onProgress: (lengthBytes: number, totalBytes: number | null) => void
}

const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 10_000

/**
 * Reads a body to its end.
 *
 * @returns the status of the last response
 * @throws TransferFailed for a status other than 2xx, or an answer that does not fit; what the connection throws, once no attempt is left
 */
export async function streamBody(
  connect: () => HTTPConnection,
  sink: Sink,
  options: StreamOptions,
): Promise<number> {
  const { attempts, signal } = options
  for (let failures = 0; ;) {
    const before = sink.lengthBytes
    const connection = connect()
    const onAbort = (): void => void connection.close()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      return await streamOnce(connection, sink, options)
    } catch (error) {
      signal.throwIfAborted()
      failures = sink.lengthBytes > before ? 1 : failures + 1
      if (error instanceof TransferFailed || !isTemporaryNetworkError(error) || failures >= attempts)
        throw error
      const delayMs = Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))
      await wait(delayMs, undefined, { signal })
    } finally {
      signal.removeEventListener('abort', onAbort)
      await connection.close()
    }
  }
}

async function streamOnce(connection: HTTPConnection, sink: Sink, options: StreamOptions): Promise<number> {
  const { path, onConnected, onProgress } = options
  const headers = [...options.headers]
  const { lengthBytes, validator } = sink
  const isRest = lengthBytes > 0 && validator !== null
  if (isRest) headers.push(['Range', `bytes=${lengthBytes}-`], ['If-Range', validator])
  await connection.connect()
  onConnected()
  await connection.sendRequest('GET', path, { headers })
  const response = await connection.readResponse()
  const { status } = response
  if (status === 206 && isRest) {
    const why = mismatch(response, lengthBytes, validator)
    if (why !== null) throw new TransferFailed(`${why}: fetch it again without --resume`, status)
  } else if (status === 416 && isRest) {
    // All of it was there already, only nobody knew.
    if (parseUnsatisfied(response.headers.get('content-range')) === lengthBytes) return status
    await sink.restart(null)
    throw new TransferFailed('the file has become shorter: fetch it again', status)
  } else if (status >= 200 && status < 300 && status !== 206) {
    await sink.restart(validatorOf(response))
  } else {
    throw failedStatus(response)
  }
  const totalBytes = response.length === null ? null : sink.lengthBytes + response.length
  for (;;) {
    const bytes = await response.read()
    if (bytes.length === 0) return status
    await sink.append(bytes)
    onProgress(sink.lengthBytes, totalBytes)
  }
}

/** What a status other than 2xx means for a transfer. */
export function failedStatus({ status, reason, headers }: HTTPResponse): TransferFailed {
  const location = headers.get('location')
  if (status >= 300 && status < 400 && location !== null) {
    return new TransferFailed(`status ${status}, which leads to ${location}: fetch that`, status)
  }
  if (status === 206) return new TransferFailed('the server sent a part that nobody asked for', status)
  return new TransferFailed(`status ${status}${reason === '' ? '' : ` ${reason}`}`, status)
}
