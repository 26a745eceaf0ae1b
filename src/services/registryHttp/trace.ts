/** Requests and answers in the log, at trace level, without secrets. */
import { Effect, LogLevel, References } from "effect"
import type { Censor } from "../../lib/censor.ts"
import { cut, visible } from "../../lib/visibleText.ts"
import type { Headers } from "../../schemas/Manifest.ts"

const secret: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"])

/** Without user information and query: either may hold a secret. */
const unsigned = (text: string): string => text.replace(/\/\/[^/?#\s@]*@/g, "//").replace(/\?[^\s>;,]*/g, "?[censored]")

/** Logs a line only where somebody reads it: a request costs nothing more otherwise. */
export const trace = (message: string, fields: () => Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  Effect.withFiber((fiber) =>
    LogLevel.isGreaterThan(fiber.getRef(References.MinimumLogLevel), "Trace")
      ? Effect.void
      : Effect.annotateLogs(Effect.logTrace(message), fields())
  )

/** `name: value` of each header on a line's worth of text; an answer may repeat secrets that were sent. */
export const shownHeaders = (
  headers: Headers | Readonly<Record<string, string | ReadonlyArray<string>>>,
  secrets?: Censor
): string =>
  cut(
    Object.entries(headers)
      .map(([name, value]) => {
        const lower = name.toLowerCase()
        const plain = [value].flat().join(", ")
        const text = secrets?.censored(plain) ?? plain
        const safe = lower === "location" || lower === "content-location" || lower === "link"
          ? unsigned(text)
          : text
        return `${name}: ${secret.has(lower) ? "[censored]" : visible(safe)}`
      })
      .join("; "),
    8_000
  )
