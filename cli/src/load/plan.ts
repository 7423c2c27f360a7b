// Owns what a load run is asked to do, in a form that can be handed to a worker thread. It checks nothing.

/** Durations are milliseconds. Exactly one of `durationMs` and `requests` is set. */
export interface Plan {
  readonly url: string
  readonly hostname: string
  readonly port: number
  readonly tls: false | { readonly rejectUnauthorized: boolean; readonly ca?: string }
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | null
  /** May a request whose fate is not known be sent again? */
  readonly isIdempotent: boolean
  readonly connections: number
  readonly depth: number
  readonly durationMs: number | null
  readonly requests: number | null
  /** Requests a second in all threads together; null = as fast as answers come. */
  readonly ratePerSecond: number | null
  readonly warmupMs: number
  readonly timeoutMs: number
  readonly threads: number
}

/** The part of a plan that one of the threads carries out. */
export interface Share extends Plan {
  /** 0 to `threads` - 1. */
  readonly thread: number
}

/** Divides a plan: `connections` and `requests` as evenly as whole numbers allow, the rate by taking turns. */
export function divide(plan: Plan): Share[] {
  return Array.from({ length: plan.threads }, (_, thread) => ({
    ...plan,
    thread,
    connections: part(plan.connections, plan.threads, thread),
    requests: plan.requests === null ? null : part(plan.requests, plan.threads, thread),
  }))
}

function part(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0)
}
