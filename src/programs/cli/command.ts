/** The command tree as data. A command's program is loaded when it runs; `effect/cli` types its input then. */
import { Context, Effect, type FileSystem, type Path, type Stdio, type Terminal } from "effect"
import type { Archive } from "../../services/Archive.ts"
import type { BuildInfo } from "../../services/BuildInfo.ts"
import type { Clients } from "../../services/Clients.ts"
import type { ConfigFile } from "../../services/ConfigFile.ts"
import type { CredentialHelpers } from "../../services/CredentialHelpers.ts"
import type { Formatter } from "../../services/Formatter.ts"
import type { LuaEngine } from "../../services/LuaEngine.ts"
import type { Progress } from "../../services/Progress.ts"
import type { RateLimiter } from "../../services/RateLimiter.ts"
import type { Registry } from "../../services/Registry.ts"
import type { Repositories } from "../../services/Repositories.ts"
import type { Signals } from "../../services/Signals.ts"
import type { Listener } from "../serve/Listener.ts"
import type { Occurrence } from "./dialect.ts"
import type { Completes, CompletionRules, Option, Shape } from "./flags.ts"

/** What a command has at hand that touches nothing but its streams. */
export type Local = BuildInfo | Formatter | Stdio.Stdio

/** What every other command has. */
export type Everything =
  | Local
  | Repositories
  | Archive
  | Registry
  | RateLimiter
  | Progress
  | Clients
  | Signals
  | ConfigFile
  | CredentialHelpers
  | Listener
  | LuaEngine
  | FileSystem.FileSystem
  | Path.Path
  | Terminal.Terminal

interface Words {
  readonly name: string
  readonly aliases?: ReadonlyArray<string>
  /** One line, for the list of the group. */
  readonly summary: string
  /** In place of the summary, for the help of the command itself. */
  readonly help?: string
  /** What it does, and the command line without the tool's name. */
  readonly examples?: ReadonlyArray<readonly [what: string, line: string]>
  readonly isHidden?: boolean
}

export interface Group extends Words {
  readonly _tag: "Group"
  readonly children: ReadonlyArray<Node>
}

/** What the dialect found for a command: its flags in their order, its positionals. */
export interface Invocation {
  readonly occurrences: ReadonlyArray<Occurrence>
  readonly positionals: ReadonlyArray<string>
}

export interface Leaf extends Words {
  readonly _tag: "Leaf"
  /** Positionals as help shows them: `<source> <target> [file]`. */
  readonly args: string
  readonly shapes: ReadonlyArray<Shape>
  /** A wrong count of positionals is told as one outside of a range, though the range is a single number. */
  readonly isRange?: boolean
  /** What completes each positional; the tool's own rule for positionals of its name otherwise. */
  readonly completes?: ReadonlyArray<Completes>
  /** A signal is its ordinary end. */
  readonly isServer?: boolean
  /** Told by `Stopping`, it ends by itself, and how it ends counts; others are interrupted. */
  readonly endsItself?: boolean
  readonly program:
    | { readonly needs: "local"; readonly run: (it: Invocation) => Effect.Effect<void, unknown, Local> }
    | { readonly needs: "everything"; readonly run: (it: Invocation) => Effect.Effect<void, unknown, Everything> }
}

export type Node = Group | Leaf

export interface Tool {
  readonly root: Group
  /** Flags every command of the tool accepts. */
  readonly globals: ReadonlyArray<Shape>
  /** What completes flags and positionals that do not say so themselves. */
  readonly completes?: () => Promise<{ readonly completes: CompletionRules }>
  /** How it is called by its user, where that is not the name of its root: `docker regctl`. */
  readonly calledAs?: string
}

/** The tool that runs, for programs over its commands themselves. */
export const RunningTool = Context.Reference<Tool>("regclient/programs/cli/RunningTool", {
  defaultValue: () => ({ root: group({ name: "", summary: "", children: [] }), globals: [] })
})

/** What its user types to call the tool. */
export const nameOf = ({ calledAs, root }: Tool): string => calledAs ?? root.name

type Options = Readonly<Record<string, Option<unknown, boolean>>>
type ValueOf<O> = O extends Option<infer A, boolean> ? A : never
type OptionalKeys<O extends Options> = { [K in keyof O]: O[K] extends Option<unknown, true> ? K : never }[keyof O]

/** What a program gets: a value for each option under its own key, the positionals, the flags given, their names. */
export type Input<O extends Options> =
  & { readonly [K in Exclude<keyof O, OptionalKeys<O>>]: ValueOf<O[K]> }
  & { readonly [K in OptionalKeys<O>]?: ValueOf<O[K]> }
  & {
    readonly args: ReadonlyArray<string>
    readonly given: ReadonlySet<string>
    readonly occurrences: ReadonlyArray<Occurrence>
  }

interface Usage<O extends Options> extends Words {
  readonly args: string
  readonly options: O
  readonly isRange?: boolean
  readonly completes?: ReadonlyArray<Completes>
  readonly isServer?: boolean
  readonly endsItself?: boolean
}

type Load<O extends Options, E, R> = () => Promise<{ readonly run: (input: Input<O>) => Effect.Effect<void, E, R> }>

export const group = (words: Words & { readonly children: ReadonlyArray<Node> }): Group => ({ _tag: "Group", ...words })

const leaf = <const O extends Options>({ options, ...words }: Usage<O>, program: Leaf["program"]): Leaf => ({
  _tag: "Leaf",
  ...words,
  shapes: Object.values(options).map(({ shape }) => shape),
  program
})

const start = <const O extends Options, E, R>(usage: Usage<O>, load: Load<O, E, R>) => (invocation: Invocation) =>
  Effect.gen(function*() {
    const { inputOf } = yield* Effect.promise(() => import("./typed.ts"))
    const input = yield* inputOf(usage.options, invocation)
    const { run } = yield* Effect.promise(load)
    yield* run(input)
  })

/** A command over repositories, files and the network. */
export const command = <const O extends Options, E, R extends Everything>(
  usage: Usage<O>,
  load: Load<O, E, R>
): Leaf => leaf(usage, { needs: "everything", run: start(usage, load) })

/** A command that needs no more than its input: it starts without loading the rest. */
export const localCommand = <const O extends Options, E, R extends Local>(
  usage: Usage<O>,
  load: Load<O, E, R>
): Leaf => leaf(usage, { needs: "local", run: start(usage, load) })
