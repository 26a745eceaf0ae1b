/** Requests to one repository and their answers: what every part of a registry's `Repository` is made of. */
import { Effect, Fiber, Result, Schedule } from "effect"
import type { Scope } from "effect"
import { header, type Headers } from "../../schemas/Manifest.ts"
import { baseType } from "../../schemas/MediaType.ts"
import type { Reference } from "../../schemas/Ref.ts"
import { referenceText } from "../../schemas/Ref.ts"
import { type ReasonTag, type StoreError, storeError } from "../../schemas/StoreError.ts"
import { attempt, collect, fromPump, type Pump } from "../Bytes.ts"
import type { RegistryHttp, RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { LongestRetryAfter, pause } from "../registryHttp/backoff.ts"

export interface At {
  readonly registry: string
  readonly repository: string
}

export type Http = (typeof RegistryHttp)["Service"]

/** An answer of which only the head matters. */
export interface Settled {
  readonly status: number
  readonly headers: Headers
  readonly url: URL
  /** Its body could not be read: its head may be wrong as well (faults N35). */
  readonly isCut?: true
}

/** Bytes of an unwanted body that are read so that its connection can be used again. */
const drained = 64 * 1024

/** One request; its body is read away. */
export const settled = (http: Http, request: RegistryRequest): Effect.Effect<Settled, StoreError> =>
  Effect.scoped(
    Effect.flatMap(http.request(request), ({ body, headers, status, url }) => {
      const answer = { status, headers, url }
      // Nothing is lost with this body; at worst its connection is, and the answer's good faith.
      return request.method === "HEAD"
        ? Effect.succeed(answer)
        : Effect.match(collect(fromPump(body), drained), {
          onSuccess: () => answer,
          // One that is too long is given up by ourselves.
          onFailure: ({ reason }) => reason._tag === "SizeLimit" ? answer : { ...answer, isCut: true as const }
        })
    })
  )

export interface Document extends Settled {
  readonly bytes: Uint8Array
}

/** One pause after each failed attempt: 0.2 s, doubling, give or take a fifth (faults, retries). */
export const backoff = Schedule.jittered(Schedule.exponential("200 millis"))

const passing: ReadonlySet<ReasonTag> = new Set([
  "ConnectionLost",
  "Timeout",
  "ProtocolError",
  "SizeMismatch",
  "DigestMismatch"
])

/**
 * Asks for a document of at most `limit` bytes and reads it. A body that breaks off or does not fit is asked for
 * again, up to five times in all, whatever is wrong with a mirror's at once and elsewhere; what fails before a body
 * came was tried again below.
 */
export const document = <A>(
  http: Http,
  request: RegistryRequest,
  limit: number,
  read: (document: Document) => Effect.Effect<A, StoreError>,
  check: (response: RegistryResponse) => Effect.Effect<void, StoreError> = () => Effect.void
): Effect.Effect<A, StoreError> => {
  const once = Effect.scoped(Effect.gen(function*(): Effect.fn.Return<Read<A>, StoreError, Scope.Scope> {
    const response = yield* Effect.result(http.request(request))
    if (Result.isFailure(response)) return Result.fail(response.failure)
    const { body, headers, reject, status, url } = response.success
    const content = Effect.gen(function*() {
      yield* check(response.success)
      return yield* read({ status, headers, url, bytes: yield* collect(fromPump(body), limit) })
    })
    if (reject === undefined) return Result.succeed(yield* content)
    return yield* Effect.matchEffect(content, {
      onSuccess: (it) => Effect.succeed(Result.succeed(it)),
      onFailure: () => Effect.as(reject, "rejected" as const)
    })
  }))
  const here = Effect.repeat(once, { while: (it) => it === "rejected", times: 5 })
  return here.pipe(
    Effect.retry({ schedule: backoff, times: 4, while: ({ reason }) => passing.has(reason._tag) }),
    Effect.flatMap((it) => it === "rejected" ? Effect.fail(noneLeft) : Effect.fromResult(it))
  )
}

/** What an attempt came to; a failure of the request is told apart from one of its body, which may pass. */
type Read<A> = Result.Result<A, StoreError> | "rejected"

const noneLeft = storeError("", "ProtocolError", "no mirror sent what was asked for")

/** All items of a header that holds a list, over all its lines. */
export const listed = (headers: Headers, name: string): ReadonlyArray<string> =>
  (headers[name] ?? []).flatMap((line) => line.split(",")).map((item) => item.trim()).filter((item) => item !== "")

/** A whole number of bytes, or none. */
export const lengthOf = (headers: Headers): number | undefined => {
  const length = header(headers, "content-length")
  return length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined
}

/** Whether an answer is a page for people, such as that of a login before the registry (faults N42). */
export const isPage = (headers: Headers): boolean => baseType(header(headers, "content-type") ?? "") === "text/html"

/** `registry/repository:tag` or `registry/repository@digest`. */
export const nameOf = ({ registry, repository }: At, reference: Reference): string =>
  `${registry}/${repository}${referenceText(reference)}`

/** How a repository is called where neither tag nor digest is meant. */
export const repositoryName = ({ registry, repository }: At): string => `${registry}/${repository}:latest`

/** The same pump, its failures told as part of an operation; a failure of the sink is not its own. */
export const labelled = (pump: Pump, label: (error: StoreError) => StoreError): Pump => (sink) =>
  Effect.suspend(() => {
    let thrown: StoreError | undefined
    const told = pump((view, release) =>
      attempt(() => sink(view, release), (error) => {
        thrown = error
        throw error
      })
    )
    return Effect.mapError(told, (error) => error === thrown ? error : label(error))
  })

/** The status of a refusal, when there was an answer at all. */
export const statusOf = ({ reason }: StoreError): number | undefined => reason.status ?? impliedStatus[reason._tag]

const impliedStatus: { readonly [Tag in ReasonTag]?: number } = {
  NotFound: 404,
  Unauthorized: 401,
  Forbidden: 403,
  RateLimited: 429
}

const troubles: ReadonlySet<string> = new Set([
  "RateLimited",
  "ConnectFailed",
  "DnsFailed",
  "ConnectionLost",
  "Timeout"
])

/** A host that cannot answer just now, or whose answer got lost: what it did nobody knows. */
export const isTrouble = (error: StoreError): boolean => {
  const status = statusOf(error)
  return troubles.has(error.reason._tag) || status === 408 || (status !== undefined && status >= 500 && status !== 501)
}

/** Attempts at a deletion. */
const maxDeletions = 5

/**
 * Deletes; a failure is the registry's refusal. Where the answer to an attempt was lost, what the next one does not find
 * was deleted by it, if the registry says so when it is asked (faults N10).
 */
export const remove = Effect.fnUntraced(function*(http: Http, request: RegistryRequest) {
  let mayBeGone = false
  for (let tried = 1;; tried++) {
    const answer = yield* Effect.result(settled(http, { ...request, isProbe: true }))
    // Cut, or from elsewhere, it may be the answer to something else.
    if (Result.isSuccess(answer) && answer.success.isCut !== true && isOf(answer.success, request)) return
    if (Result.isSuccess(answer) && (yield* isGone(http, request))) return
    const error = Result.isFailure(answer) ? answer.failure : unsettled
    if (mayBeGone && statusOf(error) === 404 && (yield* isGone(http, request))) return
    const { retryAfter } = error.reason
    const isLate = retryAfter !== undefined && retryAfter > (yield* LongestRetryAfter)
    if (!(isTrouble(error) || error.reason._tag === "ProtocolError") || isLate || tried === maxDeletions) {
      return yield* Effect.fail(error)
    }
    mayBeGone ||= retryAfter === undefined && !refusesForNow.has(error.reason._tag)
    yield* pause(tried, error)
  }
})

/** Whether the answer comes from the address that was asked, not from where a redirect led. */
export const isOf = ({ url }: Pick<Settled, "url">, { path }: Pick<RegistryRequest, "path">): boolean =>
  url.pathname.endsWith(`/${path}`)

const unsettled = storeError("request failed", "ProtocolError", "answered, but what was deleted is still there")

/** Troubles in which nothing was done. */
const refusesForNow: ReadonlySet<ReasonTag> = new Set(["RateLimited", "ConnectFailed", "DnsFailed"])

const isGone = (http: Http, request: RegistryRequest): Effect.Effect<boolean, StoreError> =>
  settled(http, { ...request, method: "HEAD", demand: { kind: "head", size: 0 } }).pipe(
    Effect.as(false),
    Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(true))
  )

/**
 * What is left to do when something ends early: best effort within 2 s (faults P01), in a fiber of its own, since its
 * caller may have been interrupted already.
 */
export const farewell = (effect: Effect.Effect<unknown, StoreError>): Effect.Effect<void> =>
  effect.pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.ignore, // nobody is left who could be told
    Effect.forkDetach,
    Effect.flatMap(Fiber.await),
    Effect.asVoid
  )

/**
 * Where a header sends us, seen from the address that said so. A registry behind a TLS proxy may believe it is
 * spoken to over http: the same host stays with https (registry-quirks 1.4). Nothing when it is no address.
 */
export const addressOf = (text: string, base: URL): URL | undefined => {
  const url = URL.parse(text, base.href)
  if (url === null) return undefined
  if (base.protocol === "https:" && url.protocol === "http:" && url.hostname === base.hostname) url.protocol = "https:"
  return url
}
