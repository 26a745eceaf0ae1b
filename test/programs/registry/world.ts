/** A run of a configuration command: its files in memory, its terminal, registry and helpers played. */
import { assert } from "@effect/vitest"
import {
  Cause,
  Effect,
  Exit,
  Layer,
  Logger,
  Option,
  Queue,
  Redacted,
  References,
  Result,
  Stdio,
  Stream,
  Terminal
} from "effect"
import { TestConsole } from "effect/testing"
import { Struct } from "../../../src/lib/gotemplate/value.ts"
import { decodeRegctlConfig, encodeRegctlConfig } from "../../../src/schemas/RegctlConfig.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { ConfigFile } from "../../../src/services/ConfigFile.ts"
import { CredentialHelpers } from "../../../src/services/CredentialHelpers.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { Registry } from "../../../src/services/Registry.ts"

export interface World {
  readonly config?: object
  readonly lines?: ReadonlyArray<string>
  /** Keys typed at a terminal; without, stdin is none. */
  readonly keys?: ReadonlyArray<Partial<Terminal.Key> & { readonly text?: string }>
  readonly stdin?: string
  readonly pingFails?: boolean
}

export interface Seen {
  /** The configuration afterwards. */
  readonly config: unknown
  readonly displayed: string
  readonly logs: ReadonlyArray<string>
  readonly pinged: ReadonlyArray<string>
  /** JSON of the views that were printed. */
  readonly views: ReadonlyArray<unknown>
  readonly printed: ReadonlyArray<unknown>
  /** Message of the failure, `interrupted`, or empty. */
  readonly failure: string
}

type Services = ConfigFile | CredentialHelpers | Formatter | Registry | Stdio.Stdio | Terminal.Terminal

/** Runs a program in a world and tells what happened. */
export const inWorld = Effect.fnUntraced(function*<E extends { readonly message: string }>(
  world: World,
  program: Effect.Effect<void, E, Services>
) {
  const logs: Array<string> = []
  const pinged: Array<string> = []
  const views: Array<string> = []
  const displayed: Array<string> = []
  const left = [...world.lines ?? []]
  const terminal = Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: Effect.never,
    display: (text) => Effect.sync(() => void displayed.push(text)),
    readLine: Effect.suspend(() => {
      const line = left.shift()
      return line === undefined ? Effect.fail(new Terminal.QuitError({})) : Effect.succeed(line)
    }),
    readInput: Effect.gen(function*() {
      const queue = yield* Queue.make<Terminal.UserInput, Cause.Done>()
      for (const { text, ...key } of world.keys ?? []) {
        Queue.offerUnsafe(queue, {
          input: Option.fromUndefinedOr(text),
          key: { name: "", ctrl: false, meta: false, shift: false, ...key }
        })
      }
      Queue.endUnsafe(queue)
      return queue
    })
  })
  const layer = Layer.mergeAll(
    ConfigFile.layerMemory(
      "/home/u/.regctl/config.json",
      Result.getOrThrow(decodeRegctlConfig(JSON.stringify(world.config ?? {})))
    ),
    CredentialHelpers.layerOf({
      good: { username: "helperuser", password: Redacted.make("s"), source: "good" },
      tok: { username: "", password: Redacted.make(""), identityToken: Redacted.make("t"), source: "tok" }
    }),
    Layer.mock(Registry)({
      ping: (registry) =>
        world.pingFails === true
          ? Effect.fail(storeError(`failed to ping registry ${registry}`, "Unauthorized", "unauthorized [http 401]"))
          : Effect.sync(() => void pinged.push(registry))
    }),
    Layer.succeed(
      Formatter,
      Formatter.of({
        expand: Effect.succeed,
        write: (_, view) =>
          Effect.sync(() => void views.push(view instanceof Struct ? view.behaviour.json?.() ?? "" : "no struct"))
      })
    ),
    Stdio.layerTest({
      stdinIsTerminal: Effect.succeed(world.keys !== undefined),
      stdin: Stream.make(new TextEncoder().encode(world.stdin ?? ""))
    }),
    Layer.succeed(Terminal.Terminal, terminal)
  )
  return yield* Effect.gen(function*() {
    const exit = yield* Effect.exit(Effect.provide(
      program,
      Logger.layer([
        Logger.make(({ fiber, logLevel, message }) =>
          void logs.push(
            `${logLevel} ${String(message)} ${JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))}`
          )
        )
      ])
    ))
    const failure = Exit.isSuccess(exit) ? undefined : Cause.findErrorOption(exit.cause)
    const seen: Seen = {
      config: JSON.parse(encodeRegctlConfig(yield* (yield* ConfigFile).load)),
      displayed: displayed.join(""),
      logs,
      pinged,
      views: views.map((it) => JSON.parse(it)),
      printed: yield* TestConsole.logLines,
      failure: failure === undefined
        ? ""
        : Option.match(failure, { onNone: () => "interrupted", onSome: (e) => e.message })
    }
    return seen
  }).pipe(Effect.provide(layer))
})

/** The parts of what was seen that a case names. */
export const shows = (seen: Seen, expected: Partial<Seen>) => {
  const parts: Readonly<Record<string, unknown>> = { ...seen }
  assert.deepStrictEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, parts[key]])), expected)
}
