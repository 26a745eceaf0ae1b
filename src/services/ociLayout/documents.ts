/** `index.json` and `oci-layout` as documents: what they say, how entries name tags, and how they change (image-spec, image-layout.md). */
import { Result, Schema } from "effect"
import { strictJson } from "../../lib/strictJson.ts"
import { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { digestsProblem } from "../../schemas/manifestShape.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import type { Reference, Tag } from "../../schemas/Ref.ts"

const refName = "org.opencontainers.image.ref.name"
export const created = "org.opencontainers.image.created"

/** An entry as JSON, unknown keys and all, beside what we read of it. */
export interface Entry {
  readonly text: string
  readonly descriptor: Descriptor
}

export interface LayoutIndex {
  readonly raw: Readonly<Record<string, unknown>>
  readonly entries: ReadonlyArray<Entry>
}

export const emptyIndex: LayoutIndex = {
  raw: { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] },
  entries: []
}

const depth = { depth: 100, unique: new Set(["manifests", "digest", "size", "mediaType"]) }
const isObject = Schema.is(Schema.Record(Schema.String, Schema.Unknown))
const decodeDescriptor = Schema.decodeUnknownResult(Descriptor)

/** Reads `index.json`; the failure says what is wrong with it. */
export const parseIndex = (bytes: Uint8Array): Result.Result<LayoutIndex, string> => {
  const json = strictJson(bytes, depth)
  if ("problem" in json) return Result.fail(json.problem)
  const raw = json.value
  if (!isObject(raw) || Array.isArray(raw)) return Result.fail("not a JSON object")
  const type = raw["mediaType"]
  if (type !== undefined && type !== "" && type !== mediaTypes.ociIndex) return Result.fail("not an OCI index")
  const manifests = raw["manifests"] ?? []
  if (!("manifests" in raw) || !Array.isArray(manifests)) return Result.fail("no list of manifests")
  const entries: Array<Entry> = []
  for (const entry of manifests) {
    const decoded = decodeDescriptor(entry)
    if (Result.isFailure(decoded)) {
      return Result.fail(digestsProblem({ manifests }) ?? decoded.failure.message.replace(/\n\s*at /g, " at "))
    }
    entries.push({ text: JSON.stringify(entry), descriptor: decoded.success })
  }
  return Result.succeed({ raw, entries })
}

/** Keys keep their places. Entries are texts already: an index of thousands is written for each of its tags. */
export const encodeIndex = ({ entries, raw }: LayoutIndex): Uint8Array => {
  const list = `[${entries.map(({ text }) => text).join(",")}]`
  const keys = Object.entries(raw).map(([key, value]) =>
    `${JSON.stringify(key)}:${key === "manifests" ? list : JSON.stringify(value)}`
  )
  return Buffer.from(`{${keys.join(",")}}`)
}

/** What is wrong with an `oci-layout` file; `undefined` when it is one of ours. */
export const layoutProblem = (bytes: Uint8Array): string | undefined => {
  const json = strictJson(bytes, depth)
  if ("problem" in json) return `oci-layout cannot be parsed: ${json.problem}`
  const version = isObject(json.value) ? json.value["imageLayoutVersion"] : undefined
  return version === "1.0.0"
    ? undefined
    : `unsupported oci layout version, expected 1.0.0, received ${typeof version === "string" ? version : ""}`
}

export const layoutFile = new TextEncoder().encode("{\"imageLayoutVersion\":\"1.0.0\"}")

const nameOf = ({ descriptor }: Entry): string | undefined => descriptor.annotations?.[refName]

/** The tag an entry has: its name, or what follows the last `:` of a full image name. */
export const tagOf = (entry: Entry): string | undefined => {
  const name = nameOf(entry)
  return name === undefined || name === "" ? undefined : name.slice(name.lastIndexOf(":") + 1)
}

/** Sorted, each once. */
export const tagsOf = ({ entries }: LayoutIndex): ReadonlyArray<string> =>
  [...new Set(entries.map(tagOf).filter((tag): tag is string => tag !== undefined && tag !== ""))].sort()

/** The entry a reference means: the exact name first, then a full image name that ends in the tag. */
export const find = ({ entries }: LayoutIndex, reference: Reference): Descriptor | undefined => {
  if (reference._tag === "ByDigest") {
    return entries.find(({ descriptor }) => descriptor.digest === reference.digest)?.descriptor
  }
  return (entries.find((entry) => nameOf(entry) === reference.tag) ??
    entries.find((entry) => nameOf(entry)?.endsWith(`:${reference.tag}`)))?.descriptor
}

/** An entry of ours: media type, digest and size, the tag and the time it was made. */
const entryOf = ({ digest, mediaType, size }: Descriptor, time: string, tag?: Tag): Entry => {
  const annotations = { [created]: time, ...(tag === undefined ? {} : { [refName]: tag }) }
  const descriptor: Descriptor = { mediaType, digest, size, annotations }
  return { text: JSON.stringify(descriptor), descriptor }
}

/** The tag on the manifest. An entry that says so already stays as it is; further entries with the tag go. */
export const withTag = (index: LayoutIndex, tag: Tag, target: Descriptor, time: string): LayoutIndex => {
  const at = index.entries.findIndex((entry) => nameOf(entry) === tag)
  if (at < 0) return { ...index, entries: [...index.entries, entryOf(target, time, tag)] }
  const entries = index.entries.flatMap((entry, position) => {
    if (position !== at) return nameOf(entry) === tag ? [] : [entry]
    const { digest, size } = entry.descriptor
    return [digest === target.digest && size === target.size ? entry : entryOf(target, time, tag)]
  })
  return { ...index, entries }
}

/** An entry without tag, unless there is one: those with tags may move on, and what was pushed by digest has to stay. */
export const withDigest = (index: LayoutIndex, target: Descriptor, time: string): LayoutIndex =>
  index.entries.some((entry) => entry.descriptor.digest === target.digest && nameOf(entry) === undefined)
    ? index
    : { ...index, entries: [...index.entries, entryOf(target, time)] }

/** Without the tag; `undefined` when no entry has just that name: a full image name is another tool's. */
export const withoutTag = (index: LayoutIndex, tag: Tag): LayoutIndex | undefined => {
  const entries = index.entries.filter((entry) => nameOf(entry) !== tag)
  return entries.length === index.entries.length ? undefined : { ...index, entries }
}

/** Without any entry of the digest. */
export const withoutDigest = (index: LayoutIndex, digest: Digest): LayoutIndex => ({
  ...index,
  entries: index.entries.filter(({ descriptor }) => descriptor.digest !== digest)
})
