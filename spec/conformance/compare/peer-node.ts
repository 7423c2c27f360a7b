// node:http with a keep-alive agent of one connection, as a client under comparison. It cannot pipeline.
import http from 'node:http'
import https from 'node:https'
import { answerOf, askedAgain, CONTINUE_MS, idle, serveTasks } from './task'
import type { Answer, Task, TaskRequest } from './task'

/** Sends the body when the 100 came or has taken too long, and not after a final response. */
function endLater(request: http.ClientRequest, body: string): void {
  const timer = setTimeout(() => request.end(body), CONTINUE_MS)
  for (const event of ['continue', 'response', 'upgrade', 'close']) {
    request.once(event, () => clearTimeout(timer))
  }
  request.once('continue', () => {
    if (!request.writableEnded) request.end(body)
  })
}

serveTasks(async (task: Task) => {
  const tls = task.ca === undefined ? undefined : { ca: task.ca, servername: 'localhost' }
  const settings = { keepAlive: true, maxSockets: 1 }
  const agent = tls === undefined ? new http.Agent(settings) : new https.Agent({ ...settings, ...tls })
  const ask = ({ method, path, body, expect100 }: TaskRequest) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const request = (tls === undefined ? http : https).request({
        host: '127.0.0.1',
        port: task.port,
        agent,
        method,
        path,
        maxHeaderSize: task.maxHeaderBytes,
        headers: expect100 && { Expect: '100-continue', 'Content-Length': body!.length },
      })
      request.on('error', reject)
      request.on('upgrade', response => resolve({ status: response.statusCode ?? 0, body: '' }))
      request.on('response', response => {
        let read = ''
        response.setEncoding('latin1')
        response.on('data', (text: string) => (read += text))
        response.on('error', reject)
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: read })
          // The body that was refused is still owed.
          if (!request.writableEnded) request.destroy()
        })
      })
      if (expect100 === undefined) request.end(body)
      else endLater(request, body!)
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
