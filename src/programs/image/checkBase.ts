/** `regctl image check-base`: whether an image still stands on the current content of its base (library description, 18). */
import { Data, Effect } from "effect"
import { digestProblem, isDigest } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { commonName, referenceOf } from "../../schemas/Ref.ts"
import { storeError } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { shownPlatformOf } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { contentChange } from "./baseContent.ts"

interface Input {
  readonly base: string
  readonly digest: string
  readonly noConfig: boolean
  readonly platform: string
  readonly quiet: boolean
  readonly args: ReadonlyArray<string>
}

/** The answer is on stdout: nothing is to be said of it on stderr. */
export class BaseChanged extends Data.TaggedError("BaseChanged")<{ readonly message: "" }> {}

export const run = Effect.fn("image check-base")(function*(input: Input) {
  const { args, noConfig, quiet } = input
  const platform = input.platform === "" ? undefined : yield* shownPlatformOf(input.platform)
  const { ref, repository } = yield* openRef(args[0])
  const known = input.base === "" ? undefined : { name: input.base, digest: input.digest }
  // What names and digest decide needs no look at the image.
  const manifest = known === undefined || known.digest === "" ? yield* repository.manifest(referenceOf(ref)) : undefined
  const { digest, name } = known ?? (yield* annotatedBase(manifest, input.digest))
  const base = yield* openRef(name)
  const change = manifest === undefined || digest !== ""
    ? yield* digestChange(base, digest)
    : yield* contentChange({ repository, manifest }, base, { platform, withHistory: !noConfig })
  yield* change === undefined
    ? Effect.logInfo("base image matches")
    : Effect.annotateLogs(Effect.logInfo("base image mismatch"), { err: change })
  const { write } = yield* Formatter
  if (!quiet) yield* write("{{ println . }}", change === undefined ? "base image matches" : "base image has changed")
  if (change !== undefined) return yield* new BaseChanged({ message: "" })
}, Effect.scoped)

/** What the annotations say of the base; a digest among them overrides the one given. */
const annotatedBase = Effect.fnUntraced(function*(manifest: Manifest | undefined, given: string) {
  if (manifest === undefined || manifest._tag === "Schema1" || manifest._tag === "Other") {
    return yield* new UsageError({ message: "image does not support annotations, base image must be provided" })
  }
  const name = manifest.annotations["org.opencontainers.image.base.name"] ?? ""
  if (name === "") {
    return yield* new UsageError({ message: "image does not have a base annotation, base image must be provided" })
  }
  return { name, digest: manifest.annotations["org.opencontainers.image.base.digest"] || given }
})

type Opened = Effect.Success<ReturnType<typeof openRef>>

/** How the digest that the base has now differs; `undefined` when it does not. */
const digestChange = Effect.fnUntraced(function*({ ref, repository }: Opened, expected: string) {
  const received = (yield* repository.resolve(referenceOf(ref))).descriptor.digest
  if (!isDigest(expected)) {
    return yield* storeError("", "DigestInvalid", digestProblem(expected) ?? "invalid checksum digest format")
  }
  if (received === expected) return undefined
  return `base digest changed, ${commonName(ref)}, expected ${expected}, received ${received}`
})
