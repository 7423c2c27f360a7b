// What every server serves: a folder of files whose bytes are known here, so that each answer can be judged by its path alone.
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {{ path: string, bytes: Buffer, sha256: string }} File */

const SIZES = [
  0, 1, 2, 17, 100, 999, 1_024, 4_095, 4_096, 4_097, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 200_000,
]
const FILES_PER_SIZE = 8
const TEXTS = 12
/** Long ago, so that validators made of it are strong ones. */
const MODIFIED = new Date('2024-02-29T12:00:00Z')

/** @param {Uint8Array} bytes */
export const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')

/** A generator of pseudo-random numbers below `limit` (mulberry32). @param {number} seed @returns {(limit: number) => number} */
export function random(seed) {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit)
  }
}

/** @param {number} length @param {number} seed @returns {Buffer} */
export function noise(length, seed) {
  const next = random(seed)
  const bytes = Buffer.allocUnsafe(length)
  for (let n = 0; n < length; n++) bytes[n] = next(256)
  return bytes
}

/**
 * Writes the files below `folder`, which anyone may read.
 * @param {string} folder
 * @returns {{ folder: string, files: File[], texts: File[] }}
 */
export function writeContent(folder) {
  /** @param {string} path @param {Buffer} bytes @returns {File} */
  const write = (path, bytes) => {
    const name = join(folder, path)
    writeFileSync(name, bytes)
    utimesSync(name, MODIFIED, MODIFIED)
    return { path, bytes, sha256: sha256(bytes) }
  }
  for (const part of ['', 'files', 'texts']) {
    mkdirSync(join(folder, part), { recursive: true })
    chmodSync(join(folder, part), 0o755)
  }
  const files = SIZES.flatMap((size, n) =>
    Array.from({ length: FILES_PER_SIZE }, (_, k) =>
      write(`/files/${size}-${k}.bin`, noise(size, n * FILES_PER_SIZE + k)),
    ),
  )
  const texts = Array.from({ length: TEXTS }, (_, n) =>
    write(`/texts/${n}.txt`, Buffer.from(`line of text number ${n}\n`.repeat(40 * (n + 1) ** 2))),
  )
  return { folder, files, texts }
}
