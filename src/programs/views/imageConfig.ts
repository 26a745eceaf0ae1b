/** An image's config as templates see it. */
import { Nil, Pointer, Struct, textOf } from "../../lib/gotemplate/value.ts"
import { parseTime, rfc3339Nano } from "../../lib/goTime.ts"
import { durationView, timeView } from "../../lib/goTimeView.ts"
import { compactJson, jsonObject, marshal } from "../../lib/json.ts"
import { platformText } from "../../schemas/Platform.ts"
import { type BlobFacts, blobMethods } from "./blob.ts"
import { digestView } from "./digest.ts"
import { type Document, documentIn, isObject, text, texts } from "./document.ts"

/** Its JSON and pretty form are the text received, spaced anew. */
export const imageConfigView = (facts: BlobFacts): Struct => {
  const document = documentIn(facts.bytes)
  const { fields, json } = imageOf(document)
  const string = () => shownPlatform(document)
  const image = new Struct("v1.Image", fields, { string, json })
  return new Struct("struct { *blob.BOCIConfig; v1.Image }", fields, {
    string,
    json: () => compactJson(textOf(facts.bytes)),
    promoted: { Image: image },
    methods: { ...blobMethods(facts), GetConfig: () => image, MarshalJSON: () => facts.bytes }
  })
}

const list = (value: unknown): ReadonlyArray<string> | Nil =>
  Array.isArray(value) ? texts(value) : new Nil("slice", "[]string")
const whole = (value: unknown): number => typeof value === "number" && Number.isInteger(value) ? value : 0
const time = (it: Document): Struct | Nil => {
  const read = parseTime(rfc3339Nano, text(it, "created"))
  return "time" in read ? timeView(read.time) : new Nil("pointer", "*time.Time")
}
const textMap = (value: unknown): ReadonlyMap<string, unknown> | Nil =>
  isObject(value)
    ? new Map(Object.entries(value).map(([key, item]) => [key, typeof item === "string" ? item : ""]))
    : new Nil("map", "map[string]string")
const keySet = (value: unknown): ReadonlyMap<string, unknown> | Nil =>
  isObject(value)
    ? new Map(Object.keys(value).map((key) => [key, new Struct("struct {}", {})]))
    : new Nil("map", "map[string]struct {}")

const shownPlatform = (it: Document): string =>
  platformText({
    architecture: text(it, "architecture"),
    os: text(it, "os"),
    ...(text(it, "variant") === "" ? {} : { variant: text(it, "variant") })
  })

/** A member's JSON, or nothing when Go leaves an empty one out. */
const filled = (value: unknown): string | undefined => {
  const isEmpty = value === "" || value === 0 || value === false || value instanceof Nil ||
    (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0)
  return isEmpty ? undefined : marshal(value)
}

/** Fields and JSON with the same names, or with the names given. */
const structOf = (
  type: string,
  fields: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, string>> = {},
  always: ReadonlyArray<string> = []
): Struct =>
  new Struct(type, fields, {
    json: () =>
      jsonObject(
        Object.entries(fields).map(([name, value]) => [
          names[name] ?? name,
          always.includes(name) ? marshal(value) : filled(value)
        ])
      )
  })

const imageOf = (it: Document): { readonly fields: Readonly<Record<string, unknown>>; readonly json: () => string } => {
  const config = isObject(it["config"]) ? it["config"] : {}
  const rootfs = isObject(it["rootfs"]) ? it["rootfs"] : {}
  const ids = list(rootfs["diff_ids"])
  const fields = {
    Created: time(it),
    Author: text(it, "author"),
    Architecture: text(it, "architecture"),
    OS: text(it, "os"),
    OSVersion: text(it, "os.version"),
    OSFeatures: list(it["os.features"]),
    Variant: text(it, "variant"),
    Features: list(it["features"]),
    Config: configView(config),
    RootFS: structOf(
      "v1.RootFS",
      { Type: text(rootfs, "type"), DiffIDs: ids instanceof Nil ? ids : ids.map(digestView) },
      { Type: "type", DiffIDs: "diff_ids" },
      ["Type", "DiffIDs"]
    ),
    History: Array.isArray(it["history"])
      ? it["history"].filter(isObject).map(historyView)
      : new Nil("slice", "[]v1.History")
  }
  const names: Readonly<Record<string, string>> = {
    OSVersion: "os.version",
    OSFeatures: "os.features"
  }
  const json = () =>
    jsonObject(
      Object.entries(fields).map(([name, value]) => {
        const isPresent = name === "Architecture" || name === "OS" || name === "RootFS"
        return [names[name] ?? name.toLowerCase(), isPresent ? marshal(value) : filled(value)]
      })
    )
  const platform = new Struct("platform.Platform", {}, { string: () => shownPlatform(it) })
  return { fields: { ...fields, Platform: platform }, json }
}

const configView = (it: Document): Struct =>
  structOf("v1.ImageConfig", {
    User: text(it, "User"),
    ExposedPorts: keySet(it["ExposedPorts"]),
    Env: list(it["Env"]),
    Entrypoint: list(it["Entrypoint"]),
    Cmd: list(it["Cmd"]),
    Volumes: keySet(it["Volumes"]),
    WorkingDir: text(it, "WorkingDir"),
    Labels: textMap(it["Labels"]),
    StopSignal: text(it, "StopSignal"),
    StopTimeout: typeof it["StopTimeout"] === "number" ? new Pointer(it["StopTimeout"]) : new Nil("pointer", "*int"),
    ArgsEscaped: it["ArgsEscaped"] === true,
    Healthcheck: isObject(it["Healthcheck"])
      ? healthView(it["Healthcheck"])
      : new Nil("pointer", "*v1.HealthConfig"),
    OnBuild: list(it["OnBuild"]),
    Shell: list(it["Shell"])
  })

const healthView = (it: Document): Struct => {
  const duration = (key: string) => durationView(BigInt(whole(it[key])))
  const fields = {
    Test: list(it["Test"]),
    Interval: duration("Interval"),
    Timeout: duration("Timeout"),
    StartPeriod: duration("StartPeriod"),
    Retries: whole(it["Retries"])
  }
  return new Struct("v1.HealthConfig", fields, {
    isPointer: true,
    json: () =>
      jsonObject(
        Object.entries(fields).map(([name, value]) => {
          const isZero = value instanceof Struct && value.behaviour.number === 0n
          return [name, isZero ? undefined : filled(value)]
        })
      )
  })
}

const historyView = (it: Document): Struct =>
  structOf("v1.History", {
    Created: time(it),
    CreatedBy: text(it, "created_by"),
    Author: text(it, "author"),
    Comment: text(it, "comment"),
    EmptyLayer: it["empty_layer"] === true
  }, {
    Created: "created",
    CreatedBy: "created_by",
    Author: "author",
    Comment: "comment",
    EmptyLayer: "empty_layer"
  })
