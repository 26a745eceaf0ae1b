/** Tar archives as bytes on their way: entry by entry in, or made entry by entry (POSIX.1-2017, pax). */
import { Effect } from "effect"
import { blockSize, globalBlocks, padded, type RawHeader, TarProblem } from "../lib/tar/header.ts"
import { endBlocks, type NewEntry, newHeader } from "../lib/tar/pack.ts"
import { type Scanned, TarScanner } from "../lib/tar/scan.ts"
import { MapReader, type Region, type Sparse } from "../lib/tar/sparse.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import { attempt, type Bytes, fromPump, lent, pumpOf, type Sink } from "./Bytes.ts"
import { cut, Reader, tarInvalid } from "./tarReader.ts"

export interface TarEntry extends RawHeader {
  /** Where its body begins, in bytes from the start of the archive. */
  readonly offset: number
  /** As stored. To be run once at most, while the entry is being visited. */
  readonly body: Bytes
  /** Bytes of the file as it unpacks: more than are stored of a sparse one. */
  readonly size: number
  /** The file as it unpacks, to be run in place of the body. */
  readonly content: Bytes
}

/** What reads an archive, its problems told as those of content. */
export const scanned = <A>(run: () => A): Effect.Effect<A, StoreError> =>
  Effect.try({ try: run, catch: (cause) => tarInvalid(cause instanceof TarProblem ? cause.message : String(cause)) })

/** Hands a view on; goes on once the sink is done with it. */
export const send = (sink: Sink, view: Uint8Array): Effect.Effect<void, StoreError> =>
  Effect.callback((resume) => {
    attempt(() => sink(view, () => resume(Effect.void)), (error) => resume(Effect.fail(error)))
  })

/**
 * Visits each entry in order; what a visit leaves of a body is passed over. All bytes are read, those behind the end of
 * the archive too, so that digests are verified. Fails with TarInvalid, and as the bytes and the visits do.
 */
export const readTar = <E, R>(
  bytes: Bytes,
  visit: (entry: TarEntry) => Effect.Effect<void, E, R>
): Effect.Effect<void, StoreError | E, R> =>
  Effect.scoped(Effect.gen(function*() {
    const reader = new Reader(yield* lent(bytes))
    const scanner = new TarScanner()
    for (;;) {
      const next = yield* nextEntry(reader, scanner)
      if (next === undefined) return yield* reader.drain
      const end = reader.position + next.header.size
      yield* visit(entryOf(reader, next))
      yield* skipTo(reader, end)
    }
  }))

/** What most visits leave alone is made when it is asked for. */
const entryOf = (
  reader: Reader,
  { blocks, globals, header, sparse }: Extract<Scanned, { _tag: "Entry" }>
): TarEntry => {
  const offset = reader.position
  const end = offset + header.size
  return {
    header,
    blocks,
    globals,
    offset,
    size: sparse?.size ?? header.size,
    get body() {
      return upTo(reader, end)
    },
    get content() {
      return sparse === undefined ? upTo(reader, end) : unpacked(reader, end, sparse)
    }
  }
}

/** Passes over what is left of a body and its padding, which some writers leave out at the very end. */
const skipTo = (reader: Reader, end: number): Effect.Effect<void, StoreError> =>
  Effect.andThen(
    reader.skip(Math.max(0, end - reader.position)),
    Effect.suspend(() => pumpOf(upTo(reader, padded(end), true))(released))
  )

const released: Sink = (_view, release) => release()

const nextEntry = Effect.fnUntraced(function*(reader: Reader, scanner: TarScanner) {
  for (;;) {
    const block = yield* reader.exactly(blockSize)
    if (block.length === 0 && scanner.isBetween) return undefined
    if (block.length < blockSize) return yield* cut
    const found: Scanned = yield* scanned(() => scanner.block(block))
    if (found._tag === "End") return undefined
    if (found._tag === "Entry") return found
    if (found._tag === "More") continue
    const extension = yield* reader.exactly(found.size)
    if (extension.length < found.size) return yield* cut
    yield* scanned(() => scanner.take(extension))
  }
})

/** What is left up to a place of the archive; where it `mayLack`, the archive may end instead of it. */
const upTo = (reader: Reader, end: number, mayLack = false): Bytes =>
  fromPump((sink) => {
    const start = reader.position
    const rest: Effect.Effect<void, StoreError> = Effect.suspend(() =>
      reader.position >= end
        ? Effect.void
        : Effect.flatMap(
          reader.some(end - reader.position),
          (view) =>
            view !== undefined
              ? Effect.andThen(send(sink, view), rest)
              : mayLack && (reader.position === start || end === Number.POSITIVE_INFINITY)
              ? Effect.void
              : Effect.fail(cut)
        )
    )
    return rest
  })

/** Bytes a sparse file may unpack to (faults, limits: decompression). */
const maxUnpacked = 64 * 1024 ** 3
const zeros = new Uint8Array(256 * 1024)

/** A sparse file with its holes filled. */
const unpacked = (reader: Reader, end: number, { regions, size }: Sparse): Bytes =>
  fromPump((sink) =>
    Effect.gen(function*() {
      if (size > maxUnpacked) return yield* storeError("", "DecompressLimit", "size limit exceeded: a sparse file")
      const map = regions ?? (yield* readMap(reader, size, end))
      if (map.reduce((sum, { length }) => sum + length, reader.position) !== end) {
        return yield* tarInvalid("the map of a sparse file does not fit its size")
      }
      let at = 0
      const fill = Effect.fnUntraced(function*(until: number) {
        for (; at < until; at += zeros.length) yield* send(sink, zeros.subarray(0, until - at))
        at = until
      })
      for (const { length, offset } of map) {
        yield* fill(offset)
        yield* pumpOf(upTo(reader, reader.position + length))(sink)
        at += length
      }
      yield* fill(size)
    })
  )

const readMap = Effect.fnUntraced(function*(reader: Reader, size: number, end: number) {
  const map = new MapReader(size)
  for (let found: ReadonlyArray<Region> | undefined;;) {
    if (reader.position + blockSize > end) return yield* tarInvalid("the map of a sparse file is cut")
    const block = yield* reader.exactly(blockSize)
    if (block.length < blockSize) return yield* cut
    found = yield* scanned(() => map.block(block))
    if (found !== undefined) return found
  }
})

/** What an archive being made takes: header and body of one entry after the other. */
export interface TarOut {
  /** A new entry; the body has to have the size that the entry names. */
  readonly add: (entry: NewEntry, body?: Bytes) => Effect.Effect<void, StoreError>
  /** Blocks of a header as they are, then a body of so many bytes with its padding. */
  readonly pass: (blocks: Uint8Array, size: number, body?: Bytes) => Effect.Effect<void, StoreError>
}

/** Sends blocks of a header as they are, then a body of so many bytes with its padding. */
const passing = (sink: Sink): TarOut["pass"] =>
  Effect.fnUntraced(function*(blocks, size, body) {
    yield* send(sink, blocks)
    let sent = 0
    if (body !== undefined) {
      yield* pumpOf(body)((view, release) => {
        sent += view.length
        sink(view, release)
      })
    }
    if (sent !== size) return yield* tarInvalid(`an entry of ${size} bytes got ${sent}`)
    if (padded(size) > size) yield* send(sink, endBlocks.subarray(0, padded(size) - size))
  })

/** An archive that `write` makes each time the bytes are run; its end is added. */
export const tarBytes = (write: (out: TarOut) => Effect.Effect<void, StoreError>): Bytes =>
  fromPump((sink) => {
    const pass = passing(sink)
    const add: TarOut["add"] = (entry, body) => Effect.suspend(() => pass(newHeader(entry), entry.size, body))
    return Effect.andThen(Effect.suspend(() => write({ add, pass })), send(sink, endBlocks))
  })

/** What becomes of an entry. Who keeps it, or replaces its blocks alone, leaves its body unread. */
export type EntryChange =
  | { readonly _tag: "Keep" }
  | { readonly _tag: "Drop" }
  /** Other blocks for its header, and another body if given, which has the size that the header tells. */
  | { readonly _tag: "Replace"; readonly blocks: Uint8Array; readonly size: number; readonly body?: Bytes }

/**
 * The same archive with some entries changed; all else stays byte for byte, up to what stands behind its end. Fails
 * with TarInvalid, and as the bytes and the changes do.
 */
export const changedTar = (
  bytes: Bytes,
  change: (entry: TarEntry) => Effect.Effect<EntryChange, StoreError>
): Bytes =>
  fromPump((sink) =>
    Effect.scoped(Effect.gen(function*() {
      const reader = new Reader(yield* lent(bytes))
      const scanner = new TarScanner()
      const pass = passing(sink)
      for (;;) {
        const from = reader.position
        const next = yield* nextEntry(reader, scanner)
        if (next === undefined) {
          if (!scanner.isBetween) yield* send(sink, scanner.pending)
          if (reader.position > from) yield* send(sink, endBlocks.subarray(0, blockSize))
          return yield* pumpOf(upTo(reader, Number.POSITIVE_INFINITY, true))(sink)
        }
        const { blocks, header: { size } } = next
        const end = reader.position + size
        const into = yield* change(entryOf(reader, next))
        if (into._tag === "Drop") {
          const kept = globalBlocks(blocks)
          if (kept.length > 0) yield* send(sink, kept)
        } else if (into._tag === "Replace" && into.body !== undefined) {
          yield* pass(into.blocks, into.size, into.body)
        } else {
          if (reader.position > end - size) return yield* tarInvalid("a body was read that is kept")
          yield* send(sink, into._tag === "Keep" ? blocks : into.blocks)
          yield* pumpOf(upTo(reader, end))(sink)
          yield* pumpOf(upTo(reader, padded(end), true))(sink)
        }
        yield* skipTo(reader, end)
      }
    }))
  )
