/** `regctl blob get`: the bytes of a blob on stdout, verified to the last one. */
import { Effect, Stdio, Stream } from "effect"
import { collect } from "../../services/Bytes.ts"
import { Formatter } from "../../services/Formatter.ts"
import type { Head } from "../../services/Repository.ts"
import { openRef, readBlob } from "../open.ts"
import { blobView } from "../views/blob.ts"

interface Input {
  readonly format: string
  /** Deprecated, without effect. */
  readonly mediaType: string
  readonly args: ReadonlyArray<string>
}

const plain: ReadonlySet<string> = new Set(["{{printPretty .}}", "{{ printPretty . }}", "raw-body", "rawBody", "body"])
/** Names by which a template gets at the bytes. */
const readsBody = /RawBody|printPretty/
const noBytes = new Uint8Array()

/** Bytes a template may have in memory. */
const limit = 512 * 1024 * 1024

export const run = Effect.fn("blob get")(function*({ args, format, mediaType }: Input) {
  if (mediaType !== "")
    yield* Effect.annotateLogs(Effect.logInfo("Specifying the blob media type is deprecated"), { mt: mediaType })
  const blob = yield* readBlob(args[1])
  const { repository } = yield* openRef(args[0])
  const isTemplate = !plain.has(format) && format !== "raw"
  const isRead = plain.has(format) || (isTemplate && readsBody.test(format))
  const { descriptor, headers } = yield* repository.headBlob(blob).pipe(
    // A GET says more of what is missing, in the words of a command that gets.
    Effect.catchReason(
      "StoreError",
      "NotFound",
      (_, error) => isRead ? Effect.succeed<Head>({ descriptor: blob, headers: {} }) : Effect.fail(error)
    )
  )
  const { write } = yield* Formatter
  const bytes = repository.blob(descriptor)
  const stream = Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(bytes, stdio.stdout({ endOnDone: false })))
  if (plain.has(format)) return yield* stream
  if (format === "raw") {
    yield* write("raw-headers", blobView({ descriptor, headers, bytes: noBytes }), { named: true })
    yield* write("{{ println }}", undefined)
    return yield* stream
  }
  const body = isRead ? yield* collect(bytes, limit) : noBytes
  yield* write(format, blobView({ descriptor, headers, bytes: body }), { named: true })
}, Effect.scoped)
