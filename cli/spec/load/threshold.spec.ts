import { parseThreshold } from '../../src/load/threshold'

describe('parseThreshold', () => {
  it.each([
    ['p99<50ms', { what: 'p99', operator: '<', limit: 50, unit: 'ms' }],
    ['p99.9 <= 0.5s', { what: 'p99.9', operator: '<=', limit: 500, unit: 'ms' }],
    ['max<900us', { what: 'max', operator: '<', limit: 0.9, unit: 'ms' }],
    ['errors<0.1%', { what: 'errors', operator: '<', limit: 0.1, unit: '%' }],
    ['errors<=3', { what: 'errors', operator: '<=', limit: 3, unit: '' }],
    ['5xx<1%', { what: '5xx', operator: '<', limit: 1, unit: '%' }],
    ['404>=2', { what: '404', operator: '>=', limit: 2, unit: '' }],
    ['rate>1000', { what: 'rate', operator: '>', limit: 1000, unit: '' }],
  ])('reads %s', (text, expected) => {
    expect(parseThreshold(text)).toEqual({ text, ...expected })
  })

  it.each([
    ['fast', 'no operator'],
    ['p99<fast', 'no number'],
    ['p101<5ms', 'no percentile'],
    ['p99<50', 'no unit of time'],
    ['errors<5ms', 'a time for a number'],
    ['rate>5%', 'a share of nothing'],
    ['speed>5', 'nothing that is measured'],
  ])('refuses %s: %s', text => {
    expect(() => parseThreshold(text)).toThrow(RangeError)
  })
})
