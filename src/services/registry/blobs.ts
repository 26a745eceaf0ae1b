/** Blobs of a registry: looked up, read (from their own addresses where the registry has none), deleted (distribution-spec, pulling blobs). */
import { Effect } from "effect"
import { type Descriptor, isSizeKnown } from "../../schemas/Descriptor.ts"
import { header, type Headers } from "../../schemas/Manifest.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { asChecked, type Bytes, fromBytes, fromPump, type Pump, pumpOf, verified } from "../Bytes.ts"
import { inlineData } from "../inlineData.ts"
import type { RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import type { Head, Repository } from "../Repository.ts"
import {
  type At,
  type Http,
  isOf,
  labelled,
  lengthOf,
  remove,
  repositoryName,
  type Settled,
  settled,
  statusOf
} from "./exchange.ts"

export interface Part {
  readonly from: number
  readonly to?: number
}

export const blobs = (at: At, http: Http): Pick<Repository, "headBlob" | "blob" | "deleteBlob"> => ({
  headBlob: (blob) =>
    lookUp(at, http, blob).pipe(
      Effect.mapError(within(`failed to request blob head, digest ${blob.digest}, ref ${repositoryName(at)}`))
    ),
  blob: (blob, part) => part === undefined ? whole(at, http, blob) : partial(at, http, blob, part),
  deleteBlob: (blob) =>
    remove(http, { ...at, method: "DELETE", path: `blobs/${blob.digest}`, demand: { kind: "query", size: 0 } }).pipe(
      Effect.mapError(within(`failed to delete blob, digest ${blob.digest}, ref ${repositoryName(at)}`))
    )
})

const request = (at: At, { digest, size }: Descriptor): RegistryRequest => ({
  ...at,
  method: "GET",
  path: `blobs/${digest}`,
  demand: { kind: "blob", size },
  mirrors: true
})

/**
 * Runs an attempt at the registry, then, when that fails, at each address the descriptor has for itself (faults C16:
 * foreign layers). The registry's own failure is told when none of them helps.
 */
const anywhere = <A, R>(
  { urls = [] }: Descriptor,
  attempt: (where: Pick<RegistryRequest, "url">) => Effect.Effect<A, StoreError, R>
): Effect.Effect<A, StoreError, R> =>
  urls.filter((url) => URL.canParse(url)).reduce(
    (tried, url) =>
      Effect.catch(tried, (error) => Effect.mapError(attempt({ url: new URL(url) }), (last) => foreign(error, last))),
    attempt({})
  )

/** An address we may not go to is worth more to the reader than the registry's plain "not found". */
const foreign = (registry: StoreError, elsewhere: StoreError): StoreError =>
  elsewhere.reason._tag === "RedirectRefused" ? elsewhere : registry

/** Statuses with which signed addresses and odd servers refuse HEAD although they answer GET (registry-quirks 1.2). */
const headless: ReadonlySet<number> = new Set([400, 403, 405, 501])

const lookUp = (at: At, http: Http, blob: Descriptor): Effect.Effect<Head, StoreError> =>
  anywhere(
    blob,
    (where) =>
      settled(http, { ...request(at, blob), method: "HEAD", demand: { kind: "head", size: 0 }, ...where }).pipe(
        Effect.filterOrFail(
          (answer) => where.url !== undefined || !isOther(answer, blob),
          () => storeError("", "NotFound", "blob not found: a redirect led to another part of the registry")
        ),
        Effect.flatMap(({ headers }) => described(blob, headers)),
        Effect.catchIf(
          (error) => error.reason._tag === "Unsupported" || headless.has(statusOf(error) ?? 0),
          () => firstByte(at, http, blob, where)
        )
      )
  )

/** Blobs may lie at any address, but the registry's own for something else is not theirs. */
const isOther = (answer: Settled, { digest }: Descriptor): boolean =>
  answer.url.pathname.startsWith("/v2/") && !isOf(answer, { path: `blobs/${digest}` })

/** An answer that is long or short of the blob is of something else, such as a login page (faults N42). Of 0 bytes it says nothing. */
const described = (
  blob: Descriptor,
  headers: Headers,
  told: number | undefined = lengthOf(headers)
): Effect.Effect<Head, StoreError> => {
  const size = told ?? blob.size
  return isSizeKnown(blob) && size !== 0 && size !== blob.size
    ? Effect.fail(storeError("", "NotFound", `blob not found: the server tells of ${size} bytes, it has ${blob.size}`))
    : Effect.succeed({ descriptor: { ...blob, size }, headers })
}

const firstByte = (at: At, http: Http, blob: Descriptor, where: Pick<RegistryRequest, "url">) =>
  Effect.scoped(
    Effect.flatMap(
      http.request({
        ...request(at, blob),
        demand: { kind: "head", size: 0 },
        headers: { range: "bytes=0-0" },
        ...where
      }),
      ({ headers, status }) =>
        described(blob, headers, status === 206 ? rangeOf(headers["content-range"]?.[0])?.total : lengthOf(headers))
    )
  )

const failedToGet = (at: At, { digest }: Descriptor) =>
  within(`failed to get blob, digest ${digest}, ref ${repositoryName(at)}`)

const whole = (at: At, http: Http, blob: Descriptor): Bytes =>
  asChecked(
    fromPump(labelled((sink) =>
      Effect.flatMap(inlineData(blob), (inline) =>
        inline === undefined
          ? Effect.scoped(Effect.flatMap(
            anywhere(blob, (where) => http.request({ ...request(at, blob), ...resumable(blob), ...where })),
            (response) => rejecting(response, pumpOf(checked(response, blob)))(sink)
          ))
          : pumpOf(fromBytes(inline))(sink)), failedToGet(at, blob))),
    blob.digest
  )

/** Who reads it again after wrong bytes shall not get them from the same mirror. */
const rejecting = ({ reject }: RegistryResponse, pump: Pump): Pump =>
  reject === undefined ? pump : (sink) =>
    Effect.tapError(
      pump(sink),
      ({ reason }) => reason._tag === "DigestMismatch" || reason._tag === "SizeMismatch" ? reject : Effect.void
    )

const resumable = (blob: Descriptor): Pick<RegistryRequest, "resume"> =>
  isSizeKnown(blob) ? { resume: { from: 0, size: blob.size } } : {}

/** The body, held to size and digest; an announced size that differs is not worth reading. */
const checked = ({ body, headers }: RegistryResponse, blob: Descriptor): Bytes => {
  const length = lengthOf(headers)
  if (!isSizeKnown(blob)) return verified(fromPump(body), { ...blob, size: length ?? blob.size })
  return length === undefined || length === blob.size ? verified(fromPump(body), blob) : fromPump(() =>
    Effect.fail(
      storeError("", "SizeMismatch", `unexpected content-length, expected ${blob.size}, received ${length}`)
    )
  )
}

const partial = (at: At, http: Http, blob: Descriptor, { from, to }: Part): Bytes =>
  fromPump(labelled(
    (sink) =>
      Effect.flatMap(inlineData(blob), (inline) =>
        inline === undefined
          ? Effect.scoped(Effect.flatMap(
            http.request({
              ...request(at, blob),
              headers: { range: `bytes=${from}-${to ?? ""}` },
              ...(isSizeKnown(blob) ? { resume: { from, size: Math.min((to ?? Infinity) + 1, blob.size) } } : {})
            }),
            (response) => pieceOf(response, from, to)(sink)
          ))
          : pumpOf(fromBytes(inline.subarray(from, to === undefined ? inline.length : to + 1)))(sink)),
    failedToGet(at, blob)
  ))

/** What was asked for of a server that may send the whole instead (registry-quirks 1.8). */
const pieceOf = ({ body, headers, status }: RegistryResponse, from: number, to: number | undefined): Pump => {
  if (status !== 206) return cut(body, from, to === undefined ? Infinity : to + 1)
  const range = rangeOf(header(headers, "content-range"))
  return range?.from === from
    ? cut(body, 0, to === undefined ? Infinity : to - from + 1)
    : () => Effect.fail(storeError("", "ProtocolError", "range request not supported by server"))
}

/** Reads `bytes 0-9/100`; the total may be unknown (RFC 9110, 14.4). */
const rangeOf = (value: string | undefined): { readonly from: number; readonly total?: number } | undefined => {
  const parts = /^bytes ([0-9]{1,15})-[0-9]{1,15}\/(?:([0-9]{1,15})|\*)$/.exec(value?.trim() ?? "")
  if (parts === null) return undefined
  return { from: Number(parts[1]), ...(parts[2] === undefined ? {} : { total: Number(parts[2]) }) }
}

/** The bytes from one offset up to another, of a body that has more. */
const cut = (body: Pump, from: number, end: number): Pump => (sink) =>
  Effect.suspend(() => {
    let at = 0
    return body((view, release) => {
      const wanted = view.subarray(Math.max(0, from - at), Math.max(0, end - at))
      at += view.length
      if (wanted.length === 0) release()
      else sink(wanted, release)
    })
  })
