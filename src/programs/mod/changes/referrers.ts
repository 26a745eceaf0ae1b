/** `--to-oci-referrers`: docker's attestations in an index become referrers of what they attest (library description, 17.3). */
import { Effect } from "effect"
import type { Change, Draft, Entry, IndexDraft } from "../draft.ts"
import { withMember } from "./members.ts"

const typeName = "vnd.docker.reference.type"
const digestName = "vnd.docker.reference.digest"

export const toOciReferrers: Change = {
  manifest: (draft) => Effect.succeed(draft._tag === "Index" ? withReferrers(draft) : draft)
}

/** Entries whose child is not in the index, or that are no images, stay. */
const withReferrers = (index: IndexDraft): Draft => {
  const children = new Map(
    index.entries.flatMap(({ draft }) => draft === undefined ? [] : [[draft.origin.descriptor.digest as string, draft]])
  )
  const moved = new Map<Draft, ReadonlyArray<Draft>>()
  const entries = index.entries.filter((entry) => {
    const child = children.get(entry.descriptor.annotations?.[digestName] ?? "")
    const referrer = referrerOf(entry, child)
    if (child === undefined || referrer === undefined) return true
    moved.set(child, [...moved.get(child) ?? [], referrer])
    return false
  })
  if (moved.size === 0) return index
  return {
    ...index,
    entries: entries.map((entry): Entry => {
      const added = entry.draft === undefined ? undefined : moved.get(entry.draft)
      return entry.draft === undefined || added === undefined
        ? entry
        : { ...entry, draft: { ...entry.draft, referrers: [...entry.draft.referrers, ...added] } }
    })
  }
}

const referrerOf = ({ descriptor, draft }: Entry, child: Draft | undefined): Draft | undefined => {
  const type = descriptor.annotations?.[typeName]
  if (type === undefined || draft === undefined || draft._tag === "Fixed" || child === undefined || child === draft) {
    return undefined
  }
  const { digest, mediaType, size } = child.origin.descriptor
  if (draft.subject?.digest === digest) return draft
  return { ...draft, subject: { mediaType, digest, size }, annotations: withMember(draft.annotations, typeName, type) }
}
