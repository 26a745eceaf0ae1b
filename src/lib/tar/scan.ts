/** Reads tar archives block by block: it says what it needs next, and who holds the bytes brings it. */
import {
  checkSum,
  globalsAfter,
  hasSparseMap,
  isExtension,
  isZero,
  padded,
  type RawHeader,
  readHeader,
  type Records,
  sizeOf,
  TarProblem
} from "./header.ts"

/**
 * What a block was: part of an extension of so many bytes (padding included), one of several blocks of a header, the
 * last one of an entry's header, or the archive's end.
 */
export type Scanned =
  | { readonly _tag: "Extension"; readonly size: number }
  | { readonly _tag: "More" }
  | ({ readonly _tag: "Entry" } & RawHeader)
  | { readonly _tag: "End" }

/** Bytes of the extensions of one entry: names and attributes, nobody needs more. */
const maxExtensions = 1024 * 1024
/** Records that hold for a whole archive, which every entry is read with. */
const maxGlobals = 1_000
/** Entries of one archive (faults, limits). */
const maxEntries = 1_000_000

/** Throws a `TarProblem` for what is no archive. */
export class TarScanner {
  private collected: Array<Uint8Array> = []
  private extended = 0
  private globals: Records = []
  private entries = 0
  private isInMap = false

  /** Takes the next block of 512 bytes, which is copied where it is kept. */
  block(given: Uint8Array): Scanned {
    // One block of zeros ends the archive: GNU tar warns of a lone one, and so many writers leave the second out.
    if (!this.isInMap && isZero(given)) return { _tag: "End" }
    if (!this.isInMap) checkSum(given)
    const block = new Uint8Array(given)
    this.keep(block)
    if (!this.isInMap && isExtension(block)) {
      const size = sizeOf(block)
      if (this.extended + size > maxExtensions) throw tooLarge()
      return { _tag: "Extension", size: padded(size) }
    }
    this.isInMap = hasSparseMap(block, !this.isInMap)
    if (this.isInMap) return { _tag: "More" }
    if (++this.entries > maxEntries) throw new TarProblem(`more than ${maxEntries} entries`)
    const raw = readHeader(this.pending, this.globals)
    this.globals = globalsAfter(raw)
    if (this.globals.length > maxGlobals) throw new TarProblem(`more than ${maxGlobals} records for all entries`)
    this.collected = []
    this.extended = 0
    return { _tag: "Entry", ...raw }
  }

  /** Takes the bytes an extension asked for, with their padding. */
  take(given: Uint8Array): void {
    this.keep(new Uint8Array(given))
  }

  private keep(bytes: Uint8Array): void {
    this.extended += bytes.length
    if (this.extended > maxExtensions) throw tooLarge()
    this.collected.push(bytes)
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

const tooLarge = () => new TarProblem("an extended header is too large")
