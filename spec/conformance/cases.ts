// Owns the list of all conformance groups, in the order in which they are printed.
import { chunks } from './cases/chunks'
import { closeDelimited, tlsTruncation, truncation } from './cases/ending'
import { expectation } from './cases/expect'
import { framing } from './cases/framing'
import { headers } from './cases/headers'
import { interim } from './cases/interim'
import { noBody } from './cases/no-body'
import { pipelined } from './cases/pipelined'
import { statusLine } from './cases/status-line'
import { trailers } from './cases/trailers'
import type { ConformanceCase } from './case'

export const groups: readonly (readonly [string, readonly ConformanceCase[]])[] = [
  ['Framing', framing],
  ['Status line', statusLine],
  ['Header section', headers],
  ['Chunks', chunks],
  ['Trailers', trailers],
  ['Interim responses', interim],
  ['Expect: 100-continue', expectation],
  ['HEAD, 204 and 304', noBody],
  ['Pipelining', pipelined],
  ['Truncation and the end of a connection', truncation],
  ['Close-delimited bodies', closeDelimited],
  ['TLS truncation', tlsTruncation],
]

export const cases: readonly ConformanceCase[] = groups.flatMap(([, rows]) => rows)
