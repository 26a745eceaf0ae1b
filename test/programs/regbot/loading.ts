/** Loads texts as regbot's file, from standard input or from a directory of their own, and keeps what is logged. */
import { Effect, Layer, Logger, References, Stdio, Stream } from "effect"
import { platform } from "../../../src/layers/Platform.ts"
import { load, type LoadOptions } from "../../../src/programs/regbot/load.ts"
import { Formatter } from "../../../src/services/Formatter.ts"

const usual: LoadOptions = { strict: false, sandbox: false }

/** What `load` gives for a file, or for a text as standard input; warnings are added to `logged`. */
export const loading = (
  from: { readonly file: string } | { readonly text: string },
  options: Partial<LoadOptions> = {},
  logged: Array<string> = []
) => {
  const input = new TextEncoder().encode("text" in from ? from.text : "")
  const logger = Logger.make(({ fiber, message }) => {
    const values = Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(([key, it]) => ` ${key}=${it}`)
    logged.push(`${message}${values.join("")}`)
  })
  return load("file" in from ? from.file : "-", { ...usual, ...options }).pipe(Effect.provide([
    Layer.fresh(Formatter.layer).pipe(
      Layer.provideMerge(Layer.mergeAll(platform, Stdio.layerTest({ stdin: Stream.make(input) })))
    ),
    Logger.layer([logger])
  ]))
}

/** Reason and text of the failure. */
export const problemOf = (...args: Parameters<typeof loading>) =>
  loading(...args).pipe(
    Effect.flip,
    Effect.map((error) => `${"reason" in error ? error.reason._tag : error._tag}: ${error.message}`)
  )
