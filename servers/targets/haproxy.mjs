// HAProxy before nginx: what passes through, what it answers itself, TLS ended by it, and a close after every answer.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { REFUSED_ABOVE_BYTES } from '../numbers.mjs'
import { versionOf } from '../packages.mjs'
import { nginxKinds, nginxNeeds, startNginx } from './nginx.mjs'
import { door, idsIn, tlsDoor } from './parts.mjs'

/** @type {import('../run.mjs').Target} */
export const haproxy = {
  title: 'HAProxy before nginx',
  needs: { haproxy: 'haproxy', ...nginxNeeds },
  version: () => versionOf('haproxy', ['-v']),
  async start(stage, folder) {
    const nginx = await startNginx(stage, folder)
    const [port, closingPort, tlsPort] = await freePorts(3)
    const pem = join(folder, 'chain-and-key.pem')
    const { chain, key } = stage.certificate
    writeFileSync(pem, readFileSync(chain, 'utf8') + readFileSync(key, 'utf8'))
    writeFileSync(
      join(folder, 'haproxy.cfg'),
      `global
  log stdout format raw local0
defaults
  mode http
  log global
  log-format "%HPO?%HQ"
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  default_backend nginx
frontend keeping
  bind 127.0.0.1:${port}
  bind 127.0.0.1:${tlsPort} ssl crt ${pem} alpn http/1.1
  http-request deny deny_status 413 if { path_beg /refusing } { req.hdr_val(content-length) gt ${REFUSED_ABOVE_BYTES} }
frontend closing
  bind 127.0.0.1:${closingPort}
  option httpclose
backend nginx
  server one 127.0.0.1:${nginx.port}
`,
    )
    const server = await Foreground.start('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], {
      folder,
      ports: [port, closingPort, tlsPort],
    })
    return {
      checks: standardChecks({
        stage,
        doors: { plain: door(port), TLS: tlsDoor(tlsPort, stage) },
        kinds: nginxKinds,
        limited: [{ door: door(closingPort), limit: 1, announced: true, resets: true }],
        uploads: [
          { path: '/upload', answer: 'digest', chunked: true },
          { path: '/unbuffered', answer: 'digest', chunked: true },
        ],
        accepting: '/upload',
        refusing: { door: door(port), path: '/refusing' },
      }),
      async stop() {
        await server.stop()
        await nginx.stop()
      },
      actedUpon: () => idsIn(server.printed()),
    }
  },
}
