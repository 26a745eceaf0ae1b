/** `regctl registry login`: keeps a login in regctl's configuration file, then tries it. */
import { Effect, Option, Queue, Redacted, Result, Stdio, Stream, Terminal } from "effect"
import type { HostEntry } from "../../schemas/HostEntry.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { ConfigFile } from "../../services/ConfigFile.ts"
import { isUsable } from "../../services/Credentials.ts"
import { Registry } from "../../services/Registry.ts"
import { find, named, registryOf, withEntry } from "./entry.ts"

export interface Input {
  readonly user: string
  readonly pass: string
  readonly passStdin: boolean
  readonly skipCheck: boolean
  /** The names of the flags that were given: the others are read from stdin or asked for. */
  readonly given: ReadonlySet<string>
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("registry login")(function*(input: Input) {
  const { given } = input
  const target = yield* named(registryOf(input.args))
  const file = yield* ConfigFile
  const config = yield* file.load
  const old = find(config, target.name)?.entry
  const username = given.has("user") ? input.user : yield* askUser(input, old?.user ?? "")
  if (username === "" && !given.has("user")) return yield* required("Username")
  const password = given.has("pass") ? input.pass : yield* askPassword(input)
  if (password === "" && !given.has("pass")) return yield* required("Password")
  if (!isUsable({ username, password: Redacted.make(password) })) {
    return yield* new UsageError({ message: "user name and password cannot have a line break or a NUL" })
  }
  yield* file.save(withEntry(config, target.name, withLogin(old ?? target.entry, username, password)))
  yield* Effect.logInfo("Credentials set").pipe(Effect.annotateLogs({ registry: target.name }))
  if (input.skipCheck) return
  yield* (yield* Registry).ping(target.name).pipe(
    Effect.tapError(() => Effect.logWarning("Failed to ping registry, credentials were still stored"))
  )
})

/** The user `<token>` stands for an identity token in place of a name and a password. */
const withLogin = (entry: HostEntry, username: string, password: string): HostEntry => {
  const { pass: _pass, token: _token, user: _user, ...rest } = entry
  return username === "<token>"
    ? { ...rest, token: Redacted.make(password) }
    : { ...rest, user: username, pass: Redacted.make(password) }
}

const required = (what: string) =>
  Effect.andThen(
    Effect.logError(`${what} is required`),
    Effect.fail(new UsageError({ message: "required input missing" }))
  )

const askUser = Effect.fnUntraced(function*({ passStdin }: Input, current: string) {
  if (passStdin) return yield* new UsageError({ message: "user must be provided to read password from stdin" })
  const terminal = yield* Terminal.Terminal
  yield* terminal.display(`Enter Username${current === "" ? "" : ` [${current}]`}: `)
  // The end of input is an empty answer.
  const answer = yield* Effect.orElseSucceed(terminal.readLine, () => "")
  return answer.trim() === "" ? current : answer.trim()
})

const askPassword = Effect.fnUntraced(function*({ passStdin }: Input) {
  const stdio = yield* Stdio.Stdio
  if (passStdin) {
    const text = yield* stdio.stdin.pipe(Stream.decodeText(), Stream.mkString)
    return text.replace(/[\r\n]+$/, "")
  }
  const terminal = yield* Terminal.Terminal
  yield* terminal.display("Enter Password: ")
  if (!(yield* stdio.stdinIsTerminal)) {
    return yield* new UsageError({
      message:
        `unable to read from tty (resolve by using "-p" flag, or winpty on Windows): inappropriate ioctl for device`
    })
  }
  // A closed stdout is noticed by whatever is printed next.
  return yield* Effect.ensuring(readHidden(terminal), Effect.ignore(terminal.display("\n")))
})

/** A line of keys that are not echoed; Ctrl-C ends the program as it does at any prompt. */
const readHidden = (terminal: Terminal.Terminal): Effect.Effect<string> =>
  Effect.scoped(Effect.gen(function*() {
    const keys = yield* terminal.readInput
    let line = ""
    while (true) {
      const next = yield* Effect.result(Queue.take(keys))
      if (Result.isFailure(next)) return line
      const { input, key } = next.success
      if (key.ctrl && key.name === "c") return yield* Effect.interrupt
      if (key.name === "return" || key.name === "enter" || (key.ctrl && key.name === "d")) return line
      if (key.name === "backspace") line = [...line].slice(0, -1).join("")
      else if (key.ctrl && key.name === "u") line = ""
      else if (!key.ctrl && !key.meta) line += Option.getOrElse(input, () => "")
    }
  }))
