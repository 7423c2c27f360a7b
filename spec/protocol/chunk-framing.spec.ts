import { ChunkFraming } from '../../lib/protocol/chunk-framing'
import { Exchange } from '../../lib/protocol/exchange'

const owner = {
  onInformational() {},
  onHeadWritten() {},
  onHead() {},
  onBody: () => true,
  onComplete() {},
}

const reasonOf = (fault: ReturnType<ChunkFraming['read']>): string | null =>
  fault !== null && fault.kind === 'invalid' ? fault.reason : null

/** Reads the framing before each piece of data, and the last in one go or byte by byte; says what was wrong first. */
function read(
  framing: ChunkFraming,
  beforeData: readonly string[],
  last: string,
  size = Infinity,
): string | null {
  for (const piece of beforeData) {
    const bytes = Buffer.from(`..${piece}..`, 'latin1')
    for (let at = 0; piece.length - at > size; at += size) {
      const reason = reasonOf(framing.read(bytes, 2 + at, 2 + at + size))
      if (reason !== null) return reason
    }
    const at = size === Infinity ? 0 : Math.max(0, Math.floor((piece.length - 1) / size) * size)
    const reason = reasonOf(framing.readBeforeData(bytes, 2 + at, 2 + piece.length))
    if (reason !== null) return reason
  }
  for (let at = 0; at < last.length; at += size) {
    const bytes = Buffer.from(last.slice(at, at + size), 'latin1')
    const reason = reasonOf(framing.read(bytes, 0, bytes.length))
    if (reason !== null) return reason
  }
  return null
}

describe('ChunkFraming', () => {
  it.each([
    ['no trailers', '\r\n0\r\n\r\n', ''],
    ['trailers', '\r\n0\r\nA: b\r\nC: d\r\n\r\n', 'A: b\r\nC: d\r\n\r\n'],
    ['trailers without data before', '0\r\nA: b\r\n\r\n', 'A: b\r\n\r\n'],
    ['extensions of the last chunk', '\r\n000;a="0\\"";b\r\nA: 0\r\n\r\n', 'A: 0\r\n\r\n'],
    ['bytes above 0x7f', '\r\n0\r\nA: \xff\r\n\r\n', 'A: \xff\r\n\r\n'],
  ])('puts aside %s', (_what, last, trailers) => {
    for (const size of [1, 2, 3, Infinity]) {
      const exchange = new Exchange(owner, 'GET', '/', '')
      const framing = new ChunkFraming(100)
      expect(read(framing, ['5\r\n', '\r\n5;x\r\n'], last, size)).toBeNull()
      expect(framing.takeTrailers(exchange)).toBeNull()
      expect(exchange.trailers).toBe(trailers)
    }
  })

  it.each(['Content-Length', 'content-length', 'TRANSFER-ENCODING'])(
    'refuses %s among the trailers',
    name => {
      const exchange = new Exchange(owner, 'GET', '/', '')
      const framing = new ChunkFraming(100)
      expect(read(framing, [], `0\r\nA: b\r\n${name}: 5\r\n\r\n`)).toBeNull()
      expect(reasonOf(framing.takeTrailers(exchange))).toBe('FRAMING_FIELD_IN_TRAILERS')
      expect(exchange.trailers).toBe('')
    },
  )

  it('has nothing against such names within others', () => {
    const exchange = new Exchange(owner, 'GET', '/', '')
    const framing = new ChunkFraming(100)
    expect(read(framing, [], '0\r\nX-Content-Length: 5\r\nA: content-length:5\r\n\r\n')).toBeNull()
    expect(framing.takeTrailers(exchange)).toBeNull()
  })

  it.each([
    ['an LF alone', '5\n', 'CR_WITHOUT_LF'],
    ['a CR alone', '5\r5\r\n', 'CR_WITHOUT_LF'],
    ['two CR', '5\r\r\n', 'CR_WITHOUT_LF'],
    ['a DEL', '5;a="\x7f"\r\n', 'CONTROL_IN_CHUNK_FRAMING'],
  ])('refuses %s, before data and at the end', (_what, bytes, reason) => {
    for (const size of [1, 2, Infinity]) {
      expect(read(new ChunkFraming(100), [bytes], '', size)).toBe(reason)
      expect(read(new ChunkFraming(100), [], bytes, size)).toBe(reason)
    }
  })

  it('allows as many bytes of extensions as there are, over all chunks, and of trailers', () => {
    for (const size of [1, 7, Infinity]) {
      // Each extension counts from its semicolon up to its CRLF.
      const extension = `5;${'x'.repeat(49)}\r\n`
      expect(read(new ChunkFraming(100), [extension, `\r\n${extension}`], '\r\n0\r\n\r\n', size)).toBeNull()
      expect(
        read(
          new ChunkFraming(100),
          [extension, `\r\n${extension}`, '\r\n5;xxxxxxxxxxxxxxxxxxxx\r\n'],
          '',
          size,
        ),
      ).toBe('CHUNK_FRAMING_TOO_LARGE')
      expect(read(new ChunkFraming(100), [], `0\r\n${'A: b\r\n'.repeat(16)}\r\n`, size)).toBeNull()
      expect(read(new ChunkFraming(100), [], `0\r\n${'A: b\r\n'.repeat(20)}\r\n`, size)).toBe(
        'CHUNK_FRAMING_TOO_LARGE',
      )
    }
  })

  it('counts of an extension what lies between the first semicolon and the CRLF, to the byte', () => {
    // The third is longer: 20 bytes of framing may be pending in any case, and here 6 are.
    const shortest = '\r\n5;\r\n'
    for (const [extension, length] of [
      [';', 1],
      [';x;y;z', 6],
      [`;${'x'.repeat(22)}`, 23],
    ] as const) {
      const piece = shortest.replace(';', extension)
      const allowed = Math.floor((120 - piece.length) / length) + 1
      for (const size of [1, 2, Infinity]) {
        expect(read(new ChunkFraming(100), Array<string>(allowed).fill(piece), '', size)).toBeNull()
        expect(read(new ChunkFraming(100), Array<string>(allowed + 1).fill(piece), '', size)).toBe(
          'CHUNK_FRAMING_TOO_LARGE',
        )
      }
    }
  })

  it('counts an extension that came whole before its data did', () => {
    // 90 of 120 bytes are spent.
    const bytes = Buffer.from(`5;${'x'.repeat(89)}\r\n`)
    for (const [length, reason] of [
      [30, null],
      [31, 'CHUNK_FRAMING_TOO_LARGE'],
    ] as const) {
      const framing = new ChunkFraming(100)
      expect(framing.read(bytes, 0, bytes.length)).toBeNull()
      expect(framing.readBeforeData(bytes, 0, 0)).toBeNull()
      expect(read(framing, [], `\r\n0;${'x'.repeat(length - 8)}\r\n\r\n`)).toBe(reason)
    }
  })

  it('says in a sentence what was wrong', () => {
    const messageOf = (bytes: string): string | undefined =>
      new ChunkFraming(100).read(Buffer.from(bytes), 0, bytes.length)?.message
    expect(messageOf('5;\x7f')).toBe('a DEL in the framing of a chunked body')
    expect(messageOf('5\n')).toBe('a CR or an LF alone in chunk framing')
    expect(messageOf(`5;${'x'.repeat(119)}`)).toBe('chunk extensions and trailers of more than 100 bytes')
    const framing = new ChunkFraming(100)
    read(framing, [], '0\r\nA: b\r\nContent-length: 5\r\n\r\n')
    const fault = framing.takeTrailers(new Exchange(owner, 'GET', '/', ''))
    expect(fault?.message).toBe('Content-length in the trailer section')
  })

  it('allows no more trailers behind many chunks than behind one', () => {
    const sizes = Array<string>(1000).fill('\r\n5\r\n')
    const last = (length: number): string => `\r\n0\r\n${'x'.repeat(length - 9)}\r\n\r\n`
    expect(read(new ChunkFraming(100), sizes, last(120))).toBeNull()
    expect(read(new ChunkFraming(100), sizes, last(121))).toBe('CHUNK_FRAMING_TOO_LARGE')
  })

  it('does not count sizes without extensions, however many there are', () => {
    const sizes = Array<string>(1000).fill('\r\n5\r\n')
    expect(read(new ChunkFraming(100), sizes, '\r\n0\r\n\r\n')).toBeNull()
    expect(read(new ChunkFraming(100), sizes, '\r\n0\r\n\r\n', 1)).toBeNull()
  })

  it('reads nothing where data go on', () => {
    const framing = new ChunkFraming(100)
    expect(framing.readBeforeData(Buffer.from('ab'), 1, 1)).toBeNull()
    expect(framing.read(Buffer.from('ab'), 1, 1)).toBeNull()
  })
})
