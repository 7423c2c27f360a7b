// Fetches many pages of one server over one connection: all requests are on the wire before the first answer is there.
import { ConnectionClosed, HTTPConnection, type HTTPResponse } from 'httpio'

const USAGE = `usage: pipelined-gets.mts URL [URL ...]
  All of one server; every URL but the first may be relative to the first: http://127.0.0.1:8080/ news/1 news/2`

/** A server that closes now and then is no reason to give up; one that does nothing else is. */
const MOST_LOSSES = 3

let urls: URL[] = []
try {
  const args = process.argv.slice(2)
  urls = args.map(arg => new URL(arg, args[0]))
} catch {
  // Not a URL: said below.
}
const [first] = urls
if (first === undefined || urls.some(({ origin }) => origin !== first.origin)) {
  console.error(USAGE)
  process.exit(1)
}

await using conn = new HTTPConnection(first.hostname, {
  port: first.port === '' ? undefined : Number(first.port),
  tls: first.protocol === 'https:',
  connectTimeoutMs: 10_000,
  timeoutMs: 30_000,
})
try {
  // The first request would dial as well. This way it is clear what failed.
  await conn.connect()
} catch (error) {
  console.error(`cannot connect to ${first.origin}:`, error)
  process.exit(3)
}

async function report(response: HTTPResponse): Promise<void> {
  const body = await response.readAll()
  console.log(`${response.status} ${String(body.length).padStart(8)} bytes  ${response.path}`)
  if (response.status < 200 || response.status > 299) process.exitCode = 2
}

const paths = urls.map(({ pathname, search }) => pathname + search)
let answered = 0
let losses = 0
try {
  while (answered < paths.length) {
    try {
      // After a connection was lost, the next one begins with one request alone (RFC 9112 section 9.3.2): here, it stays at that.
      const depth = losses === 0 ? 64 : 1
      for await (const response of conn.pipeline(paths.slice(answered), { depth })) {
        await report(response)
        answered++
      }
    } catch (error) {
      // All are GETs, which may be done twice; for others, `error.unanswered` says what became of each.
      if (!(error instanceof ConnectionClosed) || ++losses > MOST_LOSSES) throw error
      console.error(`${error.message}; again from ${paths[answered]} on`)
      await conn.close()
    }
  }
} catch (error) {
  console.error(`no answer to ${paths.slice(answered).join(' ')}:`, error)
  process.exitCode = 2
}
