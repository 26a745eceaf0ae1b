/** Runs of scripts without scripts: host functions called as the engine does, over memory, with a log to look at. */
import { Effect, Layer, Logger, References, Result } from "effect"
import type { HostFailure, LuaObject, LuaValue } from "../../src/lib/lua/border.ts"
import { isObject } from "../../src/lib/lua/border.ts"
import { ScriptRun } from "../../src/programs/regbot/ScriptRun.ts"
import { decodeManifest, type Manifest } from "../../src/schemas/Manifest.ts"
import { locationName, parseRef, type Tag } from "../../src/schemas/Ref.ts"
import type { HostFunction } from "../../src/services/LuaEngine.ts"
import { Repositories } from "../../src/services/Repositories.ts"
import type { Repository } from "../../src/services/Repository.ts"
import { memoryStore } from "../../src/services/repository/memory.ts"

export interface ScriptRuns {
  /** A run named `s` that opens what is in memory. */
  readonly layer: Layer.Layer<ScriptRun | Repositories>
  /** The repository that a reference names. */
  readonly at: (text: string) => Repository
  /** Stores a manifest under a tag; its type is its own. */
  readonly put: (text: string, body: string, mediaType?: string) => Promise<Manifest>
  /** Lines as `LEVEL message key=value`. */
  readonly log: Array<string>
  /** Names of places as they were closed. */
  readonly closed: Array<string>
  /** Lists with names left out, and how many. */
  readonly skips: Array<string>
}

export const scriptRuns = (
  { isDry = false, isSandboxed = false, seen = (it) => it }: {
    readonly isDry?: boolean
    readonly isSandboxed?: boolean
    /** The repositories as scripts see them. */
    readonly seen?: (repository: Repository) => Repository
  } = {}
): ScriptRuns => {
  const store = memoryStore()
  const log: Array<string> = []
  const closed: Array<string> = []
  const skips: Array<string> = []
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    const fields = Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(([key, it]) => ` ${key}=${it}`)
    log.push(`${logLevel.toUpperCase()} ${message}${fields.join("")}`)
  })
  const open: Repositories["Service"]["open"] = (location) => Effect.sync(() => seen(store.open(location)))
  const run = ScriptRun.of({
    script: "s",
    isDry,
    isSandboxed,
    open: (location) => Effect.sync(() => seen(store.open(location))),
    close: (location) => Effect.sync(() => void closed.push(locationName(location))),
    throttled: (effect) => effect,
    noteSkipped: (operation, { skipped = 0 }) => void skips.push(`${operation}: ${skipped}`),
    mayLog: () => "yes"
  })
  const at = (text: string) => store.open(Result.getOrThrow(parseRef(text)).location)
  return {
    layer: Layer.mergeAll(
      Layer.succeed(ScriptRun, run),
      Layer.succeed(Repositories, Repositories.of({ open })),
      Logger.layer([logger]),
      Layer.succeed(References.MinimumLogLevel, "Debug")
    ),
    at,
    put: (text, body, mediaType) => {
      const { tag } = Result.getOrThrow(parseRef(text))
      const manifest = Result.getOrThrow(decodeManifest(new TextEncoder().encode(body), {
        name: text,
        ...(mediaType === undefined ? {} : { mediaType })
      }))
      return Effect.runPromise(Effect.as(at(text).putManifest(manifest, tagged(tag)), manifest))
    },
    log,
    closed,
    skips
  }
}

const tagged = (tag: Tag | undefined) => tag === undefined ? {} : { tag }

/** What a script gets, all of it. */
export const answer = <R>(host: HostFunction<R> | undefined, ...args: ReadonlyArray<LuaValue>) =>
  Effect.suspend(() => host === undefined ? Effect.die("there is no such function") : host.run(...args))

/** The first value. */
export const call = <R>(host: HostFunction<R> | undefined, ...args: ReadonlyArray<LuaValue>) =>
  Effect.map(answer(host, ...args), ({ values }) => values[0])

/** The first value, an object. */
export const objectFrom = <R>(host: HostFunction<R> | undefined, ...args: ReadonlyArray<LuaValue>) =>
  Effect.map(call(host, ...args), (value): LuaObject => {
    if (value === undefined || !isObject(value)) throw new Error("this is no object")
    return value
  })

/** The text of the error it raises, without its place in the script and the function's name. */
export const raised = <R>(host: HostFunction<R> | undefined, ...args: ReadonlyArray<LuaValue>) =>
  Effect.map(
    Effect.flip(answer(host, ...args)),
    ({ argument, message }: HostFailure) => argument === undefined ? message : `bad argument #${argument}: ${message}`
  )
