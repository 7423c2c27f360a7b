// Pseudo-random numbers that depend on nothing but their seed.

/** Mixes the bits of a number, so that neighbours have nothing in common. @param {number} value @returns {number} 32 bits */
export function mix(value) {
  let mixed = (value + 0x9e3779b9) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

export class Random {
  #state

  /** @param {number} seed */
  constructor(seed) {
    this.#state = mix(seed)
  }

  /** @param {number} limit @returns {number} a whole number from 0 to below `limit` */
  below(limit) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    return mix(this.#state) % limit
  }

  /** @param {number} chance from 0 to 1 */
  happens(chance) {
    return this.below(1_000_000) < chance * 1_000_000
  }

  /** Mostly small, seldom large, never above `most`. @param {number} most */
  skewed(most) {
    return this.below(this.below(this.below(most + 1) + 1) + 1)
  }
}
