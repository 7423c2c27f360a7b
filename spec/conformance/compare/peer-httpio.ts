// This library, as a client under comparison.
import { HTTPConnection } from '../../../lib/index'
import { answerOf, askedAgain, CONTINUE_MS, idle, serveTasks } from './task'
import type { Answer, Task, TaskRequest } from './task'

serveTasks(async (task: Task) => {
  const connection = new HTTPConnection('127.0.0.1', {
    port: task.port,
    tls: task.ca === undefined ? false : { ca: task.ca, servername: 'localhost' },
    closeDelimited: task.closeDelimited,
    maxHeaderBytes: task.maxHeaderBytes,
  })
  const ask = async ({ method, path, body, expect100 }: TaskRequest) => {
    const response = await connection.request(method, path, {
      body,
      expect100: expect100 && { timeoutMs: CONTINUE_MS },
    })
    return { status: response.status, body: (await response.readAll()).toString('latin1') }
  }
  if (task.early) {
    await ask({ method: 'GET', path: '/warm-up' })
    await idle()
  }
  const answers: Answer[] = await Promise.all(task.requests.map(request => answerOf(ask(request))))
  await idle()
  const next = await askedAgain(async () => {
    try {
      return await ask({ method: 'GET', path: '/next' })
    } catch (error) {
      // The connection says that it is at its end; a caller dials anew.
      await connection.close()
      throw error
    }
  })
  await connection.close()
  return { answers, next }
})
