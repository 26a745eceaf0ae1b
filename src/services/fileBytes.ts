/** Bytes of files: read in large views, in whole or in part, and written as they come. */
import { Effect } from "effect"
import { codeOf, readFile, Writer } from "../lib/files.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { attempt, type Bytes, type Pump, pumpOf } from "./Bytes.ts"
import { fsError } from "./fsError.ts"

/** Bytes of a file from disk, in large views; both ends of a part included. */
export const filePump =
  (path: string, part: { readonly from: number; readonly to?: number } = { from: 0 }): Pump => (sink) =>
    Effect.callback<void, StoreError>((resume) => {
      const reading = readFile(path, {
        from: part.from,
        length: part.to === undefined ? Number.MAX_SAFE_INTEGER - part.from : Math.max(0, part.to + 1 - part.from),
        opened: () => {},
        sink,
        done: (error) => resume(error === undefined ? Effect.void : Effect.fail(failureOf(path, error)))
      })
      return Effect.callback<void>((stopped) => reading.stop(() => stopped(Effect.void)))
    })

/** A sink's own failure goes on as it is. */
const failureOf = (path: string, error: unknown): StoreError => {
  let found: StoreError | undefined
  if (codeOf(error) === "") attempt(() => raise(error), (it) => found = it)
  return found ?? fsError(path, "open")(error)
}

const raise = (error: unknown): never => {
  throw error
}

/** Writes bytes into the file that `open` opens; `path` names it in failures. */
export const writeInto = (path: string, bytes: Bytes, open: () => Promise<Writer>): Effect.Effect<void, StoreError> =>
  Effect.acquireUseRelease(
    Effect.tryPromise({ try: open, catch: fsError(path, "open") }),
    (writer) =>
      pumpOf(bytes)((view, release) => {
        if (writer.failure !== undefined) throw fsError(path, "write")(writer.failure)
        writer.write(view, release)
      }).pipe(Effect.andThen(Effect.tryPromise({ try: () => writer.drain(), catch: fsError(path, "write") }))),
    // All was written before, or nobody wants it.
    (writer) => Effect.ignore(Effect.tryPromise(() => writer.close()))
  )

/** A new file with these bytes. */
export const writeNewFile = (path: string, bytes: Bytes): Effect.Effect<void, StoreError> =>
  writeInto(path, bytes, () => Writer.create(path))
