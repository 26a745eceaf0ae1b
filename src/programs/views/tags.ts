/** A list of tags as templates see it. */
import { Nil, Struct, textOf } from "../../lib/gotemplate/value.ts"
import { utcTime } from "../../lib/goTime.ts"
import { timeView } from "../../lib/goTimeView.ts"
import { compactJson } from "../../lib/json.ts"
import type { Headers, Index } from "../../schemas/Manifest.ts"
import { descriptorView, stringMap } from "./descriptor.ts"
import { type Document, documentIn, isObject, number, text, texts } from "./document.ts"
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
      GetURL: () => new Nil("pointer", "*url.URL"),
      RawBody: () => body,
      RawHeaders: () => headersView(headers),
      MarshalJSON: () => body
    }
  })
}

const indexView = (index: Index | undefined, body: Uint8Array): Struct =>
  new Struct("v1.Index", {
    Versioned: new Struct("v1.Versioned", versionOf(index)),
    MediaType: index === undefined ? "" : text(documentIn(body), "mediaType"),
    ArtifactType: index === undefined ? "" : text(documentIn(body), "artifactType"),
    Manifests: index?.manifests.map((it) => descriptorView(it)) ?? new Nil("slice", "[]descriptor.Descriptor"),
    Subject: new Nil("pointer", "*descriptor.Descriptor"),
    Annotations: stringMap(index?.annotations)
  }, {
    promoted: versionOf(index),
    json: () => index === undefined ? `{"schemaVersion":0,"manifests":null}` : compactJson(textOf(body))
  })

const versionOf = (index: Index | undefined) => ({ SchemaVersion: index === undefined ? 0 : 2 })

/** What Google's registries add to a list of tags. */
const googleFields = (body: Uint8Array) => {
  const { child, manifest } = documentIn(body)
  const entries = isObject(manifest) ? Object.entries(manifest) : []
  return {
    Children: child === undefined ? new Nil("slice", "[]string") : texts(child),
    Manifests: new Map(entries.map(([digest, it]) => [digest, googleManifest(isObject(it) ? it : {})]))
  }
}

const googleManifest = (it: Document): Struct => {
  const time = (key: string) => timeView(utcTime(number(it, key)))
  return new Struct("tag.GCRManifestInfo", {
    Size: number(it, "imageSizeBytes"),
    MediaType: text(it, "mediaType"),
    Created: time("timeCreatedMs"),
    Uploaded: time("timeUploadedMs"),
    Tags: texts(it["tag"])
  })
}
