/**
 * Who may use the embedded registry: the names of an `htpasswd` file, read again when it changes.
 * After ten wrong passwords in a minute an address has to wait for the minute's end.
 */
import { Clock, Context, Data, Effect, FileSystem, Layer, Option, Result } from "effect"
import { type Entries, fingerprint, isPassword, parseHtpasswd } from "../lib/htpasswd.ts"

export class LoginError extends Data.TaggedError("LoginError")<{ readonly message: string }> {}

export type Verdict = Data.TaggedEnum<{
  Allowed: {}
  /** No login came, or a wrong one. */
  Refused: {}
  /** Milliseconds until the address may try again. */
  Wait: { readonly milliseconds: number }
}>
export const Verdict = Data.taggedEnum<Verdict>()

export class Logins extends Context.Service<Logins, {
  /** Judges an `Authorization` header from an address. */
  readonly check: (header: string | undefined, address: string) => Effect.Effect<Verdict>
}>()("regclient/services/Logins") {
  /** Everybody may. */
  static readonly layerOpen = Layer.succeed(Logins, Logins.of({ check: () => Effect.succeed(Verdict.Allowed()) }))

  /** Fails when the file cannot be read or has a line of another form. */
  static readonly layer = (file: string) =>
    Layer.effect(
      Logins,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const current = yield* users(fs, file)
        const attempts = new Map<string, Attempts>()
        return Logins.of({
          check: (header, address) =>
            Effect.gen(function*() {
              if (header === undefined) return Verdict.Refused()
              const { entries, verified } = yield* current
              const login = decodeBasic(header)
              const mark = login === undefined ? "" : fingerprint(`${login.name}:${login.password}`)
              // Passwords are slow to check on purpose; one that was right stays right until the file changes.
              if (verified.has(mark)) return Verdict.Allowed()
              const now = yield* Clock.currentTimeMillis
              const tried = attempts.get(address)
              if (tried !== undefined && tried.until > now && tried.count >= 10) {
                return Verdict.Wait({ milliseconds: tried.until - now })
              }
              // Counted before the answer is known: parallel guesses must not slip through.
              count(attempts, address, now)
              if (login === undefined) return Verdict.Refused()
              const isRight = yield* Effect.promise(() => isPassword(entries, login.name, login.password))
              if (!isRight) return Verdict.Refused()
              const own = attempts.get(address)
              if (own !== undefined) own.count--
              if (verified.size < 10_000) verified.add(mark)
              return Verdict.Allowed()
            })
        })
      })
    )
}

interface Attempts {
  count: number
  until: number
}

const minute = 60_000

/** Addresses counted at once. */
const addresses = 10_000

const count = (attempts: Map<string, Attempts>, address: string, now: number): void => {
  const found = attempts.get(address)
  if (found !== undefined && found.until > now) {
    found.count++
    return
  }
  if (attempts.size >= addresses) {
    for (const [other, { until }] of attempts) if (until <= now) attempts.delete(other)
    // More at once than anybody's users: the oldest count goes, since the map must not grow with an attacker's addresses.
    const [oldest] = attempts.keys()
    if (attempts.size >= addresses && oldest !== undefined) attempts.delete(oldest)
  }
  attempts.set(address, { count: 1, until: now + minute })
}

interface Users {
  readonly entries: Entries
  /** Marks of logins found right. */
  readonly verified: Set<string>
}

/** The users of the file as it is now; a change that cannot be read keeps the old ones, and says so once. */
const users = (fs: FileSystem.FileSystem, file: string) =>
  Effect.gen(function*() {
    const version = Effect.map(fs.stat(file), ({ mtime, size, ino }) => {
      const changed = Option.match(mtime, { onNone: () => 0, onSome: (at) => at.getTime() })
      return `${changed} ${size} ${Option.getOrElse(ino, () => 0n)}`
    })
    const read = Effect.flatMap(fs.readFileString(file), (text) => {
      const parsed = parseHtpasswd(text)
      return Effect.fromResult(
        "problem" in parsed
          ? Result.fail(new LoginError({ message: `${file}: ${parsed.problem}` }))
          : Result.succeed(parsed.entries)
      )
    })
    const told = (error: { readonly message: string }) => new LoginError({ message: error.message })
    let seen = yield* Effect.mapError(version, told)
    let state: Users = { entries: yield* Effect.mapError(read, told), verified: new Set() }
    return Effect.gen(function*() {
      const now = yield* Effect.orElseSucceed(version, () => "absent")
      if (now === seen) return state
      seen = now
      yield* Effect.matchEffect(read, {
        onFailure: ({ message }) => Effect.logWarning(`password file not read again, the old one holds: ${message}`),
        onSuccess: (entries) =>
          Effect.sync(() => {
            state = { entries, verified: new Set() }
          })
      })
      return state
    })
  })

const decodeBasic = (header: string): { readonly name: string; readonly password: string } | undefined => {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, "base64").toString("utf8")
  const colon = text.indexOf(":")
  return colon < 1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}
