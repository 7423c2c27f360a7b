// Sources of requests for pipelines: one that can be watched, and one that gives what it is told to.
import type { PipelineRequest } from '../../lib'

/** A source that can be watched. */
export class Source implements Iterable<PipelineRequest> {
  given = 0
  isEnded = false

  constructor(
    readonly count: number,
    readonly fault: Error | null = null,
  ) {}

  *[Symbol.iterator](): Generator<PipelineRequest> {
    try {
      while (this.given < this.count) yield `/${this.given++}`
      if (this.fault !== null) throw this.fault
    } finally {
      this.isEnded = true
    }
  }
}

/** An asynchronous source that gives what it is told to. */
export class Feed implements AsyncIterable<PipelineRequest> {
  isEnded = false
  asked = 0
  #waiting: ((step: IteratorResult<PipelineRequest>) => void)[] = []
  #failing: ((error: Error) => void)[] = []

  give(request: PipelineRequest): void {
    this.#failing.shift()
    this.#waiting.shift()!({ done: false, value: request })
  }

  end(): void {
    this.#waiting.shift()!({ done: true, value: undefined })
  }

  fail(error: Error): void {
    this.#failing.shift()!(error)
  }

  [Symbol.asyncIterator](): AsyncIterator<PipelineRequest> {
    return {
      next: () => {
        this.asked++
        return new Promise((resolve, reject) => {
          this.#waiting.push(resolve)
          this.#failing.push(reject)
        })
      },
      return: async () => {
        this.isEnded = true
        return { done: true, value: undefined }
      },
    }
  }
}
