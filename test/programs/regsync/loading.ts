/** Loads texts as regsync's file, from standard input, and keeps what is logged. */
import { Effect, FileSystem, Layer, Logger, References, Stdio, Stream } from "effect"
import { goYaml } from "../../../src/lib/goYaml.ts"
import { documentOf } from "../../../src/programs/regsync/document.ts"
import { load } from "../../../src/programs/regsync/load.ts"
import { Formatter } from "../../../src/services/Formatter.ts"

export interface Logged {
  readonly message: string
  readonly values: Readonly<Record<string, unknown>>
}

const bytesOf = (text: string | Uint8Array) => typeof text === "string" ? new TextEncoder().encode(text) : text

/** What `load` gives, with warnings kept in `logged`. */
export const loading = (text: string | Uint8Array, { strict = false, logged = [] as Array<Logged> } = {}) => {
  const stdio = Stdio.layerTest({ stdin: Stream.make(bytesOf(text)) })
  const logger = Logger.make(({ fiber, message }) =>
    void logged.push({ message: String(message), values: { ...fiber.getRef(References.CurrentLogAnnotations) } })
  )
  return load("-", { strict }).pipe(Effect.provide([
    Layer.fresh(Formatter.layer).pipe(Layer.provideMerge(stdio)),
    FileSystem.layerNoop({}),
    Logger.layer([logger])
  ]))
}

/** The texts of warnings with their values, as a reader of the log sees them. */
export const warningsOf = (text: string) =>
  Effect.gen(function*() {
    const logged: Array<Logged> = []
    yield* loading(text, { logged })
    return logged.map(({ message, values }) =>
      [message, ...Object.entries(values).map(([key, value]) => `${key}=${String(value)}`)].join(" ")
    )
  })

/** Reason and text of the failure. */
export const problemOf = (text: string | Uint8Array, strict = false) =>
  loading(text, { strict }).pipe(
    Effect.flip,
    Effect.map((error) => `${"reason" in error ? error.reason._tag : error._tag}: ${error.message}`)
  )

/** What `regsync config` prints. */
export const printed = (text: string, isRedacted = false) =>
  Effect.map(loading(text), ({ config }) => goYaml(documentOf(config, isRedacted)))
