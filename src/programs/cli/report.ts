/** How a run that went wrong is told: one text on stderr, a record for machines, never a stack. */
import { Cause, Console, Data, Effect } from "effect"
import { codeOf } from "../../lib/files.ts"
import { tooManyFiles } from "../../lib/tooManyFiles.ts"
import { cut, visible } from "../../lib/visibleText.ts"
import { ScriptExit, ScriptsFailed } from "../../schemas/ScriptError.ts"
import { SyncFailed } from "../../schemas/Sync.ts"
import { Secrets } from "../../services/Secrets.ts"
import { RunningTool } from "./command.ts"

/** The user asked for the end. */
export class Canceled extends Data.TaggedError("Canceled")<{ readonly message: string }> {}
export const canceled = new Canceled({ message: "context canceled" })

/** Nobody reads the output any more; there is nothing to say. */
export class OutputClosed extends Data.TaggedError("OutputClosed")<{ readonly message: string }> {}

/** Nothing went wrong, and what was looked for is there: exit status 2, for commands that were told to tell so. */
export class Differs extends Data.TaggedError("Differs")<{ readonly message: string }> {}
export const differs = new Differs({ message: "" })

/** The exit status of a run that ended so; a script may have asked for one of its own. */
export const statusOf = (cause: Cause.Cause<unknown>): number => {
  const error = Cause.squash(cause)
  return error instanceof ScriptExit ? error.status : error instanceof Differs ? 2 : 1
}

interface Told {
  readonly text: string
  readonly reason: string
  readonly stack?: string
}

/** Characters of an error's text (faults, text from outside). */
const limit = 8_000

interface Hint {
  /** Stands in the text of what went wrong. */
  readonly sign: string
  readonly regctl: string
  /** For tools whose settings of registries stand in a file, under `creds`. */
  readonly creds: string
}

const otherLogin = {
  regctl: `Try another login with "regctl registry login <registry>"`,
  creds: `Try another login under "creds" of the configuration`
}

/** What to try, by what went wrong. */
const hints: ReadonlyArray<Hint> = [
  {
    sign: "http: server gave HTTP response to HTTPS client",
    regctl: `Try updating your registry with "regctl registry set --tls disabled <registry>"`,
    creds: `Try "tls: disabled" for the registry under "creds" of the configuration`
  },
  {
    sign: "Client sent an HTTP request to an HTTPS server",
    regctl: `Try updating your registry with "regctl registry set --tls enabled <registry>"`,
    creds: `Try "tls: enabled" for the registry under "creds" of the configuration`
  },
  { sign: "): request failed: unauthorized [http 401]", ...otherLogin },
  { sign: "unauthorized [http 401] (credentials from", ...otherLogin },
  {
    sign: "unauthorized [http 403] (credentials from",
    regctl: `This login may lack the permission; try another one with "regctl registry login <registry>"`,
    creds: `This login may lack the permission; try another one under "creds" of the configuration`
  },
  {
    sign: "no credentials available: unauthorized",
    regctl: `Try logging in with "regctl registry login <registry>"`,
    creds: `Try a login for the registry under "creds" of the configuration`
  },
  {
    sign: "tls: failed to verify certificate",
    regctl: `Try trusting its authority with "regctl registry set --cacert <PEM text> <registry>", or "--tls insecure"`,
    creds: `Try trusting its authority with "regcert" for the registry under "creds" of the configuration`
  }
]

/** Prints what went wrong; with `isJson` a log record that carries the reason comes first. */
export const report = Effect.fnUntraced(function*(cause: Cause.Cause<unknown>, isJson: boolean) {
  const { reason, stack, text: told } = tellCause(cause)
  if (told === "") return
  const text = (yield* Secrets).censored(told)
  if (stack !== undefined) yield* Effect.annotateLogs(Effect.logTrace("internal error"), { stack })
  if (isJson) yield* Effect.annotateLogs(Effect.logError(text), { reason })
  yield* Console.error(text)
  const hint = hints.find(({ sign }) => text.includes(sign))
  const { root } = yield* RunningTool
  if (hint !== undefined)
    yield* Console.error(root.name === "regsync" || root.name === "regbot" ? hint.creds : hint.regctl)
})

const tellCause = (cause: Cause.Cause<unknown>): Told => {
  if (Cause.hasInterruptsOnly(cause)) return tell(canceled)
  const error = Cause.squash(cause)
  return Cause.hasDies(cause) && !Cause.hasFails(cause) ? tellDefect(error) : tell(error)
}

const tellDefect = (defect: unknown): Told =>
  // Parts of the program are loaded when they are needed.
  codeOf(defect) === "EMFILE" ? { text: tooManyFiles, reason: "FsIo" } : bug(defect)

const bug = (defect: unknown): Told => ({
  text: safe(`internal error: ${defect instanceof Error ? defect.message : String(defect)}`),
  reason: "Defect",
  ...(defect instanceof Error && defect.stack !== undefined ? { stack: defect.stack } : {})
})

const tell = (error: unknown): Told => {
  if (error instanceof SyncFailed) return { text: error.messages.map(safe).join("\n"), reason: reasonOf(error) }
  if (error instanceof ScriptsFailed) return { text: error.messages.map(script).join("\n"), reason: reasonOf(error) }
  // What there is to say the script has said.
  if (error instanceof ScriptExit) return { text: "", reason: "" }
  if (isBrokenPipe(error)) return { text: "", reason: "OutputClosed" }
  const text = error instanceof Error ? error.message : String(error)
  // Each problem of a configuration file has lines of its own.
  const shown = tagOf(error) === "UsageError"
    ? usage(text)
    : tagOf(error) === "ConfigError"
    ? lines(text)
    : safe(text)
  return { text: shown, reason: reasonOf(error) }
}

/** An error of a script and its stack: what the script says itself cannot begin a line, as records of the log do. */
const script = (text: string): string =>
  bounded(
    cut(text, limit).split("\n").map((line, at) =>
      at === 0 || line === "" || line === "stack traceback:" ? visible(line) : `\t${visible(line.replace(/^\t/, ""))}`
    ).join("\n")
  )

/**
 * A usage error has lines and tabs of our own. What the user typed stands in it, too, and may come from elsewhere: it
 * acts upon nothing, and begins no line as records of the log do.
 */
const usage = (text: string): string =>
  bounded(
    cut(text, limit).split("\n").map((line, at) => {
      const shown = line.split("\t").map(visible).join("\t")
      return at > 0 && /^(?:time=|\{)/.test(shown) ? `\t${shown}` : shown
    }).join("\n")
  )

/** Of several lines, which are ours: problems of a file, indented. */
const lines = (text: string): string =>
  bounded(
    cut(text, limit).split("\n").map((line) => line.startsWith("\t") ? `\t${visible(line.slice(1))}` : visible(line))
      .join("\n")
  )

/** What escapes have made longer than it may be. */
const bounded = (text: string): string => cut(text, limit)

/** A last newline of its own stays: a registry's answer is shown as it came (library description, 8.8). */
const safe = (text: string): string => {
  const end = text.endsWith("\n") ? "\n" : ""
  return bounded(visible(cut(text.slice(0, text.length - end.length), limit))) + end
}

const tagOf = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null && "_tag" in value && typeof value._tag === "string"
    ? value._tag
    : undefined

/** The stable names for machines: of the reason where an error has one, of the error else. */
export const reasonOf = (error: unknown): string => {
  const reason = typeof error === "object" && error !== null && "reason" in error ? tagOf(error.reason) : undefined
  const tag = reason ?? tagOf(error) ?? "Unknown"
  return tag === "RefError" ? "ReferenceInvalid" : tag
}

/** A write that failed since its reader went away, however deep the failure is wrapped (faults L05). */
const isBrokenPipe = (error: unknown, depth = 0): boolean => {
  if (typeof error !== "object" || error === null || depth > 5) return false
  if ("code" in error && error.code === "EPIPE") return "syscall" in error && error.syscall === "write"
  return tagOf(error) === "OutputClosed" || ("reason" in error && isBrokenPipe(error.reason, depth + 1)) ||
    (tagOf(error) !== "StoreError" && "cause" in error && isBrokenPipe(error.cause, depth + 1))
}
