// Owns the numbers that a client tells of itself. It decides nothing.
import type { Link } from '../link'
import type { JobExchange } from './job'
import type { ClientStats } from './options'

export class Counters {
  #connectionsOpened = 0
  #requestsWritten = 0
  #requestsResent = 0
  #responses = 0
  /** By connections that have ended. */
  #bytesSent = 0
  #bytesReceived = 0

  opened(): void {
    this.#connectionsOpened++
  }

  answered(): void {
    this.#responses++
  }

  /** Notes that a request was written, when that is certain or it will not be any more. */
  settled(exchange: JobExchange): void {
    if (exchange.isCounted || !exchange.isWritten) return
    exchange.isCounted = true
    this.#requestsWritten++
    if (exchange.job.wasWritten) this.#requestsResent++
    exchange.job.wasWritten = true
  }

  ended({ bytesSent, bytesReceived }: Link): void {
    this.#bytesSent += bytesSent
    this.#bytesReceived += bytesReceived
  }

  /** With what is under way on the connections that are open. */
  stats(open: Iterable<Link>, depth: number): ClientStats {
    let [requestsWritten, requestsResent] = [this.#requestsWritten, this.#requestsResent]
    let [bytesSent, bytesReceived] = [this.#bytesSent, this.#bytesReceived]
    for (const link of open) {
      bytesSent += link.bytesSent
      bytesReceived += link.bytesReceived
      for (const exchange of link.queue) {
        const { isWritten, isCounted, job } = exchange as JobExchange
        if (!isWritten || isCounted) continue
        requestsWritten++
        if (job.wasWritten) requestsResent++
      }
    }
    return {
      connectionsOpened: this.#connectionsOpened,
      requestsWritten,
      requestsResent,
      responses: this.#responses,
      bytesSent,
      bytesReceived,
      depth,
    }
  }
}
