/** `regctl blob get`: the bytes of a blob on stdout, verified to the last one. */
import { Effect, Stdio, Stream } from "effect"
import { collect } from "../../services/Bytes.ts"
import { Formatter } from "../../services/Formatter.ts"
import { openRef, readBlob } from "../open.ts"
import { blobView } from "../views/blob.ts"

interface Input {
  readonly format: string
  /** Deprecated, without effect. */
  readonly mediaType: string
  readonly args: ReadonlyArray<string>
}

const plain: ReadonlySet<string> = new Set(["{{printPretty .}}", "{{ printPretty . }}", "raw-body", "rawBody", "body"])
const noBytes = new Uint8Array()

/** Bytes a template may have in memory. */
const limit = 512 * 1024 * 1024

export const run = Effect.fn("blob get")(function*({ args, format, mediaType }: Input) {
  if (mediaType !== "") yield* Effect.logInfo("media-type option is deprecated")
  const blob = yield* readBlob(args[1])
  const { repository } = yield* openRef(args[0])
  const { descriptor, headers } = yield* repository.headBlob(blob)
  const { write } = yield* Formatter
  const bytes = repository.blob(descriptor)
  const stream = Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(bytes, stdio.stdout({ endOnDone: false })))
  if (plain.has(format)) return yield* stream
  if (format === "raw") {
    yield* write("raw-headers", blobView({ descriptor, headers, bytes: noBytes }), { named: true })
    yield* write("{{ println }}", undefined)
    return yield* stream
  }
  const body = format.includes("RawBody") || format.includes("printPretty") ? yield* collect(bytes, limit) : noBytes
  yield* write(format, blobView({ descriptor, headers, bytes: body }), { named: true })
}, Effect.scoped)
