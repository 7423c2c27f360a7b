// Owns plans of load for the specs of its parts: small, complete, and to be changed where a spec is about it.
import type { Plan, Share } from '../../src/load/plan'

const PLAN: Plan = {
  url: 'http://example.test/x',
  hostname: 'example.test',
  port: 80,
  tls: false,
  method: 'GET',
  path: '/x',
  headers: [],
  body: null,
  isIdempotent: true,
  connections: 1,
  depth: 1,
  durationMs: null,
  requests: 1,
  ratePerSecond: null,
  warmupMs: 0,
  timeoutMs: 10_000,
  threads: 1,
}

export function planOf(changes: Partial<Plan>): Plan {
  return { ...PLAN, ...changes }
}

export function shareOf(changes: Partial<Share>): Share {
  return { ...PLAN, thread: 0, ...changes }
}
