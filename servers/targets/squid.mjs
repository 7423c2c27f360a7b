// Squid before nginx: requests in absolute form, and a tunnel to TLS.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { versionOf } from '../packages.mjs'
import { nginxKinds, nginxNeeds, startNginx } from './nginx.mjs'
import { door, idsOfLog, openFolder, tlsDoor } from './parts.mjs'

/** @type {import('../run.mjs').Target} */
export const squid = {
  title: 'squid',
  needs: { squid: 'squid', ...nginxNeeds },
  version: () => versionOf('squid', ['-v']),
  async start(stage, folder) {
    const nginx = await startNginx(stage, folder)
    const [port] = await freePorts(1)
    const run = join(folder, 'run')
    openFolder(run)
    writeFileSync(
      join(folder, 'squid.conf'),
      `http_port 127.0.0.1:${port}
http_access allow all
cache deny all
cache_log ${run}/cache.log
access_log none
netdb_filename none
pid_filename none
coredump_dir ${run}
pipeline_prefetch 10
shutdown_lifetime 0 seconds
`,
    )
    const server = await Foreground.start('squid', ['-N', '-f', join(folder, 'squid.conf')], {
      folder,
      ports: [port],
    })
    const proxy = { hostname: '127.0.0.1', port }
    const absolute = door(nginx.port, { proxy })
    const tunnel = tlsDoor(nginx.tlsPort, stage)
    return {
      checks: standardChecks({
        stage,
        doors: {
          'absolute form': absolute,
          'CONNECT to TLS': { ...tunnel, options: { ...tunnel.options, proxy } },
        },
        kinds: nginxKinds,
        // It hangs up now and then in the middle of an upload, the more often the larger it is; curl sees the same.
        uploads: [
          {
            path: '/upload',
            answer: 'digest',
            chunked: true,
            door: { ...absolute, mayClose: true },
            isFragile: true,
          },
        ],
        accepting: '/upload',
        // It often hangs up on a body that nginx refuses before it has passed the answer on.
        refusing: { door: absolute, path: '/refusing', statuses: [] },
      }),
      async stop() {
        await server.stop()
        await nginx.stop()
      },
      actedUpon: idsOfLog(nginx.log),
    }
  },
}
