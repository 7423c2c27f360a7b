// Owns the order of the requests that wait for a place: that in which they were accepted, whatever comes back.
import type { Job } from './job'

/** Jobs that are over while they wait stay in it until their turn comes: to find them would take longer. */
export class JobQueue {
  #first: Job | null = null
  #last: Job | null = null
  #size = 0

  /** How many are not over. */
  get size(): number {
    return this.#size
  }

  get first(): Job | null {
    while (this.#first !== null && this.#first.isOver) this.#unlink()
    return this.#first
  }

  /** Takes in the newest one. */
  push(job: Job): void {
    if (this.#last === null) this.#first = job
    else this.#last.next = job
    this.#last = job
    this.#size++
    job.queue = this
  }

  /** Takes in what comes back, sorted by age: older than most that wait. */
  putBack(jobs: Iterable<Job>): void {
    let before: Job | null = null
    for (const job of jobs) {
      let after: Job | null = before === null ? this.#first : before.next
      while (after !== null && after.sequence < job.sequence) {
        before = after
        after = after.next
      }
      job.next = after
      if (before === null) this.#first = job
      else before.next = job
      if (after === null) this.#last = job
      before = job
      this.#size++
      job.queue = this
    }
  }

  shift(): Job | null {
    const job = this.first
    if (job === null) return null
    this.#unlink()
    this.#size--
    job.queue = null
    return job
  }

  /** A job that waits here is over. */
  drop(job: Job): void {
    this.#size--
    job.queue = null
  }

  /** Takes all out. */
  takeAll(): Job[] {
    const jobs: Job[] = []
    for (let job = this.shift(); job !== null; job = this.shift()) jobs.push(job)
    return jobs
  }

  *[Symbol.iterator](): Generator<Job, void, undefined> {
    for (let job = this.#first; job !== null; job = job.next) if (!job.isOver) yield job
  }

  #unlink(): void {
    const job = this.#first!
    this.#first = job.next
    if (this.#first === null) this.#last = null
    // A dead element keeps nothing behind it alive.
    job.next = null
  }
}
