// Owns the connections to one origin: a client for what fits into memory, and connections of their own for what does not. It knows no
// files.
import { HTTPClient, HTTPConnection, type ClientOptions } from 'httpio'

export class OriginGroup {
  readonly client: HTTPClient
  readonly #origin: URL
  readonly #options: ClientOptions
  #streams = 0

  constructor(origin: string, options: ClientOptions) {
    this.#origin = new URL(origin)
    // What is said of certificates does not concern plain connections.
    this.#options = this.#origin.protocol === 'https:' ? options : { ...options, tls: undefined }
    this.client = new HTTPClient(origin, this.#options)
  }

  /** A connection for one large body. It is the caller's to close. */
  connection(): HTTPConnection {
    const {
      connections: _connections,
      depth: _depth,
      connect: _connect,
      resend: _resend,
      ...rest
    } = this.#options
    const isSecure = this.#origin.protocol === 'https:'
    const port = this.#origin.port === '' ? undefined : Number(this.#origin.port)
    return new HTTPConnection(this.#origin.hostname, { ...rest, tls: isSecure && (rest.tls || true), port })
  }

  /** Such a connection has been made. */
  streamOpened(): void {
    this.#streams++
  }

  get connectionsOpened(): number {
    return this.client.stats.connectionsOpened + this.#streams
  }
}
