// nginx: files, TLS, a keep-alive limit, and uploads passed on to apps/app.mjs.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { LIMIT, REFUSED_ABOVE_BYTES } from '../numbers.mjs'
import { versionOf } from '../packages.mjs'
import { startApp } from './node.mjs'
import { door, idsOfLog, tlsDoor } from './parts.mjs'

export const nginxNeeds = { nginx: 'nginx' }

/** @param {import('../run.mjs').Stage} stage @param {string} folder */
export async function startNginx(stage, folder) {
  const app = await startApp(stage, folder)
  const [port, limitedPort, tlsPort] = await freePorts(3)
  const log = join(folder, 'access.log')
  const { chain, key } = stage.certificate
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => {
    mkdirSync(join(folder, name))
    return `${name}_temp_path ${join(folder, name)};`
  })
  const passOn = `proxy_pass http://127.0.0.1:${app.port}; proxy_http_version 1.1; proxy_set_header Connection "";`
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off;
master_process off;
pid ${join(folder, 'pid')};
error_log ${join(folder, 'error.log')};
events { worker_connections 1024; }
http {
  ${temporary.join('\n  ')}
  log_format ids $request_uri;
  access_log ${log} ids;
  types { text/plain txt; }
  default_type application/octet-stream;
  gzip on;
  gzip_types text/plain;
  gzip_proxied any;
  keepalive_requests 1000000;
  client_max_body_size 1g;
  root ${stage.content.folder};
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate ${chain};
    ssl_certificate_key ${key};
    location /upload { ${passOn} }
    location /unbuffered { proxy_request_buffering off; ${passOn} }
    location /refusing { client_max_body_size ${REFUSED_ABOVE_BYTES}; ${passOn} }
  }
  server {
    listen 127.0.0.1:${limitedPort};
    keepalive_requests ${LIMIT};
  }
}
`,
  )
  const process = await Foreground.start('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    folder,
    ports: [port, limitedPort, tlsPort],
  })
  return {
    port,
    limitedPort,
    tlsPort,
    log,
    async stop() {
      await process.stop()
      await app.stop()
    },
  }
}

/** What nginx can be asked for. @type {ReadonlySet<import('../plan.mjs').Kind>} */
export const nginxKinds = new Set(['head', 'match', 'since', 'range', 'missing', 'gzip'])

/** @type {import('../run.mjs').Target} */
export const nginx = {
  title: 'nginx',
  needs: nginxNeeds,
  version: () => versionOf('nginx', ['-v']),
  async start(stage, folder) {
    const { port, limitedPort, tlsPort, log, stop } = await startNginx(stage, folder)
    return {
      checks: standardChecks({
        stage,
        doors: { plain: door(port), TLS: tlsDoor(tlsPort, stage) },
        kinds: nginxKinds,
        limited: [{ door: door(limitedPort), limit: LIMIT, announced: true }],
        uploads: [
          { path: '/upload', answer: 'digest', chunked: true },
          { path: '/unbuffered', answer: 'digest', chunked: true },
        ],
        accepting: '/upload',
        refusing: { door: door(port), path: '/refusing' },
      }),
      stop,
      actedUpon: idsOfLog(log),
    }
  },
}
