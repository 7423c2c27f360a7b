// The clients under test: where each lives and about how fast it is, so that every one is measured for about as long.

/**
 * @typedef {object} Entrant
 * @property {string} title
 * @property {string} [file] a client in clients/; otherwise an external tool (tools.mjs)
 * @property {'h2load' | 'wrk' | 'fasthttp'} [tool]
 * @property {number} nominalMicros a response, on some machine, once; sizes the run and is reported nowhere
 * @property {boolean} ours
 * @property {boolean} [countsRoughly] its own count may miss up to one pipeline's worth
 */

/** @type {Record<string, Entrant>} */
export const entrants = {
  raw: { title: 'raw node:net socket, counting bytes', file: 'raw', nominalMicros: 0.6, ours: false },
  'low-level': {
    title: 'httpio sendRequest + readResponse + readAll',
    file: 'low-level',
    nominalMicros: 1.2,
    ours: true,
  },
  request: { title: 'httpio request + readAll', file: 'request', nominalMicros: 1.2, ours: true },
  pipeline: { title: 'httpio pipeline + readAll', file: 'pipeline', nominalMicros: 1.2, ours: true },
  client: { title: 'httpio HTTPClient', file: 'client', nominalMicros: 1.5, ours: true },
  'undici-request': { title: 'undici request', file: 'undici-request', nominalMicros: 12, ours: false },
  'undici-dispatch': { title: 'undici dispatch', file: 'undici-dispatch', nominalMicros: 11, ours: false },
  'node-http': { title: 'node:http, keep-alive agent', file: 'node-http', nominalMicros: 75, ours: false },
  autocannon: {
    title: 'autocannon',
    file: 'autocannon',
    nominalMicros: 30,
    ours: false,
    countsRoughly: true,
  },
  h2load: { title: 'h2load --h1 (C++)', tool: 'h2load', nominalMicros: 0.9, ours: false },
  wrk: { title: 'wrk (C), two connections of depth 32', tool: 'wrk', nominalMicros: 0.9, ours: false },
  fasthttp: { title: 'fasthttp PipelineClient (Go)', tool: 'fasthttp', nominalMicros: 5, ours: false },

  'raw-download': { title: 'raw node:net socket', file: 'raw-download', nominalMicros: 0, ours: false },
  download: { title: 'httpio', file: 'download', nominalMicros: 0, ours: true },
  'undici-download': { title: 'undici request', file: 'undici-download', nominalMicros: 0, ours: false },
  'raw-upload': { title: 'raw node:net socket', file: 'raw-upload', nominalMicros: 0, ours: false },
  upload: { title: 'httpio', file: 'upload', nominalMicros: 0, ours: true },
  'undici-upload': { title: 'undici request', file: 'undici-upload', nominalMicros: 0, ours: false },
}
