/** A kind of input: samples of it, how it is taken in, and how what comes of it is judged. */
import { Cause, Console, Data, Effect, Exit, Logger, References } from "effect"
import { textLine } from "../../../src/lib/slog.ts"
import { reasonOf, report } from "../../../src/programs/cli/report.ts"
import type { Form } from "./structured.ts"

export interface Family {
  readonly name: string
  readonly form: Form
  /** How often it is tried beside the others. */
  readonly weight: number
  /** Milliseconds that one input may take; 1,000 unless given. */
  readonly patience?: number
  readonly seeds: ReadonlyArray<string | Uint8Array>
  /** Takes an input as the product does. Gives what an accepted one violates, fails as the product refuses. */
  readonly take: (input: Buffer) => Effect.Effect<ReadonlyArray<string>, unknown>
  readonly stop?: () => Promise<void>
}

/** What a pure function says of an input that it refuses. */
export class Problem extends Data.TaggedError("Problem")<{ readonly message: string }> {}

export const refused = (message: string) => Effect.fail(new Problem({ message }))

export const held: ReadonlyArray<string> = []

/** A password that stands in samples; whatever is told of them, this is not. */
export const secret = "zqHunterZq2secret"

/** Behind a key of a secret, as the samples have it, and nowhere else. */
const inPlace = new RegExp(
  `(?:pass|token|clientKey|password|identitytoken|Secret|registrytoken)"?[ ]?:[ ]?"?${secret}(?:"|\\s|$|[,}])`,
  "g"
)

const isHidden = (input: Buffer): boolean => {
  const text = input.toString("latin1")
  const count = text.split(secret).length - 1
  return count > 0 && count === (text.match(inPlace) ?? []).length
}

/** The reasons an error may have: those the product names. */
const typed: ReadonlySet<string> = new Set([
  "Problem",
  "StoreError",
  "ConfigError",
  "UsageError",
  "RefError",
  "PlatformError",
  "TemplateError",
  "ScriptsFailed",
  "HelperError",
  "Refusal"
])

const acting =
  // oxlint-disable-next-line no-control-regex -- what must not be shown
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/u

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : `untyped ${String(error)}`

/** Characters that are told at once: the text of an error, a hint behind it. */
const longest = 8_000 + 500

const told = (cause: Cause.Cause<unknown>): Effect.Effect<string> => {
  const lines: Array<string> = []
  const error = (...words: ReadonlyArray<unknown>) => void lines.push(words.join(" "))
  return Effect.as(
    Effect.provideService(report(cause, false), Console.Console, { ...globalThis.console, error }),
    lines
  ).pipe(Effect.map((it) => it.join("\n")))
}

/** What must not be in a text that is told of an input. */
export const textProblems = (text: string, input: Buffer): ReadonlyArray<string> => [
  ...(acting.test(text) ? [`a control character is told: ${JSON.stringify(acting.exec(text)?.[0])}`] : []),
  ...(/^time=2026-01-01T00:00:00Z level=ERROR msg=forged/m.test(text) ? ["a record of the log is forged"] : []),
  ...(text.length > longest ? [`${text.length} characters are told`] : []),
  ...(/\n\s+at .*(?:\.[jt]s:\d+|<anonymous>)|node:internal/.test(text) ? ["a stack is told"] : []),
  ...(text.includes(secret) && isHidden(input) ? ["a secret is told"] : []),
  ...(/\bundefined\b(?! variable)|\[object |Cannot read prop|is not a function|is not iterable/.test(text) &&
      !/undefined|\[object/.test(input.toString("latin1"))
    ? ["it reads like a mistake of the program"]
    : [])
]

export interface Judged {
  readonly outcome: string
  readonly violations: ReadonlyArray<string>
  readonly milliseconds: number
}

const quoteOf = (text: string): string => JSON.stringify(text.slice(0, 300))

/** Takes an input and judges the outcome. */
export const judge = async (family: Family, input: Buffer): Promise<Judged> => {
  const logged: Array<string> = []
  const logger = Logger.make<unknown, void>(({ message, fiber }) => {
    const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
    logged.push(textLine({ time: new Date(0), level: 0, message: [message].flat().join(" "), attributes: annotations }))
  })
  // Of the processor: others may have it in between.
  const began = process.cpuUsage().user
  const exit = await Effect.runPromiseExit(
    Effect.suspend(() => family.take(input)).pipe(
      Effect.timeoutOrElse({ duration: 20_000, orElse: () => Effect.die(new Error("no end within 20 s")) }),
      Effect.provide(Logger.layer([logger]))
    )
  )
  const milliseconds = (process.cpuUsage().user - began) / 1000
  const warned = logged.flatMap((line) => textProblems(line, input).map((it) => `${it} (log): ${quoteOf(line)}`))
  if (Exit.isSuccess(exit)) return { outcome: "accepted", violations: [...exit.value, ...warned], milliseconds }
  const text = await Effect.runPromise(told(exit.cause))
  const error = Cause.squash(exit.cause)
  if (Cause.hasDies(exit.cause) || !Cause.hasFails(exit.cause)) {
    const stack = error instanceof Error ? error.stack?.split("\n").slice(1, 5).map((it) => it.trim()).join(" < ") : ""
    return { outcome: "defect", violations: [`a defect: ${quoteOf(text)} ${stack}`, ...warned], milliseconds }
  }
  const outcome = tagOf(error)
  const found = textProblems(text, input).map((it) => `${it}: ${quoteOf(text)}`)
  const kind = typed.has(outcome) ? [] : [`an error of no kind of ours, ${outcome}: ${quoteOf(text)}`]
  const empty = text.trim() === "" ? ["nothing is told"] : []
  const tag = reasonOf(error) === outcome ? outcome : `${outcome} ${reasonOf(error)}`
  return { outcome: `refused, ${tag}`, violations: [...kind, ...empty, ...found, ...warned], milliseconds }
}
