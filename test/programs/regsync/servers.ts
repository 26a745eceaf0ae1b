/** A daemon over stand-ins: runs that are told what to do, signals, clients and a log that tests look at. */
import { Console, Context, Deferred, Effect, type Fiber, Layer, Logger, Queue, References, Stream } from "effect"
import type { Configured as ConfiguredWith } from "../../../src/programs/daemon/daemon.ts"
import { serve } from "../../../src/programs/daemon/serving.ts"
import { tending } from "../../../src/programs/regsync/tending.ts"
import type { RegsyncConfig, SyncEntry } from "../../../src/schemas/RegsyncConfig.ts"
import { type Action, type Job, type SyncEvent, SyncFailed } from "../../../src/schemas/Sync.ts"
import { type Client, Clients } from "../../../src/services/Clients.ts"
import { Scheduler } from "../../../src/services/Scheduler.ts"
import { type Signal, Signals, Stopping } from "../../../src/services/Signals.ts"
import { SyncEvents } from "../../../src/services/SyncEvents.ts"

type Configured = ConfiguredWith<Job>

const none = { allow: [], deny: [] }

/** An entry that copies `reg/NAME` to `own/NAME`. */
export const job = (name: string, settings: Partial<SyncEntry> = {}): Job => ({
  name,
  entry: {
    source: `reg.test/${name}`,
    target: `own.test/${name}`,
    type: "repository",
    tags: { ...none, semverRange: [] },
    tagSets: [],
    repos: none,
    platform: "",
    platforms: [],
    backup: "",
    interval: 0,
    schedule: "",
    ratelimit: { min: 0, retry: 300_000 },
    switches: {},
    referrerFilters: undefined,
    referrerSource: "",
    referrerTarget: "",
    mediaTypes: [],
    hooks: {},
    backupRequired: undefined,
    line: 1,
    column: 1,
    ...settings
  }
})

export const every = (minutes: number): Partial<SyncEntry> => ({ interval: minutes * 60_000 })

const config = (jobs: ReadonlyArray<Job>, listen: string): RegsyncConfig => ({
  version: 1,
  creds: [],
  defaults: {
    ...job("defaults").entry,
    parallel: 0,
    blobLimit: 0,
    cacheCount: 0,
    cacheTime: 0,
    skipDockerConfig: true,
    userAgent: ""
  },
  sync: jobs.map(({ entry }) => entry),
  server: { listen, token: "" }
})

export const configured = (
  jobs: ReadonlyArray<Job>,
  parallel = 0,
  source = "one.yml",
  listen = ""
): Configured => ({
  config: config(jobs, listen),
  jobs,
  parallel,
  client: { source, hosts: new Map(), skipDocker: true, blobLimit: 0, userAgent: "" }
})

export interface World {
  /** Runs as they begin: `name action`, and when they end before their time or at it: `name ended`. */
  readonly runs: Array<string>
  /** Lines as `LEVEL message key=value`. */
  readonly log: Array<string>
  /** What is written to stderr. */
  readonly printed: Array<string>
  /** Clients as they open and close, by the source of their settings. */
  readonly clients: Array<string>
  readonly events: Array<SyncEvent>
  readonly signal: (signal: Signal) => Effect.Effect<void>
  /** Addresses at which the daemon is shown, and no longer. */
  readonly shown: Array<string>
  runNow: (name: string) => Effect.Effect<"started" | "running">
  /** What is read next. */
  load: Effect.Effect<Configured, { readonly message: string }>
  /** What a run does. */
  perform: (job: Job, action: Action) => Effect.Effect<void, SyncFailed>
  readonly stop: Effect.Effect<void>
  readonly fiber: Fiber.Fiber<void, { readonly message: string }>
}

interface Options {
  readonly perform?: World["perform"]
  readonly abortOnError?: boolean
  readonly file?: string
}

export const failing = (message: string) => Effect.fail(new SyncFailed({ messages: [message] }))

/** A daemon that has begun. */
export const start = Effect.fnUntraced(function*(
  first: Configured | Effect.Effect<Configured, { readonly message: string }>,
  { abortOnError = false, file = "one.yml", perform = () => Effect.void }: Options = {}
) {
  const stopping = yield* Deferred.make<void>()
  const queues = { SIGHUP: yield* Queue.sliding<void>(1), SIGUSR1: yield* Queue.sliding<void>(1) }
  const world: Omit<World, "fiber"> = {
    runs: [],
    log: [],
    printed: [],
    clients: [],
    events: [],
    shown: [],
    runNow: () => Effect.die("nobody is shown the daemon"),
    signal: (signal) => Effect.asVoid(Queue.offer(queues[signal], undefined)),
    load: Effect.isEffect(first) ? first : Effect.succeed(first),
    perform,
    stop: Effect.asVoid(Deferred.succeed(stopping, undefined))
  }
  const program = serve({
    ...tending,
    file,
    abortOnError,
    resize: () => Effect.void,
    entering: (it) => it,
    show: ({ listen }, { runNow }) => {
      world.runNow = runNow
      return Effect.asVoid(Effect.acquireRelease(
        listen === "taken" ? Effect.fail({ message: "taken" }) : Effect.sync(() => void world.shown.push(listen)),
        () => Effect.sync(() => void world.shown.push(`not ${listen}`))
      ))
    },
    load: Effect.suspend(() => world.load),
    perform: ({ action, job }) =>
      Effect.suspend(() => {
        world.runs.push(`${job.name} ${action}`)
        return world.perform(job, action)
      }).pipe(Effect.onInterrupt(() => Effect.sync(() => world.runs.push(`${job.name} interrupted`))))
  })
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    const fields = Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(([key, it]) => ` ${key}=${it}`)
    world.log.push(`${logLevel.toUpperCase()} ${message}${fields.join("")}`)
  })
  const fiber = yield* Effect.forkChild(program.pipe(
    Effect.provide(layers(world, queues)),
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(Console.Console, {
      ...globalThis.console,
      error: (it: string) => void world.printed.push(it)
    }),
    Effect.provideService(References.MinimumLogLevel, "Debug"),
    Effect.provideService(Stopping, Deferred.await(stopping))
  ))
  const begun: World = Object.assign(world, { fiber })
  yield* Effect.yieldNow
  return begun
})

const layers = (
  world: Pick<World, "clients" | "events">,
  queues: Readonly<Record<Signal, Queue.Queue<void>>>
) =>
  Layer.mergeAll(
    Layer.fresh(Scheduler.layer),
    Layer.succeed(
      SyncEvents,
      SyncEvents.of({ publish: (event) => Effect.sync(() => void world.events.push(event)), stream: Stream.never })
    ),
    Layer.succeed(Signals, Signals.of({ on: (signal) => Effect.succeed(Stream.fromQueue(queues[signal])) })),
    Layer.succeed(
      Clients,
      Clients.of({
        open: ({ source }) =>
          Effect.as(
            Effect.acquireRelease(
              Effect.sync(() => world.clients.push(`${source} open`)),
              () => Effect.sync(() => world.clients.push(`${source} closed`))
            ),
            // Never looked into: runs are stand-ins.
            Context.empty() as Context.Context<Client>
          )
      })
    )
  )
