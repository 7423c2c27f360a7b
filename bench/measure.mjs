// The frame of every client under test: runs it in this process, warm-up first, and prints what the measured part cost
// as one line of JSON. Knows nothing of the clients.

/**
 * @typedef {object} Task
 * @property {string} host
 * @property {number} port
 * @property {string} path
 * @property {boolean} tls
 * @property {string} ca the server's certificate
 * @property {number} depth requests on the wire at most, a connection
 * @property {number} connections
 * @property {number} requests in one run, over all connections
 * @property {number} repeat measured runs, one after the other
 * @property {number} warmUp requests before that
 * @property {boolean} latency one at a time, each timed
 * @property {number} bodyBytes of each response's body; in the upload rows, of each request's
 * @property {string} how a client's own variants
 */
/** @typedef {{ responses: number, bodyBytes: number }} Received */
/**
 * @typedef {object} Session one connection of the client under test
 * @property {(requests: number) => Promise<Received>} run resolves when all are answered, statuses checked, bodies read
 * @property {() => unknown} close
 */
/**
 * @typedef {object} Measurement
 * @property {number} responses
 * @property {number} bodyBytes
 * @property {number} cpuMicros user and system time of the process, all its threads
 * @property {number} wallMicros
 * @property {number} peakRssBytes of the process since its start
 * @property {{ p50Micros: number, p99Micros: number }} [latency]
 */

/** @param {Session[]} sessions @param {number} requests @returns {Promise<Received>} */
async function runAll(sessions, requests) {
  const each = Math.ceil(requests / sessions.length)
  const parts = await Promise.all(sessions.map(session => session.run(each)))
  return {
    responses: parts.reduce((sum, part) => sum + part.responses, 0),
    bodyBytes: parts.reduce((sum, part) => sum + part.bodyBytes, 0),
  }
}

/** @param {Session} session @param {number} requests @param {Float64Array} micros one place a request */
async function runTimed(session, requests, micros) {
  let bodyBytes = 0
  for (let n = 0; n < requests; n++) {
    const start = performance.now()
    bodyBytes += (await session.run(1)).bodyBytes
    micros[n] = (performance.now() - start) * 1000
  }
  return { responses: requests, bodyBytes }
}

/** @param {Float64Array} sorted @param {number} share */
const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/**
 * Measures a client.
 * @param {(task: Task) => Promise<Session> | Session} open makes one connection
 */
export async function measure(open) {
  /** @type {Task} */
  const task = JSON.parse(process.argv[2])
  const sessions = []
  for (let n = 0; n < task.connections; n++) sessions.push(await open(task))

  const micros = new Float64Array(task.latency ? task.requests : 0)
  if (task.latency) await runTimed(sessions[0], task.warmUp, new Float64Array(task.warmUp))
  else if (task.warmUp > 0) await runAll(sessions, task.warmUp)

  const cpu = process.cpuUsage()
  const start = performance.now()
  const received = { responses: 0, bodyBytes: 0 }
  for (let n = 0; n < task.repeat; n++) {
    const { responses, bodyBytes } = task.latency
      ? await runTimed(sessions[0], task.requests, micros)
      : await runAll(sessions, task.requests)
    received.responses += responses
    received.bodyBytes += bodyBytes
  }
  const wallMicros = (performance.now() - start) * 1000
  const { user, system } = process.cpuUsage(cpu)

  micros.sort()
  /** @type {Measurement} */
  const measurement = {
    ...received,
    cpuMicros: user + system,
    wallMicros,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    ...(task.latency && {
      latency: { p50Micros: percentile(micros, 0.5), p99Micros: percentile(micros, 0.99) },
    }),
  }
  console.log(JSON.stringify(measurement))
  for (const session of sessions) await session.close()
}

/** @param {number} status */
export function expectOk(status) {
  if (status !== 200) throw new Error(`status ${status}`)
}
