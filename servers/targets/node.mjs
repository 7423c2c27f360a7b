// Node's own http server, apps/app.mjs, in a process of its own.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { LIMIT } from '../numbers.mjs'
import { door, idsOfLog, tlsDoor } from './parts.mjs'

const app = fileURLToPath(new URL('../apps/app.mjs', import.meta.url))

/**
 * @param {import('../run.mjs').Stage} stage
 * @param {string} folder
 */
export async function startApp({ content, certificate }, folder) {
  const [port, limitedPort, tlsPort] = await freePorts(3)
  const log = join(folder, 'app.log')
  const { chain, key } = certificate
  const process = await Foreground.start(
    globalThis.process.execPath,
    [app, port, limitedPort, tlsPort, content.folder, log, chain, key].map(String),
    { folder, ports: [port, limitedPort, tlsPort] },
  )
  return { port, limitedPort, tlsPort, log, stop: () => process.stop() }
}

/** @type {import('../run.mjs').Target} */
export const node = {
  title: 'Node http',
  needs: {},
  version: () => process.versions.node,
  async start(stage, folder) {
    const { port, limitedPort, tlsPort, log, stop } = await startApp(stage, folder)
    return {
      checks: standardChecks({
        stage,
        doors: {
          plain: door(port), // See docs/servers.md: under a thousand requests at once it closes at nearly every answer.
          TLS: tlsDoor(tlsPort, stage, { mayClose: true, ways: ['pipeline'] }),
        },
        kinds: new Set(['head', 'match', 'since', 'range', 'missing']),
        limited: [{ door: door(limitedPort), limit: LIMIT, announced: true }],
        uploads: [{ path: '/upload', answer: 'digest', chunked: true }],
        accepting: '/upload',
        refusing: { door: door(port), path: '/refusing' },
      }),
      stop,
      actedUpon: idsOfLog(log),
    }
  },
}
