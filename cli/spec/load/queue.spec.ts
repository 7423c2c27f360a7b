import { Queue } from '../../src/load/queue'

describe('Queue', () => {
  it('gives out what it was given, in that order, also while it is moved together', () => {
    const queue = new Queue<number>()
    const taken: (number | undefined)[] = []
    for (let index = 0; index < 5000; index++) {
      queue.push(index)
      if (index % 3 !== 0) taken.push(queue.shift())
    }
    const rest = queue.length
    while (queue.length > 0) taken.push(queue.shift())
    expect(rest).toBe(1667)
    expect(taken).toEqual(Array.from({ length: 5000 }, (_, index) => index))
  })

  it('gives undefined when it is empty', () => {
    expect(new Queue<number>().shift()).toBeUndefined()
  })
})
