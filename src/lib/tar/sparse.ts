/**
 * Sparse files in tar archives: where the stored bytes belong, the rest being zeros (GNU tar's manual, appendix D: the
 * old format in the header, the formats 0.0, 0.1 and 1.0 in pax records).
 */
import { numberAt, type Records, TarProblem } from "./header.ts"

export interface Region {
  readonly offset: number
  readonly length: number
}

export interface Sparse {
  /** Bytes of the file as it unpacks. */
  readonly size: number
  /** Absent when the stored bytes begin with it (format 1.0). */
  readonly regions?: ReadonlyArray<Region>
}

const damaged = () => new TarProblem("the map of a sparse file is damaged")

const whole = (text: string): number => {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw damaged()
  return value
}

/** Whether a block of the old format says that more of the map follows it: of a header, or of its continuation. */
export const hasMore = (block: Uint8Array, isHeader: boolean): boolean => (block[isHeader ? 482 : 504] ?? 0) !== 0

/** The map of the old format, in the header's own block and the blocks that continue it. */
export const oldSparse = (header: Uint8Array, continued: ReadonlyArray<Uint8Array>): Sparse => {
  const regions: Array<Region> = []
  const read = (block: Uint8Array, from: number, count: number) => {
    for (let at = from; at < from + count * 24; at += 24) {
      // An offset that was not written ends the list.
      if (block[at] === 0) return
      regions.push({ offset: Number(numberAt(block, at, 12)), length: Number(numberAt(block, at + 12, 12)) })
    }
  }
  read(header, 386, 4)
  for (const block of continued) read(block, 0, 21)
  return checked(Number(numberAt(header, 483, 12)), regions)
}

/** The map that pax records give, if they give one. */
export const paxSparse = (records: Records): Sparse | undefined => {
  const numbers: Array<string> = []
  const last = new Map<string, string>()
  for (const [key, value] of records) {
    if (!key.startsWith("GNU.sparse.")) continue
    const text = Buffer.from(value).toString("latin1")
    last.set(key.slice("GNU.sparse.".length), text)
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") numbers.push(text)
  }
  const size = last.get("realsize") ?? last.get("size")
  if (size === undefined) return undefined
  if (last.get("major") === "1") return { size: whole(size) }
  const map = last.get("map")
  return checked(whole(size), regionsOf((map === undefined ? numbers : map === "" ? [] : map.split(",")).map(whole)))
}

const regionsOf = (numbers: ReadonlyArray<number>): ReadonlyArray<Region> => {
  if (numbers.length % 2 !== 0) throw damaged()
  return Array.from({ length: numbers.length / 2 }, (_, at) => ({
    offset: numbers[2 * at] ?? 0,
    length: numbers[2 * at + 1] ?? 0
  }))
}

const checked = (size: number, regions: ReadonlyArray<Region>): Sparse => {
  let end = 0
  for (const { length, offset } of regions) {
    if (!(length >= 0 && offset >= end && offset + length <= size)) throw damaged()
    end = offset + length
  }
  if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) throw damaged()
  return { size, regions }
}

/** Reads the map that stored bytes begin with (format 1.0): a number a line, how many regions, then each. */
export class MapReader {
  private readonly size: number
  private numbers: Array<number> = []
  private digits = ""

  constructor(size: number) {
    this.size = size
  }

  /** Takes a block; gives the regions with the last one. The rest of that block is padding. */
  block(given: Uint8Array): ReadonlyArray<Region> | undefined {
    for (const byte of given) {
      if (byte !== 0x0a) {
        this.digits += String.fromCharCode(byte)
        if (this.digits.length > 16) throw damaged()
        continue
      }
      this.numbers.push(whole(this.digits))
      this.digits = ""
      const count = this.numbers[0] ?? 0
      if (count > maxRegions) throw new TarProblem("a sparse file has too many regions")
      if (this.numbers.length === 1 + 2 * count) return checked(this.size, regionsOf(this.numbers.slice(1))).regions
    }
    return undefined
  }
}

const maxRegions = 1_000_000
