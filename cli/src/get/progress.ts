// Owns what moves on a terminal while files are fetched: a line for all, and one for each large body. It decides nothing.
import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import { formatBytes } from './report'

export interface Progress {
  /** So many URLs are done, with so many bytes. */
  total(done: number, bytes: number): void
  /** A large body has come so far. */
  large(name: string, lengthBytes: number, totalBytes: number | null): void
  /** A large body is over. */
  over(name: string): void
  /** A line that stays. */
  log(line: string): void
  stop(): void
}

/** Where nobody looks. */
export class NoProgress implements Progress {
  total(): void {}
  large(): void {}
  over(): void {}
  stop(): void {}

  log(line: string): void {
    process.stderr.write(`${line}\n`)
  }
}

export class TerminalProgress implements Progress {
  readonly #bars: MultiBar
  readonly #all: SingleBar
  readonly #large = new Map<string, SingleBar>()
  #isStopped = false

  constructor(urls: number) {
    this.#bars = new MultiBar(
      {
        stream: process.stderr,
        clearOnComplete: true,
        hideCursor: true,
        gracefulExit: false,
        format: '{bar} {percentage}% | {size} | {name}',
        barsize: 24,
      },
      Presets.shades_classic,
    )
    this.#all = this.#bars.create(urls, 0, { name: `0 of ${urls}`, size: formatBytes(0) })
  }

  total(done: number, bytes: number): void {
    this.#all.update(done, { name: `${done} of ${this.#all.getTotal()}`, size: formatBytes(bytes) })
  }

  large(name: string, lengthBytes: number, totalBytes: number | null): void {
    let bar = this.#large.get(name)
    if (bar === undefined) {
      bar = this.#bars.create(totalBytes ?? lengthBytes, lengthBytes, { name, size: '' })
      this.#large.set(name, bar)
    }
    const size =
      totalBytes === null
        ? formatBytes(lengthBytes)
        : `${formatBytes(lengthBytes)} of ${formatBytes(totalBytes)}`
    if (totalBytes === null) bar.setTotal(lengthBytes)
    bar.update(lengthBytes, { name, size })
  }

  over(name: string): void {
    const bar = this.#large.get(name)
    if (bar === undefined) return
    this.#large.delete(name)
    this.#bars.remove(bar)
  }

  log(line: string): void {
    // The bars would begin to move again.
    if (this.#isStopped) process.stderr.write(`${line}\n`)
    else this.#bars.log(`${line}\n`)
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    // Lines are kept until it draws the next time.
    this.#bars.update()
    this.#bars.stop()
  }
}
