import type * as module from '../../lib/protocol/latin1'
import { latin1 } from '../../lib/protocol/latin1'

const prototype = Buffer.prototype as unknown as { latin1Slice?: unknown }

/** The function as it is where Buffers have no such method. */
function loadWithout(): typeof module.latin1 {
  const original = prototype.latin1Slice
  prototype.latin1Slice = undefined
  let loaded: typeof module | null = null
  jest.isolateModules(() => {
    loaded = jest.requireActual<typeof module>('../../lib/protocol/latin1')
  })
  prototype.latin1Slice = original
  return loaded!['latin1']
}

describe('latin1', () => {
  it.each([
    ['with', latin1],
    ['without', loadWithout()],
  ])('makes one char of each byte, %s the method of Buffer that nobody documents', (_what, latin1) => {
    const bytes = new Uint8Array([0x61, 0x00, 0xff, 0x80, 0x62]).subarray(1)
    expect(latin1(bytes)).toBe('\x00\xff\x80b')
    expect(latin1(bytes, 1, 3)).toBe('\xff\x80')
  })
})
