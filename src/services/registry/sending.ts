/** A manifest on its way to a registry (distribution-spec, pushing manifests). */
import { Effect } from "effect"
import { algorithmOf } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import type { Tag } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { type At, type Http, listed, type Settled, settled, statusOf } from "./exchange.ts"
import { isBlobUnknown } from "./pushed.ts"

export interface Push {
  readonly tag?: Tag
  /** Conditions, such as `if-match`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends the bytes as they are, to the path of their tag or digest. */
export const sendManifest = (
  at: At,
  http: Http,
  manifest: Manifest,
  path: string,
  how: Push
): Effect.Effect<Settled, StoreError> =>
  how.tag === undefined || algorithmOf(manifest.descriptor.digest) === "sha256"
    ? send(at, http, manifest, path, {}, how)
    : sendWithTag(at, http, manifest, how.tag, how)

/** A tag on a digest the registry would not compute itself (distribution-spec, pushing manifests, `tag` parameters). */
const sendWithTag = (at: At, http: Http, manifest: Manifest, tag: Tag, how: Push) => {
  const { digest } = manifest.descriptor
  return Effect.flatMap(
    send(at, http, manifest, `manifests/${digest}`, { tag }, how),
    (answer) =>
      listed(answer.headers, "oci-tag").includes(tag)
        ? Effect.succeed(answer)
        : send(at, http, manifest, `manifests/${tag}`, { digest }, how)
  )
}

/** Waits for a registry that does not know yet the blobs it just took (faults N34, registry-quirks 3.20). */
const pauses = ["200 millis", "800 millis", "2 seconds"] as const

const send = (
  at: At,
  http: Http,
  manifest: Manifest,
  path: string,
  query: Readonly<Record<string, string>>,
  how: Push,
  tried = 0
): Effect.Effect<Settled, StoreError> =>
  settled(http, {
    ...at,
    method: "PUT",
    path,
    query,
    headers: { "content-type": manifest.descriptor.mediaType, ...how.headers },
    body: manifest.bytes,
    demand: { kind: "manifest", size: manifest.bytes.length }
  }).pipe(
    Effect.catchIf(isBlobUnknown, (error) => {
      const pause = pauses[tried]
      return pause === undefined
        ? Effect.fail(
          storeError(error.operation, "HttpStatus", error.reason.detail, {
            status: statusOf(error) ?? 400,
            lacksContent: true
          })
        )
        : Effect.andThen(
          Effect.sleep(pause),
          send(at, http, manifest, path, query, how, tried + 1)
        )
    })
  )
