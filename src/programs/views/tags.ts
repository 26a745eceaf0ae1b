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
  /** Where a registry was asked. */
  readonly url?: URL
  /** Of a layout. */
  readonly index?: Index
}

/** The name is that of the answer; the repository's where it has none. */
export const tagsView = (facts: TagsFacts): Struct => {
  const { body, headers, index, name, tags, url } = facts
  return new Struct("tag.List", {
    Name: text(documentIn(body), "name") || name,
    Tags: tags,
    ...googleFields(body),
    Index: indexView(index, body)
  }, {
    isPointer: true,
    json: () => compactJson(textOf(body)),
    pretty: () => prettyNames(tags),
    methods: {
      GetTags: () => tags,
      GetURL: () => url === undefined ? new Nil("pointer", "*url.URL") : urlView(url),
      RawBody: () => body,
      RawHeaders: () => headersView(headers),
      MarshalJSON: () => body
    }
  })
}

const urlView = (url: URL): Struct => {
  const [scheme, query] = [url.protocol.slice(0, -1), url.search.slice(1)]
  return new Struct("url.URL", { Scheme: scheme, Host: url.host, Path: url.pathname, RawQuery: query }, {
    isPointer: true,
    string: () => url.href,
    methods: { String: () => url.href, Hostname: () => url.hostname, Port: () => url.port }
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
