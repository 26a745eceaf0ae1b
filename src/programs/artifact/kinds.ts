/** The media types of what `artifact put` makes, from what was given (regctl description, 4.1). */
import { Effect } from "effect"
import { isMediaType, mediaTypes } from "../../schemas/MediaType.ts"
import { UsageError } from "../../schemas/UsageError.ts"

interface Given {
  readonly artifactType: string
  readonly configFile: string
  readonly configType: string
  readonly file: ReadonlyArray<string>
  readonly fileMediaType: ReadonlyArray<string>
  readonly mediaType: string
}

export interface Kinds {
  readonly manifest: string
  /** Absent for the withdrawn artifact manifest, which has no config. */
  readonly config?: string
  /** Absent where the config tells what the artifact is. */
  readonly artifact?: string
  /** One for each file, or for standard input. */
  readonly layers: ReadonlyArray<string>
}

const defaultArtifact = "application/vnd.unknown.config+json"

const usage = (message: string) => new UsageError({ message })

/** Fails with a `UsageError` for what does not fit together; warns of what is better not left to chance. */
export const kindsOf = Effect.fnUntraced(function*(given: Given) {
  const { mediaType } = given
  const isArtifact = mediaType === mediaTypes.ociArtifact
  if (isArtifact) yield* Effect.logWarning("changing media-type is experimental and non-portable")
  else if (mediaType !== mediaTypes.ociManifest) return yield* usage(`unsupported manifest media type: ${mediaType}`)
  const wrong = [given.configType, given.artifactType, ...given.fileMediaType].find((it, at) =>
    !isMediaType(it) && !(at < 2 && it === "")
  )
  if (wrong !== undefined) return yield* usage(`invalid media type: ${wrong}`)
  if (isArtifact && (given.configType !== "" || given.configFile !== "")) {
    return yield* usage(`cannot set config-type or config-file on ${mediaType}`)
  }
  const config = yield* configType(given)
  const artifact = yield* artifactType(given, config)
  return {
    manifest: mediaType,
    ...(isArtifact ? {} : { config }),
    ...(artifact === "" ? {} : { artifact }),
    layers: yield* layerTypes(given, artifact)
  } satisfies Kinds
})

const configType = Effect.fnUntraced(function*({ artifactType, configFile, configType }: Given) {
  if (configType !== "") return configType
  if (configFile === "") return mediaTypes.ociEmpty
  if (artifactType === "") return yield* usage("config-type is required for config-file")
  yield* Effect.logWarning("setting config-type using artifact-type")
  return artifactType
})

const artifactType = Effect.fnUntraced(function*({ artifactType }: Given, config: string) {
  if (artifactType !== "" || config !== mediaTypes.ociEmpty) return artifactType
  yield* Effect.logWarning("using default value for artifact-type is not recommended")
  return defaultArtifact
})

const layerTypes = (
  { file, fileMediaType }: Given,
  artifact: string
): Effect.Effect<ReadonlyArray<string>, UsageError> => {
  if (file.length <= 1 && fileMediaType.length === 0) {
    return Effect.succeed([artifact === "" || artifact === defaultArtifact ? mediaTypes.octetStream : artifact])
  }
  return fileMediaType.length === Math.max(file.length, 1)
    ? Effect.succeed(fileMediaType)
    : Effect.fail(usage("one artifact media-type must be set for each artifact file"))
}
