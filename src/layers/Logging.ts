/** Log lines on stderr in slog's forms, from a level on that may lie between two names. */
import { Console, Layer, Logger, type LogLevel, References } from "effect"
import { type Entry, jsonLine, levels, textLine } from "../lib/slog.ts"
import { Secrets } from "../services/Secrets.ts"

export interface LogSettings {
  /** As slog counts: -8 trace, -4 debug, 0 info, 4 warn, 8 error. */
  readonly level: number
  readonly isJson: boolean
}

const numbers: Readonly<Record<LogLevel.LogLevel, number>> = {
  All: Number.NEGATIVE_INFINITY,
  Trace: levels.TRACE,
  Debug: levels.DEBUG,
  Info: levels.INFO,
  Warn: levels.WARN,
  Error: levels.ERROR,
  Fatal: levels.ERROR,
  None: Number.POSITIVE_INFINITY
}

const ordered: ReadonlyArray<LogLevel.LogLevel> = ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"]

/** Replaces Effect's own logger, which writes to stdout. */
export const layer = ({ isJson, level }: LogSettings): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([slog(isJson ? jsonLine : textLine)]),
    Layer.succeed(References.MinimumLogLevel, ordered.find((it) => numbers[it] >= level) ?? "None")
  )

const slog = (line: (entry: Entry) => string): Logger.Logger<unknown, void> =>
  Logger.make(({ date, fiber, logLevel, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const entry = {
      time: date,
      level: numbers[logLevel],
      message: (Array.isArray(message) ? message : [message]).map(String).join(" "),
      attributes: Object.entries(annotations)
    }
    fiber.getRef(Console.Console).error(fiber.getRef(Secrets).censored(line(entry)))
  })
