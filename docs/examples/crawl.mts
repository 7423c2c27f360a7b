// Crawls a site: every page that can be reached from the first one, each once, at most so many, over a few pipelined connections.
import { DomUtils, parseDocument } from 'htmlparser2'
import { HTTPClient, type HTTPResponse } from 'httpio'

const USAGE = 'usage: crawl.mts URL [MOST_PAGES]   (100 pages unless told otherwise)'

const [start = '', most = '100'] = process.argv.slice(2)
const mostPages = Number(most)
if (!/^https?:/.test(start) || !URL.canParse(start) || !(Number.isSafeInteger(mostPages) && mostPages > 0)) {
  console.error(USAGE)
  process.exit(1)
}
const { origin } = new URL(start)

/** How many pages by status, or by the code of the error where no response came. */
const outcomes = new Map<string, number>()
const seen = new Set<string>()

await using client = new HTTPClient(origin, {
  connections: 4,
  depth: 8,
  connectTimeoutMs: 10_000,
  timeoutMs: 30_000,
  headers: { Accept: 'text/html' },
})

/** Pages of this site that a page leads to. A redirect leads to one, too. */
async function linksOf(page: URL, response: HTTPResponse): Promise<URL[]> {
  const { headers } = response
  const hrefs = [headers.get('location')]
  if (headers.get('content-type')?.startsWith('text/html') === true) {
    const document = parseDocument(await response.text())
    hrefs.push(...DomUtils.getElementsByTagName('a', document, true).map(({ attribs }) => attribs.href))
  }
  return hrefs
    .filter(href => typeof href === 'string' && URL.canParse(href, page.href))
    .map(href => new URL(href!, page))
    .filter(link => link.origin === origin)
}

/** @returns the pages that it leads to */
async function visit(page: URL): Promise<URL[]> {
  let response: HTTPResponse
  try {
    // Any number may be asked for at once: the client puts as many on the wire as may be, and sends again what a connection lost.
    const path = page.pathname + page.search
    response = await client.request('GET', path, { decompress: true, maxBodyBytes: 5_000_000 })
  } catch (error) {
    console.error(`${page.href}:`, error)
    count(error instanceof Error && 'code' in error ? String(error.code) : 'other error')
    return []
  }
  count(String(response.status))
  return linksOf(page, response)
}

function count(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
}

/** Those that were not seen before, as long as there may be more. */
function* unseen(links: Iterable<URL>): Generator<URL> {
  for (const link of links) {
    const key = link.pathname + link.search
    if (seen.size >= mostPages || seen.has(key)) continue
    seen.add(key)
    yield link
  }
}

let pages = [...unseen([new URL(start)])]
while (pages.length > 0) {
  const found = await Promise.all(pages.map(visit))
  pages = [...unseen(found.flat())]
}

const { connectionsOpened, requestsWritten, requestsResent, bytesReceived } = client.stats
for (const [outcome, pages] of [...outcomes].sort()) console.log(`${outcome.padEnd(32)} ${pages}`)
console.log(
  `${seen.size} pages over ${connectionsOpened} connections: ${requestsWritten} requests written, ` +
    `${requestsResent} of them again; ${bytesReceived} bytes received`,
)
if (connectionsOpened === 0) process.exitCode = 3
else if ([...outcomes.keys()].some(outcome => !/^[23]/.test(outcome))) process.exitCode = 2
