// Over real sockets: what nobody reads stays with the server, however much that has, and comes when somebody reads on.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { HTTPConnection, type ConnectionOptions, type HTTPResponse } from '../../lib'
import { socketOf } from '../support/client-sockets'
import { Loopback } from '../support/loopback'
import { closedLater, failure, turns } from '../support/reading'
import { ca, localhost } from '../support/tls'

/** Gigabytes may be offered; what moves are some ten megabytes. */
jest.setTimeout(60_000)

const OFFERED = 10_737_418_240
const MAX_BUFFERED = 200_000
/** One read of the socket may come on top of it. */
const READ_BYTES = 65_536
/** More than two kernels hold of a connection, and nothing beside what is offered. */
const KERNEL_BYTES = 64_000_000

/** The byte at any place of an offered body tells where it is. */
const PERIOD = 251
const PIECE = Buffer.from(Array.from({ length: PERIOD * 200 }, (_, i) => i % PERIOD))
const TWO_PIECES = Buffer.concat([PIECE, PIECE])

let server: Loopback

afterEach(() => server.close())

type Kind = 'TCP' | 'TLS' | 'a unix domain socket'

/** A connection on which these requests have arrived, and nothing has been answered. */
async function asked(
  paths: readonly string[],
  kind: Kind = 'TCP',
): Promise<{ connection: HTTPConnection; peer: Socket }> {
  const connection = await connectionOver(kind)
  await connection.connect()
  const peer: Socket = await server.next()
  const allCame = arrived(peer, paths[paths.length - 1])
  for (const path of paths) await connection.sendRequest('GET', path)
  await allCame
  return { connection, peer }
}

async function connectionOver(kind: Kind): Promise<HTTPConnection> {
  const options: ConnectionOptions = { maxBufferedBytes: MAX_BUFFERED }
  if (kind === 'TLS') server = (await Loopback.tls(localhost)) as unknown as Loopback
  else server = kind === 'TCP' ? await Loopback.tcp() : await Loopback.unix()
  const where = kind === 'a unix domain socket' ? { socketPath: server.socketPath } : { port: server.port }
  const tls = kind === 'TLS' ? { tls: { ca } } : {}
  return closedLater(new HTTPConnection('localhost', { ...options, ...where, ...tls }))
}

async function arrived(peer: Socket, path: string): Promise<void> {
  let received = ''
  const onData = (chunk: Buffer): void => void (received += chunk.toString('latin1'))
  peer.on('data', onData)
  while (!received.includes(` ${path} `)) await once(peer, 'data')
  peer.off('data', onData)
}

type Framing = 'Content-Length' | 'chunked'

/** Offers a body for as long as the client takes it. */
function offer(peer: Socket, framing: Framing): void {
  const isChunked = framing === 'chunked'
  const field = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${OFFERED}`
  const piece = isChunked
    ? Buffer.concat([Buffer.from(`${PIECE.length.toString(16)}\r\n`), PIECE, Buffer.from('\r\n')])
    : PIECE
  peer.write(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`)
  const goOn = (): void => {
    while (peer.writable && !peer.writableNeedDrain) peer.write(piece)
  }
  peer.on('drain', goOn)
  goOn()
}

/** Resolves when the client takes nothing more and the server can hand over nothing more. */
async function stuck(connection: HTTPConnection, peer: Socket): Promise<void> {
  const socket = socketOf(connection)
  while (!socket.isPaused()) await once(socket, 'pause')
  let handedOver = -1
  while (peer.bytesWritten !== handedOver) {
    handedOver = peer.bytesWritten
    await turns(100)
  }
}

/** Bytes that the connection has taken from its kernel. */
const takenBy = (connection: HTTPConnection): number => socketOf(connection).bytesRead

/** Reads so many bytes of an offered body, which must be those that follow the ones at `from`; says where it stopped. */
async function readOn(response: HTTPResponse, from: number, bytes: number): Promise<number> {
  let at = from
  while (at < from + bytes) {
    const part = await response.read(PIECE.length)
    const start = at % PERIOD
    if (!part.equals(TWO_PIECES.subarray(start, start + part.length))) throw new Error(`other bytes at ${at}`)
    at += part.length
  }
  return at
}

describe('a body of 10 GB that is not read', () => {
  const rows = (['TCP', 'TLS', 'a unix domain socket'] as const).flatMap(kind =>
    (['Content-Length', 'chunked'] as const).map(framing => [kind, framing] as const),
  )

  it.each(rows)(
    'over %s, %s, stops at maxBufferedBytes, goes on when it is read, and stops again',
    async (kind, framing) => {
      const { connection, peer } = await asked(['/a'], kind)
      // A TLS socket keeps as much by itself, twice.
      const bound = MAX_BUFFERED + READ_BYTES * (kind === 'TLS' ? 3 : 1)
      offer(peer, framing)
      const response = await connection.readResponse()
      await stuck(connection, peer)
      expect(takenBy(connection)).toBeGreaterThanOrEqual(MAX_BUFFERED)
      expect(takenBy(connection)).toBeLessThan(bound)
      expect(peer.bytesWritten).toBeLessThan(bound + KERNEL_BYTES)

      const read = await readOn(response, 0, 20_000_000)
      await stuck(connection, peer)
      // The framing of a chunk is eight bytes.
      const framed = read + Math.ceil(read / PIECE.length) * 8 + 100
      expect(takenBy(connection)).toBeLessThan(framed + bound)
      expect(peer.bytesWritten).toBeLessThan(framed + bound + KERNEL_BYTES)

      const gone = new Promise(resolve => peer.once('close', resolve))
      await connection.close()
      expect(await failure(response.read())).toMatchObject({ code: 'ERR_HTTPIO_CONNECTION_CLOSED' })
      await gone
    },
  )

  it('stops behind responses that are not read either, and all come in their order', async () => {
    const small = ['/0', '/1', '/2']
    const { connection, peer } = await asked([...small, '/large'])
    for (const path of small) peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`)
    offer(peer, 'Content-Length')
    await stuck(connection, peer)
    expect(takenBy(connection)).toBeLessThan(MAX_BUFFERED + READ_BYTES)
    for (const path of small) expect(await (await connection.readResponse()).text()).toBe(path)
    await stuck(connection, peer)
    expect(takenBy(connection)).toBeLessThan(MAX_BUFFERED + READ_BYTES + 200)
    const response = await connection.readResponse()
    expect(response.path).toBe('/large')
    const read = await readOn(response, 0, 10_000_000)
    await stuck(connection, peer)
    expect(takenBy(connection)).toBeLessThan(read + MAX_BUFFERED + READ_BYTES + 300)
  })
})

describe('a body that is not read before many more responses', () => {
  const FIRST_BYTES = 1_000_000
  const paths = Array.from({ length: 2000 }, (_, i) => `/${i}`)
  const bodyOf = (path: string): string => path.padEnd(10_000, '.')

  /** Answers all requests, the first of them at length, as the client takes it. */
  async function answer(peer: Socket): Promise<void> {
    for (const path of paths) {
      const body = path === '/0' ? 'x'.repeat(FIRST_BYTES) : bodyOf(path)
      const isRoom = peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      if (!isRoom) await once(peer, 'drain')
    }
  }

  it('holds them back, and each comes whole when it is read', async () => {
    const { connection, peer } = await asked(paths)
    const answering = answer(peer)
    const first = await connection.readResponse()
    await stuck(connection, peer)
    expect(takenBy(connection)).toBeLessThan(MAX_BUFFERED + READ_BYTES)
    expect((await first.readAll()).equals(Buffer.alloc(FIRST_BYTES, 'x'))).toBe(true)
    for (const path of paths.slice(1))
      expect(await (await connection.readResponse()).text()).toBe(bodyOf(path))
    await answering
    expect(connection.responsePending).toBe(false)
  })

  it('holds them back in a pipeline, too, until the next one is asked for', async () => {
    const connection = await connectionOver('TCP')
    const pipeline = connection.pipeline(paths, { depth: Infinity })
    const next = pipeline.next()
    const peer: Socket = await server.next()
    await arrived(peer, paths[paths.length - 1])
    const answering = answer(peer)
    expect((await next).value).toMatchObject({ path: '/0' })
    await stuck(connection, peer)
    expect(takenBy(connection)).toBeLessThan(MAX_BUFFERED + READ_BYTES)
    // What is left of the first is dropped.
    for (const path of paths.slice(1)) {
      const { value } = await pipeline.next()
      expect(await value!.text()).toBe(bodyOf(path))
    }
    expect(await pipeline.next()).toEqual({ done: true, value: undefined })
    await answering
  })
})
