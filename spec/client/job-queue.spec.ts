import { Job } from '../../lib/client/job'
import { JobQueue } from '../../lib/client/job-queue'

const job = (sequence: number): Job =>
  new Job(sequence, 'GET', `/${sequence}`, '', false, true, null, () => {})
const numbers = (jobs: Iterable<Job>): number[] => Array.from(jobs, ({ sequence }) => sequence)

/** A queue in which jobs of these numbers wait. */
function queueOf(...sequences: number[]): { queue: JobQueue; jobs: Job[] } {
  const queue = new JobQueue()
  const jobs = sequences.map(job)
  for (const each of jobs) queue.push(each)
  return { queue, jobs }
}

describe('JobQueue', () => {
  it('gives jobs in the order in which they came', () => {
    const { queue } = queueOf(1, 2, 3)
    expect(queue.size).toBe(3)
    expect(queue.first?.sequence).toBe(1)
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()].map(each => each?.sequence)).toEqual([
      1,
      2,
      3,
      undefined,
    ])
    expect(queue.size).toBe(0)
    expect(queue.first).toBe(null)
    queue.push(job(4))
    expect(numbers(queue)).toEqual([4])
  })

  it.each([
    ['before all', [5, 6], [1, 2], [1, 2, 5, 6]],
    ['between', [1, 4, 7], [2, 3, 5], [1, 2, 3, 4, 5, 7]],
    ['behind all', [1, 2], [8, 9], [1, 2, 8, 9]],
    ['into an empty queue', [], [1, 3], [1, 3]],
    ['around', [5], [1, 9], [1, 5, 9]],
  ])('puts back jobs in their places, %s', (_name, waiting, back, all) => {
    const { queue } = queueOf(...waiting)
    queue.putBack(back.map(job))
    queue.push(job(10))
    expect(queue.size).toBe(all.length + 1)
    expect(numbers(queue)).toEqual([...all, 10])
    expect(numbers(queue.takeAll())).toEqual([...all, 10])
  })

  it('passes over jobs that are over', () => {
    const { queue, jobs } = queueOf(1, 2, 3, 4)
    for (const each of [jobs[0], jobs[1], jobs[3]]) {
      each.isOver = true
      each.queue!.drop(each)
    }
    expect(queue.size).toBe(1)
    expect(numbers(queue)).toEqual([3])
    expect(queue.shift()).toBe(jobs[2])
    expect(queue.shift()).toBe(null)
    queue.push(job(5))
    expect(queue.shift()?.sequence).toBe(5)
  })

  it('tells each job where it waits', () => {
    const { queue, jobs } = queueOf(1, 2)
    expect(jobs[0].queue).toBe(queue)
    queue.shift()
    expect(jobs[0].queue).toBe(null)
    queue.putBack([jobs[0]])
    expect(jobs[0].queue).toBe(queue)
  })
})
