/** Descriptors and platforms as templates see them. */
import { Nil, Struct } from "../../lib/gotemplate/value.ts"
import { jsonMap, jsonObject, jsonString, marshal } from "../../lib/json.ts"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import { platformText } from "../../schemas/Platform.ts"
import { digestView } from "./digest.ts"

const list = (values: ReadonlyArray<string> | undefined) => values === undefined ? new Nil("slice", "[]string") : values

/** A map of strings, or the nil of one. */
export const stringMap = (values: Readonly<Record<string, string>> | undefined) =>
  values === undefined ? new Nil("map", "map[string]string") : new Map(Object.entries(values))

/** JSON of a list that is left out when empty. */
const listJson = (values: ReadonlyArray<string> | undefined): string | undefined =>
  values === undefined || values.length === 0 ? undefined : marshal(values)

const mapJson = (values: Readonly<Record<string, string>> | undefined): string | undefined =>
  values === undefined || Object.keys(values).length === 0
    ? undefined
    : jsonMap(Object.entries(values).map(([key, value]) => [key, jsonString(value)]))

/** JSON of a text that is left out when empty. */
const textJson = (text: string | undefined): string | undefined =>
  text === undefined || text === "" ? undefined : jsonString(text)

const platformJson = (platform: Platform): string =>
  jsonObject([
    ["architecture", jsonString(platform.architecture)],
    ["os", jsonString(platform.os)],
    ["os.version", textJson(platform["os.version"])],
    ["os.features", listJson(platform["os.features"])],
    ["variant", textJson(platform.variant)],
    ["features", listJson(platform.features)]
  ])

export const platformView = (platform: Platform, isPointer = true): Struct =>
  new Struct("platform.Platform", {
    Architecture: platform.architecture,
    OS: platform.os,
    OSVersion: platform["os.version"] ?? "",
    OSFeatures: list(platform["os.features"]),
    Variant: platform.variant ?? "",
    Features: list(platform.features)
  }, {
    isPointer,
    string: () => platformText(platform),
    json: () => platformJson(platform),
    methods: { String: () => platformText(platform) }
  })

/** What a HEAD leaves of descriptors inside a manifest. */
export type PartialDescriptor = Partial<Descriptor>

const descriptorJson = (descriptor: PartialDescriptor): string =>
  jsonObject([
    ["mediaType", jsonString(descriptor.mediaType ?? "")],
    ["digest", jsonString(descriptor.digest ?? "")],
    ["size", String(descriptor.size ?? 0)],
    ["urls", listJson(descriptor.urls)],
    ["annotations", mapJson(descriptor.annotations)],
    ["data", textJson(descriptor.data)],
    ["platform", descriptor.platform === undefined ? undefined : platformJson(descriptor.platform)],
    ["artifactType", textJson(descriptor.artifactType)]
  ])

export const descriptorView = (descriptor: PartialDescriptor, isPointer = false): Struct => {
  const data = descriptor.data === undefined ? undefined : Uint8Array.from(Buffer.from(descriptor.data, "base64"))
  return new Struct("descriptor.Descriptor", {
    MediaType: descriptor.mediaType ?? "",
    Digest: digestView(descriptor.digest ?? ""),
    Size: descriptor.size ?? 0,
    URLs: list(descriptor.urls),
    Annotations: stringMap(descriptor.annotations),
    Data: data ?? new Nil("slice", "[]uint8"),
    Platform: descriptor.platform === undefined
      ? new Nil("pointer", "*platform.Platform")
      : platformView(descriptor.platform),
    ArtifactType: descriptor.artifactType ?? ""
  }, {
    isPointer,
    hidden: { digestAlgo: "" },
    json: () => descriptorJson(descriptor),
    methods: {
      GetData: () => {
        if (data === undefined) throw new Error("data not available")
        return data
      }
    }
  })
}
