/** A run with its traces sent to a collector, when the usual `OTEL_*` variables ask for it; nothing is loaded else. */
import { Effect, Layer } from "effect"
import { build } from "../lib/build.ts"
import { variable } from "../services/Environment.ts"
import * as Logging from "./Logging.ts"

/** Traces are a help: whatever is wrong with them is told, and the run goes on without. */
export const traced = (tool: string) => <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(isWanted, (wanted) => {
    if (!wanted) return run
    return Effect.scoped(Effect.gen(function*() {
      const layer = yield* tracing(tool).pipe(Effect.provide(Logging.layer({ level: 4, isJson: false })))
      return layer === undefined ? yield* run : yield* Effect.provideContext(run, layer)
    }))
  })

/** Whether a collector or the exporter for one is named, and nobody switched it off. */
const isWanted = Effect.gen(function*() {
  const named = yield* Effect.all(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"].map(variable))
  const exporters = (yield* variable("OTEL_TRACES_EXPORTER")).toLowerCase().split(",").map((it) => it.trim())
  const isOn = exporters.includes("otlp") || (exporters.join() === "" && named.some((it) => it !== ""))
  return isOn && (yield* variable("OTEL_SDK_DISABLED")).toLowerCase() !== "true"
})

const tracing = Effect.fnUntraced(function*(tool: string) {
  const own = yield* variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
  const protocol = own || (yield* variable("OTEL_EXPORTER_OTLP_PROTOCOL")) || "http/protobuf"
  if (protocol !== "http/json" && protocol !== "http/protobuf") {
    yield* Effect.logWarning("no traces are sent: the protocol is to be http/protobuf or http/json")
    return undefined
  }
  const { layer } = yield* Effect.promise(() => import("./Tracing.ts"))
  return yield* Layer.build(layer(tool, build.tag || build.commit, protocol)).pipe(
    Effect.catchDefect(() =>
      Effect.as(Effect.logWarning("no traces are sent: an OTEL_ variable cannot be read"), undefined)
    )
  )
})
