import { OrderedOutput, TurnsOver } from '../../src/get/ordered-output'

/** Notes in `log` when each has its turn. */
const note = (order: OrderedOutput, log: number[], index: number): Promise<void> =>
  order.turn(index).then(() => void log.push(index))

describe('OrderedOutput', () => {
  it('gives turns in order, to each as often as it asks', async () => {
    const order = new OrderedOutput()
    const log: number[] = []
    const turns = [2, 1, 0, 1].map(index => note(order, log, index))
    await turns[2]
    expect(log).toEqual([0])
    await note(order, log, 0)
    order.leave()
    await Promise.all([turns[1], turns[3]])
    expect(log).toEqual([0, 0, 1, 1])
    order.leave()
    await turns[0]
    expect(log).toEqual([0, 0, 1, 1, 2])
  })

  it('gives nobody a turn once it is stopped', async () => {
    const order = new OrderedOutput()
    const later = order.turn(1)
    order.stop()
    await expect(later).rejects.toThrow(TurnsOver)
    await expect(order.turn(0)).rejects.toThrow(TurnsOver)
  })
})
