/** Manifests as scripts ask for them: as they are, of a platform, by their head (regbot description, 7.5). */
import { Effect } from "effect"
import type { HostFailure, LuaObject } from "../../../lib/lua/border.ts"
import { type Manifest, signedSize } from "../../../schemas/Manifest.ts"
import { quotaOf } from "../../../schemas/Quota.ts"
import { commonName, type Ref, referenceOf } from "../../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import type { Head } from "../../../services/Repository.ts"
import { platformOf, selectBelow } from "../../graph/select.ts"
import { ScriptRun } from "../ScriptRun.ts"
import type { Named } from "./arguments.ts"
import { failed } from "./failures.ts"
import { type ManifestState, objectOf } from "./objects.ts"
import { headTable, manifestTable } from "./records.ts"

/** What a script gets hold of; below `config` it finds the data, called it is the method. */
export const manifestObject = (state: ManifestState): LuaObject => {
  const { mediaType } = state.descriptor
  const data = state.body === undefined ? headTable(mediaType) : manifestTable(mediaType, state.body)
  const object = objectOf("manifest", state, data)
  return data.fields.has("config") ? { ...object, callable: ["config"] } : object
}

export const stateFrom = (ref: Ref, manifest: Manifest): ManifestState => {
  const { bytes, descriptor, headers } = manifest
  const quota = quotaOf(headers)
  return {
    ref,
    // A signed manifest counts without its signatures, as its digest does.
    descriptor: { ...descriptor, size: signedSize(manifest) ?? descriptor.size },
    // A view may belong to a larger buffer, which would cross to the script as a whole.
    body: new Uint8Array(bytes),
    ...(quota === undefined ? {} : { quota })
  }
}

const stateOfHead = (ref: Ref, { descriptor, headers }: Head): ManifestState => {
  const quota = quotaOf(headers)
  return { ref, descriptor, ...(quota === undefined ? {} : { quota }) }
}

/** `Failed retrieving "REF" manifest: …` */
export const retrieving = (ref: Ref) => failed(`Failed retrieving "${commonName(ref)}" manifest`)

/** The platform a text names. One that cannot be read is warned of, and this machine's taken, as without a text. */
const wantedPlatform = (text: string | undefined) =>
  Effect.catch(
    platformOf(text === undefined || text === "" ? "local" : text),
    ({ message }) =>
      Effect.annotateLogs(Effect.logWarning("Could not parse platform"), { platform: text, err: message }).pipe(
        Effect.andThen(Effect.orDie(platformOf("local"))) // which can always be read
      )
  )

/** The manifest itself; fails with UnsupportedMediaType when it is of a type that nobody here knows. */
export const getManifest = (ref: Ref): Effect.Effect<ManifestState, StoreError, ScriptRun> =>
  Effect.map(read(ref), (manifest) => stateFrom(ref, manifest))

/** Below an index that of the platform, which has the reference asked for all the same. */
export const getPlatform = Effect.fnUntraced(function*(ref: Ref, platform: string | undefined) {
  const { open } = yield* ScriptRun
  const top = yield* read(ref)
  if (top._tag !== "Index") return stateFrom(ref, top)
  const repository = yield* open(ref.location)
  return stateFrom(ref, yield* known(yield* selectBelow(repository, top, yield* wantedPlatform(platform))))
})

const read = Effect.fnUntraced(function*(ref: Ref) {
  const { open } = yield* ScriptRun
  const repository = yield* open(ref.location)
  return yield* known(yield* repository.manifest(referenceOf(ref)))
})

const known = (manifest: Manifest): Effect.Effect<Manifest, StoreError> =>
  manifest._tag === "Other"
    ? Effect.fail(storeError("", "UnsupportedMediaType", `unsupported media type: "${manifest.descriptor.mediaType}"`))
    : Effect.succeed(manifest)

/** Without the content, where the place says what it is. */
export const headManifest = Effect.fnUntraced(function*(ref: Ref) {
  const { open } = yield* ScriptRun
  const repository = yield* open(ref.location)
  return stateOfHead(ref, yield* repository.resolve(referenceOf(ref)))
})

/** MAN of which the head will do. */
export const headOf = (named: Named): Effect.Effect<ManifestState, HostFailure, ScriptRun> =>
  "manifest" in named
    ? Effect.succeed(named.manifest)
    : Effect.mapError(headManifest(named.ref), retrieving(named.ref))

/** MAN with its content: `manifest pull failed: …`. */
export const pull = (named: Named): Effect.Effect<ManifestState, HostFailure, ScriptRun> =>
  "manifest" in named
    ? Effect.succeed(named.manifest)
    : Effect.mapError(getManifest(named.ref), failed("manifest pull failed"))
