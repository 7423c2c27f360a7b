import { LARGE_BYTES } from '../../lib/protocol/body-store'
import { Exchange, ExchangeQueue, type ExchangeOwner } from '../../lib/protocol/exchange'

const owner: ExchangeOwner = {
  onInformational() {},
  onHeadWritten() {},
  onHead() {},
  onBody: () => true,
  onComplete() {},
}

function exchangeOf(path: string, state: Partial<Exchange> = {}): Exchange {
  return Object.assign(new Exchange(owner, 'GET', path, ''), state)
}

function queueOf(...exchanges: Exchange[]): ExchangeQueue {
  const queue = new ExchangeQueue()
  for (const exchange of exchanges) queue.push(exchange)
  return queue
}

const pathsOf = (queue: ExchangeQueue): string[] => Array.from(queue, ({ path }) => path)
const segment = Buffer.from('0123456789')

describe('Exchange', () => {
  it('gives a body that lies in one segment in parts', () => {
    const exchange = exchangeOf('/')
    exchange.addBody(segment, 2, 7)
    expect(exchange.availableBytes).toBe(5)
    expect(exchange.takeBody(2).toString()).toBe('23')
    const target = Buffer.from('...')
    expect(exchange.copyBody(target, 1)).toBe(2)
    expect(target.toString()).toBe('.45')
    expect(exchange.takeBody(100).toString()).toBe('6')
    expect(exchange.availableBytes).toBe(0)
    expect(exchange.copyBody(target, 0)).toBe(0)
  })

  it('gives data of a chunk whose size came in another segment', () => {
    const exchange = exchangeOf('/')
    exchange.noteRaw(Buffer.from('5'), 0, 1)
    const rest = Buffer.from('\r\nhello')
    exchange.noteRaw(rest, 0, 7)
    exchange.addBody(rest, 2, 7)
    expect(exchange.takeBody(3).toString()).toBe('hel')
    expect(exchange.takeRaw(true).map(String)).toEqual(['lo'])
  })

  it('gives a body whose parts come faster than they are read', () => {
    const exchange = exchangeOf('/')
    exchange.addBody(segment, 0, 2)
    exchange.addBody(Buffer.from('abc'), 1, 3)
    expect(exchange.takeBody(1).toString()).toBe('0')
    const target = Buffer.alloc(3)
    expect(exchange.copyBody(target, 0)).toBe(3)
    expect(target.toString()).toBe('1bc')
  })

  it.each([
    ['that lies in one segment', (exchange: Exchange) => exchange.addBody(segment, 2, 7), ['23456']],
    [
      'in chunks',
      (exchange: Exchange) => {
        exchange.noteRaw(segment, 0, 9)
        exchange.addBody(segment, 2, 4)
        exchange.addBody(segment, 6, 7)
      },
      ['012345678'],
    ],
    [
      'in one chunk',
      (exchange: Exchange) => {
        exchange.noteRaw(segment, 0, 9)
        exchange.addBody(segment, 2, 7)
      },
      ['012345678'],
    ],
    [
      'in chunks, over two segments',
      (exchange: Exchange) => {
        exchange.noteRaw(segment, 7, 10)
        exchange.noteRaw(Buffer.from('abc'), 0, 2)
      },
      ['789', 'ab'],
    ],
    ['of which nothing came', () => {}, []],
  ])('gives the raw bytes of a body %s, and its head unless that was read', (_what, fill, raw) => {
    const exchange = exchangeOf('/')
    const head = Buffer.from('HTTP/1.1 200 \xe9\r\n\r\n', 'latin1')
    exchange.setHead(head, 0, head.length)
    fill(exchange)
    expect(exchange.takeRaw(true).map(String)).toEqual(raw)
    fill(exchange)
    const withHead = exchange.takeRaw(false).map(piece => piece.toString('latin1'))
    expect(withHead).toEqual(['HTTP/1.1 200 \xe9\r\n\r\n', ...raw])
    expect(exchange.availableBytes).toBe(0)
  })

  it.each([
    ['taken', (exchange: Exchange) => exchange.takeBody(2)],
    ['copied', (exchange: Exchange) => exchange.copyBody(Buffer.alloc(2), 0)],
  ])('gives the raw bytes behind what was %s of a chunk', (_how, read) => {
    const exchange = exchangeOf('/')
    exchange.noteRaw(segment, 0, 9)
    exchange.addBody(segment, 2, 7)
    read(exchange)
    expect(exchange.takeRaw(true).map(String)).toEqual(['45678'])
  })

  it('is made of its request', () => {
    const exchange = new Exchange(owner, 'PUT', '/a', 'PUT /a HTTP/1.1')
    expect(exchange).toMatchObject({ owner, method: 'PUT', path: '/a', unsentHead: 'PUT /a HTTP/1.1' })
  })

  it('says whether the Buffer that was taken last may be a view on a segment', () => {
    const exchange = exchangeOf('/')
    exchange.addBody(segment, 0, 2)
    exchange.takeBody(2)
    expect(exchange.hasHandedOut).toBe(true)
    exchange.addBody(segment, 0, 2)
    exchange.addBody(segment, 3, 4)
    exchange.takeBody(3)
    expect(exchange.hasHandedOut).toBe(false)
    exchange.addBody(segment, 0, 2)
    exchange.takeBody(2)
    expect(exchange.hasHandedOut).toBe(true)
  })

  it('begins with nothing of a response, and nothing more to send', () => {
    expect(exchangeOf('/')).toMatchObject({
      head: '',
      headLengthBytes: 0,
      trailers: '',
      framing: 'awaited',
      isAnswering: false,
      isComplete: false,
      isWritten: false,
      isBodyOpen: false,
      unsentBody: null,
      awaitsContinue: false,
    })
  })

  it('has no head any more when it is to forget it, whether it was looked at or not', () => {
    for (const isLookedAt of [false, true]) {
      const exchange = exchangeOf('/')
      exchange.setHead(segment, 2, 6)
      if (isLookedAt) expect(exchange.head).toBe('2345')
      expect(exchange.headLengthBytes).toBe(4)
      exchange.forgetHead()
      expect([exchange.head, exchange.headLengthBytes]).toEqual(['', 0])
    }
  })

  it.each<[string, (exchange: Exchange, large: Buffer) => void]>([
    ['when there is no body', exchange => exchange.settleHead()],
    ['when its body lies in another', exchange => exchange.addBody(segment, 0, 4)],
    [
      'when its body has been taken',
      (exchange, large) => {
        exchange.addBody(large, 5, 9)
        exchange.takeBody(4)
      },
    ],
    [
      'when its body has been copied',
      (exchange, large) => {
        exchange.addBody(large, 5, 9)
        exchange.copyBody(Buffer.alloc(4), 0)
      },
    ],
    [
      'when its body has been dropped',
      (exchange, large) => {
        exchange.addBody(large, 5, 9)
        exchange.dropBody()
      },
    ],
    [
      'when its body needs a store',
      (exchange, large) => {
        exchange.addBody(large, 5, 9)
        exchange.addBody(segment, 0, 4)
      },
    ],
  ])('makes text of a head in a large segment, not to keep that alive, %s', (_when, happens) => {
    const large = Buffer.alloc(LARGE_BYTES + 1, 'x')
    const exchange = exchangeOf('/')
    exchange.setHead(large, 1, 5)
    happens(exchange, large)
    large.fill('y')
    expect(exchange.head).toBe('xxxx')
  })

  it.each<[string, number, (exchange: Exchange, segment: Buffer) => void]>([
    ['a segment that is not large', LARGE_BYTES, exchange => exchange.settleHead()],
    [
      'a segment in which its body lies as well',
      LARGE_BYTES + 1,
      (exchange, own) => exchange.addBody(own, 5, 9),
    ],
    [
      'a segment in which a part of its body lies unread',
      LARGE_BYTES + 1,
      (exchange, own) => {
        exchange.addBody(own, 5, 9)
        exchange.takeBody(2)
        exchange.copyBody(Buffer.alloc(1), 0)
      },
    ],
  ])('makes text of a head in %s when somebody asks', (_where, size, happens) => {
    const own = Buffer.alloc(size, 'x')
    const exchange = exchangeOf('/')
    exchange.setHead(own, 1, 5)
    happens(exchange, own)
    own.fill('y')
    expect(exchange.head).toBe('yyyy')
    own.fill('z')
    expect(exchange.head).toBe('yyyy')
  })

  it.each([
    ['taken', (exchange: Exchange) => exchange.takeBody(100).toString()],
    [
      'copied',
      (exchange: Exchange) => {
        const target = Buffer.alloc(10)
        return target.toString('latin1', 0, exchange.copyBody(target, 0))
      },
    ],
  ])('needs no store where each part is %s before the next one comes', (_how, read) => {
    const exchange = exchangeOf('/')
    exchange.noteRaw(segment, 0, 5)
    exchange.addBody(segment, 2, 4)
    expect(exchange.store).toBeNull()
    expect(read(exchange)).toBe('23')
    exchange.addBody(segment, 5, 7)
    expect(exchange.store).toBeNull()
    expect(read(exchange)).toBe('56')
  })

  it('forgets raw bytes with the body that is dropped', () => {
    const exchange = exchangeOf('/')
    exchange.noteRaw(segment, 0, 9)
    exchange.addBody(segment, 2, 7)
    expect(exchange.dropBody()).toBe(5)
    expect(exchange.takeRaw(true)).toEqual([])
    exchange.noteRaw(segment, 1, 4)
    exchange.addBody(segment, 2, 3)
    expect(exchange.takeRaw(true).map(String)).toEqual(['123'])
  })

  it('keeps no segment whose data have all been read, but the framing behind them', () => {
    const exchange = exchangeOf('/')
    const first = Buffer.from('2\r\nab\r\n')
    exchange.noteRaw(first, 0, 7)
    exchange.addBody(first, 3, 5)
    const second = Buffer.from('2\r\ncd\r\n3')
    exchange.noteRaw(second, 0, 8)
    exchange.addBody(second, 3, 5)
    const target = Buffer.alloc(4)
    exchange.copyBody(target, 0)
    exchange.letGo()
    second.fill('.')
    expect(target.toString()).toBe('abcd')
    expect(exchange.takeRaw(true).map(String)).toEqual(['\r\n3'])

    const counted = exchangeOf('/')
    counted.addBody(segment, 0, 2)
    counted.takeBody(2)
    counted.letGo()
    expect(counted.takeRaw(true)).toEqual([])
  })

  it('says how much was dropped of a body, wherever it lay', () => {
    const exchange = exchangeOf('/')
    exchange.addBody(segment, 2, 7)
    expect(exchange.dropBody()).toBe(5)
    exchange.addBody(segment, 0, 1)
    exchange.addBody(segment, 3, 5)
    expect(exchange.dropBody()).toBe(3)
    expect(exchange.dropBody()).toBe(0)
  })
})

describe('ExchangeQueue', () => {
  it('keeps the order, and its cursors at the oldest', () => {
    const [a, b] = [exchangeOf('/a'), exchangeOf('/b')]
    const queue = queueOf(a, b)
    expect(pathsOf(queue)).toEqual(['/a', '/b'])
    expect([queue.first, queue.sending, queue.answering, queue.size]).toEqual([a, a, a, 2])
  })

  it('moves every cursor that stood at the one taken out', () => {
    const [a, b] = [exchangeOf('/a'), exchangeOf('/b')]
    const queue = queueOf(a, b)
    queue.shift()
    expect([queue.first, queue.sending, queue.answering, queue.size]).toEqual([b, b, b, 1])
    expect(a.next).toBeNull()
    queue.shift()
    expect([queue.first, queue.sending, queue.answering, queue.size]).toEqual([null, null, null, 0])
  })

  it('leaves the cursors alone that are further', () => {
    const [a, b, c] = [exchangeOf('/a'), exchangeOf('/b'), exchangeOf('/c')]
    const queue = queueOf(a, b, c)
    queue.sending = null
    queue.answering = c
    queue.shift()
    expect([queue.first, queue.sending, queue.answering]).toEqual([b, null, c])
  })

  it('takes nothing out when it is empty', () => {
    const queue = queueOf()
    queue.shift()
    expect(queue.size).toBe(0)
  })

  it.each([
    ['is still to be given', { isBodyOpen: true }],
    [
      'is queued',
      {
        unsentBody: { data: 'rest', next: null, isWaitedFor: false, isHandedOver: false },
      },
    ],
  ])(
    'goes on sending one that was answered while the rest of its body %s, and then the next',
    (_what, rest) => {
      const [a, b] = [exchangeOf('/a', rest), exchangeOf('/b')]
      const queue = queueOf(a)
      queue.shift()
      expect([queue.first, queue.sending, queue.size]).toEqual([null, a, 0])
      queue.push(b)
      expect([queue.first, queue.sending, queue.answering, queue.size]).toEqual([b, a, b, 1])
      expect(a.next).toBe(b)
    },
  )

  describe('withdraw', () => {
    it.each([
      ['the first', 0, ['/b', '/c']],
      ['one in the middle', 1, ['/a', '/c']],
      ['the last', 2, ['/a', '/b']],
    ])('takes out %s, and can still be added to', (_what, index, left) => {
      const exchanges = [exchangeOf('/a'), exchangeOf('/b'), exchangeOf('/c')]
      const queue = queueOf(...exchanges)
      queue.withdraw(exchanges[index])
      expect(pathsOf(queue)).toEqual(left)
      expect(queue.size).toBe(2)
      expect(exchanges[index].next).toBeNull()
      queue.push(exchangeOf('/d'))
      expect(pathsOf(queue)).toEqual([...left, '/d'])
    })

    it('moves the cursors that stood at it', () => {
      const [a, b, c] = [exchangeOf('/a'), exchangeOf('/b'), exchangeOf('/c')]
      const queue = queueOf(a, b, c)
      queue.sending = queue.answering = b
      queue.withdraw(b)
      expect([queue.first, queue.sending, queue.answering]).toEqual([a, c, c])
    })

    it('unhooks it from one that was answered early and is still being sent', () => {
      const [a, b, c] = [exchangeOf('/a', { isBodyOpen: true }), exchangeOf('/b'), exchangeOf('/c')]
      const queue = queueOf(a)
      queue.shift()
      queue.push(b)
      queue.push(c)
      queue.withdraw(b)
      expect([queue.sending, a.next, queue.first]).toEqual([a, c, c])
    })

    it('goes on sending with the one behind it, though its body was not given to its end', () => {
      const [a, b] = [exchangeOf('/a', { isBodyOpen: true }), exchangeOf('/b')]
      const queue = queueOf(a, b)
      queue.withdraw(a)
      expect([queue.first, queue.sending, queue.answering, queue.size]).toEqual([b, b, b, 1])
    })

    it('leaves the cursors alone that stand elsewhere', () => {
      const [a, b, c, d] = ['/a', '/b', '/c', '/d'].map(path => exchangeOf(path))
      const queue = queueOf(a, b, c, d)
      queue.sending = d
      queue.withdraw(b)
      expect([queue.sending, queue.answering]).toEqual([d, a])
      queue.answering = c
      queue.withdraw(a)
      expect([queue.first, queue.sending, queue.answering, d.next]).toEqual([c, d, c, null])
      queue.sending = null
      queue.withdraw(c)
      expect([queue.first, queue.sending, queue.answering, queue.size]).toEqual([d, null, d, 1])
    })

    it('does nothing with one that is not in it', () => {
      const queue = queueOf(exchangeOf('/a'))
      queue.withdraw(exchangeOf('/b'))
      expect(pathsOf(queue)).toEqual(['/a'])
      expect(queue.size).toBe(1)
    })
  })

  it('tells what became of the requests without a complete response', () => {
    const queue = queueOf(
      exchangeOf('/read-in-part', { isWritten: true, isAnswering: true, isComplete: true }),
      exchangeOf('/begun', { isWritten: true, isAnswering: true }),
      exchangeOf('/written', { isWritten: true }),
      exchangeOf('/queued'),
    )
    const begun = { method: 'GET', path: '/begun', outcome: 'partial-reply', processed: 'maybe' }
    const queued = { method: 'GET', path: '/queued', outcome: 'unsent', processed: 'no' }
    const written = { method: 'GET', path: '/written', outcome: 'no-reply' }
    expect(queue.unanswered(false, false)).toEqual([begun, { ...written, processed: 'maybe' }, queued])
    expect(queue.unanswered(false, true)).toEqual([begun, { ...written, processed: 'no' }, queued])
    expect(queue.unanswered(true, false)[0]).toEqual({
      method: 'GET',
      path: '/read-in-part',
      outcome: 'partial-reply',
      processed: 'maybe',
    })
  })
})
