import { ConnectionClosed, ConnectionTimedOut, HostnameNotResolvable, TunnelFailed } from 'httpio'
import { describeFailure, TookTooLong, TransferFailed } from '../../src/get/failure'

const system = (code: string): Error => Object.assign(new Error(`${code}: something, read`), { code })

describe('describeFailure', () => {
  it.each([
    [new TransferFailed('status 404 Not Found', 404), 'status 404 Not Found'],
    [new TookTooLong(), 'it took longer than --max-time allows'],
    [system('ENOSPC'), 'the disk is full'],
    [system('ECONNREFUSED'), 'nothing listens there: is the server running, and the port right?'],
    [new AggregateError([system('ECONNREFUSED'), system('ENETUNREACH')]), /^nothing listens there/],
    [system('EWHATEVER'), 'EWHATEVER: something, read'],
    [new Error('two\n  lines'), 'two lines'],
    [new HostnameNotResolvable('h', { hostname: 'h' }), 'there is no host h: check the name'],
    [new TunnelFailed('no', { status: 403 }), 'the proxy refused a tunnel with status 403'],
    [new ConnectionClosed('it was lost'), 'it was lost: try again, or allow more --retries'],
    [
      new ConnectionTimedOut('nothing moved', { operation: 'receive' }),
      'nothing moved: try again, or allow more with --timeout',
    ],
    ['text', 'text'],
  ])('says of %s in one line what it means', (error, line) => {
    expect(describeFailure(error)).toMatch(line)
  })
})
