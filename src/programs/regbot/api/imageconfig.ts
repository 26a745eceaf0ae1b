/** `image.config(manifest [, platform])`, and configurations as objects (regbot description, 7.6 and 7.7). */
import { Effect } from "effect"
import { indentJson } from "../../../lib/json.ts"
import { localPlatform } from "../../../lib/localPlatform.ts"
import type { HostFailure, LuaTable, LuaValue } from "../../../lib/lua/border.ts"
import { isObject } from "../../../lib/lua/border.ts"
import { computeDigest } from "../../../schemas/computeDigest.ts"
import type { Descriptor, Platform } from "../../../schemas/Descriptor.ts"
import { algorithmOf } from "../../../schemas/Digest.ts"
import { decodeConfig, maxConfig } from "../../../schemas/ImageConfig.ts"
import { decodeManifest, type Manifest } from "../../../schemas/Manifest.ts"
import { commonName, referenceOf } from "../../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import { collect } from "../../../services/Bytes.ts"
import type { HostFunction, Library } from "../../../services/LuaEngine.ts"
import type { ReadonlyRepository } from "../../../services/Repository.ts"
import { platformOf, selectBelow, selectPlatform } from "../../graph/select.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { manifestArgument, type Named, textArgument, wrongArgument } from "./arguments.ts"
import { failed } from "./failures.ts"
import { stateFrom } from "./fetch.ts"
import { debug } from "./logged.ts"
import { type ConfigState, type ManifestState, objectOf, stateOf } from "./objects.ts"
import { configJson, configTable } from "./records.ts"

/** The host's error for whatever is no image. */
const noImage: HostFailure = { message: "Image methods are not available for manifest" }

export const imageConfig: HostFunction<ScriptRun> = {
  run: (...args) =>
    Effect.gen(function*() {
      const named = yield* manifestArgument(args[0], 1)
      const platform = yield* platformArgument(args)
      const { open, throttled } = yield* ScriptRun
      const { ref } = "ref" in named ? named : named.manifest
      const name = `"${commonName(ref)}"`
      yield* debug("Retrieve image config", { image: commonName(ref) })
      return yield* throttled(Effect.gen(function*() {
        const repository = yield* Effect.mapError(open(ref.location), failed("manifest pull failed"))
        const manifest = yield* manifestOf(repository, named, platform)
        if (manifest._tag === "Index") return yield* Effect.fail(noImage)
        const lookUp = Effect.mapError(configOf(manifest), failed(`Failed looking up ${name} config digest`))
        const descriptor = yield* lookUp
        const body = yield* Effect.mapError(bodyOf(repository, descriptor), failed(`Failed retrieving ${name} config`))
        return { values: [configObject({ ref, descriptor, body, manifest: stateFrom(ref, manifest) })] }
      }))
    })
}

const platformArgument = Effect.fnUntraced(function*([, value]: ReadonlyArray<LuaValue>) {
  if (value === undefined) return undefined
  const text = yield* textArgument(value, 2)
  return yield* Effect.mapError(
    platformOf(text),
    ({ message }) => wrongArgument(2, `failed to parse platform ${text}: ${message}`)
  )
})

/** A name is resolved to the platform asked for, this machine's otherwise; an index that is here to one asked for alone. */
const manifestOf = (repository: ReadonlyRepository, named: Named, platform: Platform | undefined) => {
  if ("ref" in named) {
    const found = Effect.suspend(() => selectPlatform(repository, referenceOf(named.ref), platform ?? localPlatform()))
    return Effect.mapError(found, failed("manifest pull failed"))
  }
  const { manifest } = named
  const known = Effect.mapError(
    decoded(manifest),
    failed(`Failed looking up "${commonName(manifest.ref)}" config digest`)
  )
  if (platform === undefined) return known
  return Effect.flatMap(
    known,
    (it) => Effect.mapError(selectBelow(repository, it, platform), failed("manifest pull failed"))
  )
}

const decoded = ({ body, descriptor, ref }: ManifestState): Effect.Effect<Manifest, StoreError> =>
  body === undefined
    ? storeError("", "ManifestInvalid", "manifest not set")
    : Effect.fromResult(decodeManifest(body, { name: commonName(ref), mediaType: descriptor.mediaType }))

const configOf = (manifest: Manifest): Effect.Effect<Descriptor, StoreError> =>
  manifest._tag === "Image" ? Effect.succeed(manifest.config) : storeError(
    "",
    "UnsupportedMediaType",
    `config digest not available for media type ${manifest.descriptor.mediaType}: unsupported media type`
  )

const bodyOf = Effect.fnUntraced(function*(repository: ReadonlyRepository, descriptor: Descriptor) {
  const body = yield* collect(repository.blob(descriptor), maxConfig)
  yield* Effect.fromResult(decodeConfig(body))
  // A part of a buffer of many would take all of it along.
  return new Uint8Array(body)
})

const configObject = (state: ConfigState) => objectOf("imageconfig", state, configTable(state.body))

interface Self extends ConfigState {
  readonly data: LuaTable
}

const self = (value: LuaValue): Effect.Effect<Self, HostFailure> => {
  const state = stateOf("imageconfig", value)
  return state === undefined
    ? Effect.fail(wrongArgument(1, "config expected"))
    : Effect.succeed({ ...state, data: (isObject(value) ? value.data : undefined) ?? configTable(state.body) })
}

/** A new configuration from the data, which the script may have changed. */
const exportConfig: HostFunction<never> = {
  run: (...args) =>
    Effect.gen(function*() {
      const { data, ...state } = yield* self(args[0])
      const body = new TextEncoder().encode(configJson(data, state.body))
      const digest = computeDigest(algorithmOf(state.descriptor.digest), body)
      const { mediaType } = state.descriptor
      return { values: [configObject({ ...state, body, descriptor: { mediaType, digest, size: body.length } })] }
    })
}

const text: HostFunction<never> = {
  run: (...args) =>
    Effect.map(self(args[0]), ({ body }) => ({
      values: [indentJson(new TextDecoder().decode(body), { escapeHtml: true })]
    }))
}

export const imageconfig: Library<never> = {
  functions: {},
  methods: { export: exportConfig },
  text
}
