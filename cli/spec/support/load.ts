// Owns the running of `httpio load` for its specs, and what must hold of every report.
import type { Report } from '../../src/load/report'
import { httpio } from './program'

/** The report that it prints as JSON, and its exit status. */
export async function loadJSON(...args: string[]): Promise<{ report: Report; status: number | null }> {
  const { status, stdout, stderr } = await httpio('load', '--json', ...args)
  if (stdout === '') throw new Error(`no report: ${stderr}`)
  return { report: JSON.parse(stdout) as Report, status }
}

/** Each request has one fate, each sending is one of a request that was asked for, each connection ended in one way. */
export function expectSumsToAgree({ requests, failures, statuses, connections }: Report): void {
  const sum = (counts: object): number =>
    Object.values(counts).reduce((total: number, count: number) => total + count, 0)
  expect(requests.answered + requests.failed + requests.unfinished).toBe(requests.asked)
  expect(sum(failures)).toBe(requests.failed)
  expect(sum(statuses)).toBe(requests.answered)
  expect(sum(connections.ended)).toBe(connections.opened)
  expect(requests.sent).toBeGreaterThanOrEqual(requests.answered)
  expect(requests.sent - requests.resent).toBeLessThanOrEqual(requests.asked)
}
