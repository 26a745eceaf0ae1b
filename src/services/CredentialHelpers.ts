/** Credential helpers, each asked once at a time for a host, its answers kept for a while (faults A05). */
import { Clock, Context, Effect, Layer, Option, Semaphore } from "effect"
import type { ChildProcessSpawner } from "effect/process"
import type { Credential } from "./Credentials.ts"
import { askHelper } from "./credentials/helper.ts"

export interface HelperQuestion {
  /** A program's name on the search path, or its path. */
  readonly program: string
  /** The name the helper knows the host by. */
  readonly server: string
  /** Milliseconds its answer is kept. */
  readonly expire: number
}

export class CredentialHelpers extends Context.Service<CredentialHelpers, {
  /** None when the helper has none or fails; a failure is a warning, and the answer before it holds on. */
  readonly get: (question: HelperQuestion) => Effect.Effect<Option.Option<Credential>>
}>()("regclient/services/CredentialHelpers") {
  static readonly layer = Layer.effect(
    CredentialHelpers,
    Effect.gen(function*() {
      const context = yield* Effect.context<ChildProcessSpawner.ChildProcessSpawner>()
      const states = new Map<string, State>()

      const ask = Effect.fnUntraced(function*({ expire, program, server }: HelperQuestion, state: State) {
        const now = yield* Clock.currentTimeMillis
        if (now < state.until) return state.answer
        yield* askHelper(program, server).pipe(
          Effect.provideContext(context),
          Effect.matchEffect({
            onSuccess: (answer) => Effect.sync(() => Object.assign(state, { answer, wait: expire })),
            onFailure: ({ message }) =>
              Effect.andThen(
                Effect.sync(() => Object.assign(state, { wait: retryAfter })),
                Effect.logWarning("Credential helper failed").pipe(
                  Effect.annotateLogs({ helper: program, host: server, err: message })
                )
              )
          })
        )
        state.until = (yield* Clock.currentTimeMillis) + state.wait
        return state.answer
      })

      return CredentialHelpers.of({
        get: (question) =>
          Effect.suspend(() => {
            const key = `${question.program}\0${question.server}`
            const state = states.get(key) ??
              { turn: Semaphore.makeUnsafe(1), answer: Option.none(), until: Number.NEGATIVE_INFINITY, wait: 0 }
            states.set(key, state)
            return state.turn.withPermit(ask(question, state))
          })
      })
    })
  )

  /** Answers from a table by program; `undefined` has none. */
  static readonly layerOf = (answers: Readonly<Record<string, Credential | undefined>>) =>
    Layer.succeed(
      CredentialHelpers,
      CredentialHelpers.of({ get: ({ program }) => Effect.sync(() => Option.fromUndefinedOr(answers[program])) })
    )
}

/** Milliseconds after a failure. */
const retryAfter = 5_000

interface State {
  readonly turn: Semaphore.Semaphore
  answer: Option.Option<Credential>
  /** Time until which the answer holds. */
  until: number
  /** Milliseconds the last run's outcome holds. */
  wait: number
}
