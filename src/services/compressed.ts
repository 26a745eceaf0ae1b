/** Bytes with their compression taken off or put on, within limits that no bomb gets past (faults C19). */
import { Deferred, Effect } from "effect"
import {
  type Compression,
  compressionOf,
  compressor,
  decompressor,
  type Filter,
  magicSize
} from "../lib/compression.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import { attempt, type Bytes, fromPump, type Pump, pumpOf, type Sink } from "./Bytes.ts"
import { gathered } from "./gathered.ts"

/** Bytes that may come out at most, and how many for each that went in once the first of them passed (faults, limits). */
const most = 64 * 1024 ** 3
const ratio = 1_000
const free = 16 * 1024 ** 2

const nothing = () => {}

/** The plain bytes, whatever format they came in: gzip, zstd, xz, bzip2 or none, told by their first bytes. */
export const decompressed = (bytes: Bytes, seen: (kind: Compression) => void = nothing): Bytes =>
  fromPump((sink) =>
    passing(pumpOf(bytes), sink, (head) => {
      const kind = compressionOf(head)
      seen(kind)
      return kind === "none" ? undefined : through(kind, decompressor(kind), true)
    })
  )

/** Bytes an encoder is given at once. */
const pieceSize = 256 * 1024

/** The same bytes compressed; equal bytes give equal bytes. */
export const compressed = (bytes: Bytes, kind: "gzip" | "zstd"): Bytes =>
  fromPump((sink) => passing(gathered(pumpOf(bytes), pieceSize), sink, () => through(kind, compressor(kind), false)))

/** A filter between a source and a sink. */
interface Through {
  readonly start: (sink: Sink, ended: (error?: StoreError) => void) => void
  readonly take: Sink
  readonly end: () => void
  readonly stop: () => void
}

/** Runs the source into what its first bytes ask for: a filter, or nothing. */
const passing = (source: Pump, sink: Sink, choose: (head: Uint8Array) => Through | undefined) =>
  Effect.suspend(() => {
    const done = Deferred.makeUnsafe<void, StoreError>()
    const parts: Array<Uint8Array> = []
    let size = 0
    let stop = nothing
    let end = (): void => void Deferred.doneUnsafe(done, Effect.void)
    let take: Sink | undefined
    const begin = () => {
      const head = Buffer.concat(parts)
      const filter = choose(head)
      take = sink
      if (filter !== undefined) {
        ;({ end, stop, take } = filter)
        filter.start(
          sink,
          (error) => void Deferred.doneUnsafe(done, error === undefined ? Effect.void : Effect.fail(error))
        )
      }
      if (head.length > 0) take(head, nothing)
    }
    const feeding = source((view, release) => {
      if (take !== undefined) return take(view, release)
      parts.push(new Uint8Array(view))
      size += view.length
      // Before the release: a source may hand over its next view in it.
      if (size >= magicSize) begin()
      release()
    })
    const ending = Effect.sync(() => {
      if (take === undefined) begin()
      end()
    })
    return Effect.all([Effect.andThen(feeding, ending), Deferred.await(done)], { concurrency: 2, discard: true }).pipe(
      Effect.ensuring(Effect.sync(() => stop()))
    )
  })

const through = (kind: Compression, { input, output, unread }: Filter, isLimited: boolean): Through => {
  let taken = 0
  let given = 0
  return {
    start: (sink, ended) => {
      const failed = (cause: unknown) => ended(damaged(kind, cause))
      input.on("error", failed)
      output.on("error", failed)
      output.on("end", () => (unread?.(taken) ?? 0) > 0 ? failed(new Error("bytes after its end")) : ended())
      output.on("data", (view: Uint8Array) => {
        given += view.length
        if (isLimited && (given > most || (given > free && given > taken * ratio))) return ended(bomb(kind))
        output.pause()
        attempt(() => sink(view, () => void output.resume()), ended)
      })
    },
    take: (view, release) => {
      taken += view.length
      input.write(view, release)
    },
    end: () => void input.end(),
    stop: () => {
      input.destroy()
      output.destroy()
    }
  }
}

const damaged = (kind: Compression, cause: unknown): StoreError => {
  const text = cause instanceof Error ? cause.message : String(cause)
  return storeError("", "DecompressLimit", `${kind} content cannot be decompressed: ${text}`, { cause })
}

const bomb = (kind: Compression): StoreError =>
  storeError("", "DecompressLimit", `size limit exceeded: ${kind} content grows beyond every measure`)
