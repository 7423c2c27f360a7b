// The network of the soak, in a process of its own: passes bytes on between client and server, in pieces of random lengths, now and then
// late, and ends each connection in a way of its own: sooner or later, within whatever passes, by FIN or RST, on one side or both.
// Of each it leaves evidence. Told to hurry, it passes on everything at once until it is told to go on as before.
//
// node proxy.mjs SERVER-PORT SEED EVIDENCE-FILE
import { connect, createServer } from 'node:net'
import { EvidenceLog, Tail } from './evidence.mjs'
import { Random } from './numbers.mjs'

const [serverPort, seed] = process.argv.slice(2, 4).map(Number)
const evidence = new EvidenceLog(process.argv[4])
const MOST_HELD_BYTES = 262_144
/** Connections live for as many bytes on average, in one direction. */
const LIFE_BYTES = 400_000

/**
 * @typedef {object} ProxyEvidence
 * @property {number} port of the client
 * @property {number} connectedAt by `Date.now()`
 * @property {string} end
 * @property {import('./evidence.mjs').Passed} toServer
 * @property {import('./evidence.mjs').Passed} toClient
 */
/** @typedef {'reset both' | 'reset client' | 'reset server' | 'cut off' | 'end'} Fate */
/** @type {Fate[]} */
const FATES = ['reset both', 'reset client', 'reset server', 'cut off', 'end']
/** How many connections met each fate. */
const met = /** @type {Record<Fate, number>} */ (Object.fromEntries(FATES.map(fate => [fate, 0])))
let connections = 0
let pieces = 0
let delays = 0
let isInHurry = false

/** One direction of a connection. */
class Flow {
  #from
  #to
  #random
  #onFate
  #leftBytes
  /** @type {Buffer[]} */
  #held = []
  #heldBytes = 0
  #isBusy = false
  #isEnding = false
  #splits
  passed = new Tail()

  /**
   * @param {import('node:net').Socket} from @param {import('node:net').Socket} to
   * @param {Random} random @param {number} leftBytes then comes the fate @param {() => void} onFate
   */
  constructor(from, to, random, leftBytes, onFate) {
    this.#from = from
    this.#to = to
    this.#random = random
    this.#leftBytes = leftBytes
    this.#onFate = onFate
    this.#splits = random.happens(0.5) ? random.below(2_000) + 1 : 65_536
    from.on('data', data => {
      if (this.#leftBytes === 0) return
      this.#held.push(data)
      this.#heldBytes += data.length
      if (this.#heldBytes > MOST_HELD_BYTES) from.pause()
      this.#pump()
    })
    from.on('end', () => {
      this.#isEnding = true
      this.#pump()
    })
  }

  #pump() {
    while (!this.#isBusy && this.#held.length > 0) {
      const first = this.#held[0]
      const wanted = isInHurry ? first.length : Math.min(first.length, 1 + this.#random.below(this.#splits))
      const length = Math.min(wanted, this.#leftBytes)
      const piece = first.subarray(0, length)
      if (length === first.length) this.#held.shift()
      else this.#held[0] = first.subarray(length)
      this.#heldBytes -= length
      this.#leftBytes -= length
      pieces++
      this.#write(piece)
      if (this.#leftBytes === 0) {
        this.#held = []
        this.#from.resume()
        return this.#onFate()
      }
    }
    if (this.#heldBytes <= MOST_HELD_BYTES) this.#from.resume()
    if (this.#isEnding && !this.#isBusy && this.#held.length === 0) this.#to.end()
  }

  /** @param {Buffer} piece */
  #write(piece) {
    if (!this.#to.writable) return
    const goOn = () => {
      this.#isBusy = false
      this.#pump()
    }
    const isTaken = this.#to.write(piece)
    this.passed.add(piece)
    if (!isInHurry && this.#random.happens(0.002)) {
      delays++
      this.#isBusy = true
      setTimeout(goOn, this.#random.skewed(300))
    } else if (!isTaken) {
      this.#isBusy = true
      this.#to.once('drain', goOn)
    } else if (!isInHurry && this.#random.happens(0.2)) {
      // So that the pieces arrive as pieces.
      this.#isBusy = true
      setImmediate(goOn)
    }
  }
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
  const random = new Random(seed + 7_919 * connections++)
  const upstream = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const fate = FATES[random.below(FATES.length)]
  const isDownstream = random.happens(0.7)
  const lifeBytes = 1 + (random.happens(0.1) ? random.below(2_000) : random.skewed(LIFE_BYTES * 8))
  const { remotePort = 0 } = client
  const connectedAt = Date.now()
  let end = 'left alone'
  for (const socket of [client, upstream]) socket.on('error', () => {})
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ]) {
    one.on('close', hadError => {
      if (hadError) other.resetAndDestroy()
      else if (other.readableEnded || !other.readable) other.destroySoon()
    })
  }
  const meet = () => {
    end = fate
    met[fate]++
    if (fate === 'reset both' || fate === 'reset client') client.resetAndDestroy()
    if (fate === 'reset both' || fate === 'reset server') upstream.resetAndDestroy()
    if (fate === 'reset client') upstream.destroySoon()
    if (fate === 'reset server') client.destroySoon()
    if (fate === 'cut off') {
      client.destroy()
      upstream.destroy()
    }
    if (fate === 'end') {
      client.end()
      upstream.end()
    }
  }
  const up = new Flow(client, upstream, random, isDownstream ? Infinity : lifeBytes, meet)
  const down = new Flow(upstream, client, random, isDownstream ? lifeBytes : Infinity, meet)
  let openSides = 2
  for (const socket of [client, upstream]) {
    socket.on('close', () => {
      if (--openSides > 0) return
      evidence.add(
        /** @type {ProxyEvidence} */ ({
          port: remotePort,
          connectedAt,
          end,
          toServer: up.passed.toJSON(),
          toClient: down.passed.toJSON(),
        }),
      )
    })
  }
})
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: /** @type {import('node:net').AddressInfo} */ (server.address()).port })
})
process.on('message', what => {
  if (what === 'hurry') isInHurry = true
  else if (what === 'go on') isInHurry = false
  else {
    evidence.flush()
    process.send?.({ connections, pieces, delays, met })
  }
})
process.on('disconnect', () => process.exit())
