// undici with pipelining switched on and made to happen (`blocking: false`), as a client under comparison. It has no 100-continue in
// HTTP/1.1.
import { Client } from 'undici'
import { answerOf, askedAgain, idle, serveTasks } from './task'
import type { Task, TaskRequest } from './task'

serveTasks(async (task: Task) => {
  const scheme = task.ca === undefined ? 'http' : 'https'
  const client = new Client(`${scheme}://127.0.0.1:${task.port}`, {
    pipelining: Math.max(1, task.requests.length),
    maxHeaderSize: task.maxHeaderBytes,
    connect: task.ca === undefined ? {} : { ca: task.ca, servername: 'localhost' },
  })
  const ask = async ({ method, path, body }: TaskRequest) => {
    const response = await client.request({ method, path, body, blocking: false })
    return {
      status: response.statusCode,
      body: Buffer.from(await response.body.arrayBuffer()).toString('latin1'),
    }
  }
  if (task.early) {
    await ask({ method: 'GET', path: '/warm-up' })
    await idle()
  }
  const answers = await Promise.all(task.requests.map(request => answerOf(ask(request))))
  await idle()
  const next = await askedAgain(() => ask({ method: 'GET', path: '/next' }))
  await client.destroy()
  return { answers, next }
})
