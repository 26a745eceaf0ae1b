/** Tar archives as bytes on their way: entry by entry in, or made entry by entry (POSIX.1-2017, pax). */
import { type Cause, Effect, Pull, Queue } from "effect"
import { blockSize, padded, type RawHeader, TarProblem } from "../lib/tar/header.ts"
import { endBlocks, type NewEntry, newHeader } from "../lib/tar/pack.ts"
import { type Scanned, TarScanner } from "../lib/tar/scan.ts"
import { MapReader, type Region, type Sparse } from "../lib/tar/sparse.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import { attempt, type Bytes, fromPump, type Lent, lent, pumpOf, type Sink } from "./Bytes.ts"

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

const invalid = (detail: string): StoreError => storeError("", "TarInvalid", `tar is invalid: ${detail}`)

const scanned = <A>(run: () => A): Effect.Effect<A, StoreError> =>
  Effect.try({ try: run, catch: (cause) => invalid(cause instanceof TarProblem ? cause.message : String(cause)) })

/** Hands a view on; goes on once the sink is done with it. */
export const send = (sink: Sink, view: Uint8Array): Effect.Effect<void, StoreError> =>
  Effect.callback((resume) => {
    attempt(() => sink(view, () => resume(Effect.void)), (error) => resume(Effect.fail(error)))
  })

/** Bytes read forward: views come as they are lent, and go back once used up. */
class Reader {
  position = 0
  private current: Lent | undefined
  private at = 0
  private readonly queue: Queue.Dequeue<Lent, StoreError | Cause.Done>

  constructor(queue: Queue.Dequeue<Lent, StoreError | Cause.Done>) {
    this.queue = queue
  }

  /** The bytes at hand, at most so many, at least one; none at the end. */
  readonly some = (limit: number): Effect.Effect<Uint8Array | undefined, StoreError> =>
    Effect.suspend(() => {
      const { current } = this
      if (current === undefined) {
        return Queue.take(this.queue).pipe(
          Effect.flatMap((lent) => {
            this.current = lent
            this.at = 0
            return this.some(limit)
          }),
          Pull.catchDone(() => Effect.succeed(undefined))
        )
      }
      if (this.at === current.view.length) {
        this.current = undefined
        current.release()
        return this.some(limit)
      }
      const view = current.view.subarray(this.at, this.at + limit)
      this.at += view.length
      this.position += view.length
      return Effect.succeed(view)
    })

  /** Exactly so many bytes, fewer at the end. */
  readonly exactly = (size: number): Effect.Effect<Uint8Array, StoreError> =>
    Effect.flatMap(this.some(size), (first) => {
      if (first === undefined || first.length === size) return Effect.succeed(first ?? new Uint8Array())
      // The view goes back with the next one.
      const parts = [new Uint8Array(first)]
      const rest = (missing: number): Effect.Effect<Uint8Array, StoreError> =>
        Effect.flatMap(this.some(missing), (part) => {
          if (part === undefined) return Effect.succeed(Buffer.concat(parts))
          parts.push(new Uint8Array(part))
          return part.length === missing ? Effect.succeed(Buffer.concat(parts)) : rest(missing - part.length)
        })
      return rest(size - first.length)
    })

  /** Passes so many bytes over. Fails when there are fewer. */
  readonly skip = (size: number): Effect.Effect<void, StoreError> =>
    size === 0
      ? Effect.void
      : Effect.flatMap(
        this.some(size),
        (part) => part === undefined ? Effect.fail(cut) : this.skip(size - part.length)
      )

  /** Reads to the end, whatever comes. */
  readonly drain: Effect.Effect<void, StoreError> = Effect.suspend(() =>
    Effect.flatMap(this.some(Number.MAX_SAFE_INTEGER), (part) => part === undefined ? Effect.void : this.drain)
  )
}

const cut = invalid("it ends in the middle")

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
      yield* reader.skip(end - reader.position)
      yield* reader.skip(padded(next.header.size) - next.header.size)
    }
  }))

/** What most visits leave alone is made when it is asked for. */
const entryOf = (reader: Reader, { blocks, header, sparse }: Extract<Scanned, { _tag: "Entry" }>): TarEntry => {
  const offset = reader.position
  const end = offset + header.size
  return {
    header,
    blocks,
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

/** What is left up to a place of the archive. */
const upTo = (reader: Reader, end: number): Bytes =>
  fromPump((sink) => {
    const rest: Effect.Effect<void, StoreError> = Effect.suspend(() =>
      reader.position >= end
        ? Effect.void
        : Effect.flatMap(
          reader.some(end - reader.position),
          (view) => view === undefined ? Effect.fail(cut) : Effect.andThen(send(sink, view), rest)
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
        return yield* invalid("the map of a sparse file does not fit its size")
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
    if (reader.position + blockSize > end) return yield* invalid("the map of a sparse file is cut")
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

/** An archive that `write` makes each time the bytes are run; its end is added. */
export const tarBytes = (write: (out: TarOut) => Effect.Effect<void, StoreError>): Bytes =>
  fromPump((sink) => {
    const pass: TarOut["pass"] = Effect.fnUntraced(function*(blocks, size, body) {
      yield* send(sink, blocks)
      let sent = 0
      if (body !== undefined) {
        yield* pumpOf(body)((view, release) => {
          sent += view.length
          sink(view, release)
        })
      }
      if (sent !== size) return yield* invalid(`an entry of ${size} bytes got ${sent}`)
      if (padded(size) > size) yield* send(sink, endBlocks.subarray(0, padded(size) - size))
    })
    const add: TarOut["add"] = (entry, body) =>
      Effect.flatMap(Effect.promise(() => newHeader(entry)), (blocks) => pass(blocks, entry.size, body))
    return Effect.andThen(Effect.suspend(() => write({ add, pass })), send(sink, endBlocks))
  })
