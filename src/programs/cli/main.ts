/** Runs a tool once: its command line, its log, its command, its end. The result is the exit status. */
import { type Cause, Console, Effect, Exit, type Layer, Result } from "effect"
import { parseLevel } from "../../lib/slog.ts"
import { visible } from "../../lib/visibleText.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Globals, type GlobalSettings } from "../../services/Globals.ts"
import { Stopping } from "../../services/Signals.ts"
import { type Everything, type Leaf, type Local, RunningTool, type Tool } from "./command.ts"
import { type CommandLine, findCommand, helpCommand, type Occurrence, readCommandLine } from "./dialect.ts"
import { helpText, usageText } from "./help.ts"
import { canceled, OutputClosed, report, statusOf } from "./report.ts"

/** What a run stands on; the layers are loaded only by commands that need them. */
export interface Surroundings {
  readonly logging: (settings: { readonly level: number; readonly isJson: boolean }) => Layer.Layer<never>
  readonly local: () => Promise<Layer.Layer<Local>>
  readonly everything: () => Promise<Layer.Layer<Everything, UsageError>>
  /** Ends when the run shall end: by a signal, or since nobody reads the output any more. */
  readonly stop: Effect.Effect<"signal" | "closed">
}

export const main = (tool: Tool, surroundings: Surroundings) => (args: ReadonlyArray<string>): Effect.Effect<number> =>
  args[0] === "__complete" || args[0] === "__completeNoDesc"
    ? completion(tool, surroundings, args)
    : ordinary(tool, surroundings, args)

const ordinary = (tool: Tool, surroundings: Surroundings, args: ReadonlyArray<string>): Effect.Effect<number> =>
  Effect.gen(function*() {
    const read = readCommandLine(tool, args)
    const isJson = Result.isSuccess(read)
      ? settingsOf(tool, read.success.occurrences).logOptions.includes("json")
      : args.some((it, at) => it === "--logopt=json" || (it === "json" && args[at - 1] === "--logopt"))
    const logging = (level: number) => Effect.provide(surroundings.logging({ level, isJson }))
    const settings = settingsOf(tool, Result.isSuccess(read) ? read.success.occurrences : [])
    const level = parseLevel(settings.verbosity)
    const run = Effect.gen(function*() {
      const line = yield* Effect.fromResult(read)
      const leaf = line.path.at(-1)
      if (line.isHelp || leaf?._tag !== "Leaf") return yield* Console.log(helpText(tool, line.path))
      if (leaf === helpCommand) return yield* showTopic(tool, line.positionals)
      if ("problem" in level) {
        return yield* new UsageError({ message: `unable to parse verbosity ${settings.verbosity}: ${level.problem}` })
      }
      return yield* execute(leaf, line, surroundings)
    })
    return yield* run.pipe(
      Effect.exit,
      Effect.flatMap((exit) => Exit.isSuccess(exit) ? Effect.succeed(0) : failed(exit.cause, isJson)),
      logging("level" in level ? level.level : 4),
      Effect.provideService(Globals, settings),
      Effect.provideService(RunningTool, tool)
    )
  })

/** `__complete` reads its words as they stand and logs nothing: a shell asks, not a user. */
const completion = (tool: Tool, { everything, logging, stop }: Surroundings, [name, ...words]: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { answer } = yield* Effect.promise(() => import("./answer.ts"))
    yield* answer(tool, words, name === "__complete", (question) =>
      Effect.gen(function*() {
        const { lookUp } = yield* Effect.promise(() => import("../completion/lookUp.ts"))
        return yield* Effect.provide(lookUp(question), yield* Effect.promise(everything))
      }).pipe(Effect.provideService(Globals, settingsOf(tool, question.occurrences))))
  }).pipe(
    Effect.raceFirst(Effect.andThen(stop, canceled)),
    Effect.exit,
    Effect.flatMap((exit) => Exit.isSuccess(exit) ? Effect.succeed(0) : failed(exit.cause, false)),
    Effect.provide(logging({ level: Number.POSITIVE_INFINITY, isJson: false }))
  )

const failed = (cause: Cause.Cause<unknown>, isJson: boolean): Effect.Effect<number> =>
  Effect.as(report(cause, isJson), statusOf(cause))

/** The command in its layers, until it ends or is told to; what it holds is released before the end either way. */
const execute = (leaf: Leaf, line: CommandLine, { everything, local, stop }: Surroundings) => {
  const program = leaf.program
  const run = program.needs === "local"
    ? Effect.flatMap(Effect.promise(local), (layer) => Effect.provide(program.run(line), layer))
    : Effect.flatMap(Effect.promise(everything), (layer) => Effect.provide(program.run(line), layer))
  const stopped = Effect.gen(function*() {
    if ((yield* stop) === "closed") return yield* new OutputClosed({ message: "" })
    if (leaf.endsItself === true) return yield* Effect.never
    if (leaf.isServer !== true) return yield* canceled
  })
  const told = Effect.flatMap(stop, (why) => why === "signal" ? Effect.void : Effect.never)
  return Effect.raceFirst(Effect.provideService(run, Stopping, told), stopped)
}

/** `help image copy`; words that follow a command and name none are passed over, as cobra does. */
const showTopic = (tool: Tool, words: ReadonlyArray<string>): Effect.Effect<void> => {
  const { path } = findCommand(tool, words)
  return words.length > 0 && path.length === 1
    ? Console.error(
      `Unknown help topic [${words.map((word) => `\`${visible(word)}\``).join(" ")}]\n${usageText(tool, path)}`
    )
    : Console.log(helpText(tool, path))
}

const settingsOf = ({ globals }: Tool, occurrences: ReadonlyArray<Occurrence>): GlobalSettings => {
  const valuesOf = (name: string) => occurrences.filter(([given]) => given === name).map(([, value]) => value)
  const verbosity = valuesOf("verbosity").at(-1)
  const usual = globals.find(({ name }) => name === "verbosity")?.otherwise
  return {
    hosts: valuesOf("host"),
    userAgent: valuesOf("user-agent").at(-1) ?? "",
    verbosity: verbosity ?? (typeof usual === "string" ? usual : "WARN"),
    isVerbose: verbosity !== undefined,
    logOptions: valuesOf("logopt")
  }
}
