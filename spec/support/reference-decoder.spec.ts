// The reference decoder and the conformance table were written apart from each other; here they check each other.
import { decodeReference } from './reference-decoder'
import type { ReferenceEnd, Verdict } from './reference-decoder'
import { cases, groups } from '../conformance/cases'
import { isRefusal } from '../conformance/case'
import type { CaseEnd, ErrorCode } from '../conformance/case'

const ENDS: Record<CaseEnd, ReferenceEnd> = {
  open: 'open',
  fin: 'fin',
  reset: 'reset',
  'tls-close-notify': 'fin',
  'tls-truncated': 'reset',
}

const VERDICTS: Record<ErrorCode, Verdict> = {
  ERR_HTTPIO_CONNECTION_CLOSED: 'ConnectionClosed',
  ERR_HTTPIO_INVALID_RESPONSE: 'InvalidResponse',
  ERR_HTTPIO_UNSUPPORTED_RESPONSE: 'UnsupportedResponse',
}

describe('the conformance table', () => {
  it('holds at least 150 streams to refuse and 50 unusual but valid ones', () => {
    const refusals = cases.filter(isRefusal).length
    expect(refusals).toBeGreaterThanOrEqual(150)
    expect(cases.length - refusals).toBeGreaterThanOrEqual(50)
  })

  it('names every row once', () => {
    const names = cases.map(row => row.name)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })
})

describe('decodeReference', () => {
  describe.each(groups)('%s', (_, rows) => {
    it.each(rows.filter(row => row.early.length === 0).map(row => [row.name, row] as const))(
      '%s',
      (_name, row) => {
        const text = [...row.segments, ...row.afterBody].join('')
        // A body that went out because nobody said anything waits no more.
        const requests =
          row.segments.length > 0 ? row.requests : row.requests.map(({ method }) => ({ method }))
        const decoded = decodeReference(text, requests, ENDS[row.end], row.options)
        expect({
          responses: decoded.responses,
          informational: decoded.informational,
          verdict: decoded.verdict,
          head: row.head && decoded.unfinished?.head,
        }).toEqual({
          responses: row.responses,
          informational: row.informational,
          verdict: row.error === undefined ? 'open' : VERDICTS[row.error.code],
          head: row.head,
        })
      },
    )
  })

  it.each(cases.filter(row => row.early.length > 0).map(row => [row.name, row] as const))(
    '%s',
    (_name, row) => {
      expect(decodeReference(row.early.join(''), [], 'open').verdict).toBe('InvalidResponse')
    },
  )
})
