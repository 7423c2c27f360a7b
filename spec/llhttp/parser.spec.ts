import { readFileSync } from 'node:fs'
import path from 'node:path'
import loadWabt from 'wabt'
import type * as binary from '../../lib/llhttp/binary.generated'
import type * as parser from '../../lib/llhttp/parser'

const folder = '../../lib/llhttp'

/** The callbacks, changed: a parser that is not stopped behind a head stands for one with another layout. */
async function changedCallbacks(): Promise<string> {
  const wabt = await loadWabt()
  const source = readFileSync(path.join(__dirname, folder, 'callbacks.wat'), 'utf8').trimEnd()
  const changed = source.replaceAll('(i32.const 21)', '(i32.const 0)')
  return Buffer.from(wabt.parseWat('callbacks.wat', changed).toBinary({}).buffer).toString('base64')
}

describe('ResponseParser', () => {
  it('refuses to be made from a binary that does not do with a known head what it should', async () => {
    const { LLHTTP_WASM_BASE64 } = jest.requireActual<typeof binary>(`${folder}/binary.generated`)
    const CALLBACKS_WASM_BASE64 = await changedCallbacks()
    jest.isolateModules(() => {
      jest.doMock(`${folder}/binary.generated`, () => ({ LLHTTP_WASM_BASE64, CALLBACKS_WASM_BASE64 }))
      const { ResponseParser } = jest.requireActual<typeof parser>(`${folder}/parser`)
      expect(() => new ResponseParser()).toThrow('does not have the expected layout')
    })
  })
})
