// How the undici clients connect.

/**
 * @param {import('../measure.mjs').Task} task
 * @returns {[string, import('undici').Client.Options]}
 */
export const undiciOptions = ({ host, port, tls, ca, depth }) => [
  `${tls ? 'https' : 'http'}://${host}:${port}`,
  { pipelining: depth, ...(tls && { connect: { ca, servername: 'localhost' } }) },
]
