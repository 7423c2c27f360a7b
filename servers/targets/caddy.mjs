// Caddy: files, TLS, uploads passed on to apps/app.mjs, and connections that it ends where a request asks for that.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { versionOf } from '../packages.mjs'
import { startApp } from './node.mjs'
import { door, idsOfLog, tlsDoor } from './parts.mjs'

/** @type {import('../run.mjs').Target} */
export const caddy = {
  title: 'Caddy',
  needs: { caddy: 'caddy' },
  version: () => versionOf('caddy', ['version']),
  async start(stage, folder) {
    const app = await startApp(stage, folder)
    const [port, closingPort, tlsPort] = await freePorts(3)
    const log = join(folder, 'access.log')
    const { chain, key } = stage.certificate
    const serve = `bind 127.0.0.1
  root * ${stage.content.folder}
  encode gzip
  log {
    output file ${log}
    format json
  }
  handle /upload* {
    reverse_proxy 127.0.0.1:${app.port}
  }
  handle /refusing* {
    @long header_regexp Content-Length ^[0-9]{7,}$
    respond @long 413
    reverse_proxy 127.0.0.1:${app.port}
  }
  handle {
    file_server
  }`
    writeFileSync(
      join(folder, 'Caddyfile'),
      `{
  admin off
  auto_https off
  servers {
    protocols h1
  }
}
http://:${port} {
  ${serve}
}
http://:${closingPort} {
  header Connection close
  ${serve}
}
https://localhost:${tlsPort} {
  tls ${chain} ${key}
  ${serve}
}
`,
    )
    const server = await Foreground.start(
      'caddy',
      ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
      {
        folder,
        ports: [port, closingPort, tlsPort],
        env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      },
    )
    return {
      checks: standardChecks({
        stage,
        doors: { plain: door(port), TLS: tlsDoor(tlsPort, stage) },
        kinds: new Set(['head', 'match', 'since', 'range', 'missing', 'gzip']),
        limited: [{ door: door(closingPort), limit: 1, announced: true, resets: true }],
        uploads: [{ path: '/upload', answer: 'digest', chunked: true }],
        accepting: '/upload',
        // It may find that the application hung up before it sees why.
        refusing: { door: door(port), path: '/refusing', statuses: [413, 502] },
      }),
      async stop() {
        await server.stop()
        await app.stop()
      },
      actedUpon: idsOfLog(log),
    }
  },
}
