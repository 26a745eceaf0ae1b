/** Manifests of a registry: looked up, read with their digest checked, pushed as they are, deleted (distribution-spec, pull and push). */
import { Effect, Result } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf, type Digest, isDigest } from "../../schemas/Digest.ts"
import { decodeManifest, header, type Headers, type Manifest, maxPush, maxRead } from "../../schemas/Manifest.ts"
import { baseType, isManifestType, manifestTypes } from "../../schemas/MediaType.ts"
import { Reference } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { inlineData } from "../inlineData.ts"
import type { Head, PutManifest, Repository } from "../Repository.ts"
import { type At, document, type Http, isPage, lengthOf, nameOf, remove, settled, statusOf } from "./exchange.ts"
import { isAcknowledged, isImmutable, isSame, stored, unacknowledged } from "./pushed.ts"
import { type Push, sendManifest } from "./sending.ts"

/** What keeps the lists of referrers where the registry does not. */
export interface ReferrerKeeper {
  /** After a push of a manifest with a subject that the registry did not acknowledge. */
  readonly added: (manifest: Manifest, subject: Descriptor) => Effect.Effect<void, StoreError>
  readonly removed: (manifest: Descriptor, subject: Descriptor) => Effect.Effect<void, StoreError>
}

export const manifests = (
  at: At,
  http: Http,
  keeper: ReferrerKeeper
): Pick<Repository, "resolve" | "manifest" | "putManifest" | "deleteManifest"> => ({
  resolve: (reference) =>
    head(at, http, reference).pipe(
      Effect.mapError(within(`failed to request manifest head ${nameOf(at, reference)}`))
    ),
  manifest: (reference, expected) => getManifest(at, http, reference, expected),
  putManifest: (manifest, how) => put(at, http, keeper, manifest, how),
  deleteManifest: (manifest, subject) =>
    deleteByDigest(at, http, manifest.digest).pipe(
      Effect.mapError(
        within(`failed to delete manifest ${nameOf(at, Reference.ByDigest({ digest: manifest.digest }))}`)
      ),
      Effect.andThen(subject === undefined ? Effect.void : keeper.removed(manifest, subject))
    )
})

const pathOf = Reference.$match({
  ByTag: ({ tag }) => `manifests/${tag}`,
  ByDigest: ({ digest }) => `manifests/${digest}`
})

/** Statuses with which servers refuse HEAD although they answer GET (registry-quirks 3.1). A 404 is believed. */
const headless: ReadonlySet<number> = new Set([400, 405, 501])

const headOf = (reference: Reference) => ({
  method: "HEAD" as const,
  path: pathOf(reference),
  headers: { accept: manifestTypes },
  demand: { kind: "head" as const, size: 0 }
})

const head = (at: At, http: Http, reference: Reference) =>
  settled(http, { ...at, ...headOf(reference), mirrors: true }).pipe(
    Effect.flatMap(({ headers }) => described(reference, headers)),
    Effect.catchIf(isHeadless, () => Effect.succeed(undefined)),
    Effect.flatMap((found) => {
      if (found !== undefined && isManifestType(found.descriptor.mediaType)) return Effect.succeed(found)
      const read = Effect.map(fetch(at, http, reference), ({ descriptor, headers }) => ({ descriptor, headers }))
      // A type nobody asked for is a mistake more often than a manifest of another kind: its document says which.
      return found === undefined
        ? read
        : Effect.catchReason(read, "StoreError", "UnsupportedMediaType", () => Effect.succeed(found))
    })
  )

const isHeadless = (error: StoreError): boolean =>
  error.reason._tag === "Unsupported" || headless.has(statusOf(error) ?? 0)

/** What headers give, when they give all of it. */
const described = (reference: Reference, headers: Headers): Effect.Effect<Head | undefined, StoreError> => {
  const mediaType = baseType(header(headers, "content-type") ?? "")
  const claimed = header(headers, "docker-content-digest")
  const digest = reference._tag === "ByDigest" ? reference.digest : claimed
  const size = lengthOf(headers)
  if (
    isPage(headers) || mediaType === "" || digest === undefined || !isDigest(digest) || size === undefined ||
    size === 0
  ) {
    return Effect.succeed(undefined)
  }
  return isOther(digest, claimed)
    ? Effect.fail(otherDigest(digest, claimed))
    : Effect.succeed({ descriptor: { mediaType, digest, size }, headers })
}

/** Reads a manifest; a descriptor whose `data` holds it costs no request. */
export const getManifest = (
  at: At,
  http: Http,
  reference: Reference,
  expected?: Descriptor
): Effect.Effect<Manifest, StoreError> =>
  Effect.flatMap(inlineData(expected), (inline) =>
    inline === undefined
      ? fetch(at, http, reference, expected)
      : Effect.fromResult(decodeManifest(inline, { ...expected, name: nameOf(at, reference) }))).pipe(
      Effect.mapError(within(`failed to get manifest ${nameOf(at, reference)}`))
    )

const fetch = (
  at: At,
  http: Http,
  reference: Reference,
  expected?: Descriptor,
  mirrors = true
): Effect.Effect<Manifest, StoreError> =>
  document(
    http,
    {
      ...at,
      method: "GET",
      path: pathOf(reference),
      headers: { accept: manifestTypes },
      demand: { kind: "manifest", size: expected?.size ?? 0 },
      mirrors
    },
    maxRead,
    ({ bytes, headers }) =>
      Effect.mapError(
        Effect.fromResult(decode(at, reference, bytes, headers, expected)),
        (error) => isPage(headers) ? noManifest : error
      ),
    ({ headers }) => fits(lengthOf(headers), expected, nameOf(at, reference))
  )

/** A login page or the like in place of what was asked for (registry-quirks 1.12); asking again would show it again. */
const noManifest = storeError("", "ManifestInvalid", "the answer is a web page (text/html), not a manifest")

/** Digest expected from the descriptor, the reference, then the header (library 3.4). */
const decode = (at: At, reference: Reference, bytes: Uint8Array, headers: Headers, expected?: Descriptor) => {
  const claimed = header(headers, "docker-content-digest")
  const digest = expected?.digest ?? (reference._tag === "ByDigest" ? reference.digest : claimed)
  const mediaType = expected?.mediaType ?? header(headers, "content-type")
  const read = decodeManifest(bytes, {
    name: nameOf(at, reference),
    headers,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(digest !== undefined && isDigest(digest) ? { digest } : {}),
    ...(expected === undefined ? {} : { size: expected.size })
  })
  return Result.filterOrFail(
    read,
    (manifest) => !isOther(manifest.descriptor.digest, claimed),
    ({ descriptor }) => otherDigest(descriptor.digest, claimed)
  )
}

/** A header that names other content; a registry may name content by its own algorithm, whichever was asked for. */
const isOther = (digest: Digest, claimed: string | undefined): boolean =>
  claimed !== undefined && isDigest(claimed) && claimed !== digest && claimed.startsWith(`${algorithmOf(digest)}:`)

const otherDigest = (digest: Digest, claimed: string | undefined) =>
  storeError("", "DigestMismatch", `manifest digest mismatch, expected ${digest}, received ${claimed}`)

const fits = (length: number | undefined, expected: Descriptor | undefined, name: string) => {
  if (length !== undefined && length > maxRead) {
    return Effect.fail(
      storeError("", "SizeLimit", `manifest too large, received ${length}, limit ${maxRead}: ${name}`)
    )
  }
  return length === undefined || expected === undefined || length === expected.size
    ? Effect.void
    : Effect.fail(
      storeError("", "SizeMismatch", `unexpected content-length, expected ${expected.size}, received ${length}`)
    )
}

const put = Effect.fnUntraced(function*(
  at: At,
  http: Http,
  keeper: ReferrerKeeper,
  manifest: Manifest,
  { tag }: PutManifest = {}
) {
  const { descriptor, subject } = manifest
  const headers = yield* push(at, http, manifest, tag === undefined ? {} : { tag })
  if (subject !== undefined && header(headers, "oci-subject") !== subject.digest) yield* keeper.added(manifest, subject)
  return descriptor
})

/** Pushes the bytes as they are and checks what the registry says it stored. Gives the headers of the answer. */
export const push = (
  at: At,
  http: Http,
  manifest: Manifest,
  how: Push = {}
): Effect.Effect<Headers, StoreError> => {
  const { bytes, descriptor } = manifest
  const reference = how.tag === undefined ? Reference.ByDigest(descriptor) : Reference.ByTag({ tag: how.tag })
  const name = nameOf(at, reference)
  if (bytes.length > maxPush) {
    const detail = `manifest too large, calculated ${bytes.length}, limit ${maxPush}: ${name}`
    return Effect.fail(storeError("", "SizeLimit", detail))
  }
  return sendManifest(at, http, manifest, pathOf(reference), how).pipe(
    Effect.flatMap((answer) =>
      isAcknowledged(answer) ? Effect.succeed(answer) : confirmed(at, http, manifest, reference, unacknowledged(answer))
    ),
    Effect.catchIf(
      (error) => how.headers === undefined && how.tag !== undefined && isImmutable(error),
      (error) => confirmed(at, http, manifest, reference, error)
    ),
    Effect.mapError(within(`failed to put manifest ${name}`)),
    Effect.flatMap(({ headers }) => stored(manifest, headers))
  )
}

/** What may not be moved need not be when it is there already. A head without a digest may be that of any manifest. */
const confirmed = (at: At, http: Http, manifest: Manifest, reference: Reference, refusal: StoreError) =>
  settled(http, { ...at, ...headOf(reference) }).pipe(
    Effect.tap(({ headers }) => {
      const claimed = header(headers, "docker-content-digest")
      return claimed === undefined
        ? Effect.filterOrFail(fetch(at, http, reference, undefined, false), isSame(manifest), () => refusal)
        : claimed === manifest.descriptor.digest
        ? Effect.void
        : Effect.fail(refusal)
    }),
    Effect.mapError(() => refusal)
  )

/** Deletes a manifest with all its tags. */
export const deleteByDigest = (at: At, http: Http, digest: Digest): Effect.Effect<void, StoreError> =>
  remove(http, { ...at, method: "DELETE", path: `manifests/${digest}`, demand: { kind: "query", size: 0 } })
