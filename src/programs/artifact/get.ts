/** `regctl artifact get`: the files of an artifact, one on stdout or all into a directory; or its config. */
import { Effect, FileSystem, Stdio, Stream } from "effect"
import { titleOf } from "../../schemas/artifact.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { Bytes } from "../../services/Bytes.ts"
import { platformError } from "../../services/fsError.ts"
import { type ReferrerFlags, wantedOf } from "../graph/referrers.ts"
import { platformOf } from "../graph/select.ts"
import { openOutput } from "../outputFile.ts"
import { findNamed, findReferrer } from "./find.ts"
import { subjectFlag } from "./refers.ts"

export interface GetInput extends ReferrerFlags {
  readonly config: boolean
  readonly configFile: string
  readonly external: string
  readonly file: ReadonlyArray<string>
  readonly fileMediaType: ReadonlyArray<string>
  readonly output: string
  readonly platform: string
  readonly refers: string
  readonly stripDirs: boolean
  readonly subject: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("artifact get")(function*(input: GetInput) {
  const found = yield* getArtifact(input)
  if (found !== undefined) yield* show(found.bytes)
}, Effect.scoped)

/** The one content asked for; none where all that was asked for is written to files by now. */
export const getArtifact = Effect.fnUntraced(function*(input: GetInput) {
  const { configFile, output } = input
  const { manifest, repository } = yield* found(input)
  if (input.config || configFile !== "") {
    const descriptor = yield* configOf(manifest)
    const config = { descriptor, bytes: repository.blob(descriptor) }
    if (configFile !== "") {
      const file = yield* openOutput(configFile)
      yield* Effect.andThen(file.write(config.bytes), file.finish)
    }
    if (input.config) return configFile === "" ? config : undefined
  }
  const layers = (yield* layersOf(manifest)).filter(isWanted(input))
  const [layer] = layers
  if (layer === undefined) {
    return yield* usage("no matching layers found in the artifact, verify media-type and filename")
  }
  if (output === "" && layers.length > 1) {
    return yield* usage("more than one matching layer found, add filters or specify output dir")
  }
  if (output === "") return { descriptor: layer, bytes: repository.blob(layer) }
  const { writeLayers } = yield* Effect.promise(() => import("./writeLayers.ts"))
  yield* writeLayers(repository, layers, { output, stripDirs: input.stripDirs })
  return undefined
})

const usage = (message: string) => new UsageError({ message })

const found = Effect.fnUntraced(function*(input: GetInput) {
  const { external } = input
  const wanted = yield* wantedOf(input)
  if (input.output !== "") yield* checkOutput(input.output)
  const platform = input.platform === "" ? undefined : yield* Effect.mapError(
    platformOf(input.platform),
    ({ message }) => usage(`platform could not be parsed: ${message}`)
  )
  const subject = yield* subjectFlag(input)
  if (external !== "" && subject === "") yield* Effect.logWarning("--external option depends on --subject")
  const search = { wanted, ...(platform === undefined ? {} : { platform }) }
  const [reference] = input.args
  if (reference !== undefined) return yield* findNamed(reference, search)
  if (subject === "") return yield* usage("either a reference or subject must be provided")
  const isOrdered = wanted.order.annotation !== undefined
  return yield* findReferrer(subject, external, { ...search, isOrdered })
})

const checkOutput = Effect.fnUntraced(function*(output: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* fs.stat(output).pipe(
    Effect.mapError(platformError("stat", output)),
    Effect.mapError((error) =>
      storeError("output directory unavailable", error.reason._tag, error.message, { cause: error.cause })
    )
  )
  if (type !== "Directory") return yield* usage(`output must be a directory: ${JSON.stringify(output)}`)
})

/** Bytes go out as they come; that they were wrong shows at their end. */
const show = (bytes: Bytes) =>
  Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(bytes, stdio.stdout({ endOnDone: false })))

const unsupported = (detail: string): Effect.Effect<never, StoreError> =>
  Effect.fail(storeError("", "UnsupportedMediaType", `${detail}: unsupported media type`))

const configOf = (manifest: Manifest): Effect.Effect<Descriptor, StoreError> =>
  manifest._tag === "Image"
    ? Effect.succeed(manifest.config)
    : unsupported(`config digest not available for media type ${manifest.descriptor.mediaType}`)

const layersOf = (manifest: Manifest): Effect.Effect<ReadonlyArray<Descriptor>, StoreError> => {
  switch (manifest._tag) {
    case "Image":
    case "Schema1":
      return Effect.succeed(manifest.layers)
    case "Artifact":
      return Effect.succeed(manifest.blobs)
    default:
      return unsupported(`layers are not available for media type ${manifest.descriptor.mediaType}`)
  }
}

const isWanted = ({ file, fileMediaType }: GetInput) => (layer: Descriptor): boolean =>
  (fileMediaType.length === 0 || fileMediaType.includes(layer.mediaType)) &&
  (file.length === 0 || file.includes(titleOf(layer) ?? ""))
