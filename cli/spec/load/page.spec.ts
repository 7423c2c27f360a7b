// `httpio load --html`.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpio, temporaryFolder } from '../support/program'
import { serveHTTP } from '../support/servers'

describe('httpio load --html', () => {
  it.each([
    ['one thread', []],
    ['several threads', ['-t', '2', '-c', '2']],
  ])('writes a page that needs nothing else, with both charts: %s', async (_name, args) => {
    const server = await serveHTTP((_request, response) => response.end())
    const file = join(temporaryFolder(), 'report.html')
    const { status } = await httpio('load', '-n', '200', ...args, '--html', file, server.url + '?a=<b>&c')
    expect(status).toBe(0)
    const page = readFileSync(file, 'utf8')
    expect(page.match(/<svg /g)).toHaveLength(2)
    expect(page).not.toMatch(/(?:src|href)=|@import|url\(|<script/)
    expect(page).not.toContain('<b>')
    expect(page).toContain('<dt>answered</dt><dd>200</dd>')
  })

  const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(file => existsSync(file))
  const itInBrowser = browser === undefined ? it.skip : it

  itInBrowser(
    'writes a page whose charts a browser draws',
    async () => {
      const server = await serveHTTP((_request, response) => response.end())
      const folder = temporaryFolder()
      const file = join(folder, 'report.html')
      await httpio('load', '-d', '500ms', '--html', file, server.url)
      // The browser writes down how large it drew the lines.
      const measure = `<script>document.title = [...document.querySelectorAll('polyline.one')].map(line => {
        const { width, height } = line.getBoundingClientRect()
        return width > 300 && height > 0 && height < 400 ? 'drawn' : 'not drawn'
      }).join()</script>`
      writeFileSync(file, readFileSync(file, 'utf8').replace('</body>', `${measure}</body>`))
      const dom = execFileSync(
        browser!,
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
          `--user-data-dir=${join(folder, 'profile')}`,
          '--dump-dom',
          `file://${file}`,
        ],
        {
          encoding: 'utf8',
          env: { PATH: process.env.PATH, HOME: folder },
          stdio: ['ignore', 'pipe', 'ignore'],
          timeout: 150_000,
        },
      )
      expect(/<title>(.*)<\/title>/.exec(dom)?.[1]).toBe('drawn,drawn')
    },
    180_000,
  )
})
