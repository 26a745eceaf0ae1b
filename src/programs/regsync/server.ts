/** `regsync server`: keeps entries in step on their timetables until a signal ends it. */
import { Clock, Console, Effect, Stream } from "effect"
import { SyncEvent } from "../../schemas/Sync.ts"
import { Signals, Stopping } from "../../services/Signals.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { type Configured, type Daemon, makeDaemon, type Work } from "./daemon.ts"
import { Running } from "./running.ts"

export interface Serving<E extends { readonly message: string }, R> extends Work {
  /** Names the configuration in the log; `-` is standard input, which can be read once only. */
  readonly file: string
  readonly load: Effect.Effect<Configured, E, R>
}

/**
 * Until `Stopping`, or until an error with `abortOnError`. SIGHUP reads the configuration again, SIGUSR1 tells what is
 * at work. Fails with what went wrong in all its life, or when its first configuration cannot be read.
 */
export const serve = Effect.fnUntraced(function*<E extends { readonly message: string }, R>(serving: Serving<E, R>) {
  const stopping = yield* Stopping
  const { on } = yield* Signals
  const events = yield* SyncEvents
  const hangUps = yield* on("SIGHUP")
  const questions = yield* on("SIGUSR1")
  const running = new Running()
  const daemon = yield* makeDaemon(serving)
  yield* Effect.forkScoped(Stream.runForEach(events.stream, (event) => Effect.sync(() => running.note(event))), {
    startImmediately: true
  })
  const life = Effect.gen(function*() {
    yield* daemon.adopt(yield* serving.load)
    yield* Effect.forkChild(Stream.runForEach(questions, () => tell(daemon, running)))
    yield* Effect.forkChild(Stream.runForEach(hangUps, () => reload(serving, daemon)))
    yield* daemon.aborted
  })
  yield* Effect.raceFirst(life, Effect.andThen(stopping, Effect.logDebug("Interrupt received, stopping")))
  yield* daemon.stop
}, Effect.scoped)

const tell = Effect.fnUntraced(function*(daemon: Daemon, running: Running) {
  const now = yield* Clock.currentTimeMillis
  yield* Console.error(running.lines(daemon.entries(), now).join("\n"))
})

/** A configuration that cannot be read changes nothing. */
const reload = <E extends { readonly message: string }, R>({ file, load }: Serving<E, R>, { adopt }: Daemon) =>
  Effect.gen(function*() {
    if (file === "-") return yield* refuse(file, "standard input cannot be read again")
    yield* Effect.matchEffect(load, {
      onFailure: ({ message }) => refuse(file, message),
      onSuccess: (configured) =>
        Effect.flatMap(
          adopt(configured),
          (changes) => Effect.annotateLogs(Effect.logInfo("Configuration reloaded"), { file, ...changes })
        )
    })
  })

const refuse = Effect.fnUntraced(function*(file: string, error: string) {
  const events = yield* SyncEvents
  yield* Effect.annotateLogs(Effect.logError("Failed to reload configuration, the old one stays"), { file, error })
  yield* events.publish(SyncEvent.ConfigRefused({ error, time: yield* Clock.currentTimeMillis }))
})
