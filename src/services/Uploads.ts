/**
 * Upload sessions of the embedded registry: bytes that come in parts, hashed as they come and kept in a file, which
 * the store may then move into place.
 *
 * What was received stays received when a request breaks off; a session is forgotten an hour after its last byte,
 * and with the process (distribution-spec, pushing blobs).
 */
import { Clock, Context, Effect, Exit, FileSystem, Layer, Path, Schedule, Semaphore, Stream } from "effect"
import type { PlatformError } from "effect"
import { syncFile, Writer } from "../lib/files.ts"
import { type Hasher, hasher, type HashName } from "../lib/hash.ts"
import { randomId } from "../lib/randomId.ts"
import { type Descriptor } from "../schemas/Descriptor.ts"
import { algorithmOf, type Digest } from "../schemas/Digest.ts"
import { mediaTypes } from "../schemas/MediaType.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import { type Bytes, fromBytes, pumpOf, withSpareFile } from "./Bytes.ts"
import { fsError, platformError } from "./fsError.ts"
import { temporaryDirectory } from "./temporaryDirectory.ts"

export interface Session {
  readonly id: string
  /** The repository it belongs to; no other may use it. */
  readonly name: string
  /** Bytes kept so far. */
  readonly received: number
}

/** Which bytes a part claims to be, both inclusive. */
export interface PartRange {
  readonly from: number
  readonly to?: number
}

export class Uploads extends Context.Service<Uploads, {
  /** Bytes one upload may have. */
  readonly limit: number
  /** The algorithm is the one its digest will likely have. Fails with `RateLimited` while too many sessions are open. */
  readonly start: (name: string, algorithm?: HashName) => Effect.Effect<Session, StoreError>
  /** Fails with `UploadLost` for an id unknown here. */
  readonly find: (name: string, id: string) => Effect.Effect<Session, StoreError>
  /**
   * Adds bytes at the end, one call at a time. Fails with `SizeMismatch` when the range does not start at the end or
   * is not what came, with `SizeLimit` above the limit; bytes that came before a failure stay.
   */
  readonly append: (name: string, id: string, content: Bytes, range?: PartRange) => Effect.Effect<Session, StoreError>
  /** Gives everything received to `put` and forgets the session, unless `put` fails for a reason of the store. */
  readonly finish: <A, E, R>(
    name: string,
    id: string,
    digest: Digest,
    put: (content: Bytes, blob: Descriptor) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreError, R>
  readonly cancel: (name: string, id: string) => Effect.Effect<void, StoreError>
}>()("regclient/services/Uploads") {
  /** Sessions in files of their own directory below `directory`, removed with the scope. */
  static readonly layer = (options: {
    readonly directory: string
    /** How many may be open. */
    readonly sessions?: number
    /** Bytes one upload may have. */
    readonly limit?: number
  }) =>
    Layer.effect(
      Uploads,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const home = yield* io(temporaryDirectory(options.directory))
        const sessions = new Map<string, Open>()
        const most = { sessions: options.sessions ?? 1000, bytes: options.limit ?? defaultLimit }
        yield* Effect.forkScoped(Effect.repeat(forgetIdle(fs, sessions), Schedule.spaced("1 minute")))
        return Uploads.of(operations(fs, sessions, most, (id) => path.join(home, id)))
      })
    )
}

interface Open {
  readonly id: string
  readonly name: string
  readonly file: string
  readonly turn: Semaphore.Semaphore
  received: number
  /** When the last byte came, in milliseconds of a clock that nobody sets. */
  touched: number
  isBusy: boolean
  /** Of what was received; none once that is not sure. */
  hash: Hasher | undefined
  algorithm: HashName
}

/** One layer may have a hundred gibibytes. */
const defaultLimit = 100 * 1024 ** 3
const hour = 3_600_000
const sinceStart = Effect.map(Clock.monotonicTimeNanos, (it) => Number(it / 1_000_000n))

const operations = (
  fs: FileSystem.FileSystem,
  sessions: Map<string, Open>,
  most: { readonly sessions: number; readonly bytes: number },
  fileOf: (id: string) => string
): Context.Service.Shape<typeof Uploads> => {
  const lookup = (name: string, id: string): Effect.Effect<Open, StoreError> =>
    Effect.suspend(() => {
      const found = sessions.get(id)
      return found !== undefined && found.name === name ? Effect.succeed(found) : Effect.fail(lost)
    })
  const forget = (session: Open) =>
    Effect.suspend(() => {
      sessions.delete(session.id)
      // A file that cannot be removed goes with its directory.
      return Effect.ignore(fs.remove(session.file, { force: true }))
    })
  // The session is asked for again once it is our turn: the one before may have ended it.
  const inTurn = <A, E, R>(name: string, id: string, use: (session: Open) => Effect.Effect<A, E, R>) =>
    Effect.flatMap(lookup(name, id), (session) =>
      session.turn.withPermit(Effect.andThen(
        lookup(name, id),
        Effect.suspend(() => {
          session.isBusy = true
          return Effect.ensuring(
            use(session),
            Effect.map(sinceStart, (now) => {
              session.isBusy = false
              session.touched = now
            })
          )
        })
      )))
  return {
    limit: most.bytes,
    start: (name, algorithm = "sha256") =>
      Effect.gen(function*() {
        if (sessions.size >= most.sessions) {
          return yield* Effect.fail(
            storeError("", "RateLimited", `${most.sessions} uploads are open`, { retryAfter: 10_000 })
          )
        }
        const id = randomId()
        const touched = yield* sinceStart
        const session = {
          id,
          name,
          file: fileOf(id),
          turn: Semaphore.makeUnsafe(1),
          received: 0,
          touched,
          isBusy: false,
          hash: hasher(algorithm),
          algorithm
        }
        sessions.set(id, session)
        return session
      }),
    find: lookup,
    append: (name, id, content, range) =>
      inTurn(name, id, (session) => Effect.as(write(session, content, range, most.bytes), session)),
    finish: (name, id, digest, put) =>
      inTurn(name, id, (session) =>
        Effect.flatMap(contentOf(fs, session, digest), (content) => {
          const blob = { mediaType: mediaTypes.octetStream, digest, size: session.received }
          return Effect.tap(
            Effect.tapError(put(content, blob), (error) => isMismatch(error) ? forget(session) : Effect.void),
            () => forget(session)
          )
        })),
    cancel: (name, id) => Effect.flatMap(lookup(name, id), forget)
  }
}

/** What an upload above its limit fails with, announced or come. */
export const tooLarge = (limit: number): StoreError => storeError("", "SizeLimit", `an upload may have ${limit} bytes`)

const lost = storeError("", "UploadLost", "upload is not known here")

const isMismatch = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "reason" in error && typeof error.reason === "object" &&
  error.reason !== null && "_tag" in error.reason && error.reason._tag === "DigestMismatch"

/** What was received, as a file that may be moved where it fits the digest. Only a part makes the file. */
const contentOf = (fs: FileSystem.FileSystem, session: Open, digest: Digest): Effect.Effect<Bytes, StoreError> =>
  Effect.gen(function*() {
    if (session.received === 0) return fromBytes(new Uint8Array())
    const content: Bytes = Stream.mapError(fs.stream(session.file, { chunkSize: 1024 * 1024 }), platformError())
    const algorithm = algorithmOf(digest)
    const known = session.algorithm === algorithm ? session.hash : undefined
    const hash = known ?? (yield* hashOf(content, algorithm))
    // Once its result is told, a hash takes nothing more.
    session.hash = undefined
    // The store says what is wrong with other content.
    if (`${algorithm}:${hash.hex()}` !== digest) return content
    yield* Effect.tryPromise({ try: () => syncFile(session.file), catch: fsError(session.file, "fsync") })
    return withSpareFile(content, { path: session.file, digest, size: session.received })
  })

const hashOf = (content: Bytes, algorithm: HashName): Effect.Effect<Hasher, StoreError> =>
  Effect.suspend(() => {
    const hash = hasher(algorithm)
    const reading = pumpOf(content)((view, release) => {
      hash.update(view)
      release()
    })
    return Effect.as(reading, hash)
  })

/** What came is in the file at the end, also when it broke off; of a write that failed nothing counts. */
const write = (
  session: Open,
  content: Bytes,
  range: PartRange | undefined,
  limit: number
): Effect.Effect<void, StoreError> =>
  Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
    const { file, received } = session
    if (range !== undefined && range.from !== received) {
      return yield* storeError("", "SizeMismatch", `the upload goes on at byte ${received}`)
    }
    const last = range?.to === undefined ? undefined : range.to + 1
    const writer = yield* Effect.tryPromise({
      try: () => Writer.resume(file, received),
      catch: fsError(file, "open")
    })
    let next = received
    const passing = pumpOf(content)((view, release) => {
      if (writer.failure !== undefined) throw fsError(file, "write")(writer.failure)
      if (next + view.length > limit) throw tooLarge(limit)
      if (last !== undefined && next + view.length > last) {
        throw storeError("", "SizeMismatch", "more bytes came than the range says")
      }
      next += view.length
      session.received = next
      session.hash?.update(view)
      writer.write(view, release)
    })
    const came = yield* Effect.exit(restore(passing))
    const drained = yield* Effect.exit(
      Effect.tryPromise({ try: () => writer.drain(), catch: fsError(file, "write") })
    )
    yield* Effect.ignore(Effect.tryPromise(() => writer.close())) // the content is synced later
    if (Exit.isFailure(drained)) {
      session.hash = undefined
      session.received = received
      // Gives back the space, where it was that which lacked; the next part cuts the file anyway.
      yield* Effect.ignore(Effect.tryPromise(() => Writer.resume(file, received).then((it) => it.close())))
      return yield* drained
    }
    yield* came
    if (last !== undefined && next !== last) {
      return yield* storeError("", "SizeMismatch", "fewer bytes came than the range says")
    }
  }))

const forgetIdle = (fs: FileSystem.FileSystem, sessions: Map<string, Open>) =>
  Effect.gen(function*() {
    const now = yield* sinceStart
    for (const session of sessions.values()) {
      if (session.isBusy || now - session.touched < hour) continue
      sessions.delete(session.id)
      // A file that cannot be removed goes with its directory.
      yield* Effect.ignore(fs.remove(session.file, { force: true }))
    }
  })

const io = <A, R>(effect: Effect.Effect<A, PlatformError.PlatformError, R>) => Effect.mapError(effect, platformError())
