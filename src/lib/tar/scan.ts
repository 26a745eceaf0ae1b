/** Reads tar archives block by block: it says what it needs next, and who holds the bytes brings it. */
import {
  checkSum,
  decodeHeader,
  isZero,
  padded,
  type RawHeader,
  readRecords,
  type Records,
  sizeOf,
  TarProblem,
  typeOf
} from "./header.ts"

/** What a block was: part of an extension of so many bytes (padding included), an entry's header, or the archive's end. */
export type Scanned =
  | { readonly _tag: "Extension"; readonly size: number }
  | ({ readonly _tag: "Entry" } & RawHeader)
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
  private entries = 0

  /** Takes the next block of 512 bytes, which is copied where it is kept. */
  block(given: Uint8Array): Scanned {
    // One block of zeros ends the archive: GNU tar warns of a lone one, and so many writers leave the second out.
    if (isZero(given)) return { _tag: "End" }
    checkSum(given)
    const block = new Uint8Array(given)
    this.collected.push(block)
    const type = typeOf(block)
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      const size = sizeOf(block)
      this.extended += size + block.length
      if (this.extended > maxExtensions) throw new TarProblem("an extended header is too large")
      this.extension = { type, size }
      return { _tag: "Extension", size: padded(size) }
    }
    if (++this.entries > maxEntries) throw new TarProblem(`more than ${maxEntries} entries`)
    const header = decodeHeader(block, { records: [...this.globals, ...this.records], ...this.names })
    const blocks = this.collected.length === 1 ? block : Buffer.concat(this.collected)
    this.collected = []
    this.records = []
    this.names = {}
    this.extended = 0
    return { _tag: "Entry", header, blocks }
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
