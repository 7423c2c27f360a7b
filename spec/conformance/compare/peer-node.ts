// node:http with a keep-alive agent of one connection, as a client under comparison. It cannot pipeline.
import http from 'node:http'
import https from 'node:https'
import { answerOf, askedAgain, idle, serveTasks } from './task'
import type { Answer, Task } from './task'

serveTasks(async (task: Task) => {
  const tls = task.ca === undefined ? undefined : { ca: task.ca, servername: 'localhost' }
  const settings = { keepAlive: true, maxSockets: 1 }
  const agent = tls === undefined ? new http.Agent(settings) : new https.Agent({ ...settings, ...tls })
  const ask = ({ method, path, body }: Task['requests'][number]) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const request = (tls === undefined ? http : https).request({
        host: '127.0.0.1',
        port: task.port,
        agent,
        method,
        path,
        maxHeaderSize: task.maxHeaderBytes,
      })
      request.on('error', reject)
      request.on('upgrade', response => resolve({ status: response.statusCode ?? 0, body: '' }))
      request.on('response', response => {
        let read = ''
        response.setEncoding('latin1')
        response.on('data', (text: string) => (read += text))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: read }))
      })
      request.end(body)
    })
  if (task.early) {
    await ask({ method: 'GET', path: '/warm-up' })
    await idle()
  }
  const answers: Answer[] = []
  for (const request of task.requests) answers.push(await answerOf(ask(request)))
  await idle()
  const next = await askedAgain(() => ask({ method: 'GET', path: '/next' }))
  agent.destroy()
  return { answers, next }
})
