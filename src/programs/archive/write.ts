/** Writes the entries of an archive: in order, or each at its place in a file, some at once. */
import { Effect, Queue, Stream } from "effect"
import type { Cause } from "effect"
import { Writer } from "../../lib/files.ts"
import { padded } from "../../lib/tar/header.ts"
import { endBlocks, plainHeader } from "../../lib/tar/pack.ts"
import { CopyEvent, CopyStep, type Counter } from "../../schemas/Copy.ts"
import { type StoreError, within } from "../../schemas/StoreError.ts"
import { type Bytes, fromBytes, fromPump, pumpOf, tapped } from "../../services/Bytes.ts"
import { writeInto } from "../../services/fileBytes.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { send, tarBytes } from "../../services/tar.ts"
import type { Entry } from "./layout.ts"

/** Where an event goes. */
type Tell = (event: CopyEvent) => Effect.Effect<unknown>

/** Blobs on their way at once, each into its place of the file. */
const concurrency = 4

/** What shows how the writing goes, which is done as it is read. */
export const events = <E, R>(
  entries: ReadonlyArray<Entry>,
  write: (tell: Tell) => Effect.Effect<void, E, R>
): Stream.Stream<CopyEvent, E, R> =>
  Stream.callback<CopyEvent, E, R>((queue: Queue.Queue<CopyEvent, E | Cause.Done>) =>
    Effect.gen(function*() {
      for (const entry of entries) {
        const step = stepOf(entry)
        if (step !== undefined) yield* Queue.offer(queue, CopyEvent.Planned({ step }))
      }
      yield* write((event) => Queue.offer(queue, event))
    }).pipe(Queue.into(queue)), { bufferSize: 1024 })

const steps = new WeakMap<Entry, CopyStep>()

/** The step an entry is shown as; documents of the archive itself are none. */
const stepOf = (entry: Entry): CopyStep | undefined => {
  const known = steps.get(entry)
  if (known !== undefined || entry.content._tag === "Bytes") return known
  const common = { id: entry.name, lane: "content" as const, needs: [] }
  const { content } = entry
  const step = content._tag === "Blob"
    ? CopyStep.Blob({ ...common, descriptor: content.descriptor, isKnownAbsent: true })
    : CopyStep.Manifest({
      ...common,
      descriptor: content.manifest.descriptor,
      manifest: content.manifest,
      isChild: false
    })
  steps.set(entry, step)
  return step
}

/** Writes one entry, whose bytes are counted, and tells when it begins and ends. */
const told = (
  tell: Tell,
  entry: Entry,
  from: ReadonlyRepository,
  write: (body: Bytes) => Effect.Effect<void, StoreError>
): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const moved: Counter = { bytes: 0 }
    const step = stepOf(entry)
    if (step !== undefined) yield* tell(CopyEvent.Started({ step, moved }))
    const body = bodyOf(entry, from)
    yield* write(fromPump((sink) =>
      Effect.suspend(() => {
        moved.bytes = 0
        return pumpOf(tapped(body, ({ length }) => {
          moved.bytes += length
        }))(sink)
      })
    ))
    if (step !== undefined) yield* tell(CopyEvent.Finished({ step, how: "copied" }))
  })

const bodyOf = ({ content, size }: Entry, from: ReadonlyRepository): Bytes => {
  switch (content._tag) {
    case "Bytes":
      return fromBytes(content.bytes)
    case "Manifest":
      return fromBytes(content.manifest.bytes)
    case "Blob":
      return fromPump((sink) =>
        Effect.mapError(
          pumpOf(from.blob(content.descriptor))(sink),
          (error) =>
            error.reason._tag === "SizeMismatch" ? within(`blob size mismatch, descriptor ${size}`)(error) : error
        )
      )
  }
}

/** The archive as bytes in order. A part of it that turns out to be wrong cannot be taken back: the bytes then fail. */
export const inOrder = (entries: ReadonlyArray<Entry>, from: ReadonlyRepository, tell: Tell): Bytes =>
  tarBytes((out) =>
    Effect.forEach(entries, (entry) =>
      told(
        tell,
        entry,
        from,
        (body) => out.pass(plainHeader(entry.name, entry.size), entry.size, body)
      ), { discard: true })
  )

/** A file that is there and empty, and what failures call it. */
export interface Target {
  readonly path: string
  readonly shown: string
}

/** The archive in a file: sizes are known, so each entry has its place. */
export const inPlace = Effect.fnUntraced(function*(
  { path, shown }: Target,
  entries: ReadonlyArray<Entry>,
  from: ReadonlyRepository,
  tell: Tell
) {
  let at = 0
  const places: Array<{ readonly entry: Entry; readonly header: Uint8Array; readonly at: number }> = []
  for (const entry of entries) {
    const header = plainHeader(entry.name, entry.size)
    places.push({ entry, header, at })
    at += header.length + padded(entry.size)
  }
  yield* writeInto(shown, fromBytes(endBlocks), () => Writer.within(path, at))
  yield* Effect.forEach(places, ({ at, entry, header }) =>
    told(tell, entry, from, (body) => {
      const write = writeInto(shown, framed(header, body, entry.size), () => Writer.within(path, at))
      return Effect.catchIf(write, isWrong, () => write)
    }), { concurrency, discard: true })
})

/** What arrives wrong is asked for once more (faults C01). */
const isWrong = ({ reason }: StoreError): boolean => reason._tag === "DigestMismatch" || reason._tag === "SizeMismatch"

const framed = (header: Uint8Array, body: Bytes, size: number): Bytes => {
  const padding = endBlocks.subarray(0, padded(size) - size)
  return fromPump((sink) =>
    Effect.gen(function*() {
      yield* send(sink, header)
      yield* pumpOf(body)(sink)
      if (padding.length > 0) yield* send(sink, padding)
    })
  )
}
