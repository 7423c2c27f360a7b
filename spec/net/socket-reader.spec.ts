import { SocketReader } from '../../lib/net/socket-reader'

/** As if the kernel had put `text` there. */
function receive(reader: SocketReader, text: string): Buffer {
  const memory = reader.onread.buffer()
  memory.write(text, 'latin1')
  expect(reader.onread.callback(text.length)).toBe(true)
  return memory
}

const LARGE = 'x'.repeat(40_000)

describe('SocketReader', () => {
  it('reads into the same memory again when nothing refers to the segment any more', () => {
    const reader = new SocketReader()
    const segments: string[] = []
    reader.start(segment => {
      segments.push(segment.toString('latin1'))
      return false
    })
    const memory = receive(reader, LARGE)
    expect(receive(reader, LARGE + 'y')).toBe(memory)
    expect(reader.onread.buffer()).toBe(memory)
    expect(segments).toEqual([LARGE, LARGE + 'y'])
  })

  it('leaves a segment to whoever keeps it', () => {
    const reader = new SocketReader()
    const segments: Buffer[] = []
    reader.start(segment => segments.push(segment) > 0)
    const memory = receive(reader, LARGE)
    expect(receive(reader, LARGE + 'y')).not.toBe(memory)
    expect(segments.map(segment => segment.toString('latin1'))).toEqual([LARGE, LARGE + 'y'])
  })

  it('copies a small one, and reads into the same memory again', () => {
    const reader = new SocketReader()
    const segments: Buffer[] = []
    reader.start(segment => segments.push(segment) > 0)
    const memory = receive(reader, 'first')
    expect(receive(reader, 'other')).toBe(memory)
    expect(segments.map(segment => segment.toString('latin1'))).toEqual(['first', 'other'])
  })

  it('keeps what comes before anybody takes it, in order', () => {
    const reader = new SocketReader()
    receive(reader, 'first')
    receive(reader, LARGE)
    const segments: string[] = []
    reader.start(segment => {
      segments.push(segment.toString('latin1'))
      return false
    })
    receive(reader, 'last')
    expect(segments).toEqual(['first', LARGE, 'last'])
  })
})
