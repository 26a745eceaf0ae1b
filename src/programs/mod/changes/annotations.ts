/** Options that change annotations of manifests (library description, 17.3). */
import { Effect } from "effect"
import type { Annotations } from "../../../schemas/Descriptor.ts"
import { digestProblem } from "../../../schemas/Digest.ts"
import { commonName, parseRef } from "../../../schemas/Ref.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import type { Change, Draft, Scoped } from "../draft.ts"
import { isInScope, scopedChange } from "../scope.ts"
import { withMember, withMembers } from "./members.ts"

const withAnnotations = (draft: Draft, annotations: Annotations): Draft =>
  annotations === draft.annotations || draft._tag === "Fixed" ? draft : { ...draft, annotations }

/**
 * `--annotation [P]name=value`: without prefix the top manifest alone, `[*]` every manifest, a list of platforms the
 * images whose configuration names one of them. No value deletes.
 */
export const annotation = (text: string): Effect.Effect<Change> =>
  scopedChange("annotations", text, (rest, scope) => {
    const [name, value] = nameAndValue(rest)
    return {
      manifest: (draft) =>
        Effect.succeed(
          isMeant(draft, scope) ? withAnnotations(draft, withMember(draft.annotations, name, value)) : draft
        )
    }
  })

const isMeant = (draft: Draft, scope: Scoped): boolean => {
  if (scope === undefined) return draft.isTop
  if (scope === "all") return true
  return draft._tag === "Image" && isInScope(scope, draft.config.document)
}

/** `name=value`; a text without `=`, or with nothing behind it, has no value. */
export const nameAndValue = (text: string): readonly [name: string, value: string | undefined] => {
  const equals = text.indexOf("=")
  if (equals < 0) return [text, undefined]
  const value = text.slice(equals + 1)
  return [text.slice(0, equals), value === "" ? undefined : value]
}

const baseName = "org.opencontainers.image.base.name"
const baseDigest = "org.opencontainers.image.base.digest"

/** `--annotation-base image:tag,digest`: what the image was built upon, on all manifests. */
export const annotationBase = Effect.fnUntraced(function*(text: string): Effect.fn.Return<Change, UsageError> {
  const at = text.search(/[,@]/)
  if (at < 0) return yield* new UsageError({ message: "arg requires an image name and digest" })
  const [image, digest] = [text.slice(0, at), text.slice(at + 1)]
  const ref = yield* Effect.mapError(
    Effect.fromResult(parseRef(image)),
    ({ message }) => new UsageError({ message: `invalid image reference: ${message}` })
  )
  const problem = digestProblem(digest)
  if (problem !== undefined) return yield* new UsageError({ message: `invalid digest: ${problem}` })
  const name = commonName(ref)
  return {
    manifest: (draft) => {
      const named = withMember(draft.annotations, baseName, name)
      return Effect.succeed(withAnnotations(draft, withMember(named, baseDigest, digest)))
    }
  }
})

/** `--annotation-promote`: what all children of an index have in common is set on the index. */
export const annotationPromote: Change = {
  manifest: (draft) => {
    if (draft._tag !== "Index") return Effect.succeed(draft)
    const [first, ...rest] = draft.entries.flatMap((it) => it.draft === undefined ? [] : [it.draft.annotations])
    const common = Object.entries(first ?? {}).filter(([name, value]) => rest.every((it) => it[name] === value))
    return Effect.succeed(withAnnotations(draft, withMembers(draft.annotations, common)))
  }
}

/** `--label-to-annotation`: the labels of an image on its manifest. */
export const labelToAnnotation: Change = {
  manifest: (draft) => {
    const labels = draft._tag === "Image" ? draft.config.document?.config?.Labels ?? {} : {}
    return Effect.succeed(withAnnotations(draft, withMembers(draft.annotations, Object.entries(labels))))
  }
}
