// What is measured without rounds of clients: how long the package takes to load, what a waiting request holds, what
// readInto() allocates, how large the package is.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './child.mjs'
import { startCanned } from './servers.mjs'

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} title
 * @property {string} unit
 * @property {number} value
 * @property {number} [atMost]
 */

const root = fileURLToPath(new URL('..', import.meta.url))
const clients = join(root, 'bench/clients')

/** @param {string[]} nodeArguments @returns {Promise<number>} ms */
async function lifeOfNode(nodeArguments) {
  const start = performance.now()
  await run(process.execPath, nodeArguments, { cwd: root })
  return performance.now() - start
}

/**
 * The shortest of many runs on either side: whatever else the machine does only adds to them.
 * @param {number} rounds @returns {Promise<Figure[]>}
 */
async function loadTime(rounds) {
  const ways = [
    { name: 'require', empty: ['-e', ''], loading: ['-e', 'require("httpio")'] },
    {
      name: 'import',
      empty: ['--input-type=module', '-e', ''],
      loading: ['--input-type=module', '-e', 'import "httpio"'],
    },
  ]
  const figures = []
  for (const { name, empty, loading } of ways) {
    let shortestEmpty = Infinity
    let shortestLoading = Infinity
    for (let round = 0; round < rounds; round++) {
      shortestEmpty = Math.min(shortestEmpty, await lifeOfNode(empty))
      shortestLoading = Math.min(shortestLoading, await lifeOfNode(loading))
    }
    const title = `loading by ${name}, beyond an empty process`
    figures.push({ name, title, unit: 'ms', value: shortestLoading - shortestEmpty, atMost: 15 })
  }
  return figures
}

/** @param {string[]} flags @param {string} client @param {object} task */
async function askClient(flags, client, task) {
  const common = { host: '127.0.0.1', path: '/', tls: false, ca: '', depth: 1, connections: 1, how: '' }
  const { stdout } = await run(process.execPath, [
    ...flags,
    join(clients, `${client}.mjs`),
    JSON.stringify({ ...common, ...task }),
  ])
  return JSON.parse(stdout)
}

/** @returns {Promise<Figure[]>} */
async function waitingRequests() {
  const figures = []
  for (const how of ['sendRequest', 'request']) {
    const server = await startCanned({ kind: 'mute' })
    try {
      const { port } = server
      const { bytesPerRequest } = await askClient(['--expose-gc'], 'waiting', {
        port,
        how,
        requests: 200_000,
        warmUp: 10_000,
      })
      figures.push({
        name: `waiting ${how}`,
        title: `held by one ${how} that waits for its answer`,
        unit: 'bytes',
        value: bytesPerRequest,
        // What request() returns is the caller's promise, which no client can do without.
        atMost: how === 'request' ? undefined : 200,
      })
    } finally {
      await server.stop()
    }
  }
  return figures
}

const YOUNG_MIB = 64
/** The connection may have taken fresh memory to read into once meanwhile. */
const ONE_READ_BYTES = 131_072

/** @returns {Promise<Figure[]>} */
async function allocations() {
  const bodyBytes = 134_217_728
  const server = await startCanned({ kind: 'large', bodyBytes, chunkBytes: 0 })
  try {
    const flags = [`--min-semi-space-size=${YOUNG_MIB}`, `--max-semi-space-size=${YOUNG_MIB}`]
    const found = await askClient(flags, 'allocations', { port: server.port, bodyBytes })
    const per = 'readInto() of 128 MiB'
    /** @type {Figure[]} */
    const figures = [
      {
        name: 'readInto collections',
        title: `collections of a ${YOUNG_MIB} MiB young heap, ${per}`,
        unit: 'count',
        value: found.collections,
        atMost: 0,
      },
    ]
    // Once something was collected, what was allocated can no longer be told from the size of the heap.
    if (found.collections === 0) {
      figures.push(
        {
          name: 'readInto buffers',
          title: `Buffer memory allocated by ${per}`,
          unit: 'bytes',
          value: found.bufferBytes,
          atMost: ONE_READ_BYTES,
        },
        {
          name: 'readInto heap',
          title: 'heap used by one call of readInto()',
          unit: 'bytes',
          value: found.heapBytesPerCall,
        },
      )
    }
    return figures
  } finally {
    await server.stop()
  }
}

/** @returns {Promise<Figure[]>} */
async function packageSize() {
  const cache = mkdtempSync(join(tmpdir(), 'httpio-pack-'))
  try {
    // prettier-ignore
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--cache', cache], { cwd: root })
    const [{ unpackedSize }] = JSON.parse(stdout)
    return [
      {
        name: 'package',
        title: 'unpacked size of the package',
        unit: 'kB',
        value: unpackedSize / 1000,
        atMost: 400,
      },
    ]
  } finally {
    rmSync(cache, { recursive: true, force: true })
  }
}

/** The figures by the names that `--only` takes. @type {Record<string, (rounds: number) => Promise<Figure[]>>} */
export const figures = {
  load: rounds => loadTime(4 * rounds),
  waiting: waitingRequests,
  allocations,
  package: packageSize,
}
