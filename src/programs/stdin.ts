/** Standard input as the content of a command: in memory up to a limit, or as a stream of bytes. */
import { Effect, Stdio, Stream } from "effect"
import { storeError } from "../schemas/StoreError.ts"
import { type Bytes, collect } from "../services/Bytes.ts"

/** To be read once. */
export const stdin: Effect.Effect<Bytes, never, Stdio.Stdio> = Effect.map(
  Stdio.Stdio,
  (stdio) =>
    Stream.mapError(stdio.stdin, (cause) => storeError("failed to read stdin", "FsIo", cause.message, { cause }))
)

/** All of it; more than `limit` bytes fail with `SizeLimit`. */
export const readStdin = (limit: number) => Effect.flatMap(stdin, (bytes) => collect(bytes, limit))
