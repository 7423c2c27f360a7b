// Prints where the links of pages lead. The pages of one server are pipelined over one connection, and the HTML is parsed as it arrives:
// no page has to fit in memory.
import { TextDecoder } from 'node:util'
import { Parser } from 'htmlparser2'
import { BodyTooLong, HTTPConnection, type HTTPResponse } from 'httpio'

const USAGE = `usage: links.mts URL [URL ...]
  All of one server; every URL but the first may be relative to the first.`

const MOST_BYTES = 50_000_000

async function* linksOf(page: URL, response: HTTPResponse): AsyncGenerator<URL> {
  const found: string[] = []
  let base = page
  const parser = new Parser({
    onopentag(name, { href }) {
      if (href === undefined) return
      if (name === 'base' && URL.canParse(href, page.href)) base = new URL(href, page)
      else if (name === 'a' || name === 'area') found.push(href)
    },
  })
  const take = (): URL[] =>
    found.splice(0).flatMap(href => (URL.canParse(href, base.href) ? [new URL(href, base)] : []))

  const decoder = decoderFor(response.headers.get('content-type') ?? '')
  for await (const part of response) {
    parser.write(decoder.decode(part, { stream: true }))
    yield* take()
  }
  parser.end(decoder.decode())
  yield* take()
}

function decoderFor(contentType: string): TextDecoder {
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s;"]+)/i.exec(contentType) ?? []
  try {
    return new TextDecoder(charset)
  } catch {
    // Nobody knows that charset.
    return new TextDecoder()
  }
}

let pages: URL[] = []
try {
  const args = process.argv.slice(2)
  pages = args.map(arg => new URL(arg, args[0]))
} catch {
  // Not a URL: said below.
}
const [first] = pages
if (first === undefined || pages.some(({ origin }) => origin !== first.origin)) {
  console.error(USAGE)
  process.exit(1)
}

await using conn = new HTTPConnection(first.hostname, {
  port: first.port === '' ? undefined : Number(first.port),
  tls: first.protocol === 'https:',
  connectTimeoutMs: 10_000,
  timeoutMs: 30_000,
  headers: { Accept: 'text/html' },
})
try {
  await conn.connect()
} catch (error) {
  console.error(`cannot connect to ${first.origin}:`, error)
  process.exit(3)
}

const requests = pages.map(({ pathname, search }) => ({
  path: pathname + search,
  decompress: true,
  maxBodyBytes: MOST_BYTES,
}))
let done = 0
try {
  for await (const response of conn.pipeline(requests)) {
    const page = pages[done++]
    const type = response.headers.get('content-type') ?? 'of no type'
    if (response.status !== 200 || !type.startsWith('text/html')) {
      // What is left of a body is dropped before the next response is handed out.
      console.error(`${page.href}: ${response.status} ${response.reason}, ${type}`)
      process.exitCode = 2
      continue
    }
    try {
      for await (const link of linksOf(page, response)) console.log(`${page.href} -> ${link.href}`)
    } catch (error) {
      // This one concerns the page alone. After any other there is no going on.
      if (!(error instanceof BodyTooLong)) throw error
      console.error(`${page.href}: ${error.message}`)
      process.exitCode = 2
    }
  }
} catch (error) {
  console.error(`stopped at ${pages[Math.max(0, done - 1)].href}, page ${done} of ${pages.length}:`, error)
  process.exitCode = 2
}
