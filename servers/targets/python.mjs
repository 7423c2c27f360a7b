// Python's http.server in the forms that people write it: apps/http_server.py.
import { ConnectionClosed, UnsupportedResponse } from 'httpio'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check, checkRefused, withConnection } from '../checks/expect.mjs'
import { plural, standardChecks } from '../checks/standard.mjs'
import { judgeDigest } from '../checks/uploads.mjs'
import { noise, sha256 } from '../content.mjs'
import { deliver } from '../delivery.mjs'
import { Foreground } from '../foreground.mjs'
import { LIMIT } from '../numbers.mjs'
import { versionOf } from '../packages.mjs'
import { item } from '../plan.mjs'
import { door, idsOfLog } from './parts.mjs'

/** @typedef {import('../delivery.mjs').Door} Door */
/** @typedef {import('../checks/standard.mjs').Check} Check */

const script = fileURLToPath(new URL('../apps/http_server.py', import.meta.url))
const PATHS = ['/files/1-0.bin', '/files/2-0.bin', '/files/17-0.bin']
const ROUNDS = 20

/** The head of an HTTP/1.0 answer can be read, and nothing behind it. @param {Door} old */
async function checkOldVersion(old) {
  await withConnection(old, async connection => {
    for (const path of PATHS) await connection.sendRequest('GET', path)
    const response = await connection.readResponse()
    check(response.status === 200, `status ${response.status}`)
    const error = await response.readAll().catch(reason => reason)
    check(error instanceof UnsupportedResponse, `its body: ${error}`)
    check(error.response.status === 200, 'the error does not carry the head')
    const again = await connection.sendRequest('GET', '/').catch(reason => reason)
    check(again === error, 'the error does not stick')
  })
  await withConnection(old, async connection => {
    const outcomes = await Promise.allSettled(PATHS.map(path => connection.request('GET', path)))
    const errors = outcomes.map(outcome => outcome.status === 'rejected' && outcome.reason)
    check(errors[0] instanceof UnsupportedResponse, `the first request: ${errors[0]}`)
    check(errors[0].response.status === 200, 'the error does not carry the head')
    for (const error of errors.slice(1)) {
      check(error instanceof ConnectionClosed && error.cause === errors[0], `a request behind it: ${error}`)
    }
  })
}

/** No answer, or one without an end: one error for all, whether the end comes as FIN or RST. @param {Door} forgetful */
async function checkForgetful(forgetful) {
  for (let round = 0; round < ROUNDS; round++) {
    const path = round % 2 === 0 ? '/buffered' : '/flushed'
    const outcome = round % 2 === 0 ? 'no-reply' : 'partial-reply'
    await withConnection(forgetful, async connection => {
      for (const _ of PATHS) await connection.sendRequest('GET', path)
      const error = await connection.readResponse().catch(reason => reason)
      check(error instanceof ConnectionClosed, `in steps, ${path}: ${error}`)
      check(
        error.unanswered.length === PATHS.length && error.unanswered[0].outcome === outcome,
        `in steps, ${path}: ${JSON.stringify(error.unanswered)}`,
      )
      check((await connection.readResponse().catch(reason => reason)) === error, 'the error does not stick')
    })
    await withConnection(forgetful, async connection => {
      const settled = await Promise.allSettled(PATHS.map(() => connection.request('GET', path)))
      const errors = settled.map(result => result.status === 'rejected' && result.reason)
      check(errors[0] instanceof ConnectionClosed, `${path}: ${errors[0]}`)
      check(
        errors.every(error => error === errors[0]),
        'the end of one connection came as different errors',
      )
    })
  }
}

/** @param {Door} uploads */
const checkForms = uploads =>
  withConnection(uploads, async connection => {
    const fields = new URLSearchParams({ name: 'Jürgen & Söhne', empty: '', plus: 'a+b c' })
    const bytes = noise(100_000, 5)
    const form = new FormData()
    form.append('title', 'multipart "quoted"')
    form.append('upload', new Blob([new Uint8Array(bytes)]), 'noise.bin')
    const [posted, multipart] = await Promise.all([
      connection.request('POST', '/form', { body: fields }),
      connection.request('POST', '/form', { body: form }),
    ])
    const received = /** @type {{ form: Record<string, string[]> }} */ (await posted.json())
    check(
      JSON.stringify(received.form) === '{"name":["Jürgen & Söhne"],"plus":["a+b c"]}',
      `the server read ${JSON.stringify(received)}`,
    )
    const wanted = [
      ['title', null, sha256(Buffer.from('multipart "quoted"'))],
      ['upload', 'noise.bin', sha256(bytes)],
    ]
    const { parts } = /** @type {{ parts: unknown }} */ (await multipart.json())
    check(JSON.stringify(parts) === JSON.stringify(wanted), `the server read ${JSON.stringify(parts)}`)
  })

/** send_error answers and closes, and says so. @param {Door} uploads */
async function checkSendError(uploads) {
  const statuses = [400, 401, 403, 404, 405, 410, 414, 418, 429, 500, 501, 502, 503, 504, 505]
  const items = statuses.map(status =>
    item({
      kind: 'missing',
      path: `/error/${status}`,
      judge: response => (response.status === status ? null : `status ${response.status}`),
    }),
  )
  const delivery = await deliver(uploads, items, 'request')
  check(delivery.announced === items.length - 1, `${delivery.announced} closes were recognised as announced`)
  return { ...delivery, note: plural(delivery.connections, 'send_error') }
}

/** No 100 ever comes: the body goes out when the time has passed. @param {Door} ignoring */
const checkIgnored = ignoring =>
  withConnection(ignoring, async connection => {
    const body = noise(50_000, 6)
    const response = await connection.request('POST', '/upload', { body, expect100: { timeoutMs: 50 } })
    check(judgeDigest(response, await response.readAll(), body) === null, 'the body did not arrive whole')
  })

/** @type {import('../run.mjs').Target} */
export const python = {
  title: 'Python http.server',
  needs: { python3: 'python3' },
  version: () => versionOf('python3', ['--version']),
  async start(stage, folder) {
    const log = join(folder, 'access.log')
    const started = await Foreground.startPrinting('python3', [script, stage.content.folder, log], folder)
    const ports = /** @type {Record<string, number>} */ (started.ports)
    const files = door(ports.files)
    const kinds = new Set(/** @type {const} */ (['head', 'since']))
    const uploads = door(ports.uploads)
    /** @type {(name: string, column: Check['column'], note: string, run: () => Promise<unknown>) => Check} */
    const simple = (name, column, note, run) => ({
      name,
      column,
      run: async () => ({ note, .../** @type {object} */ (await run()) }),
    })
    return {
      checks: [
        ...standardChecks({
          stage,
          doors: { threading: files, 'one connection at a time': door(ports.single) },
          kinds,
          limited: [{ door: door(ports.limited), limit: LIMIT, announced: false, resets: true }],
        }),
        ...standardChecks({
          stage,
          doors: { 'send_error for what is missing': { ...files, mayClose: true } },
          kinds: new Set([...kinds, /** @type {const} */ ('missing')]),
        }),
        ...standardChecks({
          stage,
          doors: { 'files beside uploads': uploads },
          kinds,
          uploads: [{ path: '/upload', answer: 'digest', chunked: false }],
          accepting: '/upload',
        }),
        simple('send_error', 'other', '', () => checkSendError(uploads)),
        simple('form and multipart POST', 'uploads', 'form and multipart', () => checkForms(uploads)),
        simple('Expect: 100-continue, refused', 'expect', '413 and 417', async () => {
          await checkRefused(door(ports.refusing), '/413', 413)
          await checkRefused(door(ports.refusing), '/417', 417)
        }),
        simple('Expect: 100-continue, ignored', 'expect', 'ignored', () =>
          checkIgnored(door(ports.ignoring)),
        ),
        simple('HTTP/1.0', 'other', 'HTTP/1.0 refused', () => checkOldVersion(door(ports.old))),
        simple('end_headers() forgotten', 'other', 'end_headers() forgotten', async () => {
          await checkForgetful(door(ports.forgetful))
          await checkForgetful(door(ports.oldForgetful))
        }),
      ],
      stop: () => started.process.stop(),
      actedUpon: idsOfLog(log),
    }
  },
}
