/** Scripts over stand-ins: an engine whose scripts are Effects, nothing to read or write, and a log to look at. */
import { Effect, type FileSystem, Layer, Logger, type Path, References, Stream } from "effect"
import type { ScriptJob } from "../../../src/programs/regbot/load.ts"
import type { runScript } from "../../../src/programs/regbot/runScript.ts"
import { ScriptRun } from "../../../src/programs/regbot/ScriptRun.ts"
import { Shared } from "../../../src/programs/regbot/shared.ts"
import { ScriptError, ScriptExit } from "../../../src/schemas/ScriptError.ts"
import type { SyncEvent } from "../../../src/schemas/Sync.ts"
import { LuaEngine } from "../../../src/services/LuaEngine.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"
import { SyncEvents } from "../../../src/services/SyncEvents.ts"

export type Act = (run: ScriptRun["Service"]) => Effect.Effect<void, ScriptError | ScriptExit>

/** A script whose source is its name; what it does the world says. */
export const script = (name: string, more: Partial<ScriptJob["entry"]> = {}): ScriptJob => ({
  name: name === "" ? "script 1" : name,
  entry: {
    name,
    script: name,
    file: "",
    interval: 0,
    schedule: "",
    timeout: 0,
    sandbox: false,
    line: 1,
    column: 1,
    fileAt: { line: 1, column: 1 },
    ...more
  },
  source: new TextEncoder().encode(name)
})

export const failing = (script: string, detail: string): Effect.Effect<never, ScriptError> =>
  Effect.fail(new ScriptError({ script, reason: { _tag: "ScriptError", detail } }))

export const exiting = (status: number): Effect.Effect<never, ScriptExit> => Effect.fail(new ScriptExit({ status }))

export interface World {
  /** Scripts as they begin and end: `a begins`, `a ends`, `a interrupted`. */
  readonly runs: Array<string>
  /** Lines as `LEVEL message key=value`. */
  readonly log: Array<string>
  readonly events: Array<SyncEvent>
  /** Repositories as they are opened and closed. */
  readonly places: Array<string>
}

/** What scripts do, by their source; those that are not named do nothing. */
export const makeWorld = (acts: Readonly<Record<string, Act>>) => {
  const world: World = { runs: [], log: [], events: [], places: [] }
  const store = memoryStore()
  const note = (list: Array<string>, text: string) => Effect.sync(() => void list.push(text))
  const engine = LuaEngine.of({
    run: ({ source }) => {
      const name = new TextDecoder().decode(source)
      const act = acts[name] ?? (() => Effect.void)
      const acting = Effect.andThen(note(world.runs, `${name} begins`), Effect.flatMap(ScriptRun, act)).pipe(
        Effect.tap(note(world.runs, `${name} ends`)),
        Effect.onInterrupt(() => note(world.runs, `${name} interrupted`))
      )
      // The host of a script needs the run it is in; stand-ins are hosts that need no more.
      return acting as Effect.Effect<void, ScriptError | ScriptExit>
    }
  })
  const repositories = Repositories.of({
    open: (location) => {
      const name = location._tag === "Registry" ? `${location.registry}/${location.repository}` : location.path
      return Effect.acquireRelease(
        Effect.as(note(world.places, `${name} open`), store.open(location)),
        () => note(world.places, `${name} closed`)
      )
    }
  })
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    const fields = Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(([key, it]) => ` ${key}=${it}`)
    world.log.push(`${logLevel.toUpperCase()} ${message}${fields.join("")}`)
  })
  const publishing = SyncEvents.of({
    publish: (event) => Effect.sync(() => void world.events.push(event)),
    stream: Stream.never
  })
  const layer = (parallel = 0) =>
    Layer.mergeAll(
      Layer.succeed(LuaEngine, engine),
      Layer.succeed(Repositories, repositories),
      Layer.succeed(SyncEvents, publishing),
      Shared.layer(parallel),
      Logger.layer([logger]),
      Layer.succeed(References.MinimumLogLevel, "Debug")
    ).pipe(
      // What else a host needs is never looked into: scripts are stand-ins.
      (it) => it as Layer.Layer<Effect.Services<ReturnType<typeof runScript>> | FileSystem.FileSystem | Path.Path>
    )
  return { ...world, layer, repositories }
}
