/** What watches a running daemon: a model of its events, and a server that shows it to people and monitors. */
import { Clock, Deferred, Effect, Stream } from "effect"
import type { Scope } from "effect"
import { HttpMiddleware } from "effect/http"
import { BuildInfo } from "../../services/BuildInfo.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { Listener, type ServeError } from "../serve/Listener.ts"
import { parseListen } from "./address.ts"
import { empty, observe } from "./model.ts"
import { router, type Started } from "./router.ts"

export interface WatchOptions {
  /** The tool's name, which metrics begin with. */
  readonly tool: string
  /** `host:port`; a port alone is one of this machine. 0 takes a free one. */
  readonly listen: string
  /** Who has it may start jobs; empty for nobody. */
  readonly token: string
  /** Starts a job of the configuration, or says that it is at work; must not wait for its end. */
  readonly runNow: (job: string) => Effect.Effect<Started>
}

/**
 * Listens until the scope ends; gives the address, `http://127.0.0.1:8080`. Sees every event published after it
 * succeeded, so it comes before the first `Configured`. Fails when the address is none or is taken.
 */
export const watch = (
  { listen, runNow, token: given, tool }: WatchOptions
): Effect.Effect<string, ServeError, Listener | SyncEvents | BuildInfo | Scope.Scope> =>
  Effect.gen(function*() {
    const listener = yield* Listener
    const events = yield* SyncEvents
    const build = yield* BuildInfo
    // A file that holds nothing but a token often ends with a line break.
    const token = given.trim()
    const { host, isLocal, port } = yield* parseListen(listen)
    const server = yield* listener.listen({ host, port })
    const state = { model: empty(yield* Clock.currentTimeMillis) }
    // Started at once: it has subscribed when this goes on.
    yield* Effect.forkScoped(
      Stream.runForEach(events.stream, (event) =>
        Effect.sync(() => {
          state.model = observe(state.model, event)
        })),
      { startImmediately: true }
    )
    const closing = yield* Deferred.make<void>()
    const answer = router({
      tool,
      build,
      token,
      isLocal,
      runNow,
      model: () => state.model,
      closing: Deferred.await(closing)
    })
    // Probes come every few seconds: no trace is worth having of them.
    yield* Effect.provideService(server.serve(answer), HttpMiddleware.TracerDisabledWhen, () => true)
    // The last to be added is the first to run: streams end, and closing the server waits for none of them.
    yield* Effect.addFinalizer(() => Deferred.succeed(closing, undefined))
    if (!isLocal && token !== "") {
      yield* Effect.logWarning("the token for starting runs travels unencrypted to the status server")
    }
    const bound = "port" in server.address ? server.address.port : port
    return `http://${host.includes(":") ? `[${host}]` : host}:${bound}`
  })
