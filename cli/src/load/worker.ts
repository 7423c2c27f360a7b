// Owns the inside of a worker thread: it carries out one share of a run and talks to the thread that makes the report.
import { parentPort, workerData } from 'node:worker_threads'
import { Engine, type Progress } from './engine'
import type { Share } from './plan'
import { toRunClock } from './run'
import type { TallyData } from './tally'

export type ToWorker = { type: 'start'; epochMs: number } | { type: 'interrupt' }
export type FromWorker =
  | { type: 'ready'; error: string | null }
  | { type: 'progress'; progress: Progress }
  | { type: 'end'; tally: TallyData; givenUp: string | null }

const PROGRESS_EVERY_MS = 100

function work(port: NonNullable<typeof parentPort>): void {
  const tell = (message: FromWorker): void => port.postMessage(message)
  const telling = setInterval(() => tell({ type: 'progress', progress: engine.progress }), PROGRESS_EVERY_MS)
  const engine = new Engine(workerData as Share, () => {
    clearInterval(telling)
    tell({ type: 'end', tally: engine.tally.toData(), givenUp: engine.givenUp })
    port.close()
  })
  port.on('message', (message: ToWorker) => {
    if (message.type === 'start') engine.start(toRunClock(message.epochMs))
    else engine.interrupt()
  })
  void engine.connect().then(error => tell({ type: 'ready', error }))
}

if (parentPort !== null) work(parentPort)
