/** Files filled with content that is counted and hashed on its way (faults D3, C01, C02). */
import { Effect } from "effect"
import { Writer } from "../../lib/files.ts"
import { hasher } from "../../lib/hash.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf, Digest, encodedOf } from "../../schemas/Digest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { type Bytes, isChecked, type Pump, pumpOf, type Sink } from "../Bytes.ts"
import { filePump } from "../fileBytes.ts"
import { fsError } from "../fsError.ts"

/** Size and digest as expected, or the reason why not. A size of 0 is one that nobody knew. */
const problemOf = (expected: { readonly digest?: Digest; readonly size: number }, received: number, hex: string) => {
  const { digest, size } = expected
  if (size > 0 && received !== size) {
    return storeError("", "SizeMismatch", `short read [expected ${size}, received ${received}]: EOF`)
  }
  if (digest !== undefined && encodedOf(digest) !== hex) {
    const computed = `${algorithmOf(digest)}:${hex}`
    const detail =
      `digest mismatch [expected ${digest}, calculated ${computed}]: unexpected digest, expected ${digest}, ` +
      `computed ${computed}`
    return storeError("", "DigestMismatch", detail)
  }
  return undefined
}

const tooLong = (size: number) => storeError("", "SizeMismatch", `size limit exceeded: more than ${size} bytes`)

/** Counts and hashes what passes into a sink; not hashed where that is done on its way here. */
export const measured = (
  sink: Sink,
  expected: { readonly digest?: Digest; readonly size: number },
  isCheckedBefore = false
) => {
  const { digest } = expected
  const hash = digest !== undefined && isCheckedBefore
    ? { update: () => {}, hex: () => encodedOf(digest) }
    : hasher(digest === undefined ? "sha256" : algorithmOf(digest))
  let received = 0
  return {
    sink: (view: Uint8Array, release: () => void) => {
      received += view.length
      if (expected.size > 0 && received > expected.size) throw tooLong(expected.size)
      hash.update(view)
      sink(view, release)
    },
    isTooLong: () => expected.size > 0 && received > expected.size,
    end: () => {
      const hex = hash.hex()
      return { received, hex, problem: problemOf(expected, received, hex) }
    }
  }
}

export const discard: Sink = (_view, release) => release()

type Measure = ReturnType<typeof measured>

/** Into a new file. */
export const fillNew = (temporary: string, content: Bytes, expected?: Descriptor) =>
  filled(temporary, () => Writer.create(temporary), (writer) => {
    const measure = measured(
      writing(writer, temporary),
      expected ?? { size: 0 },
      expected !== undefined && isChecked(content, expected.digest)
    )
    return Effect.andThen(
      pumpOf(content)(measure.sink),
      Effect.suspend(() => ended(writer, temporary, measure, expected))
    )
  })

/** Behind the first bytes of a file, which are hashed before. Nobody else has checked the rest. */
export const fillOn = (temporary: string, kept: number, rest: Pump, expected: Descriptor) =>
  filled(temporary, () => Writer.resume(temporary, kept), (writer) => {
    const sinks = { now: discard }
    const measure = measured((view, release) => sinks.now(view, release), expected)
    return Effect.gen(function*() {
      yield* filePump(temporary, { from: 0, to: kept - 1 })(measure.sink)
      sinks.now = writing(writer, temporary)
      yield* rest(measure.sink)
      return yield* ended(writer, temporary, measure, expected)
    })
  })

const filled = <A>(
  temporary: string,
  open: () => Promise<Writer>,
  fill: (writer: Writer) => Effect.Effect<A, StoreError>
): Effect.Effect<A, StoreError> =>
  Effect.acquireUseRelease(
    Effect.tryPromise({ try: open, catch: fsError(temporary, "create") }),
    fill,
    (writer) => Effect.ignore(Effect.tryPromise(() => writer.close())) // synced before, or to be removed
  )

const writing = (writer: Writer, path: string): Sink => (view, release) => {
  const failed = writer.failure
  if (failed !== undefined) throw fsError(path, "write")(failed)
  writer.write(view, release)
}

const ended = Effect.fnUntraced(function*(writer: Writer, path: string, measure: Measure, expected?: Descriptor) {
  const { hex, problem, received } = measure.end()
  if (problem !== undefined) return yield* problem
  yield* Effect.tryPromise({ try: () => writer.end(), catch: fsError(path, "write") })
  if (expected !== undefined) return { ...expected, size: received }
  return { mediaType: mediaTypes.octetStream, digest: Digest.make(`sha256:${hex}`), size: received }
})
