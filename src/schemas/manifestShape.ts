/** Manifests that readers could take for different things, and names in them that could lead anywhere (faults C05, C08, C09). */
import { cut, quoted } from "../lib/visibleText.ts"
import { digestProblem } from "./Digest.ts"

export interface Shape {
  readonly schemaVersion?: unknown
  readonly mediaType?: unknown
  readonly signatures?: unknown
  readonly manifests?: unknown
  readonly layers?: unknown
  readonly config?: unknown
  readonly fsLayers?: unknown
}

/** The lists of more than one kind of manifest; `undefined` when there is one kind (CVE-2021-41190). */
export const ambiguity = ({ config, fsLayers, layers, manifests }: Shape): string | undefined => {
  if (manifests != null && (layers != null || config != null)) return "both manifests and layers"
  return fsLayers != null && (layers != null || config != null || manifests != null)
    ? "both fsLayers and those of another kind"
    : undefined
}

/** Whether an image has no layers, an index no manifests, and so nothing says what the document is. */
export const isNeither = ({ layers, manifests }: Shape): boolean => layers === undefined && manifests === undefined

const keysOfManifest = [
  "schemaVersion",
  "mediaType",
  "artifactType",
  "config",
  "layers",
  "manifests",
  "blobs",
  "subject",
  "annotations",
  "fsLayers"
]
const keysOfDescriptor = ["mediaType", "digest", "size", "urls", "data", "platform", "annotations", "artifactType"]

/** Letters that are equal for readers that do not tell upper from lower case, the long s and the Kelvin sign too. */
const folded = (key: string): string => key.toUpperCase().toLowerCase()

const known = (keys: ReadonlyArray<string>): ReadonlyMap<string, string> => new Map(keys.map((it) => [folded(it), it]))
const [ofManifest, ofDescriptor] = [known(keysOfManifest), known(keysOfDescriptor)]

/** A key that some readers would take for a known one, since they do not look at its case, and others not. */
const lookAlike = (value: unknown, keys: ReadonlyMap<string, string>): string | undefined => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  return Object.keys(value).find((key) => (keys.get(folded(key)) ?? key) !== key)
}

interface Placed {
  readonly value: unknown
  readonly place: string
}

/** All descriptors, with where they stand. */
const descriptorsOf = (document: object): ReadonlyArray<Placed> => {
  const fields: Readonly<Record<string, unknown>> = { ...document }
  const listed = ["layers", "manifests", "blobs"].flatMap((key) => {
    const list = fields[key]
    return Array.isArray(list) ? list.map((value: unknown, at) => ({ value, place: `${key}[${at}]` })) : []
  })
  return [...["config", "subject"].map((key) => ({ value: fields[key], place: key })), ...listed]
}

/** Which key is written so that readers disagree about it, and where. */
export const keyProblem = (document: object): string | undefined => {
  const own = lookAlike(document, ofManifest)
  if (own !== undefined) return `key ${quoted(cut(own, 100))} is a known one but for its case`
  for (const { place, value } of descriptorsOf(document)) {
    const key = lookAlike(value, ofDescriptor)
    if (key !== undefined) return `${place}: key ${quoted(cut(key, 100))} is a known one but for its case`
  }
  return undefined
}

/** Which digest is none, and why. */
export const digestsProblem = (document: object): string | undefined => {
  const layers = "fsLayers" in document && Array.isArray(document.fsLayers) ? document.fsLayers : []
  const sums = layers.map((value: unknown, at): Placed => ({ value, place: `fsLayers[${at}]` }))
  for (const { place, value } of [...descriptorsOf(document), ...sums]) {
    if (typeof value !== "object" || value === null) continue
    const digest: unknown = "digest" in value ? value.digest : "blobSum" in value ? value.blobSum : undefined
    // A pattern never meets more than any digest is long.
    const problem = typeof digest === "string" ? digestProblem(digest.slice(0, 300)) : undefined
    if (problem !== undefined) return `${place}: ${problem} ${quoted(cut(String(digest), 100))}`
  }
  return undefined
}

/** Whether a document names content by its digest, as manifests do, whatever its type. */
export const namesContent = (document: object): boolean =>
  ("fsLayers" in document && Array.isArray(document.fsLayers)) ||
  descriptorsOf(document).some(({ place, value }) =>
    place !== "subject" && typeof value === "object" && value !== null && "digest" in value
  )
