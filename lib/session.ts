// Owns what lives as long as one link: the link and the parts on it, who of them is told of what, how it is dialled, and how long they have
// waited. It must not know which calls may be made when.
import { BodyWriter } from './body-writer'
import * as diagnostics from './diagnostics'
import { ConnectionClosed, ConnectionTimedOut } from './errors'
import { ExchangeRunner, type WholeExchange } from './exchange-runner'
import type { IdleTimer } from './idle-timer'
import { Link, type LinkListener } from './link'
import type { Proxy } from './net/proxy'
import type { CheckedOptions, ConnectionOptions } from './options'
import type { Pipeline } from './pipeline'
import type { Exchange } from './protocol/exchange'
import { HTTPResponse } from './response'
import { ResponseReader } from './response-reader'
import { openTrace } from './trace'
import { soon } from './turns'

// Dialling, and Node's streams with it, are loaded at the first connection and not with the package.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would load them at once
const loadDial = () => require('./net/dial') as typeof import('./net/dial')

/**
 * Whoever runs whole exchanges on a connection by itself is told at once what happens.
 * @internal
 */
export interface ExchangeWatcher {
  /** A response has arrived completely, wanted or not: its place on the wire is free. */
  onComplete(exchange: WholeExchange): void
  /** The link has ended; each of its exchanges has been told. */
  onLinkEnd(): void
}

/** The connection, to its sessions. */
export interface SessionHost {
  /** What subscribers of diagnostics are told as the connection. */
  readonly connection: { readonly hostname: string; readonly port: number }
  readonly options: ConnectionOptions
  readonly checked: CheckedOptions
  readonly proxy: Proxy | null
  readonly idle: IdleTimer
  /** Whoever uses the connection now. */
  pipeline(): Pipeline | null
  watcher(): ExchangeWatcher | null
  /** No transport could be had; that does not stick. */
  onDialFailed(session: Session): void
}

export class Session {
  readonly link: Link
  readonly reader: ResponseReader
  readonly bodyWriter: BodyWriter
  readonly runner: ExchangeRunner
  /** Settled when the transport is there, or could not be had. */
  readonly opened: Promise<void>
  readonly #host: SessionHost
  readonly #abandonDial = new AbortController()
  /** When it was dialled, by the idle timer's clock. */
  readonly #since: number

  /** Dials. */
  constructor(host: SessionHost) {
    this.#host = host
    const { checked, idle } = host
    const hooks = { now: () => idle.now(), onWaiting: () => idle.waiting() }
    const onInformational = (exchange: Exchange, status: number, head: string): void => {
      const callback = host.options.onInformational
      // Not from within the reading of bytes: what the callback throws is its own.
      if (callback !== undefined) soon(() => callback(HTTPResponse.ofInterim(exchange, status, head)))
    }
    const link = (this.link = new Link(checked, this.#linkListener()))
    const bodyWriter = (this.bodyWriter = new BodyWriter(link, hooks))
    this.reader = new ResponseReader(link, {
      ...hooks,
      onInformational,
      onContinue: exchange => {
        host.pipeline()?.onContinue(exchange)
        return host.pipeline() !== null
      },
      onContinueTaken: exchange => bodyWriter.onContinue(exchange),
      onHeadWritten: exchange => host.pipeline()?.onHeadWritten(exchange),
      onFinal: exchange => {
        bodyWriter.onFinal(exchange)
        host.pipeline()?.onFinal(exchange)
      },
    })
    this.runner = new ExchangeRunner(link, checked.maxBufferedBytes, {
      ...hooks,
      onInformational,
      onComplete: exchange => host.watcher()?.onComplete(exchange),
    })
    this.opened = this.#open()
    this.#since = idle.now()
    idle.waiting()
  }

  #linkListener(): LinkListener {
    const host = this.#host
    return {
      onMoved: () => host.idle.moved(),
      onSendsEnd: () => {
        this.bodyWriter.onSendsEnd()
        this.runner.onSendsEnd()
        host.pipeline()?.onSendsEnd()
      },
      onLinkEnd: error => {
        host.idle.stop()
        this.bodyWriter.onSendsEnd()
        this.runner.onLinkEnd(error)
        this.reader.onLinkEnd(error)
        host.pipeline()?.onLinkEnd()
        host.watcher()?.onLinkEnd()
      },
      onRaw: () => this.reader.onRaw(),
      mayTimeOut: () => host.idle.timeoutMs > 0,
      connection: host.connection,
    }
  }

  /** Never rejects: what goes wrong is the link's error. */
  async #open(): Promise<void> {
    const { link } = this
    const { connection, checked, idle, proxy } = this.#host
    const { hostname, port } = connection
    const { tls, socketPath, socket } = this.#host.options
    try {
      const dialled = await loadDial().dial({
        hostname,
        port,
        tls,
        proxy,
        socketPath,
        socket,
        wantsCleanEnd: checked.acceptCloseDelimited,
        wantsReader: true,
        timeoutMs: checked.connectTimeoutMs,
        signal: this.#abandonDial.signal,
      })
      if (link.error !== null) {
        dialled.stream.destroy()
        return
      }
      link.open(dialled, openTrace(`${hostname}:${port}`))
      // What waits for the connection has waited for the peer from now on.
      idle.moved()
      if (this.isWaiting) idle.waiting()
      if (diagnostics.connect.hasSubscribers) {
        diagnostics.connect.publish({ connection, hostname, port, socket: dialled.stream })
      }
    } catch (error) {
      if (link.error !== null) return
      this.#host.onDialFailed(this)
      link.failDial(error as Error)
    }
  }

  /** Ends it by the caller's wish, and whatever waits. */
  close(): void {
    const { link, reader } = this
    const error = new ConnectionClosed('the connection was closed here', {
      unanswered: link.unanswered(true),
    })
    link.close(error)
    // Whatever the link may have ended with before: a readRaw may wait still.
    reader.fail(error)
    this.#abandonDial.abort(link.error)
  }

  // ---- the idle limit

  get isWaiting(): boolean {
    return this.expire(-Infinity) !== null
  }

  /** Gives up what has waited since `limit` or longer; says since when the oldest of the rest has waited. */
  expire(limit: number): number | null {
    const { link, reader, runner } = this
    if (link.error === null && !link.isOpen) return this.#expireDial(limit)
    const waiting = [link.outbox.expire(limit), reader.expire(limit), runner.expire(limit)]
    return waiting.reduce(
      (oldest, since) => (oldest === null || (since !== null && since < oldest) ? since : oldest),
      null,
    )
  }

  /** While it is dialled, nothing else is waited for: that has a limit of its own, or the idle limit where it has none. */
  #expireDial(limit: number): number | null {
    const { checked, connection, idle } = this.#host
    if (checked.connectTimeoutMs > 0) return null
    if (this.#since > limit) return this.#since
    const message = `connecting to ${connection.hostname}:${connection.port} took longer than ${idle.timeoutMs} ms`
    this.#abandonDial.abort(new ConnectionTimedOut(message, { operation: 'connect' }))
    return null
  }
}
