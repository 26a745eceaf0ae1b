/**
 * Upload sessions that outlive the process: where a large blob was on its way to when the process was killed, so that
 * the next run can ask the registry what it has of it (distribution-spec, pushing blobs).
 *
 * Locations can carry a registry's signature, which makes them secrets: the files are for their owner alone, nothing
 * else is in them that would open anything, and nothing of them is ever shown.
 */
import { Clock, Context, Effect, FileSystem, Layer, Option, Path, Schema } from "effect"
import { readWhole } from "../lib/files.ts"
import { hashHex } from "../lib/hash.ts"
import { self, stateOf } from "../lib/owner.ts"
import { isOwnDirectory, ownFileSize } from "../lib/ownFile.ts"
import { randomId } from "../lib/randomId.ts"
import { home, variable } from "./Environment.ts"

/** A blob and the repository it is sent to. */
export interface Sending {
  readonly registry: string
  readonly repository: string
  readonly digest: string
  readonly size: number
}

interface Kept {
  readonly location: URL
  /** Bytes every chunk but the last must have. */
  readonly least: number
}

interface Sessions {
  /** What a process that is no more has left, once: whoever asks next finds nothing. */
  readonly take: (blob: Sending) => Effect.Effect<Kept | undefined>
  /** False when another process is sending the blob, or nothing can be kept. */
  readonly keep: (blob: Sending, session: Kept) => Effect.Effect<boolean>
  /** The session is used up, or was given up. */
  readonly forget: (blob: Sending) => Effect.Effect<void>
}

/** Nothing is kept unless `layer` is there. Nothing here fails: without a directory to write to, all goes on as if it were new. */
export const KeptSessions = Context.Reference<Sessions>("regclient/services/KeptSessions", {
  defaultValue: () => ({
    take: () => Effect.succeed(undefined),
    keep: () => Effect.succeed(false),
    forget: () => Effect.void
  })
})

/** In `$XDG_CACHE_HOME/regclient/uploads`, else below `~/.cache`. */
export const layer = Layer.effect(
  KeptSessions,
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = yield* Effect.cached(Effect.gen(function*() {
      const [given, user] = [yield* variable("XDG_CACHE_HOME"), yield* home]
      const cache = path.isAbsolute(given) ? given : user === "" ? undefined : path.join(user, ".cache")
      return cache === undefined ? undefined : path.join(cache, "regclient", "uploads")
    }))
    return sessionsIn(fs, directory)
  })
)

const Owner = Schema.Struct({ pid: Schema.Int, host: Schema.String, started: Schema.String })

const Entry = Schema.fromJsonString(Schema.Struct({
  version: Schema.Literal(1),
  registry: Schema.String,
  repository: Schema.String,
  digest: Schema.String,
  size: Schema.Int,
  location: Schema.String,
  least: Schema.Int,
  owner: Owner
}))
const decode = Schema.decodeUnknownOption(Entry)

/** Milliseconds an entry is of use, and after which one of another machine counts as left. Bytes of one. */
const [longest, unsure, largest] = [7 * 24 * 3_600_000, 3_600_000, 64 * 1024]

const nameOf = ({ digest, registry, repository }: Sending): string =>
  `${hashHex("sha256", new TextEncoder().encode(`${registry}\n${repository}\n${digest}`))}.json`

const quietly = <A>(effect: Effect.Effect<A, unknown>, otherwise: A): Effect.Effect<A> =>
  Effect.catch(
    effect,
    (error) =>
      Effect.as(Effect.annotateLogs(Effect.logDebug("upload session not kept"), { reason: codeIn(error) }), otherwise)
  )

/** No path nor content: the name alone of what went wrong. */
const codeIn = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "unknown"

const sessionsIn = (fs: FileSystem.FileSystem, directory: Effect.Effect<string | undefined>): Sessions => {
  /** Entries that are ours to remove. */
  const own = new Set<string>()
  const within = <A>(otherwise: A, use: (dir: string) => Effect.Effect<A, unknown>): Effect.Effect<A> =>
    Effect.flatMap(directory, (dir) => dir === undefined ? Effect.succeed(otherwise) : quietly(use(dir), otherwise))
  const text = (file: string) =>
    Effect.gen(function*() {
      const size = yield* Effect.tryPromise(() => ownFileSize(file))
      if (size === undefined || size > largest) return undefined
      return new TextDecoder().decode(yield* Effect.tryPromise(() => readWhole(file, largest)))
    })
  const isOld = (file: string, age: number) =>
    Effect.gen(function*() {
      const { mtime } = yield* fs.stat(file)
      const now = yield* Clock.currentTimeMillis
      return now - (Option.getOrUndefined(mtime)?.getTime() ?? 0) > age
    })

  const take = (blob: Sending) => (dir: string): Effect.Effect<Kept | undefined, unknown> =>
    Effect.gen(function*() {
      const file = `${dir}/${nameOf(blob)}`
      if (own.has(file) || !(yield* fs.exists(dir)) || !(yield* Effect.promise(() => isOwnDirectory(dir))))
        return undefined
      const found = yield* text(file)
      const entry = found === undefined ? undefined : Option.getOrUndefined(decode(found))
      const isOf = entry?.registry === blob.registry && entry.repository === blob.repository &&
        entry.digest === blob.digest && entry.size === blob.size
      if (entry === undefined || !isOf || !URL.canParse(entry.location)) {
        yield* fs.remove(file, { force: true })
        return undefined
      }
      const state = stateOf(entry.owner)
      if (state === "alive" || (state === "unknown" && !(yield* isOld(file, unsure)))) return undefined
      // Whoever renames it has it; another's that came in its place meanwhile goes back.
      const claimed = `${file}.${randomId()}`
      const isStale = yield* isOld(file, longest)
      yield* fs.rename(file, claimed)
      if ((yield* text(claimed)) !== found) {
        yield* fs.rename(claimed, file)
        return undefined
      }
      yield* fs.remove(claimed)
      return isStale ? undefined : { location: new URL(entry.location), least: entry.least }
    })

  const keep = (blob: Sending, { least, location }: Kept) => (dir: string): Effect.Effect<boolean, unknown> =>
    Effect.gen(function*() {
      yield* fs.makeDirectory(dir, { recursive: true, mode: 0o700 })
      if (!(yield* Effect.promise(() => isOwnDirectory(dir)))) return false
      yield* prune(dir)
      const file = `${dir}/${nameOf(blob)}`
      if (own.has(file)) yield* fs.remove(file, { force: true })
      const entry = { version: 1, ...blob, location: location.href, least, owner: self() }
      yield* fs.writeFileString(file, JSON.stringify(entry), { flag: "wx", mode: 0o600 })
      own.add(file)
      return true
    })
  /** Of what nobody came back for. */
  const prune = (dir: string) =>
    Effect.gen(function*() {
      for (const name of yield* fs.readDirectory(dir)) {
        if (yield* isOld(`${dir}/${name}`, longest)) yield* fs.remove(`${dir}/${name}`, { force: true })
      }
    }).pipe(Effect.ignore) // another process may be at it, too

  return {
    take: (blob) => within<Kept | undefined>(undefined, take(blob)),
    keep: (blob, session) => within(false, keep(blob, session)),
    forget: (blob) =>
      within(undefined, (dir) => {
        const file = `${dir}/${nameOf(blob)}`
        return own.delete(file) ? fs.remove(file, { force: true }) : Effect.void
      })
  }
}
