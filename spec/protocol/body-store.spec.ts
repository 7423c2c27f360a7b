import { BodyStore, LARGE_BYTES, ownedPart } from '../../lib/protocol/body-store'

const segment = Buffer.from('0123456789abcdef')
const other = Buffer.from('ghijklmnop')

/** Two ranges with framing round them in one segment, and one in the next. */
function filled(): BodyStore {
  const store = new BodyStore()
  store.noteRaw(segment, 0, 2)
  store.add(segment, 2, 5)
  store.noteRaw(segment, 5, 8)
  store.add(segment, 8, 10)
  store.noteRaw(segment, 10, 16)
  store.noteRaw(other, 0, 1)
  store.add(other, 1, 4)
  return store
}

describe('BodyStore', () => {
  it('takes what lies in one segment at a time, closing up what was framing', () => {
    const store = filled()
    expect(store.lengthBytes).toBe(8)
    expect(store.take(100).toString()).toBe('23489')
    expect(store.take(100).toString()).toBe('hij')
    expect(store.lengthBytes).toBe(0)
  })

  it('takes no more than is asked for', () => {
    const store = filled()
    const taken = [1, 3, 100, 2, 100].map(maxBytes => store.take(maxBytes).toString())
    expect(taken).toEqual(['2', '348', '9', 'hi', 'j'])
  })

  describe('with ranges of some size in a segment', () => {
    const large = Buffer.from(Array.from({ length: 32_768 }, (_, i) => i % 251))

    function three(): BodyStore {
      const store = new BodyStore()
      store.add(large, 10, 5_010)
      store.add(large, 5_020, 15_020)
      store.add(large, 15_030, 15_040)
      return store
    }

    it('takes them together, in memory of their own', () => {
      const store = three()
      const taken = store.take(100_000)
      expect(taken).toEqual(
        Buffer.concat([
          large.subarray(10, 5_010),
          large.subarray(5_020, 15_020),
          large.subarray(15_030, 15_040),
        ]),
      )
      expect(store.hasHandedOut).toBe(false)
      expect(store.lengthBytes).toBe(0)
    })

    it('takes no more of them than is asked for', () => {
      const store = three()
      expect(store.take(5_001)).toEqual(
        Buffer.concat([large.subarray(10, 5_010), large.subarray(5_020, 5_021)]),
      )
      expect(store.take(100_000).length).toBe(10_009)
    })

    it('takes one that is most of the segment as a view, for which the segment must be kept', () => {
      const store = new BodyStore()
      store.add(large, 10, 20_000)
      store.add(large, 20_010, 20_020)
      const taken = store.take(100_000)
      expect(taken).toEqual(large.subarray(10, 20_000))
      expect(taken.buffer).toBe(large.buffer)
      expect(store.hasHandedOut).toBe(true)
      expect(store.take(100_000)).toEqual(large.subarray(20_010, 20_020))
      expect(store.hasHandedOut).toBe(false)
    })
  })

  it('copies across segments, from the index given, as much as fits', () => {
    const store = filled()
    const target = Buffer.from('........')
    expect(store.copyTo(target, 6)).toBe(2)
    expect(store.copyTo(target.subarray(0, 6), 1)).toBe(5)
    expect(target.toString()).toBe('.489hi23')
    expect(store.lengthBytes).toBe(1)
    expect(store.copyTo(target, 0)).toBe(1)
    expect(store.copyTo(target, 0)).toBe(0)
  })

  it('gives data that goes on where data that was read already ended', () => {
    const store = new BodyStore()
    store.add(segment, 2, 6)
    expect(store.take(100).toString()).toBe('2345')
    store.add(segment, 6, 9)
    expect(store.lengthBytes).toBe(3)
    expect(store.take(100).toString()).toBe('678')
  })

  it('gives data that goes on where data that was read in part ended, with the rest of it', () => {
    const store = new BodyStore()
    store.add(segment, 2, 6)
    expect(store.take(1).toString()).toBe('2')
    store.add(segment, 6, 9)
    expect(store.take(100).toString()).toBe('345678')
    expect(store.hasHandedOut).toBe(true)
  })

  it('gives a range as a view where it is half of its segment, or the last in it, or enough; else a copy of all', () => {
    for (const [first, maxBytes, text] of [
      // By itself: what lies behind it is not closed up.
      [500, 10_000, 500],
      [100, 100, 100],
      [100, 99, 99],
      // With the next one.
      [499, 10_000, 504],
      [100, 101, 101],
      [100, 105, 105],
    ] as const) {
      const changing = Buffer.alloc(1000, 'x')
      const store = new BodyStore()
      store.add(changing, 1, 1 + first)
      store.add(changing, first + 3, first + 8)
      const isView = text <= first
      const taken = store.take(maxBytes)
      expect([taken.length, store.lengthBytes]).toEqual([text, first + 5 - text])
      expect(store.hasHandedOut).toBe(isView)
      changing.fill('y')
      expect(taken.toString()).toBe((isView ? 'y' : 'x').repeat(text))
      if (isView) {
        store.take(first - text)
        expect(store.take(100).toString()).toBe('yyyyy')
        expect(store.hasHandedOut).toBe(true)
      }
    }
  })

  it.each([
    // Small ones are copied with the framing between them, up to the end of the range in which the last byte asked for lies.
    ['small', 4095, 10_000, 4095 + 2 + 5 + 3 + 7],
    ['small', 4095, 4096, 4095 + 2 + 5],
    ['small', 4095, 4100, 4095 + 2 + 5],
    ['small', 4095, 4101, 4095 + 2 + 5 + 3 + 7],
    // Large ones by themselves.
    ['large', 4096, 10_000, 4096 + 5 + 7],
    ['large', 4096, 4097, 4097],
  ])(
    'asks, for a copy of %s ranges (%s bytes first), of %s bytes at most, for memory of %s bytes',
    (_what, first, maxBytes, asked) => {
      const store = new BodyStore()
      const bytes = Buffer.alloc(20_000, 'x')
      store.add(bytes, 10, 10 + first)
      store.add(bytes, 10 + first + 2, 10 + first + 7)
      store.add(bytes, 10 + first + 10, 10 + first + 17)
      const allocUnsafe = jest.spyOn(Buffer, 'allocUnsafe')
      const { length } = store.take(maxBytes)
      const { calls } = allocUnsafe.mock
      allocUnsafe.mockRestore()
      expect(calls).toEqual([[asked]])
      expect(length).toBe(Math.min(maxBytes, first + 5 + 7))
    },
  )

  it('has handed out nothing at first', () => {
    expect(new BodyStore().hasHandedOut).toBe(false)
  })

  it.each([
    ['small ones at once', [4095, 5, 7], 2, ['elsewhere']],
    ['a large one, then the small ones behind it', [4096, 5, 7], 2, [4096, 'elsewhere']],
    ['small ones, then the last where only that is left', [4095], 2, [4095]],
    ['small ones as far as they lie within 65,536 bytes', [1, 1], 65_534, ['elsewhere']],
    ['small ones that lie further apart each by itself', [1, 1], 65_535, [1, 1]],
  ])('copies %s', (_what, lengths, gap, copied) => {
    const store = new BodyStore()
    const bytes = Buffer.alloc(100_000, 'x')
    let at = 5000
    for (const length of lengths) {
      store.add(bytes, at, at + length)
      at += length + gap
    }
    const target = Buffer.alloc(store.lengthBytes)
    const copy = jest.spyOn(bytes, 'copy')
    expect(store.copyTo(target, 0)).toBe(target.length)
    expect(target.toString()).toBe('x'.repeat(target.length))
    const seen = copy.mock.calls.map(([to, , start, end]) => (to === target ? end! - start! : 'elsewhere'))
    expect(seen).toEqual(copied)
  })

  it('copies ranges of all sizes with framing of all sizes between them, into room of all sizes', () => {
    const sizes = [1, 4095, 3, 4096, 5000, 2, 70_000, 1, 1, 30_000, 7]
    const gaps = [2, 1, 70_000, 5, 0, 40_000, 3, 65_533, 1, 9, 4]
    for (const room of [100, 4095, 65_535, 65_536, 65_537, 1_000_000]) {
      const store = new BodyStore()
      const data: Buffer[] = []
      let at = 0
      const large = Buffer.alloc(400_000, '-')
      for (const [i, size] of sizes.entries()) {
        at += gaps[i]
        large.fill(String.fromCharCode(97 + i), at, at + size)
        data.push(large.subarray(at, at + size))
        store.add(large, at, at + size)
        at += size
      }
      const expected = Buffer.concat(data)
      const target = Buffer.alloc(expected.length)
      let filled = 0
      while (filled < expected.length) {
        const end = Math.min(filled + room, expected.length)
        const copied = store.copyTo(target.subarray(0, end), filled)
        expect(copied).toBe(end - filled)
        filled = end
        expect(store.lengthBytes).toBe(expected.length - filled)
      }
      expect(target.equals(expected)).toBe(true)
    }
  })

  it('leaves alone what lies before and behind where it copies to', () => {
    const store = filled()
    const target = Buffer.from('..............')
    expect(store.copyTo(target, 3)).toBe(8)
    expect(target.toString()).toBe('...23489hij...')
    expect(store.copyTo(target, 14)).toBe(0)
  })

  it('leaves segments as they are', () => {
    const store = filled()
    store.take(4)
    store.copyTo(Buffer.alloc(100), 0)
    expect([segment.toString(), other.toString()]).toEqual(['0123456789abcdef', 'ghijklmnop'])
  })

  it('reads a thousand segments in order', () => {
    const store = new BodyStore()
    const all: string[] = []
    for (let n = 0; n < 1000; n++) {
      all.push(String(n).padStart(4, '0'))
      store.add(Buffer.from(all[n]), 0, 4)
    }
    const read = all.map(() => store.take(100).toString())
    expect(read).toEqual(all)
  })

  it('gives the unread bytes as they came, framing included', () => {
    const store = filled()
    expect(store.take(4).toString()).toBe('2348')
    expect(store.takeRaw().map(String)).toEqual(['9abcdef', 'ghij'])
    expect(store.lengthBytes).toBe(0)
    expect(store.takeRaw()).toEqual([])
  })

  it('gives no empty pieces of raw bytes', () => {
    const store = new BodyStore()
    store.add(segment, 0, 2)
    store.take(2)
    expect(store.takeRaw()).toEqual([])
  })

  it('gives as raw bytes what was noted, and data beyond it', () => {
    const store = new BodyStore()
    store.noteRaw(segment, 0, 4)
    store.add(segment, 2, 6)
    expect(store.takeRaw().map(String)).toEqual(['012345'])
    store.add(segment, 2, 4)
    store.add(segment, 6, 8)
    expect(store.takeRaw().map(String)).toEqual(['234567'])
    store.noteRaw(segment, 0, 9)
    store.add(segment, 2, 6)
    expect(store.takeRaw().map(String)).toEqual(['012345678'])
    store.noteRaw(segment, 0, 3)
    store.noteRaw(other, 0, 3)
    expect(store.takeRaw().map(String)).toEqual(['012', 'ghi'])
  })

  it('gives no raw bytes of a segment that has been read', () => {
    const store = filled()
    store.take(100)
    store.take(1)
    expect(store.takeRaw().map(String)).toEqual(['ij'])
  })

  it('keeps a copy of the framing behind data that were read, when it is to let go of the segment', () => {
    const changing = Buffer.from(segment)
    const store = new BodyStore()
    store.noteRaw(changing, 0, 8)
    store.add(changing, 2, 5)
    store.take(100)
    store.letGo()
    changing.fill('!')
    store.add(other, 0, 2)
    expect(store.takeRaw().map(String)).toEqual(['567', 'gh'])
  })

  it('keeps nothing of a segment that ends with data that were read', () => {
    const store = new BodyStore()
    store.letGo()
    store.add(segment, 2, 5)
    store.take(100)
    store.letGo()
    expect(store.takeRaw()).toEqual([])
  })

  it('lets go of segments whose data have all been read', () => {
    const store = filled()
    store.take(100)
    store.take(100)
    store.letGo()
    expect(store.takeRaw()).toEqual([])
    store.letGo()
    store.noteRaw(segment, 0, 4)
    store.add(segment, 1, 2)
    store.take(1)
    store.letGo()
    store.add(other, 0, 2)
    expect(store.takeRaw().map(String)).toEqual(['23', 'gh'])
  })

  it('forgets everything when it is cleared, and can be filled again', () => {
    const store = filled()
    store.clear()
    expect(store.lengthBytes).toBe(0)
    store.add(other, 0, 2)
    expect(store.take(100).toString()).toBe('gh')
  })
})

describe('ownedPart', () => {
  it.each([
    ['a view of a small segment', LARGE_BYTES, 1, true],
    ['a view of a quarter of a large one', LARGE_BYTES * 2, LARGE_BYTES / 2, true],
    ['a copy of less', LARGE_BYTES * 2, LARGE_BYTES / 2 - 1, false],
  ])('gives %s', (_what, size, length, isView) => {
    const large = Buffer.alloc(size, 'x')
    const part = ownedPart(large, 1, 1 + length)
    expect(part.length).toBe(length)
    large.fill('y')
    expect(part.toString()).toBe((isView ? 'y' : 'x').repeat(length))
  })
})
