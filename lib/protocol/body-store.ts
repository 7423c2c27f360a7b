// Owns the received but unread bytes of one body, as ranges of the segments they arrived in: nothing is copied until the
// reader asks, and the framing between two ranges stays where it was, so that the raw bytes can still be shown.

/** What arrived of a body in one segment. */
interface Stretch {
  readonly segment: Buffer
  /** Where the raw bytes of this body begin and end in it, framing included. */
  rawStart: number
  rawEnd: number
  /** Start and end of each range of data, flat; `next` is the first unread one. */
  readonly bounds: number[]
  next: number
  /** What arrived behind it. */
  behind: Stretch | null
}

/** A segment longer than this is not kept alive for the sake of a small part of it. */
export const LARGE_BYTES = 16_384

// A Buffer on memory that is at hand costs 13 ns, `subarray` 37: most of that is asking the segment for its memory. Many small bodies
// lie in one segment, so it is asked once. This keeps at most one small segment alive.
const View = (Buffer as unknown as { readonly [Symbol.species]: BufferOnMemory })[Symbol.species]
type BufferOnMemory = new (memory: ArrayBufferLike, byteOffset: number, lengthBytes: number) => Buffer
let viewed: Buffer | null = null
let memory: ArrayBufferLike
let byteOffset = 0

function smallView(segment: Buffer, start: number, end: number): Buffer {
  if (segment !== viewed) {
    viewed = segment
    memory = segment.buffer
    byteOffset = segment.byteOffset
  }
  return new View(memory, byteOffset + start, end - start)
}

/** Part of a segment that the caller may keep: a view, unless it is small and would pin a large segment. */
export function ownedPart(segment: Buffer, start: number, end: number): Buffer {
  const { length } = segment
  if (length <= LARGE_BYTES) return smallView(segment, start, end)
  if ((end - start) * 4 >= length) return segment.subarray(start, end)
  const copy = Buffer.allocUnsafe(end - start)
  segment.copy(copy, 0, start, end)
  return copy
}

/** A range of this length is worth a view or a copy of its own. */
const LARGE_RANGE_BYTES = 4096
/** Where ranges are closed up on their way into memory that is not ours to scribble on. */
const SCRATCH_BYTES = 65_536
let scratch: Buffer | null = null

/** From the first unread byte to where `maxBytes` of data end, framing included; at most to the end of the stretch. */
function rawLength({ bounds, next }: Stretch, maxBytes: number): number {
  let end = next
  for (let room = maxBytes; end < bounds.length && room > 0; end += 2) room -= bounds[end + 1] - bounds[end]
  return bounds[end - 1] - bounds[next]
}

/** Unread data in it. */
function dataLength({ bounds, next }: Stretch): number {
  let bytes = 0
  for (let i = next; i < bounds.length; i += 2) bytes += bounds[i + 1] - bounds[i]
  return bytes
}

/** A first-in first-out store of body ranges. */
export class BodyStore {
  /** Unread bytes of data. */
  lengthBytes = 0
  /** Was the last Buffer that was taken a view on a segment? */
  hasHandedOut = false
  #first: Stretch | null = null
  #newest: Stretch | null = null

  /** Adds data that begins at `start`; whatever lies between it and the data before is framing. */
  add(segment: Buffer, start: number, end: number): void {
    this.lengthBytes += end - start
    const stretch = this.#last(segment, start)
    const { bounds, next } = stretch
    // A range that was read to its end is over, also where the data go on right behind it.
    if (next < bounds.length && bounds[bounds.length - 1] === start) bounds[bounds.length - 1] = end
    else bounds.push(start, end)
    if (end > stretch.rawEnd) stretch.rawEnd = end
  }

  /** For the raw view: notes bytes of the body, framing included, before the data among them are added. */
  noteRaw(segment: Buffer, start: number, end: number): void {
    this.#last(segment, start).rawEnd = end
  }

  /** Refers no more to the segment that came last, all data of which have been read: the framing behind them is copied. */
  letGo(): void {
    const newest = this.#newest
    this.clear()
    if (newest === null || newest.rawStart === newest.rawEnd) return
    const framing = Buffer.from(newest.segment.subarray(newest.rawStart, newest.rawEnd))
    this.noteRaw(framing, 0, framing.length)
  }

  #last(segment: Buffer, start: number): Stretch {
    const newest = this.#newest
    if (newest !== null && newest.segment === segment) return newest
    const added: Stretch = { segment, rawStart: start, rawEnd: start, bounds: [], next: 0, behind: null }
    if (newest === null) this.#first = added
    else newest.behind = added
    this.#newest = added
    return added
  }

  /**
   * Takes at most `maxBytes`, but not beyond the segment in which the first unread byte lies. What fills most of a segment comes out as
   * a view; smaller ranges come together as a copy, which costs less than a read for each and lets the segment be used again.
   */
  take(maxBytes: number): Buffer {
    const stretch = this.#readable()
    const { segment, bounds, next } = stretch
    const start = bounds[next]
    const lengthBytes = bounds[next + 1] - start
    const isEnough = next + 2 === bounds.length || lengthBytes >= maxBytes
    if (isEnough || lengthBytes * 2 >= segment.length) {
      const taken = Math.min(maxBytes, lengthBytes)
      this.lengthBytes -= taken
      this.#advance(stretch, start + taken)
      const part = ownedPart(segment, start, start + taken)
      this.hasHandedOut = part.buffer === segment.buffer
      return part
    }
    this.hasHandedOut = false
    if (lengthBytes < LARGE_RANGE_BYTES) {
      const copy = Buffer.allocUnsafe(rawLength(stretch, maxBytes))
      return copy.subarray(0, this.#closeUp(stretch, copy, maxBytes))
    }
    const copy = Buffer.allocUnsafe(Math.min(maxBytes, dataLength(stretch)))
    for (let filled = 0; filled < copy.length;) filled += this.#copyRange(stretch, copy, filled)
    return copy
  }

  /** Copies as much as there is and fits to `target`, from its index `at`; says how much that was. */
  copyTo(target: Uint8Array, at: number): number {
    let filled = at
    while (this.lengthBytes > 0 && filled < target.length) {
      const stretch = this.#readable()
      const { bounds, next } = stretch
      const room = target.length - filled
      const isSmall = bounds[next + 1] - bounds[next] < LARGE_RANGE_BYTES && next + 2 < bounds.length
      if (isSmall && rawLength(stretch, room) <= SCRATCH_BYTES) {
        scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES)
        const taken = this.#closeUp(stretch, scratch, room)
        target.set(scratch.subarray(0, taken), filled)
        filled += taken
      } else {
        filled += this.#copyRange(stretch, target, filled)
      }
    }
    return filled - at
  }

  /** Copies the first unread range, or as much of it as fits in behind `at`; says how much that was. */
  #copyRange(stretch: Stretch, target: Uint8Array, at: number): number {
    const { segment, bounds, next } = stretch
    const start = bounds[next]
    const taken = Math.min(target.length - at, bounds[next + 1] - start)
    segment.copy(target, at, start, start + taken)
    this.lengthBytes -= taken
    this.#advance(stretch, start + taken)
    return taken
  }

  /**
   * Copies small ranges at once with the framing between them, and closes them up in the copy: a copy for each costs twice that.
   *
   * @returns how much data there is at the start of `copy` then, at most `maxBytes`
   */
  #closeUp(stretch: Stretch, copy: Buffer, maxBytes: number): number {
    const { segment, bounds } = stretch
    const from = bounds[stretch.next]
    segment.copy(copy, 0, from, from + rawLength(stretch, maxBytes))
    let filled = 0
    while (stretch.next < bounds.length && filled < maxBytes) {
      const start = bounds[stretch.next]
      const taken = Math.min(bounds[stretch.next + 1] - start, maxBytes - filled)
      copy.copyWithin(filled, start - from, start - from + taken)
      filled += taken
      this.#advance(stretch, start + taken)
    }
    this.lengthBytes -= filled
    return filled
  }

  /** Forgets everything. */
  clear(): void {
    this.lengthBytes = 0
    this.#first = this.#newest = null
  }

  /** The unread bytes as they came, framing included; the store is empty afterwards. */
  takeRaw(): Buffer[] {
    const raw: Buffer[] = []
    for (let stretch = this.#first; stretch !== null; stretch = stretch.behind) {
      if (stretch.rawStart < stretch.rawEnd)
        raw.push(stretch.segment.subarray(stretch.rawStart, stretch.rawEnd))
    }
    this.clear()
    return raw
  }

  /** The first stretch with unread data; only called while there is some. What was read before it is let go. */
  #readable(): Stretch {
    let stretch = this.#first!
    while (stretch.next === stretch.bounds.length) stretch = stretch.behind!
    this.#first = stretch
    return stretch
  }

  #advance(stretch: Stretch, position: number): void {
    stretch.rawStart = position
    if (position === stretch.bounds[stretch.next + 1]) stretch.next += 2
    else stretch.bounds[stretch.next] = position
  }
}
