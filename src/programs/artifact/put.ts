/** `regctl artifact put`: files as an artifact, by a name of its own, or as a referrer of an image. */
import { Effect } from "effect"
import { composeManifest } from "../../schemas/compose.ts"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import { algorithmOf } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { commonName, isSameLocation, type Ref, Reference, referenceOf, tagFor } from "../../schemas/Ref.ts"
import { within } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { fromBytes } from "../../services/Bytes.ts"
import { Formatter } from "../../services/Formatter.ts"
import { WillWrite } from "../../services/Registry.ts"
import { Repositories } from "../../services/Repositories.ts"
import type { Repository } from "../../services/Repository.ts"
import { annotationsOf } from "../annotations.ts"
import { findPlatform, shownPlatformOf } from "../graph/select.ts"
import { checkDigest } from "../manifest/composed.ts"
import { openRef, readRef } from "../open.ts"
import { manifestView } from "../views/manifest.ts"
import { record } from "../views/record.ts"
import { noReference } from "../views/reference.ts"
import { addToIndex } from "./addToIndex.ts"
import { checkFiles, type Content, fileContent, fileLayers, sendAll, stdinLayer } from "./content.ts"
import { type Kinds, kindsOf } from "./kinds.ts"
import { subjectFlag } from "./refers.ts"

export interface PutInput {
  readonly annotation: ReadonlyArray<string>
  readonly artifactType: string
  readonly byDigest: boolean
  readonly configFile: string
  readonly configType: string
  readonly external: string
  readonly file: ReadonlyArray<string>
  readonly fileMediaType: ReadonlyArray<string>
  readonly fileTitle: boolean
  readonly index: boolean
  readonly mediaType: string
  readonly platform: string
  readonly refers: string
  readonly stripDirs: boolean
  readonly subject: string
  readonly args: ReadonlyArray<string>
}

interface Input extends PutInput {
  readonly format: string
}

export const run = Effect.fn("artifact put")(function*({ format, ...input }: Input) {
  const { manifest } = yield* putArtifact(input, stdinLayer)
  const { write } = yield* Formatter
  const view = manifestView({ ...manifest, ref: noReference, manifest })
  if (format !== "") return yield* write(format, record("struct { Manifest manifest.Manifest }", { Manifest: view }))
  if (input.byDigest) yield* write(`{{ printf "%s\\n" .GetDigest }}`, view)
}, Effect.scoped)

/** Pushes an artifact; what is none of its files is a layer of the media type given. Gives it, and where it went. */
export const putArtifact = Effect.fnUntraced(
  function*<E, R>(input: PutInput, noFile: (mediaType: string) => Effect.Effect<Content, E, R>) {
    const places = yield* placesOf(input)
    const kinds = yield* kindsOf(input)
    yield* checkFiles(input.file)
    const platform = input.platform === "" || (places.subject === undefined && !input.index)
      ? undefined
      : yield* shownPlatformOf(input.platform)
    const subject = places.subject === undefined ? undefined : yield* subjectOf(places.subject.text, platform)
    const { open } = yield* Repositories
    const repository = yield* Effect.provideService(open(places.target), WillWrite, true)
    const config = yield* configOf(input, kinds)
    const layers = input.file.length === 0
      ? [yield* noFile(kinds.layers[0] ?? "")]
      : yield* fileLayers(input.file, kinds.layers, { isTitled: input.fileTitle, stripDirs: input.stripDirs })
    const manifest = yield* compose(kinds, config?.descriptor, layers, places.ref, {
      annotations: annotationsOf(input.annotation),
      ...(subject === undefined ? {} : { subject })
    })
    yield* sendAll(repository, [...(config === undefined ? [] : [config]), ...layers])
    yield* push(repository, manifest, places.ref, input)
    if (input.index && places.ref !== undefined) yield* addToIndex(repository, places.ref, manifest, platform)
    return { manifest, target: places.target }
  }
)

const usage = (message: string) => new UsageError({ message })

/** The references given, and where the artifact goes: beside its own, or the external, or the subject's reference. */
const placesOf = Effect.fnUntraced(function*(input: PutInput) {
  const text = yield* subjectFlag(input)
  const [given] = input.args
  if (given === undefined && text === "") return yield* usage("either a reference or subject must be provided")
  const ref = given === undefined ? undefined : yield* readRef(given)
  const subject = text === "" ? undefined : yield* readRef(text)
  const external = input.external === "" ? undefined : yield* readRef(input.external)
  if (external !== undefined && subject === undefined) {
    return yield* usage("pushing a referrer to an external repository requires a subject")
  }
  if (external !== undefined && ref !== undefined && !isSameLocation(external.location, ref.location)) {
    return yield* usage("push by reference and external to separate repositories is not supported")
  }
  if (input.index && ref?.digest !== undefined) {
    return yield* usage(`an index is put at a tag, reference ${commonName(ref)}`)
  }
  const target = (ref ?? external ?? subject)?.location
  if (target === undefined) return yield* usage("either a reference or subject must be provided")
  return { ref, subject, target }
})

/** What the artifact refers to: it has to be there. */
const subjectOf = (text: string, platform: Platform | undefined) =>
  Effect.gen(function*() {
    const { ref, repository } = yield* openRef(text)
    const reference = platform === undefined
      ? referenceOf(ref)
      : Reference.ByDigest(yield* findPlatform(repository, referenceOf(ref), platform))
    const { descriptor: { digest, mediaType, size } } = yield* repository.resolve(reference)
    return { mediaType, digest, size }
  }).pipe(
    Effect.catchTag("StoreError", (error) => Effect.fail(within("unable to find subject manifest")(error)))
  )

const empty: Content = {
  bytes: fromBytes(new TextEncoder().encode("{}")),
  descriptor: {
    mediaType: "",
    digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" as Descriptor["digest"], // of "{}"
    size: 2
  }
}

const configOf = Effect.fnUntraced(function*({ configFile }: PutInput, { config: mediaType }: Kinds) {
  if (mediaType === undefined) return undefined
  if (configFile !== "") return yield* fileContent(configFile, mediaType)
  return { ...empty, descriptor: { ...empty.descriptor, mediaType } }
})

const compose = (
  { artifact, manifest }: Kinds,
  config: Descriptor | undefined,
  layers: ReadonlyArray<Content>,
  ref: Ref | undefined,
  more: Pick<Parameters<typeof composeManifest>[0], "annotations" | "subject">
) => {
  const descriptors = layers.map(({ descriptor }) => descriptor)
  return Effect.fromResult(composeManifest({
    mediaType: manifest,
    ...(artifact === undefined ? {} : { artifactType: artifact }),
    ...(config === undefined ? { blobs: descriptors } : { config, layers: descriptors }),
    ...more
  }, { algorithm: ref?.digest === undefined ? "sha256" : algorithmOf(ref.digest) }))
}

/** By tag where there is one to put; what is reached through a subject or an index is no image of a layout's own. */
const push = Effect.fnUntraced(
  function*(repository: Repository, manifest: Manifest, ref: Ref | undefined, { byDigest, index }: PutInput) {
    if (ref !== undefined) yield* checkDigest(ref, manifest)
    const isChild = index || ref === undefined
    const tag = isChild || byDigest ? undefined : tagFor(ref)
    yield* repository.putManifest(manifest, { isChild, ...(tag === undefined ? {} : { tag }) })
  }
)
