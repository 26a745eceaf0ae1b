/** The requests of one upload session (distribution-spec, pushing blobs). The newest location is always the one to use. */
import { Effect } from "effect"
import { algorithmOf, type Digest } from "../../schemas/Digest.ts"
import { header, type Headers } from "../../schemas/Manifest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Body } from "../Transport.ts"
import { addressOf, type At, farewell, type Http, type Settled, settled } from "./exchange.ts"

export interface Session {
  readonly location: URL
  /** Bytes every chunk but the last must have at least, as the registry says. */
  readonly least: number
}

const empty = new Uint8Array(0)
const octets = { "content-type": "application/octet-stream" }

/** `digest-algorithm` is told only where it is not the one every registry uses. */
export const algorithmQuery = (digest: Digest | undefined): Readonly<Record<string, string>> =>
  digest === undefined || algorithmOf(digest) === "sha256" ? {} : { "digest-algorithm": algorithmOf(digest) }

/** What a POST can say: the blob is there (a mount), or send it here. */
export type Opened = Session | "present"

export interface Opening {
  readonly query: Readonly<Record<string, string>>
  readonly scopes?: Readonly<Record<string, string>>
  /** The registry may well refuse; a plain session is asked for then. */
  readonly isProbe?: boolean
}

export const open = (at: At, http: Http, { query, ...how }: Opening): Effect.Effect<Opened, StoreError> =>
  Effect.flatMap(
    settled(http, {
      ...at,
      method: "POST",
      path: "blobs/uploads/",
      query,
      ...how,
      body: empty,
      demand: { kind: "query", size: 0 }
    }),
    (answer): Effect.Effect<Opened, StoreError> =>
      answer.status === 201 && query["mount"] !== undefined ? Effect.succeed("present") : opened(answer)
  )

const opened = ({ headers, url }: Settled): Effect.Effect<Session, StoreError> => {
  const location = newest(headers, url)
  if (location === undefined) {
    const given = header(headers, "location")
    return Effect.fail(storeError(
      "",
      "UploadRejected",
      given === undefined ? "location header missing" : "location header missing: not an address"
    ))
  }
  const least = Number(/^[0-9]{1,15}$/.exec(header(headers, "oci-chunk-min-length")?.trim() ?? "")?.[0] ?? 0)
  return Effect.succeed({ location, least })
}

/** The location an answer gives, without its fragment. */
export const newest = (headers: Headers, base: URL): URL | undefined => {
  const text = header(headers, "location")
  const location = text === undefined || text === "" ? undefined : addressOf(text, base)
  if (location !== undefined && location.hash !== "") location.hash = ""
  return location
}

/** The digest behind whatever the location holds already, which stays as it is, byte for byte. */
export const withDigest = (location: URL, digest: Digest): URL => {
  const text = location.href
  const separator = !text.includes("?") ? "?" : /[?&]$/.test(text) ? "" : "&"
  return new URL(`${text}${separator}digest=${encodeURIComponent(digest)}`)
}

/** One attempt; what to do after a failure is for the upload to decide, since the registry may have taken the bytes. */
export const finish = (
  at: At,
  http: Http,
  { location }: Session,
  digest: Digest,
  body: Body = empty
): Effect.Effect<Settled, StoreError> =>
  settled(http, {
    ...at,
    method: "PUT",
    path: "",
    url: withDigest(location, digest),
    headers: octets,
    body,
    isProbe: true,
    demand: { kind: "blob", size: body instanceof Uint8Array ? body.length : body.size ?? 0 }
  })

/** One attempt at a chunk. 416 is an answer: it tells the offset to go on from. */
export const patch = (
  at: At,
  http: Http,
  { location }: Session,
  offset: number,
  chunk: Uint8Array
): Effect.Effect<Settled, StoreError> =>
  settled(http, {
    ...at,
    method: "PATCH",
    path: "",
    url: location,
    headers: { ...octets, "content-range": `${offset}-${offset + chunk.length - 1}` },
    body: chunk,
    accept: [416],
    isProbe: true,
    demand: { kind: "blob", size: chunk.length }
  })

/** One attempt at the whole content in a chunk without a range, for registries that take it in no other way. */
export const stream = (at: At, http: Http, { location }: Session, body: Body, size: number) =>
  settled(http, {
    ...at,
    method: "PATCH",
    path: "",
    url: location,
    headers: octets,
    body,
    isProbe: true,
    demand: { kind: "blob", size }
  })

export interface Progress {
  readonly session: Session
  /** Bytes the registry has; none when it does not say. */
  readonly offset?: number
}

/** What an answer says of the session: its newest location and how much arrived. */
export const progressOf = (session: Session, { headers, url }: Pick<Settled, "headers" | "url">): Progress => {
  const range = /^(?:bytes[= ])?0-([0-9]{1,15})$/.exec(header(headers, "range")?.trim() ?? "")
  return {
    session: { ...session, location: newest(headers, url) ?? session.location },
    // `0-0` is how most registries write nothing at all (oci-protocol 4).
    ...(range === null ? {} : { offset: range[1] === "0" ? 0 : Number(range[1]) + 1 })
  }
}

/** Asks how far the registry got. `undefined`: the session is no more, or cannot be asked. */
export const status = (at: At, http: Http, session: Session): Effect.Effect<Progress | undefined, StoreError> =>
  settled(http, { ...at, method: "GET", path: "", url: session.location, demand: { kind: "query", size: 0 } }).pipe(
    Effect.map((answer) => progressOf(session, answer)),
    Effect.catchIf(
      ({ reason }) => ["NotFound", "HttpStatus", "Unsupported"].includes(reason._tag),
      () => Effect.succeed(undefined)
    )
  )

/** Gives a session up, whatever the registry says of it: it forgets the session by itself in time. */
export const cancel = (at: At, http: Http, { location }: Session): Effect.Effect<void> =>
  farewell(settled(http, {
    ...at,
    method: "DELETE",
    path: "",
    url: location,
    isProbe: true,
    demand: { kind: "query", size: 0 }
  }))
