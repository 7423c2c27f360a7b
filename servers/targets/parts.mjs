// What the targets share: doors, and the ids in a log.
import { chmodSync, mkdirSync, readFileSync } from 'node:fs'

/** @typedef {import('../delivery.mjs').Door} Door */

/** @param {number} port @param {Partial<import('httpio').ConnectionOptions>} [options] @returns {Door} */
export const door = (port, options) => ({ hostname: '127.0.0.1', options: { port, ...options } })

/** @param {number} port @param {import('../run.mjs').Stage} stage @param {Partial<Door>} [more] @returns {Door} */
export const tlsDoor = (port, { certificate }, more) => ({
  ...more,
  hostname: 'localhost',
  options: { port, tls: { ca: certificate.ca } },
})

/** @param {string} log @returns {string[]} the ids of all requests in it */
export const idsIn = log => Array.from(log.matchAll(/id=(\d+\.\d+\.\d+)/g), match => match[1])

/** @param {string} file @returns {() => string[]} the ids of all requests in a log, once it is complete */
export const idsOfLog = file => () => idsIn(readFileSync(file, 'utf8'))

/** A folder of which the server's own user may do anything. @param {string} path */
export function openFolder(path) {
  mkdirSync(path)
  chmodSync(path, 0o777)
}
