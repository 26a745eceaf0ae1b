/** A list of tags as templates see it. */
import { Nil, Struct, textOf } from "../../lib/gotemplate/value.ts"
import { utcTime } from "../../lib/goTime.ts"
import { timeView } from "../../lib/goTimeView.ts"
import { compactJson } from "../../lib/json.ts"
import type { Headers, Index } from "../../schemas/Manifest.ts"
import { descriptorView, stringMap } from "./descriptor.ts"
import { headersView } from "./headers.ts"
import { prettyNames } from "./pretty.ts"

export interface TagsFacts {
  /** Of the repository; empty for a layout. */
  readonly name: string
  readonly tags: ReadonlyArray<string>
  readonly body: Uint8Array
  readonly headers: Headers
  /** Of a layout. */
  readonly index?: Index
}

export const tagsView = (facts: TagsFacts): Struct => {
  const { body, headers, index, name, tags } = facts
  return new Struct("tag.List", { Name: name, Tags: tags, ...googleFields(body), Index: indexView(index, body) }, {
    isPointer: true,
    json: () => compactJson(textOf(body)),
    pretty: () => prettyNames(tags),
    methods: {
      GetTags: () => tags,
      GetURL: () => undefined,
      RawBody: () => body,
      RawHeaders: () => headersView(headers),
      MarshalJSON: () => body
    }
  })
}

const indexView = (index: Index | undefined, body: Uint8Array): Struct =>
  new Struct("v1.Index", {
    SchemaVersion: index === undefined ? 0 : 2,
    MediaType: index === undefined ? "" : String(parsed(body)["mediaType"] ?? ""),
    Manifests: index?.manifests.map((it) => descriptorView(it)) ?? new Nil("slice", "[]descriptor.Descriptor"),
    Annotations: stringMap(index?.annotations)
  }, { json: () => index === undefined ? `{"schemaVersion":0,"manifests":null}` : compactJson(textOf(body)) })

type Document = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Document =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const strings = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((it) => typeof it === "string") : []

const parsed = (body: Uint8Array): Document => {
  try {
    const document: unknown = JSON.parse(textOf(body))
    return isObject(document) ? document : {}
  } catch {
    return {}
  }
}

/** What Google's registries add to a list of tags. */
const googleFields = (body: Uint8Array) => {
  const { child, manifest } = parsed(body)
  const entries = isObject(manifest) ? Object.entries(manifest) : []
  return {
    Children: child === undefined ? new Nil("slice", "[]string") : strings(child),
    Manifests: new Map(entries.map(([digest, it]) => [digest, googleManifest(isObject(it) ? it : {})]))
  }
}

const googleManifest = (it: Document): Struct => {
  const time = (key: string) => timeView(utcTime(Number(it[key]) || 0))
  return new Struct("tag.GCRManifestInfo", {
    Size: Number(it["imageSizeBytes"]) || 0,
    MediaType: String(it["mediaType"] ?? ""),
    Created: time("timeCreatedMs"),
    Uploaded: time("timeUploadedMs"),
    Tags: strings(it["tag"])
  })
}
