/** An archive as a repository, loaded when the first one is opened. */
import { Effect, Stream } from "effect"
import { type Descriptor, isSizeKnown } from "../../schemas/Descriptor.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { Location } from "../../schemas/Ref.ts"
import { storeError } from "../../schemas/StoreError.ts"
import { type Archived, ofArchive, readOnly } from "../Archive.ts"
import { fromBytes, fromPump, pumpOf, verified } from "../Bytes.ts"
import { inlineData } from "../inlineData.ts"
import { tagsOf } from "../ociLayout/documents.ts"
import { type Contents, locate, manifestOf, savedTags } from "./contents.ts"
import { pick, pickSaved } from "./pick.ts"
import { referrersOf } from "./referrers.ts"
import { partBytes } from "./tarFile.ts"

/** The contents of an archive as a repository whose writes fail. */
export const repository = (path: string, contents: Contents): Archived => {
  const { layout, name, saved } = contents
  const refused = () => Effect.fail(readOnly(name))
  const noBlob = ({ digest }: Descriptor) =>
    storeError("failed to open blob", "NotFound", `not found: ${name}@${digest}`)
  const tags = layout === undefined ? [...new Set(saved.flatMap(savedTags))].sort() : tagsOf(layout.index)
  return {
    location: Location.Archive({ path }),
    resolve: (reference) =>
      Effect.map(manifestOf(contents, reference), ({ descriptor }) => ({ descriptor, headers: {} })),
    manifest: (reference, expected) => manifestOf(contents, reference, expected),
    headBlob: Effect.fnUntraced(function*(blob) {
      const size = (yield* locate(contents, blob.digest))?.size ?? (yield* inlineData(blob))?.length
      return size === undefined ? yield* noBlob(blob) : { descriptor: { ...blob, size }, headers: {} }
    }),
    blob: (blob, part) =>
      fromPump((sink) =>
        Effect.gen(function*() {
          const found = yield* locate(contents, blob.digest)
          const inline = found === undefined ? yield* inlineData(blob) : undefined
          if (found === undefined && inline === undefined) return yield* noBlob(blob)
          if (found !== undefined && part !== undefined) {
            return yield* pumpOf(partBytes(found, part.from, part.to))(sink)
          }
          if (found !== undefined) {
            const expected = isSizeKnown(blob) ? blob : { ...blob, size: found.size }
            return yield* pumpOf(verified(partBytes(found), expected))(sink)
          }
          const end = part?.to === undefined ? undefined : part.to + 1
          yield* pumpOf(fromBytes((inline ?? new Uint8Array()).subarray(part?.from ?? 0, end)))(sink)
        })
      ),
    tags: ({ last, limit = 0 } = {}) =>
      Stream.sync(() => {
        const after = tags.filter((tag) => last === undefined || tag > last)
        return { names: limit > 0 ? after.slice(0, limit) : after, body: layout?.bytes ?? noIndex, headers: {} }
      }),
    referrers: (subject, filter = {}) => referrersOf(contents, subject.digest, filter),
    putBlob: refused,
    mountBlob: refused,
    putManifest: refused,
    deleteBlob: refused,
    deleteManifest: refused,
    deleteTag: refused,
    pick: (wanted) => Effect.mapError(pick(contents, wanted), ofArchive(path)),
    ...(layout === undefined || saved.length === 0
      ? {}
      : { pickSaved: (given) => Effect.mapError(pickSaved(contents, given), ofArchive(path)) })
  }
}

/** Digests of a saved archive's images are known once their layers were compressed: its list of tags goes without. */
const noIndex = new TextEncoder().encode(
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] })
)
