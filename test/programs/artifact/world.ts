/** A run of an `artifact` command: its repositories in memory, its files in a directory of its own, its output kept. */
import { Cause, Effect, Exit, Layer, Logger, Sink, Stdio, Stream } from "effect"
import { platform } from "../../../src/layers/Platform.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { inMemory } from "../../support/memory.ts"

export interface Ended {
  readonly out: string
  readonly logs: ReadonlyArray<string>
  /** Message of the failure, empty for none. */
  readonly failure: string
}

export const flags = {
  get: {
    config: false,
    configFile: "",
    external: "",
    file: [],
    fileMediaType: [],
    filterAnnotation: [],
    filterArtifactType: "",
    latest: false,
    output: "",
    platform: "",
    refers: "",
    slowReferrers: false,
    sortAnnotation: "",
    sortDesc: false,
    stripDirs: false,
    subject: ""
  },
  put: {
    annotation: [],
    artifactType: "",
    byDigest: false,
    configFile: "",
    configType: "",
    external: "",
    file: [],
    fileMediaType: [],
    fileTitle: false,
    format: "",
    index: false,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    platform: "",
    refers: "",
    stripDirs: false,
    subject: ""
  },
  list: {
    digestTags: false,
    external: "",
    filterAnnotation: [],
    filterArtifactType: "",
    format: "{{printPretty .}}",
    latest: false,
    platform: "",
    slowReferrers: false,
    sortAnnotation: "",
    sortDesc: false
  },
  tree: {
    digestTags: false,
    external: "",
    filterAnnotation: [],
    filterArtifactType: "",
    format: "{{printPretty .}}",
    slowReferrers: false
  }
}

export const artifactWorld = () => {
  const { at, layer } = inMemory()
  const ending = Effect.fnUntraced(function*<E extends { readonly message: string }, R>(
    program: Effect.Effect<void, E, R>,
    stdin = ""
  ) {
    const [out, logs]: [Array<Uint8Array>, Array<string>] = [[], []]
    const written = Sink.forEach((part: string | Uint8Array) => Effect.sync(() => void out.push(Buffer.from(part))))
    const streams = Stdio.layerTest({
      stdin: Stream.make(new TextEncoder().encode(stdin)),
      stdout: () => written
    })
    const logger = Logger.layer([
      Logger.make(({ logLevel, message }) => void logs.push(`${logLevel} ${String(message)}`))
    ])
    const services = Layer.mergeAll(layer, logger, Formatter.layer).pipe(
      Layer.provideMerge(streams),
      Layer.provideMerge(platform)
    )
    const exit = yield* Effect.exit(Effect.provide(program, services))
    const failure = Exit.isSuccess(exit) ? undefined : Cause.squash(exit.cause)
    return {
      out: Buffer.concat(out).toString(),
      logs,
      failure: failure instanceof Error ? failure.message : ""
    } satisfies Ended
  })
  return { at, ending }
}
