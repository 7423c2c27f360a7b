// A minimal server that closes after one answer without saying so: apps/abrupt.mjs.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from '../checks/expect.mjs'
import { plural } from '../checks/standard.mjs'
import { deliver } from '../delivery.mjs'
import { Foreground } from '../foreground.mjs'
import { item } from '../plan.mjs'
import { door, idsOfLog } from './parts.mjs'

const script = fileURLToPath(new URL('../apps/abrupt.mjs', import.meta.url))
const ENDINGS = ['FIN', 'RST', 'FIN within the second answer']
const REQUESTS = 120

/** @type {import('../run.mjs').Target} */
export const abrupt = {
  title: 'one answer and gone',
  needs: {},
  version: () => '',
  async start(_stage, folder) {
    const log = join(folder, 'abrupt.log')
    const started = await Foreground.startPrinting(process.execPath, [script, log], folder)
    const ports = /** @type {number[]} */ (started.ports)
    const items = Array.from({ length: REQUESTS }, (_, n) =>
      item({
        kind: 'get',
        path: `/${n}`,
        judge: ({ path }, body) =>
          body.toString() === `answer to GET ${path} HTTP/1.1` ? null : `"${body.toString()}"`,
      }),
    )
    return {
      checks: ENDINGS.flatMap((ending, n) =>
        /** @type {const} */ (['pipeline', 'request', 'steps']).map(way => ({
          name: `${ending}, by ${way}`,
          column: /** @type {const} */ ('closes'),
          async run() {
            const delivery = await deliver(door(ports[n]), items, way)
            check(
              delivery.connections === REQUESTS,
              `${delivery.connections} connections for ${REQUESTS} answers`,
            )
            return { ...delivery, note: plural(delivery.connections, 'connection') }
          },
        })),
      ),
      stop: () => started.process.stop(),
      actedUpon: idsOfLog(log),
    }
  },
}
