// Whatever is sent in whatever pieces, over a transport that takes it in whatever portions: the peer receives each request whole, in
// order, byte for byte, and nothing else; and nobody's memory is looked at once its promise is settled.
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { BodyFollowing, HTTPConnection } from '../../lib'
import { turns } from '../support/wire'

type Step =
  | { kind: 'get' }
  | { kind: 'post'; size: number }
  | { kind: 'follow'; sizes: number[]; isChunked: boolean; isPartial: boolean; hasTrailers: boolean }
  | { kind: 'source'; sizes: number[]; isChunked: boolean }
  | { kind: 'turn' }

const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 16_380, max: 16_390 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 140_000 }) },
)
const sizes = fc.array(size, { maxLength: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ kind: 'get' }),
  fc.record({ kind: fc.constant('post' as const), size }),
  fc.record({
    kind: fc.constant('follow' as const),
    sizes,
    isChunked: fc.boolean(),
    isPartial: fc.boolean(),
    hasTrailers: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('source' as const), sizes, isChunked: fc.boolean() }),
  fc.constant<Step>({ kind: 'turn' }),
)

/** A transport that takes each write when it likes: at once, or after so many turns of the loop. It keeps what it was given. */
class Sluggish extends Duplex {
  readonly taken: Buffer[] = []
  readonly #delays: number[]
  #writes = 0

  constructor(delays: number[], canGather: boolean) {
    super({ allowHalfOpen: true })
    this.#delays = delays
    if (!canGather) this._writev = null as never
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#take([chunk], callback)
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      callback,
    )
  }

  #take(chunks: Buffer[], callback: () => void): void {
    this.taken.push(...chunks)
    const delay = this.#delays.length === 0 ? 0 : this.#delays[this.#writes++ % this.#delays.length]
    if (delay === 0) callback()
    else void turns(delay).then(callback)
  }
}

/** Bytes that differ from their neighbours, so that none can be in another's place. */
let counter = 0
function bytesOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (counter = (counter * 5 + 17) & 0xffff) >> 5
  return bytes
}

const COMMON = 'Host: example.test\r\nAccept-Encoding: identity\r\n'

class Sender {
  readonly connection: HTTPConnection
  /** What the peer must receive. */
  expected = ''
  readonly #isAwaited: boolean
  readonly #promises: Promise<unknown>[] = []

  constructor(connection: HTTPConnection, isAwaited: boolean) {
    this.connection = connection
    this.#isAwaited = isAwaited
  }

  /** Makes the call, and spoils its bytes as soon as it is settled. */
  async #call(call: Promise<unknown>, bytes?: Buffer): Promise<void> {
    const spoiled = call.finally(() => bytes?.fill('!'))
    this.#promises.push(spoiled)
    if (this.#isAwaited) await spoiled
  }

  async settled(): Promise<void> {
    await Promise.all(this.#promises)
  }

  async run(steps: Step[]): Promise<void> {
    for (const each of steps) {
      if (each.kind === 'turn') await turns(1)
      else if (each.kind === 'get') await this.#get()
      else if (each.kind === 'post') await this.#post(each.size)
      else if (each.kind === 'follow') await this.#follow(each)
      else await this.#source(each)
    }
    await this.settled()
  }

  async #get(): Promise<void> {
    this.expected += `GET / HTTP/1.1\r\n${COMMON}\r\n`
    await this.#call(this.connection.sendRequest('GET', '/'))
  }

  async #post(length: number): Promise<void> {
    const body = bytesOf(length)
    this.expected += `POST / HTTP/1.1\r\n${COMMON}Content-Length: ${length}\r\n\r\n${body.toString('latin1')}`
    await this.#call(this.connection.sendRequest('POST', '/', { body }), body)
  }

  async #begin(isChunked: boolean, lengths: number[]): Promise<void> {
    const total = lengths.reduce((sum, length) => sum + length, 0)
    const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${total}`
    this.expected += `PUT / HTTP/1.1\r\n${COMMON}${framing}\r\n\r\n`
    const body = isChunked ? new BodyFollowing() : new BodyFollowing(total)
    await this.#call(this.connection.sendRequest('PUT', '/', { body }))
  }

  #expectPart(part: Buffer, isChunked: boolean): void {
    if (part.length === 0) return
    const text = part.toString('latin1')
    this.expected += isChunked ? `${part.length.toString(16)}\r\n${text}\r\n` : text
  }

  async #follow({
    sizes: lengths,
    isChunked,
    isPartial,
    hasTrailers,
  }: Step & { kind: 'follow' }): Promise<void> {
    await this.#begin(isChunked, lengths)
    for (const length of lengths) {
      const bytes = bytesOf(length)
      if (isPartial) await this.#writeInParts(bytes, isChunked)
      else {
        this.#expectPart(bytes, isChunked)
        await this.#call(this.connection.write(bytes), bytes)
      }
    }
    if (!isChunked) return
    this.expected += hasTrailers ? '0\r\nT: 1\r\n\r\n' : '0\r\n\r\n'
    await this.#call(this.connection.endBody(hasTrailers ? { T: '1' } : undefined))
  }

  async #writeInParts(bytes: Buffer, isChunked: boolean): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const offered = Buffer.from(rest)
      const taken = await this.connection.write(offered, { partial: true })
      offered.fill('!')
      this.#expectPart(rest.subarray(0, taken), isChunked)
      rest = rest.subarray(taken)
      if (taken === 0) await turns(1)
    }
  }

  async #source({ sizes: lengths, isChunked }: Step & { kind: 'source' }): Promise<void> {
    await this.#begin(isChunked, lengths)
    const chunks = lengths.map(bytesOf)
    for (const chunk of chunks) this.#expectPart(chunk, isChunked)
    if (isChunked) this.expected += '0\r\n\r\n'
    // Each chunk is spoiled when the next one is asked for.
    const source = (function* () {
      for (const chunk of chunks) {
        yield chunk
        chunk.fill('!')
      }
    })()
    // Nothing else may be sent meanwhile.
    await this.connection.sendBody(source)
  }
}

describe('HTTPConnection', () => {
  it('sends exactly what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 }),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(0, 60_000),
        async (steps, delays, canGather, isAwaited, timeoutMs) => {
          const socket = new Sluggish(delays, canGather)
          const connection = new HTTPConnection('example.test', { socket, timeoutMs })
          const sender = new Sender(connection, isAwaited)
          await sender.run(steps)
          // Settled is not yet sent.
          for (let i = 0; i < 200 && Buffer.concat(socket.taken).length < sender.expected.length; i++)
            await turns(1)
          expect(Buffer.concat(socket.taken).toString('latin1') === sender.expected).toBe(true)
          await connection.close()
        },
      ),
      { numRuns: 150 },
    )
  }, 60_000)
})
