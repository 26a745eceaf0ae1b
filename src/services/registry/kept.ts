/**
 * Large uploads that go on in another process. The usual way stays what it is, one PUT: only its session is noted
 * before, in a file. What a registry has of a PUT that broke off it says itself, when the next run asks; many keep it,
 * some do not (docker-registry 2 gives the session up), and then everything is sent again, by the usual way.
 *
 * Sessions at other origins than the registry's own are not kept: their locations are signed.
 */
import { Effect, Exit } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { Sending } from "../KeptSessions.ts"
import { sendChunks } from "./chunked.ts"
import { isTrouble } from "./exchange.ts"
import { cancel, status } from "./session.ts"
import type { Upload } from "./upload.ts"

/** Bytes of a blob from which on its session is kept; below it is as quick to send it again. */
const leastKept = 64 * 1024 * 1024

/** Bytes of a chunk with which a kept session goes on: fewer requests than with the usual ones. */
const chunk = 16 * 1024 * 1024

const isKept = (expected: Descriptor | undefined): expected is Descriptor =>
  expected !== undefined && expected.size >= leastKept

const sendingOf = ({ at }: Upload, { digest, size }: Descriptor): Sending => ({ ...at, digest, size })

/** Notes the session of a large blob, for the case that the process is killed. */
export const keepSession = (upload: Upload, expected: Descriptor): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { current, kept } = upload
    return !isKept(expected) || current === undefined || current.location.origin !== kept.origin
      ? Effect.succeed(false)
      : kept.sessions.keep(sendingOf(upload, expected), current)
  })

/** Goes on in a session that an earlier process left; else, or when that comes to nothing, by the usual way. */
export const resumed = (
  upload: Upload,
  expected: Descriptor,
  usual: Effect.Effect<void, StoreError>
): Effect.Effect<void, StoreError> =>
  !isKept(expected) ? usual : Effect.gen(function*() {
    const { at, http, kept } = upload
    const found = yield* kept.sessions.take(sendingOf(upload, expected))
    if (found === undefined || found.location.origin !== kept.origin) return yield* usual
    const progress = yield* Effect.orElseSucceed(status(at, http, found), () => undefined)
    const offset = progress?.offset ?? 0
    if (progress === undefined || offset === 0 || offset > expected.size) {
      yield* Effect.logDebug("kept upload session not used: the registry has nothing of it")
      if (progress !== undefined) yield* cancel(at, http, progress.session)
      return yield* usual
    }
    yield* Effect.annotateLogs(Effect.logDebug("Upload goes on"), { digest: expected.digest, offset })
    if (upload.current !== undefined) yield* cancel(at, http, upload.current)
    upload.current = progress.session
    upload.chunk = chunk
    yield* keepSession(upload, expected)
    yield* sendChunks(upload, expected, offset)
  })

/** At the end of an upload: its session is used up, given up, or, when the registry was lost, left for the next run. */
export const leave = (
  upload: Upload,
  expected: Descriptor | undefined,
  exit: Exit.Exit<unknown, StoreError>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { at, current, http, kept } = upload
    const failure = Exit.isFailure(exit) ? Exit.findErrorOption(exit) : undefined
    const isLost = failure?._tag === "Some" && isTrouble(failure.value)
    if (isLost && isKept(expected) && (yield* keepSession(upload, expected))) return
    if (isKept(expected)) yield* kept.sessions.forget(sendingOf(upload, expected))
    if (Exit.isFailure(exit) && current !== undefined) yield* cancel(at, http, current)
  })
