// lighttpd: files, TLS, a keep-alive limit, uploads to a CGI program and by WebDAV.
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { LIMIT, REFUSED_ABOVE_BYTES } from '../numbers.mjs'
import { versionOf } from '../packages.mjs'
import { door, idsOfLog, openFolder, tlsDoor } from './parts.mjs'

const digest = fileURLToPath(new URL('../apps/digest.sh', import.meta.url))

/** @type {import('../run.mjs').Target} */
export const lighttpd = {
  title: 'lighttpd',
  needs: {
    lighttpd: 'lighttpd',
    '/usr/lib/lighttpd/mod_openssl.so': 'lighttpd-mod-openssl',
    '/usr/lib/lighttpd/mod_webdav.so': 'lighttpd-mod-webdav',
  },
  version: () => versionOf('lighttpd', ['-v']),
  async start(stage, folder) {
    const [port, limitedPort, tlsPort] = await freePorts(3)
    const log = join(folder, 'access.log')
    const { chain, key } = stage.certificate
    openFolder(join(folder, 'dav'))
    openFolder(join(folder, 'temporary'))
    const program = join(folder, 'digest.cgi')
    copyFileSync(digest, program)
    chmodSync(program, 0o755)
    writeFileSync(
      join(folder, 'lighttpd.conf'),
      `server.document-root = "${stage.content.folder}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${join(folder, 'error.log')}"
server.upload-dirs = ( "${join(folder, 'temporary')}" )
server.modules = ( "mod_alias", "mod_cgi", "mod_webdav", "mod_accesslog", "mod_openssl" )
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 60
accesslog.filename = "${log}"
accesslog.format = "%U%q"
mimetype.assign = ( ".txt" => "text/plain", ".bin" => "application/octet-stream" )
alias.url = ( "/upload" => "${program}", "/refusing" => "${program}", "/dav" => "${join(folder, 'dav')}" )
cgi.assign = ( ".cgi" => "" )
$HTTP["url"] =~ "^/dav" { webdav.activate = "enable" }
$HTTP["url"] =~ "^/refusing" { server.max-request-size = ${REFUSED_ABOVE_BYTES / 1024} }
$SERVER["socket"] == "127.0.0.1:${limitedPort}" { server.max-keep-alive-requests = ${LIMIT - 1} }
$SERVER["socket"] == "127.0.0.1:${tlsPort}" {
  ssl.engine = "enable"
  ssl.pemfile = "${chain}"
  ssl.privkey = "${key}"
}
`,
    )
    const server = await Foreground.start('lighttpd', ['-D', '-f', join(folder, 'lighttpd.conf')], {
      folder,
      ports: [port, limitedPort, tlsPort],
    })
    return {
      checks: standardChecks({
        stage,
        doors: { plain: door(port), TLS: tlsDoor(tlsPort, stage) },
        kinds: new Set(['head', 'match', 'since', 'range', 'missing']),
        limited: [{ door: door(limitedPort), limit: LIMIT, announced: true }],
        uploads: [
          { path: '/upload', answer: 'digest', chunked: true },
          { path: '/dav', answer: 'store', chunked: true },
        ],
        accepting: '/upload',
        refusing: { door: door(port), path: '/refusing' },
      }),
      stop: () => server.stop(),
      actedUpon: idsOfLog(log),
    }
  },
}
