// Every target, in the order of the table.
import { abrupt } from './abrupt.mjs'
import { apache } from './apache.mjs'
import { caddy } from './caddy.mjs'
import { haproxy } from './haproxy.mjs'
import { lighttpd } from './lighttpd.mjs'
import { nginx } from './nginx.mjs'
import { node } from './node.mjs'
import { python } from './python.mjs'
import { squid } from './squid.mjs'
import { tinyproxy } from './tinyproxy.mjs'

/** @type {import('../run.mjs').Target[]} */
export const targets = [nginx, apache, lighttpd, haproxy, caddy, node, python, abrupt, squid, tinyproxy]
