/** A daemon with its signals: entries in step on their timetables until it is told to end. */
import { Clock, Console, Effect, Exit, Scope, Stream } from "effect"
import type { ServerSettings } from "../../schemas/ServerSettings.ts"
import { SyncEvent, type Task } from "../../schemas/Sync.ts"
import { Signals, Stopping } from "../../services/Signals.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import type { Work } from "./attempts.ts"
import { type Changes, type Configured, type Daemon, makeDaemon } from "./daemon.ts"
import { Running } from "./running.ts"

interface Failure {
  readonly message: string
}

export interface ServeOptions<J, A extends Task, E, R, S> extends Work<J, A, E> {
  /** Names the configuration in the log; `-` is standard input, which can be read once only. */
  readonly file: string
  readonly load: Effect.Effect<Configured<J>, Failure, R>
  /** Listens for those who want to see the daemon, until the scope ends. */
  readonly show: (
    settings: ServerSettings,
    daemon: Pick<Daemon, "runNow">
  ) => Effect.Effect<void, Failure, S | Scope.Scope>
}

/**
 * Until `Stopping`, or until an error with `abortOnError`. SIGHUP reads the configuration again, SIGUSR1 tells what is
 * at work. Fails with what went wrong in all its life, or when its first configuration cannot be read.
 */
export const serve = Effect.fnUntraced(function*<J, A extends Task, E, R, S>(options: ServeOptions<J, A, E, R, S>) {
  const stopping = yield* Stopping
  const { on } = yield* Signals
  const events = yield* SyncEvents
  const hangUps = yield* on("SIGHUP")
  const questions = yield* on("SIGUSR1")
  const running = new Running()
  const daemon = yield* makeDaemon(options)
  yield* Effect.forkScoped(Stream.runForEach(events.stream, (event) => Effect.sync(() => running.note(event))), {
    startImmediately: true
  })
  const life = Effect.gen(function*() {
    const takeOver = yield* makeTakeOver(options, daemon)
    yield* Effect.flatMap(options.load, takeOver)
    yield* Effect.forkChild(Stream.runForEach(questions, () => tell(daemon, running)))
    yield* Effect.forkChild(Stream.runForEach(hangUps, () => reload(options, takeOver)))
    yield* Effect.catch(daemon.aborted, (error) =>
      // What else went wrong does not count any more.
      Effect.andThen(Effect.ignore(daemon.stop), Effect.fail(error)))
  })
  yield* Effect.raceFirst(life, Effect.andThen(stopping, Effect.logDebug("Interrupt received, stopping")))
  yield* daemon.stop
}, Effect.scoped)

const tell = Effect.fnUntraced(function*<J, E>(daemon: Daemon<J, E>, running: Running) {
  const now = yield* Clock.currentTimeMillis
  yield* Console.error(running.lines(daemon.entries(), now).join("\n"))
})

/** Adopts a configuration once it is shown where it wants to be shown; else all stays as it was. */
const makeTakeOver = Effect.fnUntraced(function*<J, A extends Task, E, R, S>(
  { show }: ServeOptions<J, A, E, R, S>,
  daemon: Daemon<J, E>
) {
  const all = yield* Scope.Scope
  let shown: ServerSettings = { listen: "", token: "" }
  let place = yield* Scope.fork(all)
  const move = Effect.fnUntraced(function*(settings: ServerSettings) {
    yield* Scope.close(place, Exit.void)
    place = yield* Scope.fork(all)
    if (settings.listen !== "") yield* Scope.provide(show(settings, daemon), place)
    shown = settings
  })
  return Effect.fnUntraced(function*(configured: Configured<J>) {
    const { listen, token } = configured.config.server
    if (listen !== shown.listen || token !== shown.token) {
      // What could be shown before can be shown again; if not, there is the failure that comes first to tell of.
      yield* Effect.tapError(move({ listen, token }), () => Effect.ignore(move(shown)))
    }
    return yield* daemon.adopt(configured)
  })
})

/** A configuration that cannot be used changes nothing. */
const reload = <J, A extends Task, E, R, S>(
  { file, load }: ServeOptions<J, A, E, R, S>,
  takeOver: (configured: Configured<J>) => Effect.Effect<Changes, Failure, S>
) =>
  file === "-"
    ? refuse(file, "standard input cannot be read again")
    : Effect.matchEffect(Effect.flatMap(load, takeOver), {
      onFailure: ({ message }) => refuse(file, message),
      onSuccess: (changes) => Effect.annotateLogs(Effect.logInfo("Configuration reloaded"), { file, ...changes })
    })

const refuse = Effect.fnUntraced(function*(file: string, error: string) {
  const events = yield* SyncEvents
  yield* Effect.annotateLogs(Effect.logError("Failed to reload configuration, the old one stays"), { file, error })
  yield* events.publish(SyncEvent.ConfigRefused({ error, time: yield* Clock.currentTimeMillis }))
})
