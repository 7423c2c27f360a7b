// tinyproxy before nginx: requests in absolute form, one on each connection, and a tunnel to TLS.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { versionOf } from '../packages.mjs'
import { nginxKinds, nginxNeeds, startNginx } from './nginx.mjs'
import { door, idsOfLog, tlsDoor } from './parts.mjs'

/** @type {import('../run.mjs').Target} */
export const tinyproxy = {
  title: 'tinyproxy',
  needs: { tinyproxy: 'tinyproxy-bin', ...nginxNeeds },
  version: () => versionOf('tinyproxy', ['-v']),
  async start(stage, folder) {
    const nginx = await startNginx(stage, folder)
    const [port] = await freePorts(1)
    writeFileSync(
      join(folder, 'tinyproxy.conf'),
      `Port ${port}
Listen 127.0.0.1
Timeout 60
LogFile "${join(folder, 'tinyproxy.log')}"
LogLevel Warning
MaxClients 20
DisableViaHeader Yes
`,
    )
    const server = await Foreground.start('tinyproxy', ['-d', '-c', join(folder, 'tinyproxy.conf')], {
      folder,
      ports: [port],
    })
    const proxy = { hostname: '127.0.0.1', port }
    const absolute = { ...door(nginx.port, { proxy }), mayClose: true }
    const tunnel = tlsDoor(nginx.tlsPort, stage)
    return {
      checks: standardChecks({
        stage,
        doors: {
          'absolute form': absolute,
          'CONNECT to TLS': { ...tunnel, options: { ...tunnel.options, proxy } },
        },
        kinds: nginxKinds,
      }),
      async stop() {
        await server.stop()
        await nginx.stop()
      },
      actedUpon: idsOfLog(nginx.log),
    }
  },
}
