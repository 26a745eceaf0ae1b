/** regctl's configuration file: where it is, what it says, and its replacement as a whole (faults L13, L14). */
import { Clock, Context, Effect, FileSystem, Layer, Option, Path, type PlatformError, Redacted, Result } from "effect"
import { syncDirectory } from "../lib/files.ts"
import { removeLeftovers, temporaryName } from "../lib/leftovers.ts"
import { readUpTo } from "../lib/readUpTo.ts"
import { ConfigError, type ConfigReason } from "../schemas/ConfigError.ts"
import { decodeRegctlConfig, emptyConfig, encodeRegctlConfig, type RegctlConfig } from "../schemas/RegctlConfig.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { home, variable } from "./Environment.ts"
import { fsError, platformError } from "./fsError.ts"

export class ConfigFile extends Context.Service<ConfigFile, {
  /** The file's name, whether it exists or not (library description, section 4.1). */
  readonly path: Effect.Effect<string, ConfigError>
  /** A missing or empty file is an empty configuration. */
  readonly load: Effect.Effect<RegctlConfig, ConfigError>
  /** Replaces the file in one step: a reader finds the old or the new text, a new file is the user's alone. */
  readonly save: (config: RegctlConfig) => Effect.Effect<void, ConfigError>
}>()("regclient/services/ConfigFile") {
  static readonly layer = Layer.effect(
    ConfigFile,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      let isWarned = false

      const path = Effect.gen(function*() {
        const named = yield* variable("REGCTL_CONFIG")
        if (named !== "") return named
        const user = yield* home
        const base = (yield* variable("XDG_CONFIG_HOME")) || (paths.sep === "\\" && (yield* variable("APPDATA"))) ||
          (user === "" ? "" : paths.join(user, ".config"))
        const preferred = base === "" ? "" : paths.join(base, "regctl", "config.json")
        if (preferred !== "" && (yield* Effect.orElseSucceed(fs.exists(preferred), () => false))) return preferred
        if (user !== "") return paths.join(user, ".regctl", "config.json")
        return yield* failure("", "FsIo", "no home directory: set HOME or REGCTL_CONFIG")
      })

      const warnOfReaders = Effect.fnUntraced(function*(file: string, config: RegctlConfig) {
        if (isWarned || !hasSecrets(config)) return
        const mode = Option.getOrUndefined(yield* Effect.option(fs.stat(file)))?.mode ?? 0
        if ((mode & 0o004) === 0) return
        isWarned = true
        yield* Effect.logWarning("Configuration file with credentials is readable by other users").pipe(
          Effect.annotateLogs({ file })
        )
      })

      /** Fails for what is no configuration file by its kind or size; a device is never read or replaced. */
      const inspect = Effect.fnUntraced(function*(file: string, operation: string) {
        const info = Option.getOrUndefined(yield* Effect.option(fs.stat(file)))
        if (info?.type === "CharacterDevice" || info?.type === "BlockDevice") {
          return yield* failure(file, "FsIo", `${operation}: is a device`)
        }
        if (Number(info?.size ?? 0) > maxSize) {
          return yield* tooLarge(file, operation)
        }
        return info
      })

      const load = Effect.gen(function*() {
        const file = yield* path
        if (file === "/dev/null") return emptyConfig
        yield* inspect(file, "read")
        const bytes = yield* Effect.tryPromise({
          try: (signal) => readUpTo(file, maxSize, signal),
          catch: fsError(file, "read")
        }).pipe(
          Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(new Uint8Array())),
          // What comes through a pipe shows its size only now.
          Effect.catchReason("StoreError", "SizeLimit", () => tooLarge(file, "read")),
          Effect.catchTag("StoreError", (error) => Effect.fail(told(file, "read", error)))
        )
        const config = yield* Option.match(textOf(bytes), {
          onNone: () => failure(file, "ConfigSyntax", "not UTF-8 text"),
          onSome: (text) =>
            Result.match(decodeRegctlConfig(text), {
              onSuccess: Effect.succeed,
              onFailure: (reason) => Effect.fail(new ConfigError({ file, reason }))
            })
        })
        yield* warnOfReaders(file, config)
        return config
      })

      /** The file a chain of links ends at; it need not exist. */
      const target = Effect.fnUntraced(function*(file: string) {
        let at = file
        for (let links = 0; links < 40; links++) {
          const next = Option.getOrUndefined(yield* Effect.option(fs.readLink(at)))
          if (next === undefined) return at
          at = paths.resolve(paths.dirname(at), next)
        }
        return yield* failure(file, "FsIo", "too many links")
      })

      const save = Effect.fnUntraced(function*(config: RegctlConfig) {
        const named = yield* path
        const file = yield* target(named)
        const directory = paths.dirname(file)
        const old = yield* inspect(file, "write")
        yield* Effect.gen(function*() {
          yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
          const now = yield* Clock.currentTimeMillis
          yield* Effect.promise(() => removeLeftovers(directory, now))
          const temporary = paths.join(directory, temporaryName())
          yield* Effect.gen(function*() {
            yield* Effect.scoped(Effect.gen(function*() {
              const opened = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
              yield* opened.writeAll(new TextEncoder().encode(encodeRegctlConfig(config)))
              yield* opened.sync
            }))
            if (old !== undefined) {
              // Only the superuser may give a file away; anyone else keeps it as their own.
              yield* Effect.ignore(
                fs.chown(temporary, Option.getOrElse(old.uid, () => -1), Option.getOrElse(old.gid, () => -1))
              )
              yield* fs.chmod(temporary, old.mode & 0o777)
            }
            yield* fs.rename(temporary, file)
            // The new text is there already; without this it may only be the old one after a loss of power.
            yield* Effect.ignore(Effect.tryPromise(() => syncDirectory(directory)))
          }).pipe(Effect.onError(() => Effect.ignore(fs.remove(temporary)))) // already failing; the first error is told
        }).pipe(Effect.mapError(translated(file, "write")))
      })

      return ConfigFile.of({ path, load, save })
    })
  )

  /** Holds the configuration in memory. */
  static readonly layerMemory = (file: string, initial: RegctlConfig = emptyConfig) =>
    Layer.sync(ConfigFile, () => {
      let kept = initial
      return ConfigFile.of({
        path: Effect.succeed(file),
        load: Effect.sync(() => kept),
        save: (config) => Effect.sync(() => void (kept = config))
      })
    })
}

/** Bytes a configuration file may have (faults K07). */
const maxSize = 4 * 1024 * 1024

const failure = (file: string, _tag: ConfigReason["_tag"], detail: string) =>
  Effect.fail(new ConfigError({ file, reason: { _tag, detail } }))

const tooLarge = (file: string, operation: string) =>
  failure(file, "ConfigInvalid", `${operation}: larger than ${maxSize} bytes`)

const textOf = Option.liftThrowable((bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes))

const hasSecrets = ({ hosts }: RegctlConfig): boolean =>
  [...hosts.values()].some(({ clientKey, pass, token }) =>
    [clientKey, pass, token].some((it) => it !== undefined && Redacted.value(it) !== "")
  )

const translated = (file: string, operation: string) => (cause: PlatformError.PlatformError): ConfigError =>
  told(file, operation, platformError(operation, file)(cause))

const told = (file: string, operation: string, { cause, reason: { _tag, detail } }: StoreError): ConfigError => {
  const tag = _tag === "FsPermission" || _tag === "FsNoSpace" ? _tag : "FsIo"
  return new ConfigError({ file, reason: { _tag: tag, detail: `${operation}: ${detail}` }, cause })
}
