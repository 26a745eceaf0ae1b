/** A list of referrers as templates see it (regctl description, 6.5 and 7.4). */
import { Result } from "effect"
import { Nil, Struct } from "../../lib/gotemplate/value.ts"
import { jsonMap, jsonObject, jsonString, marshal } from "../../lib/json.ts"
import { composeManifest } from "../../schemas/compose.ts"
import type { Annotations, Descriptor } from "../../schemas/Descriptor.ts"
import type { Index } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { commonName, type Location, type Ref, type Tag } from "../../schemas/Ref.ts"
import { descriptorView, stringMap } from "./descriptor.ts"
import { manifestView } from "./manifest.ts"
import { annotationRows, blank, columns, descriptorRows, type Row } from "./pretty.ts"
import { noReference, referenceView } from "./reference.ts"

export interface ReferrersFacts {
  /** By digest. */
  readonly subject: Ref
  /** Another repository that was asked. */
  readonly source?: Ref
  readonly descriptors: ReadonlyArray<Descriptor>
  /** Of the index. */
  readonly annotations: Annotations
  readonly tags: ReadonlyArray<Tag>
}

interface IndexFacts {
  readonly location: Location
  /** All that was listed. */
  readonly all: ReadonlyArray<Descriptor>
  readonly annotations: Annotations
  /** The index as it came, and the tag it came by. */
  readonly received?: Index
  readonly tag?: Tag
}

/** The index as received, or one made of what was listed; none where it would be larger than a manifest may be. */
export const listIndexView = ({ all, annotations, location, received, tag }: IndexFacts): Struct | undefined => {
  const manifest = received ??
    Result.getOrUndefined(composeManifest({ mediaType: mediaTypes.ociIndex, manifests: all, annotations }))
  if (manifest === undefined) return undefined
  const isNamed = received !== undefined && tag !== undefined && location._tag === "Registry"
  const ref = isNamed ? { text: commonName({ location, tag }), location, tag } : noReference
  return manifestView({ ...manifest, ref, manifest })
}

export const referrersView = (facts: ReferrersFacts, index: Struct | undefined): Struct => {
  const { annotations, descriptors, source, subject, tags } = facts
  const hasAnnotations = Object.keys(annotations).length > 0
  const views = descriptors.map((it) => descriptorView(it))
  return new Struct("referrer.ReferrerList", {
    Subject: referenceView(subject),
    Source: referenceView(source ?? noReference),
    Descriptors: views,
    Annotations: stringMap(hasAnnotations ? annotations : undefined),
    Manifest: index ?? new Nil("pointer", "*manifest.Manifest"),
    Tags: tags.length === 0 ? new Nil("slice", "[]string") : tags
  }, {
    json: () =>
      jsonObject([
        ["subject", marshal(referenceView(subject))],
        ["source", marshal(referenceView(source ?? noReference))],
        ["descriptors", marshal(views)],
        ["annotations", hasAnnotations ? textMap(annotations) : undefined]
      ]),
    pretty: () => pretty(facts),
    methods: { IsEmpty: () => descriptors.length === 0 }
  })
}

const textMap = (values: Annotations): string =>
  jsonMap(Object.entries(values).map(([key, value]) => [key, jsonString(value)]))

const pretty = ({ annotations, descriptors, source, subject }: ReferrersFacts): string => {
  const { location } = source ?? subject
  return columns([
    ["Subject:", commonName(subject)],
    ...(source === undefined ? [] : [["Source:", commonName(source)] as const]),
    blank,
    ["Referrers:", ""],
    ...descriptors.flatMap((it): ReadonlyArray<Row> => [
      blank,
      ["  Name:", commonName({ location, digest: it.digest })],
      ...descriptorRows(it)
    ]),
    ...annotationRows("", annotations)
  ])
}
