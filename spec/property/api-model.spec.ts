// Any sequence of one-step calls and of things that a server does, against a model of the contract: what each call gives
// or rejects with, and what is pending after it.
import fc from 'fast-check'
import { BodyFollowing, HTTPConnection } from '../../lib/index'
import { FakeSocket } from '../../lib/testing'
import { seenError, turn } from '../support/drive'

jest.setTimeout(60_000)

const CLOSED = 'ERR_HTTPIO_CONNECTION_CLOSED'
const INVALID = 'ERR_HTTPIO_INVALID_RESPONSE'
const STATE = 'ERR_HTTPIO_STATE'
const EXCESS = 'ERR_HTTPIO_EXCESS_BODY_DATA'

/** A request whose response has not been read completely. */
interface ModelExchange {
  readonly method: string
  readonly path: string
  /** What is unread of the body; undefined = the server has not answered. */
  unread?: string
  isChunked: boolean
}

interface Model {
  /** Oldest first. The one whose head was handed out is still in it until its body was read to the end. */
  queue: ModelExchange[]
  /** The response whose head was handed out last. */
  current: ModelExchange | undefined
  /** The body that is being sent; null = of unknown length. */
  upload: { readonly exchange: ModelExchange; remaining: number | null } | undefined
  /** What sticks, until `close`. */
  error: string | undefined
  isConnected: boolean
  requests: number
}

interface Real {
  readonly connection: HTTPConnection
  readonly sockets: FakeSocket[]
}

/** What a call gave, or the code of its error. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  let isPending = true
  const done = () => {
    isPending = false
  }
  call.then(done, done)
  for (let turns = 0; isPending && turns < 40; turns++) await turn()
  if (isPending) return 'pending'
  return call.catch((error: unknown) => {
    const { name } = error as Error
    return name === 'RangeError' || name === 'TypeError' ? name : seenError(error).code
  })
}

const settle = async () => {
  for (let turns = 0; turns < 6; turns++) await turn()
}

const peerOf = ({ sockets }: Real) => sockets[sockets.length - 1].peer

/** The first request that the server has not answered. */
const unanswered = (model: Model) => model.queue.find(exchange => exchange.unread === undefined)

/** Is the body of `current` unread in part, or its end? */
const isInBody = ({ queue, current }: Model) => current !== undefined && queue.includes(current)

/** The end of a body has been read. */
function finish(model: Model): void {
  model.queue = model.queue.filter(exchange => exchange !== model.current)
}

function taken(model: Model, bytes: number): string {
  const current = model.current!
  const piece = current.unread!.slice(0, bytes)
  current.unread = current.unread!.slice(bytes)
  if (piece === '' || (current.unread === '' && !current.isChunked)) finish(model)
  return piece
}

/** A step of either side. `run` changes the model and compares. */
abstract class Step implements fc.AsyncCommand<Model, Real> {
  check(_model: Readonly<Model>): boolean {
    return true
  }

  abstract act(model: Model, real: Real): Promise<void>

  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real)
    if (model.error !== undefined) return
    const { connection } = real
    expect(connection.pendingRequests).toEqual(model.queue.map(({ method, path }) => ({ method, path })))
    expect(connection.responsePending).toBe(model.queue.length > 0)
  }

  toString(): string {
    return `${this.constructor.name} ${JSON.stringify(this)}`
  }
}

/** A request without body, or with one that follows. */
class Send extends Step {
  constructor(
    readonly method: string,
    readonly following: number | 'chunked' | undefined,
  ) {
    super()
  }

  async act(model: Model, real: Real): Promise<void> {
    const path = `/${model.requests++}`
    const { following } = this
    const body =
      following === undefined ? null : new BodyFollowing(following === 'chunked' ? undefined : following)
    const outcome = await outcomeOf(real.connection.sendRequest(this.method, path, { body }))
    if (model.upload !== undefined) return expect([STATE, model.error]).toContain(outcome)
    if (model.error !== undefined) return expect(outcome).toBe(model.error)
    expect(outcome).toBeUndefined()
    await settle()
    expect(peerOf(real).received.toString('latin1')).toContain(`${this.method} ${path} HTTP/1.1\r\n`)
    const exchange = { method: this.method, path, isChunked: false }
    model.isConnected = true
    model.queue.push(exchange)
    if (following !== undefined && following !== 0) {
      model.upload = { exchange, remaining: following === 'chunked' ? null : following }
    }
  }
}

class Write extends Step {
  constructor(readonly bytes: number) {
    super()
  }

  async act(model: Model, real: Real): Promise<void> {
    const outcome = await outcomeOf(real.connection.write(Buffer.alloc(this.bytes, 'w')))
    const { upload, error } = model
    if (upload === undefined) {
      // Nothing may be written behind a body that is complete; writing no bytes there is no harm.
      return expect([STATE, this.bytes === 0 ? 0 : EXCESS, error]).toContain(outcome)
    }
    const { remaining } = upload
    if (remaining !== null && this.bytes > remaining) return expect([EXCESS, error]).toContain(outcome)
    if (error !== undefined) return expect([error, this.bytes === 0 ? 0 : error]).toContain(outcome)
    expect(outcome).toBe(this.bytes)
    if (remaining !== null) upload.remaining = remaining - this.bytes
    if (upload.remaining === 0) model.upload = undefined
  }
}

class EndBody extends Step {
  /** What it does behind a body that was written to its length is left open. */
  override check(model: Readonly<Model>): boolean {
    return model.upload !== undefined && model.error === undefined
  }

  async act(model: Model, real: Real): Promise<void> {
    const outcome = await outcomeOf(real.connection.endBody())
    if (model.upload!.remaining !== null) return expect(outcome).toBe(STATE)
    expect(outcome).toBeUndefined()
    model.upload = undefined
    await settle()
  }
}

/** The server answers the oldest request that it has completely received. */
class Answer extends Step {
  constructor(
    readonly bytes: number,
    readonly isChunked: boolean,
  ) {
    super()
  }

  override check(model: Readonly<Model>): boolean {
    const next = unanswered(model)
    return next !== undefined && model.upload?.exchange !== next && model.error === undefined
  }

  async act(model: Model, real: Real): Promise<void> {
    const exchange = unanswered(model)!
    this.send(exchange, real)
    await settle()
  }

  send(exchange: ModelExchange, real: Real): void {
    // Every body says whose it is.
    const body = `${exchange.path} `.repeat(this.bytes).slice(0, this.bytes)
    const isHead = exchange.method === 'HEAD'
    const framing = this.isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
    const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
    const wire = this.isChunked ? `${chunk}0\r\n\r\n` : body
    peerOf(real).send(
      `HTTP/1.1 200 OK\r\nX-Path: ${exchange.path}\r\n${framing}\r\n\r\n${isHead ? '' : wire}`,
    )
    exchange.unread = isHead ? '' : body
    exchange.isChunked = this.isChunked && !isHead
  }
}

class ReadResponse extends Step {
  /** What answers a call that would otherwise wait for ever. */
  constructor(readonly answer: Answer) {
    super()
  }

  async act(model: Model, real: Real): Promise<void> {
    const { connection } = real
    const { queue, current, upload, error } = model
    const call = connection.readResponse()
    call.catch(() => {})
    const next = queue.find(exchange => exchange !== current)
    const isOwnBodyOpen = next !== undefined && upload?.exchange === next
    if (isInBody(model)) return expect([STATE, error]).toContain(await outcomeOf(call))
    if (next?.unread === undefined) {
      if (error !== undefined) {
        const codes = next === undefined || isOwnBodyOpen ? [STATE, error] : [error]
        return expect(codes).toContain(await outcomeOf(call))
      }
      if (next === undefined || isOwnBodyOpen) return expect(await outcomeOf(call)).toBe(STATE)
      // It waits; while it does, nothing else may be read.
      expect(await outcomeOf(call)).toBe('pending')
      expect(await outcomeOf(connection.readResponse())).toBe(STATE)
      expect(await outcomeOf(connection.read())).toBe(STATE)
      this.answer.send(next, real)
    }
    expect(await outcomeOf(call)).toMatchObject({ method: next.method, path: next.path, status: 200 })
    const response = await call
    expect(response.headers.get('X-Path')).toBe(next.path)
    expect(response.length).toBe(next.isChunked ? null : next.unread!.length)
    model.current = next
    if (next.unread === '' && !next.isChunked) finish(model)
  }
}

class Read extends Step {
  constructor(readonly maxBytes: number) {
    super()
  }

  async act(model: Model, real: Real): Promise<void> {
    const outcome = await outcomeOf(real.connection.read(this.maxBytes))
    if (this.maxBytes === 0) {
      const isOutOfPlace = model.current === undefined
      return expect(isOutOfPlace ? ['RangeError', STATE, model.error] : ['RangeError']).toContain(outcome)
    }
    if (model.current === undefined) return expect([STATE, model.error]).toContain(outcome)
    if (!isInBody(model)) return expect(outcome).toEqual(Buffer.alloc(0))
    expect(String(outcome)).toBe(taken(model, this.maxBytes))
  }
}

class ReadAll extends Step {
  async act(model: Model, real: Real): Promise<void> {
    const outcome = await outcomeOf(real.connection.readAll())
    if (model.current === undefined) return expect([STATE, model.error]).toContain(outcome)
    expect(String(outcome)).toBe(model.current.unread)
    taken(model, Infinity)
    finish(model)
  }
}

class Discard extends Step {
  async act(model: Model, real: Real): Promise<void> {
    const outcome = await outcomeOf(real.connection.discard())
    if (model.current === undefined) return expect([STATE, model.error]).toContain(outcome)
    expect(outcome).toBeUndefined()
    taken(model, Infinity)
    finish(model)
  }
}

/** The server closes, cleanly or not. */
class EndOfConnection extends Step {
  constructor(readonly isClean: boolean) {
    super()
  }

  override check(model: Readonly<Model>): boolean {
    return model.isConnected && model.error === undefined
  }

  async act(model: Model, real: Real): Promise<void> {
    if (this.isClean) peerOf(real).end()
    else peerOf(real).reset()
    await settle()
    model.error = CLOSED
  }
}

/** The server says something that nobody asked for. */
class Surplus extends Step {
  override check(model: Readonly<Model>): boolean {
    return model.isConnected && model.error === undefined && unanswered(model) === undefined
  }

  async act(model: Model, real: Real): Promise<void> {
    peerOf(real).send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await settle()
    model.error = INVALID
  }
}

class Close extends Step {
  async act(model: Model, real: Real): Promise<void> {
    expect(await outcomeOf(real.connection.close())).toBeUndefined()
    Object.assign(model, {
      queue: [],
      current: undefined,
      upload: undefined,
      error: undefined,
      isConnected: false,
    })
    // Until the next request, whether reading is out of place or the connection closed is left open.
    expect([STATE, CLOSED]).toContain(await outcomeOf(real.connection.readResponse()))
    expect([STATE, CLOSED]).toContain(await outcomeOf(real.connection.read()))
    expect(real.connection.connected).toBe(false)
  }
}

/** Calls that are refused whatever the state, and change nothing. */
class Refused extends Step {
  constructor(readonly call: 'method' | 'path' | 'header' | 'expect100') {
    super()
  }

  async act(_model: Model, { connection }: Real): Promise<void> {
    const calls = {
      method: () => connection.sendRequest('get', '/'),
      path: () => connection.sendRequest('GET', '/a b'),
      header: () => connection.sendRequest('GET', '/', { headers: { 'X-A': 'a\r\nX-B: b' } }),
      expect100: () => connection.sendRequest('PUT', '/', { body: Buffer.from('x'), expect100: true }),
    }
    expect(await outcomeOf(calls[this.call]())).toBe('TypeError')
  }
}

const answer = fc.tuple(fc.nat(40), fc.boolean()).map(([bytes, isChunked]) => new Answer(bytes, isChunked))
const often = (weight: number, arbitrary: fc.Arbitrary<Step>) =>
  Array.from({ length: weight }, () => arbitrary)

const steps: fc.Arbitrary<Step>[] = [
  ...often(
    5,
    fc.constantFrom('GET', 'GET', 'HEAD', 'DELETE').map(method => new Send(method, undefined)),
  ),
  ...often(
    2,
    fc.constantFrom(0, 5, 9, 'chunked' as const).map(following => new Send('PUT', following)),
  ),
  ...often(
    3,
    fc.constantFrom(0, 1, 4, 5, 9).map(bytes => new Write(bytes)),
  ),
  fc.constant(new EndBody()),
  ...often(5, answer),
  ...often(
    6,
    answer.map(given => new ReadResponse(given)),
  ),
  ...often(
    3,
    fc.constantFrom(0, 1, 7, 100).map(maxBytes => new Read(maxBytes)),
  ),
  ...often(2, fc.constant(new ReadAll())),
  fc.constant(new Discard()),
  fc.boolean().map(isClean => new EndOfConnection(isClean)),
  fc.constant(new Surplus()),
  fc.constant(new Close()),
  fc.constantFrom('method', 'path', 'header', 'expect100').map(call => new Refused(call)),
]

describe('HTTPConnection, step by step', () => {
  it('gives what the contract says, whatever is called in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(steps, { size: '+1' }), async commands => {
        const sockets: FakeSocket[] = []
        const connection = new HTTPConnection('example.test', {
          socket: () => {
            sockets.push(new FakeSocket())
            return sockets[sockets.length - 1]
          },
        })
        const model: Model = {
          queue: [],
          current: undefined,
          upload: undefined,
          error: undefined,
          isConnected: false,
          requests: 0,
        }
        await fc.asyncModelRun(() => ({ model, real: { connection, sockets } }), commands)
        await connection.close()
      }),
      { numRuns: 300 },
    )
  })
})
