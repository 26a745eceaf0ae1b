/** The configuration of an image (image-spec, config.md): the document as it came, its known parts found to be sound. */
import { Result, Schema } from "effect"
import { strictJson } from "../lib/strictJson.ts"
import type { Platform } from "./Descriptor.ts"
import { type StoreError, storeError } from "./StoreError.ts"

const maybe = <A extends Schema.Codec<unknown, unknown>>(schema: A) => Schema.optionalKey(Schema.NullOr(schema))
const text = maybe(Schema.String)
const texts = maybe(Schema.Array(Schema.String))

const History = Schema.Struct({
  created: text,
  created_by: text,
  author: text,
  comment: text,
  empty_layer: maybe(Schema.Boolean)
})
export type History = typeof History.Type

const Known = Schema.Struct({
  created: text,
  author: text,
  architecture: text,
  os: text,
  "os.version": text,
  "os.features": texts,
  variant: text,
  features: texts,
  config: maybe(Schema.Struct({
    User: text,
    Env: texts,
    Entrypoint: texts,
    Cmd: texts,
    WorkingDir: text,
    Labels: maybe(Schema.Record(Schema.String, Schema.String)),
    ExposedPorts: maybe(Schema.Record(Schema.String, Schema.Unknown)),
    Volumes: maybe(Schema.Record(Schema.String, Schema.Unknown))
  })),
  rootfs: maybe(Schema.Struct({ type: text, diff_ids: texts })),
  history: maybe(Schema.Array(History))
})

/** Keys that the type does not name are there as well, and stay when the document is composed anew. */
export type ImageConfig = typeof Known.Type

const decode = Schema.decodeUnknownResult(Known)

/** Bytes of a configuration that are read (faults, limits). */
export const maxConfig = 8 * 1024 * 1024

/** Fails with ManifestInvalid or DepthLimit. */
export const decodeConfig = (bytes: Uint8Array): Result.Result<ImageConfig, StoreError> => {
  const json = strictJson(bytes, { depth: 100, unique: new Set() })
  const invalid = (problem: string) =>
    storeError("", "problem" in json && json.tooDeep === true ? "DepthLimit" : "ManifestInvalid", problem)
  if ("problem" in json) return Result.fail(invalid(`error unmarshaling image config: ${json.problem}`))
  return Result.mapBoth(decode(json.value), {
    onFailure: ({ message }) => invalid(`error unmarshaling image config: ${message}`),
    // The decoded value lacks the keys the schema does not name; the document fits its type, as was just found.
    onSuccess: () => json.value as ImageConfig
  })
}

/** What the image runs on; `undefined` where the configuration names no system. */
export const configPlatform = (config: ImageConfig): Platform | undefined => {
  const { "os.features": features, "os.version": version, architecture, features: own, os, variant } = config
  if (os == null || os === "") return undefined
  return {
    architecture: architecture ?? "",
    os,
    ...(version == null || version === "" ? {} : { "os.version": version }),
    ...(features == null || features.length === 0 ? {} : { "os.features": features }),
    ...(variant == null || variant === "" ? {} : { variant }),
    ...(own == null || own.length === 0 ? {} : { features: own })
  }
}
