// Apache httpd: files, TLS, a keep-alive limit, uploads to a CGI program and by WebDAV.
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { standardChecks } from '../checks/standard.mjs'
import { Foreground, freePorts } from '../foreground.mjs'
import { LIMIT, REFUSED_ABOVE_BYTES } from '../numbers.mjs'
import { versionOf } from '../packages.mjs'
import { door, idsOfLog, openFolder, tlsDoor } from './parts.mjs'

const MODULES = '/usr/lib/apache2/modules'
const USED = [
  'mpm_event',
  'authz_core',
  'mime',
  'filter',
  'deflate',
  'alias',
  'cgid',
  'dav',
  'dav_fs',
  'ssl',
  'socache_shmcb',
]
const digest = fileURLToPath(new URL('../apps/digest.sh', import.meta.url))

/** @type {import('../run.mjs').Target} */
export const apache = {
  title: 'Apache httpd',
  needs: { apache2: 'apache2-bin' },
  version: () => versionOf('apache2', ['-v']),
  async start(stage, folder) {
    const [port, limitedPort, tlsPort] = await freePorts(3)
    const log = join(folder, 'access.log')
    const { chain, key } = stage.certificate
    openFolder(join(folder, 'run'))
    openFolder(join(folder, 'dav'))
    const program = join(folder, 'digest.cgi')
    copyFileSync(digest, program)
    chmodSync(program, 0o755)
    const isRoot = process.getuid?.() === 0
    writeFileSync(
      join(folder, 'httpd.conf'),
      `ServerRoot ${folder}
ServerName localhost
DefaultRuntimeDir ${join(folder, 'run')}
PidFile ${join(folder, 'run/pid')}
ErrorLog ${join(folder, 'error.log')}
${USED.map(name => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
${isRoot ? 'User www-data\nGroup www-data' : ''}
LogFormat "%U%q" ids
CustomLog ${log} ids
TypesConfig /dev/null
AddType text/plain .txt
AddOutputFilterByType DEFLATE text/plain
DocumentRoot ${stage.content.folder}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
ScriptSock ${join(folder, 'run/cgi')}
ScriptAlias /upload ${program}
ScriptAlias /refusing ${program}
Alias /dav ${join(folder, 'dav')}
DavLockDB ${join(folder, 'run/locks')}
<Directory ${folder}>
  Require all granted
</Directory>
<Location /dav>
  Dav On
</Location>
<Location /refusing>
  LimitRequestBody ${REFUSED_ABOVE_BYTES}
</Location>
Listen 127.0.0.1:${port}
Listen 127.0.0.1:${limitedPort}
Listen 127.0.0.1:${tlsPort}
<VirtualHost 127.0.0.1:${limitedPort}>
  MaxKeepAliveRequests ${LIMIT - 1}
</VirtualHost>
<VirtualHost 127.0.0.1:${tlsPort}>
  SSLEngine on
  SSLCertificateFile ${chain}
  SSLCertificateKeyFile ${key}
</VirtualHost>
`,
    )
    const server = await Foreground.start('apache2', ['-f', join(folder, 'httpd.conf'), '-DFOREGROUND'], {
      folder,
      ports: [port, limitedPort, tlsPort],
    })
    return {
      checks: standardChecks({
        stage,
        doors: { plain: door(port), TLS: tlsDoor(tlsPort, stage) },
        kinds: new Set(['head', 'match', 'since', 'range', 'missing', 'gzip']),
        limited: [{ door: door(limitedPort), limit: LIMIT, announced: true }],
        uploads: [
          { path: '/upload', answer: 'digest', chunked: true },
          { path: '/dav', answer: 'store', chunked: true },
        ],
        accepting: '/upload',
        // Where a CGI program's body is refused, the answer ends with the connection.
        refusing: { door: door(port, { closeDelimited: 'accept' }), path: '/refusing' },
      }),
      stop: () => server.stop(),
      actedUpon: idsOfLog(log),
    }
  },
}
