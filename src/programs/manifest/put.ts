/** `regctl manifest put`: pushes stdin as a manifest, byte for byte. */
import { Effect } from "effect"
import { decodeManifest, maxPush } from "../../schemas/Manifest.ts"
import { commonName, tagFor } from "../../schemas/Ref.ts"
import { Formatter } from "../../services/Formatter.ts"
import { openRef } from "../open.ts"
import { readStdin } from "../stdin.ts"
import { manifestView } from "../views/manifest.ts"
import { record } from "../views/record.ts"

interface Input {
  readonly byDigest: boolean
  readonly contentType: string
  readonly format: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("manifest put")(function*({ args, byDigest, contentType, format }: Input) {
  const { ref, repository } = yield* openRef(args[0])
  const bytes = yield* readStdin(maxPush)
  const manifest = yield* Effect.fromResult(decodeManifest(bytes, {
    name: commonName(ref),
    ...(contentType === "" ? {} : { mediaType: contentType }),
    ...(ref.digest === undefined ? {} : { digest: ref.digest })
  }))
  const { descriptor, headers } = manifest
  const tag = byDigest ? undefined : tagFor(ref)
  yield* repository.putManifest(manifest, tag === undefined ? {} : { tag })
  const { write } = yield* Formatter
  const view = manifestView({ ref, descriptor, headers, manifest })
  if (format !== "") yield* write(format, record("manifestPut", { Manifest: view }))
  else if (byDigest) yield* write("{{ printf \"%s\\n\" .GetDescriptor.Digest }}", view)
}, Effect.scoped)
