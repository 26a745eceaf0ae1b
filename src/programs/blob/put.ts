/** `regctl blob put`: sends stdin as a blob, by way of a file, since a failed upload needs the bytes again. */
import { Effect } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf } from "../../schemas/Digest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { storeError } from "../../schemas/StoreError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { SweepAtEnd } from "../../services/OciLayout.ts"
import { keep } from "../../services/spool.ts"
import { openRef, readBlob } from "../open.ts"
import { stdin } from "../stdin.ts"
import { digestView } from "../views/digest.ts"
import { record } from "../views/record.ts"

interface Input {
  readonly digest: string
  readonly format: string
  /** Deprecated, without effect. */
  readonly contentType: string
  readonly args: ReadonlyArray<string>
}

// A sweep would take the blob away again: no manifest names it yet.
export const run = Effect.fn("blob put")(
  function*({ args, contentType, digest, format }: Input) {
    if (contentType !== "")
      yield* Effect.annotateLogs(Effect.logInfo("Specifying the blob media type is deprecated"), { mt: contentType })
    const expected = digest === "" ? undefined : yield* readBlob(digest)
    const { repository } = yield* openRef(args[0])
    const algorithm = expected === undefined ? "sha256" : algorithmOf(expected.digest)
    const { content, digest: computed, size } = yield* keep(yield* stdin, algorithm)
    const blob: Descriptor = { mediaType: mediaTypes.octetStream, digest: computed, size }
    if (expected !== undefined && expected.digest !== blob.digest) {
      const what = repository.location._tag === "Registry" ? "digest mismatch" : "unexpected digest"
      return yield* storeError("", "DigestMismatch", `${what}, expected ${expected.digest}, computed ${blob.digest}`)
    }
    const put = yield* repository.putBlob(content, blob)
    const { write } = yield* Formatter
    yield* write(format, record("blobPut", { Digest: digestView(put.digest), Size: put.size }))
  },
  Effect.scoped,
  Effect.provideService(SweepAtEnd, false)
)
