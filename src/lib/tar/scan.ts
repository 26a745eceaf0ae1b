/** Reads tar archives block by block: it says what it needs next, and who holds the bytes brings it. */
import {
  checkSum,
  decodeHeader,
  isExtension,
  isZero,
  padded,
  type RawHeader,
  readRecords,
  type Records,
  sizeOf,
  TarProblem,
  typeOf
} from "./header.ts"
import { hasMore, oldSparse, paxSparse, type Sparse } from "./sparse.ts"

/**
 * What a block was: part of an extension of so many bytes (padding included), part of a map that goes on in the next
 * block, an entry's header, or the archive's end.
 */
export type Scanned =
  | { readonly _tag: "Extension"; readonly size: number }
  | { readonly _tag: "More" }
  | ({ readonly _tag: "Entry"; readonly sparse: Sparse | undefined } & RawHeader)
  | { readonly _tag: "End" }

/** Bytes of the extensions of one entry: names and attributes, nobody needs more. */
const maxExtensions = 1024 * 1024
/** Entries of one archive (faults, limits). */
const maxEntries = 1_000_000

const nameIn = (body: Uint8Array): string => {
  const end = body.indexOf(0)
  return Buffer.from(end < 0 ? body : body.subarray(0, end)).toString("utf8")
}

/** Throws a `TarProblem` for what is no archive. */
export class TarScanner {
  private collected: Array<Uint8Array> = []
  private globals: Records = []
  private records: Records = []
  private names: { longName?: string; longLink?: string } = {}
  private extension: { readonly type: string; readonly size: number } | undefined
  private extended = 0
  /** The own block of a sparse file whose map goes on, and its parts. */
  private map: { readonly own: Uint8Array; readonly parts: Array<Uint8Array> } | undefined
  private entries = 0

  /** Takes the next block of 512 bytes, which is copied where it is kept. */
  block(given: Uint8Array): Scanned {
    if (this.map !== undefined) return this.mapped(this.map, new Uint8Array(given))
    // One block of zeros ends the archive: GNU tar warns of a lone one, and so many writers leave the second out.
    if (isZero(given)) return { _tag: "End" }
    checkSum(given)
    const block = new Uint8Array(given)
    this.collected.push(block)
    const type = typeOf(block)
    if (isExtension(type)) {
      const size = sizeOf(block)
      this.grow(size + block.length)
      this.extension = { type, size }
      return { _tag: "Extension", size: padded(size) }
    }
    if (++this.entries > maxEntries) throw new TarProblem(`more than ${maxEntries} entries`)
    if (type !== "S") return this.entry(block, paxSparse(this.records))
    if (!hasMore(block, true)) return this.entry(block, oldSparse(block, []))
    this.map = { own: block, parts: [] }
    return { _tag: "More" }
  }

  private mapped(map: NonNullable<typeof this.map>, block: Uint8Array): Scanned {
    this.grow(block.length)
    this.collected.push(block)
    map.parts.push(block)
    if (hasMore(block, false)) return { _tag: "More" }
    this.map = undefined
    return this.entry(map.own, oldSparse(map.own, map.parts))
  }

  private grow(size: number): void {
    this.extended += size
    if (this.extended > maxExtensions) throw new TarProblem("an extended header is too large")
  }

  private entry(block: Uint8Array, sparse: Sparse | undefined): Scanned {
    const header = decodeHeader(block, { records: [...this.globals, ...this.records], ...this.names })
    const blocks = this.collected.length === 1 ? block : Buffer.concat(this.collected)
    this.collected = []
    this.records = []
    this.names = {}
    this.extended = 0
    return { _tag: "Entry", header, blocks, sparse }
  }

  /** Takes the bytes an extension asked for, with their padding. */
  take(given: Uint8Array): void {
    const { size, type } = this.extension ?? { size: 0, type: "" }
    const body = new Uint8Array(given)
    this.collected.push(body)
    this.extension = undefined
    const content = body.subarray(0, size)
    switch (type) {
      case "x":
        this.records = [...this.records, ...readRecords(content)]
        break
      case "g":
        this.globals = [...this.globals, ...readRecords(content)].slice(-10_000)
        break
      case "L":
        this.names.longName = nameIn(content)
        break
      case "K":
        this.names.longLink = nameIn(content)
        break
    }
  }

  /** Whether the bytes may end here: between two entries, where a writer left out the end. */
  get isBetween(): boolean {
    return this.collected.length === 0
  }
}
