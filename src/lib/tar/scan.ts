/** Reads tar archives block by block: it says what it needs next, and who holds the bytes brings it. */
import {
  checkSum,
  globalsAfter,
  isExtension,
  isZero,
  ownRecords,
  padded,
  type RawHeader,
  readHeader,
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
/** Records that hold for a whole archive, which every entry is read with. */
const maxGlobals = 100
const maxGlobalBytes = 16 * 1024
/** Entries of one archive (faults, limits). */
const maxEntries = 1_000_000

const checkGlobals = (globals: Records): void => {
  const bytes = globals.reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (globals.length > maxGlobals || bytes > maxGlobalBytes) {
    throw new TarProblem("too many records that hold for all entries")
  }
}

/** Throws a `TarProblem` for what is no archive. */
export class TarScanner {
  private collected: Array<Uint8Array> = []
  private globals: Records = []
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
      return { _tag: "Extension", size: padded(size) }
    }
    if (++this.entries > maxEntries) throw new TarProblem(`size limit exceeded: more than ${maxEntries} entries`)
    if (type !== "S") return this.entry()
    if (!hasMore(block, true)) return this.entry(oldSparse(block, []))
    this.map = { own: block, parts: [] }
    return { _tag: "More" }
  }

  private mapped(map: NonNullable<typeof this.map>, block: Uint8Array): Scanned {
    this.grow(block.length)
    this.collected.push(block)
    map.parts.push(block)
    if (hasMore(block, false)) return { _tag: "More" }
    this.map = undefined
    return this.entry(oldSparse(map.own, map.parts))
  }

  private grow(size: number): void {
    this.extended += size
    if (this.extended > maxExtensions) throw new TarProblem("an extended header is too large")
  }

  private entry(oldMap?: Sparse): Scanned {
    const raw = readHeader(this.pending, this.globals)
    const globals = globalsAfter(raw)
    if (globals !== this.globals) checkGlobals(globals)
    this.globals = globals
    this.collected = []
    this.extended = 0
    return { _tag: "Entry", ...raw, sparse: oldMap ?? paxSparse(ownRecords(raw)) }
  }

  /** Takes the bytes an extension asked for, with their padding. */
  take(given: Uint8Array): void {
    this.collected.push(new Uint8Array(given))
  }

  /** What was taken since the last entry: extensions that no entry followed, at the end. */
  get pending(): Uint8Array {
    return this.collected.length === 1 && this.collected[0] !== undefined
      ? this.collected[0]
      : Buffer.concat(this.collected)
  }

  /** Whether the bytes may end here: between two entries, where a writer left out the end. */
  get isBetween(): boolean {
    return this.collected.length === 0
  }
}
