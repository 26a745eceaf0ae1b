/** `manifest.*` and the methods of manifests (regbot description, 7.5). */
import { Effect } from "effect"
import { indentJson } from "../../../lib/json.ts"
import type { HostFailure, LuaTable, LuaValue } from "../../../lib/lua/border.ts"
import { isObject } from "../../../lib/lua/border.ts"
import type { Descriptor } from "../../../schemas/Descriptor.ts"
import { algorithmOf } from "../../../schemas/Digest.ts"
import { decodeManifest } from "../../../schemas/Manifest.ts"
import { mediaTypes } from "../../../schemas/MediaType.ts"
import { noQuota } from "../../../schemas/Quota.ts"
import { commonName, type Ref, Reference, tagFor } from "../../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import type { HostFunction, Library } from "../../../services/LuaEngine.ts"
import { WillWrite } from "../../../services/Registry.ts"
import type { ReadonlyRepository } from "../../../services/Repository.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { manifestArgument, optionalText, refArgument, wrongArgument } from "./arguments.ts"
import { failed, nothing } from "./failures.ts"
import { getManifest, getPlatform, headManifest, headOf, manifestObject, pull, retrieving } from "./fetch.ts"
import { imageConfig } from "./imageconfig.ts"
import { debug, debugOfWrite, infoOfWrite } from "./logged.ts"
import { type ManifestState, stateOf } from "./objects.ts"
import { ratelimitWait } from "./rateLimit.ts"
import { descriptorTable, manifestJson, manifestTable, quotaTable } from "./records.ts"

type Calls = HostFunction<ScriptRun>

/** Below an index the manifest of a platform. */
export const get: Calls = {
  run: Effect.fnUntraced(function*(...args: ReadonlyArray<LuaValue>) {
    const ref = yield* refArgument(args[0], 1)
    const platform = yield* optionalText(args, 2)
    yield* debug("Retrieve manifest", { image: commonName(ref), list: false, platform: platform ?? "" })
    const state = yield* Effect.mapError(getPlatform(ref, platform), retrieving(ref))
    return { values: [manifestObject(state)] }
  })
}

/** An index stays one. */
export const getList: Calls = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const ref = yield* refArgument(value, 1)
    yield* debug("Retrieve manifest", { image: commonName(ref), list: true, platform: "" })
    const state = yield* Effect.mapError(getManifest(ref), retrieving(ref))
    return { values: [manifestObject(state)] }
  })
}

export const head: Calls = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const ref = yield* refArgument(value, 1)
    yield* debug("Retrieve manifest with head", { image: commonName(ref) })
    const state = yield* Effect.mapError(headManifest(ref), retrieving(ref))
    return { values: [manifestObject(state)] }
  })
}

const descriptor: Calls = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const state = yield* headOf(yield* manifestArgument(value, 1))
    return { values: [descriptorTable(state.descriptor)] }
  })
}

const ratelimit: Calls = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const { quota } = yield* headOf(yield* manifestArgument(value, 1))
    return { values: [quotaTable(quota ?? noQuota)] }
  })
}

/** What came by HEAD has no content to push, export or print. */
const notSet = storeError("", "ManifestInvalid", "manifest not set")

/** The bytes as they came, or as an export made them. */
const put: Calls = {
  run: Effect.fnUntraced(function*(...args: ReadonlyArray<LuaValue>) {
    const named = yield* manifestArgument(args[0], 1)
    const ref = yield* refArgument(args[1], 2)
    const state = yield* pull(named)
    yield* debugOfWrite("Put manifest", { image: commonName(ref) })
    yield* Effect.mapError(push(state, ref), failed("Failed to put manifest"))
    const { close } = yield* ScriptRun
    yield* close(ref.location)
    return nothing
  })
}

const push = Effect.fnUntraced(function*({ body, descriptor }: ManifestState, ref: Ref) {
  const { open } = yield* ScriptRun
  if (body === undefined) return yield* notSet
  const manifest = yield* Effect.fromResult(decodeManifest(body, {
    name: commonName(ref),
    mediaType: descriptor.mediaType,
    // A reference by digest takes the manifest of that digest alone.
    digest: ref.digest ?? descriptor.digest
  }))
  const repository = yield* Effect.provideService(open(ref.location), WillWrite, true)
  const tag = tagFor(ref)
  yield* repository.putManifest(manifest, tag === undefined ? {} : { tag })
})

/** By digest: of the reference, else of the manifest. */
const remove: Calls = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const state = yield* headOf(yield* manifestArgument(value, 1))
    const ref: Ref = { ...state.ref, digest: state.ref.digest ?? state.descriptor.digest }
    yield* infoOfWrite("Delete manifest", { image: commonName(ref) })
    const { close, open } = yield* ScriptRun
    yield* Effect.gen(function*() {
      const repository = yield* Effect.provideService(open(ref.location), WillWrite, true)
      const { descriptor, subject } = yield* whole(repository, state)
      yield* repository.deleteManifest(descriptor, subject)
    }).pipe(Effect.mapError(failed(`Failed deleting "${commonName(ref)}"`)))
    yield* close(ref.location)
    return nothing
  })
}

interface Whole {
  readonly descriptor: Descriptor
  readonly subject?: Descriptor
}

/** The manifest that goes, with its subject, whose list of referrers it leaves too; read when it is not here already. */
const whole = (repository: ReadonlyRepository, state: ManifestState): Effect.Effect<Whole, StoreError> => {
  const { body, descriptor: { digest, mediaType }, ref } = state
  return body !== undefined && (ref.digest === undefined || ref.digest === digest)
    ? Effect.fromResult(decodeManifest(body, { name: commonName(ref), mediaType, digest }))
    : repository.manifest(Reference.ByDigest({ digest: ref.digest ?? digest }))
}

const exported: Calls = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const state = stateOf("manifest", value)
    if (state === undefined) return yield* Effect.fail(wrongArgument(1, "manifest expected"))
    const table = value !== undefined && isObject(value) ? value.data : undefined
    const made = yield* Effect.mapError(
      exportOf(state, table),
      failed(`Failed exporting manifest (${commonName(state.ref)})`)
    )
    return { values: [manifestObject(made)] }
  })
}

/** Without a change the bytes stay what they are, so that a digest does too. */
const exportOf = Effect.fnUntraced(function*(state: ManifestState, table: LuaTable | undefined) {
  const { body, descriptor, ref } = state
  if (body === undefined) return yield* notSet
  const { digest, mediaType } = descriptor
  const original = manifestTable(mediaType, body)
  const json = manifestJson(mediaType, table ?? original, body)
  if (json === undefined || json === manifestJson(mediaType, original, body)) return state
  if (mediaType === mediaTypes.schema1Signed) {
    return yield* storeError("", "Unsupported", "a signed manifest cannot be changed")
  }
  const made = yield* Effect.fromResult(decodeManifest(new TextEncoder().encode(json), {
    name: commonName(ref),
    mediaType,
    algorithm: algorithmOf(digest)
  }))
  return { ...state, descriptor: made.descriptor, body: made.bytes }
})

const text: HostFunction<never> = {
  run: (value) => {
    const state = stateOf("manifest", value)
    if (state === undefined) return Effect.fail(wrongArgument(1, "manifest expected"))
    const failure: HostFailure = { message: `Failed outputing manifest: ${notSet.message}` }
    return state.body === undefined
      ? Effect.fail(failure)
      : Effect.succeed({ values: [indentJson(new TextDecoder().decode(state.body), { escapeHtml: true })] })
  }
}

export const manifest: Library<ScriptRun> = {
  functions: { get, getList, head, put, descriptor },
  methods: {
    config: imageConfig,
    get,
    head,
    put,
    delete: remove,
    descriptor,
    export: exported,
    ratelimit,
    ratelimitWait
  },
  text
}
