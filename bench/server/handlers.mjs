// What the canned server does with one connection, one function a kind of server. Each counts what it received.
import { HeadCounter } from './head-counter.mjs'
import { largeResponse, smallResponse, trailersResponse } from './responses.mjs'

/**
 * @typedef {object} Counts what the server saw since it was last asked
 * @property {number} connections
 * @property {number} requests
 * @property {number} bodyBytes of request bodies
 * @property {number} reads that brought at least one whole request
 * @property {number} mostPerRead requests that came in one read, at most
 * @property {number} mostHeld requests that a client sent before it had any answer, at most (`hold` only)
 */
/** @typedef {(socket: import('node:net').Socket, counts: Counts) => void} Handler */
/**
 * @typedef {{ kind: 'small' | 'trailers' | 'tiny' | 'mute' }
 *   | { kind: 'hold' }
 *   | { kind: 'large', bodyBytes: number, chunkBytes: number }
 *   | { kind: 'sink' }} Behaviour
 */

const BATCH = 512
const TINY_BYTES = 7
const QUIET_MS = 50

/**
 * Calls back with the number of requests that each read brought.
 * @param {import('node:net').Socket} socket @param {Counts} counts @param {(requests: number) => void} onRequests
 */
function onRequests(socket, counts, onRequests) {
  const heads = new HeadCounter()
  socket.on('data', segment => {
    const requests = heads.count(segment)
    if (requests === 0) return
    counts.requests += requests
    counts.reads++
    if (requests > counts.mostPerRead) counts.mostPerRead = requests
    onRequests(requests)
  })
}

/** @param {Buffer} response @returns {(socket: import('node:net').Socket, requests: number) => void} */
function batchWriter(response) {
  const batch = Buffer.concat(Array.from({ length: BATCH }, () => response))
  return (socket, requests) => {
    for (; requests > BATCH; requests -= BATCH) socket.write(batch)
    socket.write(batch.subarray(0, requests * response.length))
  }
}

/** @param {Buffer} response @returns {Handler} */
function answer(response) {
  const write = batchWriter(response)
  return (socket, counts) => onRequests(socket, counts, requests => write(socket, requests))
}

/** Answers in segments of seven bytes. @returns {Handler} */
function tiny() {
  const response = smallResponse()
  const pieces = Array.from({ length: Math.ceil(response.length / TINY_BYTES) }, (_, n) =>
    response.subarray(n * TINY_BYTES, (n + 1) * TINY_BYTES),
  )
  return (socket, counts) =>
    onRequests(socket, counts, requests => {
      for (; requests > 0; requests--) for (const piece of pieces) socket.write(piece)
    })
}

/** Holds the first answers of a connection until its client falls silent: what came by then is its real depth. */
/** @returns {Handler} */
function hold() {
  const write = batchWriter(smallResponse())
  return (socket, counts) => {
    let held = 0
    /** @type {NodeJS.Timeout | undefined} */
    let quiet
    let released = false
    onRequests(socket, counts, requests => {
      if (released) return write(socket, requests)
      held += requests
      clearTimeout(quiet)
      quiet = setTimeout(() => {
        released = true
        counts.mostHeld = Math.max(counts.mostHeld, held)
        write(socket, held)
      }, QUIET_MS)
    })
    socket.on('close', () => clearTimeout(quiet))
  }
}

/** @param {number} bodyBytes @param {number} chunkBytes @returns {Handler} */
function large(bodyBytes, chunkBytes) {
  const { head, block, blocks, end } = largeResponse(bodyBytes, chunkBytes)
  return (socket, counts) => {
    let owed = 0
    let left = 0
    const send = () => {
      for (;;) {
        if (left === 0) {
          if (owed === 0) return
          owed--
          left = blocks
          socket.write(head)
        }
        left--
        const room = socket.write(block)
        if (left === 0 && end.length > 0) socket.write(end)
        if (!room) return
      }
    }
    socket.on('drain', send)
    onRequests(socket, counts, requests => {
      const idle = owed === 0 && left === 0
      owed += requests
      if (idle) send()
    })
  }
}

/** Takes bodies by Content-Length and answers each at its end. @returns {Handler} */
function sink() {
  const response = smallResponse()
  return (socket, counts) => {
    let head = ''
    let left = 0
    socket.on('data', segment => {
      for (let rest = segment; rest.length > 0;) {
        if (left === 0) {
          head += rest.toString('latin1')
          const end = head.indexOf('\r\n\r\n')
          if (end === -1) return
          rest = Buffer.from(head.slice(end + 4), 'latin1')
          left = Number(/content-length: *(\d+)/i.exec(head.slice(0, end))?.[1] ?? 0)
          head = ''
          counts.requests++
          counts.reads++
        }
        const taken = Math.min(left, rest.length)
        counts.bodyBytes += taken
        left -= taken
        rest = rest.subarray(taken)
        if (left === 0) socket.write(response)
      }
    })
  }
}

/** Reads and never answers. @returns {Handler} */
function mute() {
  return (socket, counts) => onRequests(socket, counts, () => {})
}

/** @param {Behaviour} behaviour @returns {Handler} */
export function handlerFor(behaviour) {
  switch (behaviour.kind) {
    case 'small':
      return answer(smallResponse())
    case 'trailers':
      return answer(trailersResponse())
    case 'tiny':
      return tiny()
    case 'hold':
      return hold()
    case 'large':
      return large(behaviour.bodyBytes, behaviour.chunkBytes)
    case 'sink':
      return sink()
    case 'mute':
      return mute()
  }
}
