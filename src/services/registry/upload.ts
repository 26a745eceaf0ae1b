/**
 * Blobs on their way into a registry (library description, section 11): mounted where the registry has them already,
 * else sent whole in one PUT, else in chunks. A failure of the content is never taken for one of the registry.
 */
import { Effect, Fiber } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import type { Host } from "../../schemas/Host.ts"
import { isSameLocation, Location } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { collect, fromPump, type Pump, pumpOf, watched } from "../Bytes.ts"
import type { KeptSessions } from "../KeptSessions.ts"
import { LongestRetryAfter } from "../registryHttp/backoff.ts"
import type { Repository } from "../Repository.ts"
import type { Body } from "../Transport.ts"
import { sendChunks } from "./chunked.ts"
import { type At, type Http, isPage, repositoryName, type Settled, settled, statusOf } from "./exchange.ts"
import { keepSession, leave, resumed } from "./kept.ts"
import { algorithmQuery, cancel, finish, open, type Opened, type Session } from "./session.ts"
import { sendStream } from "./streamed.ts"

/** What the uploads into one opened repository remember of each other. */
export interface Uploads {
  /** Sessions that a refused mount left open. */
  readonly sessions: Map<Digest, Session>
  /** Content the registry claimed to have mounted. Who asks for it again knows better (faults N34): no mount then. */
  readonly claimed: Set<Digest>
  /** Nothing but one chunk without a range was taken: the next upload begins with that. */
  isStreamed: boolean
}

export const uploads = (
  at: At,
  http: Http,
  host: Pick<Host, "blobChunk" | "blobLimit" | "blobMax">,
  memory: Uploads,
  kept: Upload["kept"]
): Pick<Repository, "putBlob" | "mountBlob"> => {
  const { claimed, sessions } = memory
  return {
    putBlob: (content, expected) =>
      Effect.suspend(() => {
        const session = expected === undefined ? undefined : sessions.get(expected.digest)
        if (expected !== undefined) sessions.delete(expected.digest)
        const source = sourceOf(pumpOf(content), expected?.size)
        const upload: Upload = { at, http, host, source, memory, claimed, kept, current: session }
        return putBlob(upload, expected)
      }),
    mountBlob: (blob, from) =>
      Effect.suspend(() => claimed.has(blob.digest) ? Effect.succeed(undefined) : mountBlob(at, http, blob, from)).pipe(
        Effect.tap((opened) =>
          Effect.sync(() => {
            if (opened === "present") claimed.add(blob.digest)
            else if (opened !== undefined) sessions.set(blob.digest, opened)
          })
        ),
        Effect.map((opened) => opened === "present")
      )
  }
}

/** Ends the sessions nobody went on with. */
export const abandon = (at: At, http: Http, { sessions }: Uploads): Effect.Effect<void> =>
  Effect.forEach([...sessions.values()], (session) => cancel(at, http, session), { concurrency: 8, discard: true })

const mountBlob = (at: At, http: Http, blob: Descriptor, from: Location): Effect.Effect<Opened | undefined> => {
  const here = Location.Registry(at)
  if (from._tag !== "Registry" || from.registry !== at.registry || isSameLocation(from, here)) {
    return Effect.succeed(undefined)
  }
  return open(at, http, {
    query: { mount: blob.digest, from: from.repository, ...algorithmQuery(blob.digest) },
    scopes: { [from.repository]: "pull" },
    isProbe: true
  }).pipe(
    // Whatever the reason, the bytes can be sent instead (registry-quirks 4.10).
    Effect.catch((error) => Effect.as(Effect.logWarning(`Failed to mount blob: ${error.message}`), undefined))
  )
}

/** The content and its own last failure, if it had one. */
export interface Source {
  readonly pump: Pump
  readonly failure: () => StoreError | undefined
}

const sourceOf = (pump: Pump, size: number | undefined): Source => {
  let failure: StoreError | undefined
  return { failure: () => failure, pump: watched(sized(pump, size), (own) => void (failure = own)) }
}

/** Content of another size than promised fails by itself. */
const sized = (pump: Pump, size: number | undefined): Pump =>
  size === undefined ? pump : (sink) =>
    Effect.suspend(() => {
      let received = 0
      const run = pump((view, release) => {
        received += view.length
        if (received > size) throw tooLong(size)
        sink(view, release)
      })
      return Effect.andThen(
        run,
        Effect.suspend(() => received === size ? Effect.void : Effect.fail(tooShort(size, received)))
      )
    })

const tooLong = (size: number) => storeError("", "SizeMismatch", `size limit exceeded: more than ${size} bytes`)

const tooShort = (size: number, received: number) =>
  storeError("", "SizeMismatch", `short read [expected ${size}, received ${received}]: EOF`)

/** One upload under way. */
export interface Upload {
  readonly at: At
  readonly http: Http
  readonly host: Pick<Host, "blobChunk" | "blobLimit" | "blobMax">
  readonly source: Source
  readonly claimed: Set<Digest>
  readonly memory: Pick<Uploads, "isStreamed">
  /** What outlives the process, and the registry's own origin. */
  readonly kept: { readonly sessions: (typeof KeptSessions)["Service"]; readonly origin: string }
  /** Bytes of a chunk, where it should have more than usual. */
  chunk?: number
  /** The session to cancel when the upload does not end well. */
  current: Session | undefined
}

/** Blobs up to this many bytes are read while the session opens, and sent from memory (performance notes, 4.8). */
const small = 1024 * 1024

const putBlob = (upload: Upload, expected: Descriptor | undefined): Effect.Effect<Descriptor, StoreError> =>
  (expected === undefined ? sendChunks(upload, undefined) : known(upload, expected)).pipe(
    Effect.onExit((exit) => leave(upload, expected, exit))
  )

const known = (upload: Upload, expected: Descriptor): Effect.Effect<Descriptor, StoreError> => {
  const { blobMax } = upload.host
  const isWhole = blobMax <= 0 || expected.size <= blobMax
  const usual = isWhole && expected.size <= small ? sendSmall : isWhole ? sendWhole : sendInChunks
  const send = (upload: Upload, expected: Descriptor) =>
    upload.memory.isStreamed
      ? sendStream(upload, expected)
      : Effect.catchIf(
        usual(upload, expected),
        (error) => upload.current !== undefined && isChunkRefusal(error),
        (refusal) => streamed(upload, expected, refusal)
      )
  return Effect.as(resumed(upload, expected, Effect.suspend(() => send(upload, expected))), expected)
}

/** Whether content was refused in a way that says nothing of the content itself. */
const isChunkRefusal = (error: StoreError): boolean =>
  error.reason._tag === "HttpStatus" && [400, 405, 406, 411, 415, 416, 501].includes(statusOf(error) ?? 0)

const streamed = (upload: Upload, expected: Descriptor, refusal: StoreError): Effect.Effect<void, StoreError> =>
  Effect.suspend(() => upload.source.failure() === undefined ? sendStream(upload, expected) : Effect.fail(refusal))
    .pipe(
      Effect.tap(() => Effect.sync(() => void (upload.memory.isStreamed = true))),
      // The first refusal says more than that of the last resort.
      Effect.mapError((error) => upload.source.failure() === undefined ? refusal : error)
    )

/** A session for known content: that of a refused mount, that of an anonymous mount, or a plain one. */
const begin = (upload: Upload, expected: Descriptor): Effect.Effect<Opened, StoreError> =>
  Effect.tap(opening(upload, expected), (opened) => opened === "present" ? Effect.void : keepSession(upload, expected))

const opening = (upload: Upload, { digest }: Descriptor): Effect.Effect<Opened, StoreError> =>
  Effect.suspend(() => {
    const { at, claimed, current, http } = upload
    if (current !== undefined) return Effect.succeed<Opened>(current)
    const plain = open(at, http, { query: algorithmQuery(digest) }).pipe(
      Effect.mapError(within(`failed to send blob post, ref ${repositoryName(at)}`))
    )
    return claimed.has(digest) ? plain : Effect.catch(
      open(at, http, { query: { mount: digest, ...algorithmQuery(digest) }, isProbe: true }),
      () => plain
    )
  }).pipe(Effect.tap((opened) =>
    Effect.sync(() => {
      if (opened === "present") upload.claimed.add(digest)
      upload.current = opened === "present" ? undefined : opened
    })
  ))

const sendInChunks = (upload: Upload, expected: Descriptor): Effect.Effect<void, StoreError> =>
  Effect.flatMap(
    begin(upload, expected),
    (opened) => opened === "present" ? Effect.void : Effect.asVoid(sendChunks(upload, expected))
  )

const sendWhole = (upload: Upload, expected: Descriptor): Effect.Effect<void, StoreError> =>
  Effect.flatMap(begin(upload, expected), (opened) =>
    opened === "present"
      ? Effect.void
      : sendBody(upload, opened, expected, { pump: upload.source.pump, size: expected.size }))

const sendSmall = (upload: Upload, expected: Descriptor): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const reading = yield* Effect.forkChild(collect(fromPump(upload.source.pump), small), { startImmediately: true })
    const opened = yield* begin(upload, expected).pipe(Effect.onError(() => Fiber.interrupt(reading)))
    if (opened === "present") return yield* Fiber.interrupt(reading)
    yield* sendBody(upload, opened, expected, yield* Fiber.join(reading))
  })

/** One PUT; when the registry does not take it, the same session goes on in chunks. */
const sendBody = (
  upload: Upload,
  session: Session,
  expected: Descriptor,
  body: Body
): Effect.Effect<void, StoreError> =>
  finish(upload.at, upload.http, session, expected.digest, body).pipe(
    Effect.flatMap((answer) =>
      upload.source.failure() === undefined ? confirmed(upload, expected.digest, answer) : Effect.void
    ),
    Effect.andThen(Effect.suspend(() => {
      // An answer before the content came to its end proves nothing.
      const own = upload.source.failure()
      return own === undefined ? Effect.void : Effect.fail(own)
    })),
    Effect.catch(Effect.fnUntraced(function*(error) {
      const own = upload.source.failure()
      if (own !== undefined) return yield* own
      if (isFinal(error, yield* LongestRetryAfter)) return yield* uploadFailure(upload, error)
      if (isAmbiguous(error) && (yield* isPresent(upload, expected.digest))) return
      yield* sendChunks(upload, expected, isAmbiguous(error) ? "interrupted" : 0)
    }))
  )

/** 201 and 204 are believed; any other success is looked into (registry-quirks 4.5). */
export const confirmed = (
  upload: Upload,
  digest: Digest,
  { status }: Settled
): Effect.Effect<void, StoreError> =>
  status === 201 || status === 204 ? Effect.void : Effect.flatMap(
    isPresent(upload, digest),
    (present) =>
      present
        ? Effect.void
        : Effect.fail(storeError("", "UploadLost", `upload answered with status ${status}, but the blob is not there`))
  )

/** Whether the registry has the blob, asked before anything is repeated whose end nobody saw (faults N10). */
export const isPresent = ({ at, http }: Upload, digest: Digest): Effect.Effect<boolean> =>
  settled(http, { ...at, method: "HEAD", path: `blobs/${digest}`, demand: { kind: "head", size: 0 } }).pipe(
    Effect.map(({ headers }) => !isPage(headers)),
    // Not there, or not to be asked: sending again is right in both cases.
    Effect.catch(() => Effect.succeed(false))
  )

const finals: ReadonlySet<string> = new Set(["Unauthorized", "Forbidden", "TlsFailed", "DnsFailed", "RedirectRefused"])

/** Nothing that another way of sending would change, nor a wait of up to `longest` milliseconds. */
export const isFinal = (error: StoreError, longest: number): boolean =>
  finals.has(error.reason._tag) || isWrongContent(error) ||
  (error.reason._tag === "RateLimited" && (error.reason.retryAfter ?? 0) > longest)

const isWrongContent = (error: StoreError): boolean =>
  statusOf(error) === 400 && /DIGEST_INVALID/.test(error.reason.detail)

/** The registry may have done what was asked: no answer, or one of a server in trouble, or a session already used up. */
export const isAmbiguous = (error: StoreError): boolean => {
  const status = statusOf(error)
  return status === undefined || status >= 500 || status === 404 || status === 408
}

/** The failure as the user reads it; bytes that are not what their digest says have a reason of their own. */
export const uploadFailure = ({ at }: Upload, error: StoreError): StoreError => {
  const operation = `failed to send blob, ref ${repositoryName(at)}`
  return isWrongContent(error)
    ? storeError(operation, "DigestMismatch", `digest mismatch: ${error.message}`, { status: 400 })
    : within(operation)(error)
}
