// Uploads a file, but asks first: the body is sent only when the server has said `100 Continue`, and not at all when it refuses.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { BodyFollowing, ConnectionClosed, HTTPConnection } from 'httpio'

const USAGE = `usage: upload.mts FILE URL [LONGEST_WAIT_MS]
  A server that does not know the mechanism says nothing. After 5000 ms, unless told otherwise, it is sent the body unasked.`

const [file, target, longestWaitMs = '5000'] = process.argv.slice(2)
if (target === undefined || !URL.canParse(target) || !(Number(longestWaitMs) >= 0)) {
  console.error(USAGE)
  process.exit(1)
}
const url = new URL(target)
const { size } = await stat(file).catch((error: unknown) => {
  console.error(`cannot read ${file}:`, error)
  process.exit(1)
})

await using conn = new HTTPConnection(url.hostname, {
  port: url.port === '' ? undefined : Number(url.port),
  tls: url.protocol === 'https:',
  connectTimeoutMs: 10_000,
  timeoutMs: 60_000,
})
try {
  await conn.connect()
} catch (error) {
  console.error(`cannot connect to ${url.origin}:`, error)
  process.exit(3)
}

try {
  await conn.sendRequest('PUT', url.pathname + url.search, {
    headers: { 'Content-Type': 'application/octet-stream' },
    body: new BodyFollowing(size),
    expect100: true,
  })
  const isWanted = await conn.waitForContinue(Number(longestWaitMs))
  let loss: ConnectionClosed | null = null
  if (isWanted) {
    try {
      await conn.sendBody(createReadStream(file))
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error
      // The server has closed in the middle. It may have said why before it did.
      loss = error
    }
  }
  const response = await conn.readResponse()
  const text = (await response.text()).trim()
  const isStored = response.status >= 200 && response.status <= 299
  if (isStored) console.log(`${response.status} ${response.reason}: ${size} bytes sent. ${text}`)
  else {
    const sent = isWanted
      ? loss === null
        ? 'the whole body was sent'
        : 'a part was sent'
      : 'nothing of the body was sent'
    console.error(`${response.status} ${response.reason}, ${sent}. ${text}`)
    process.exitCode = 2
  }
} catch (error) {
  console.error(`${file} may not have been stored:`, error)
  process.exitCode = 2
}
