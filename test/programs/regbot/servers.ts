/** A daemon over scripts that are stand-ins: what it is told, and what came of it. */
import { Console, Context, Deferred, Effect, Layer, Queue, Stream } from "effect"
import type { Loaded, ScriptJob } from "../../../src/programs/regbot/load.ts"
import { serveScripts } from "../../../src/programs/regbot/serveScripts.ts"
import { type Client, Clients } from "../../../src/services/Clients.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import { Scheduler } from "../../../src/services/Scheduler.ts"
import { type Signal, Signals, Stopping } from "../../../src/services/Signals.ts"
import { type Act, makeWorld } from "./world.ts"

export const loaded = (...jobs: ReadonlyArray<ScriptJob>): Loaded => ({
  config: {
    version: 1,
    creds: [],
    defaults: {
      interval: 0,
      schedule: "",
      timeout: 0,
      parallel: 0,
      blobLimit: 0,
      skipDockerConfig: true,
      userAgent: "",
      sandbox: false
    },
    scripts: jobs.map(({ entry }) => entry),
    server: { listen: "", token: "" }
  },
  jobs,
  client: { source: "regbot.yml", hosts: new Map(), skipDocker: true, blobLimit: 0, userAgent: "" },
  parallel: 0
})

/** A daemon that has begun. */
export const start = Effect.fnUntraced(
  function*(first: Loaded, acts: Readonly<Record<string, Act>> = {}, isDry = false) {
    const world = makeWorld(acts)
    const stopping = yield* Deferred.make<void>()
    const queues = { SIGHUP: yield* Queue.sliding<void>(1), SIGUSR1: yield* Queue.sliding<void>(1) }
    const printed: Array<string> = []
    let next = first
    const client = Context.make(Repositories, world.repositories)
    const surroundings = Layer.mergeAll(
      Layer.fresh(Scheduler.layer),
      Layer.succeed(Signals, Signals.of({ on: (signal) => Effect.succeed(Stream.fromQueue(queues[signal])) })),
      // Scripts that are stand-ins look into nothing but repositories.
      Layer.succeed(Clients, Clients.of({ open: () => Effect.succeed(client as Context.Context<Client>) }))
    )
    const fiber = yield* Effect.forkChild(
      serveScripts({
        file: "regbot.yml",
        isDry,
        load: Effect.sync(() => next),
        show: () => Effect.void
      }).pipe(
        Effect.provide(Layer.mergeAll(surroundings, world.layer(1))),
        Effect.provideService(Stopping, Deferred.await(stopping)),
        Effect.provideService(Console.Console, {
          ...globalThis.console,
          error: (it: string) => void printed.push(it)
        })
      )
    )
    yield* Effect.yieldNow
    return {
      ...world,
      fiber,
      printed,
      stop: Effect.asVoid(Deferred.succeed(stopping, undefined)),
      signal: (signal: Signal) => Effect.asVoid(Queue.offer(queues[signal], undefined)),
      /** What is read next. */
      change: (loaded: Loaded) => void (next = loaded)
    }
  }
)
