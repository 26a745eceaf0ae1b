/** Reads arguments as cobra and pflag do, with their error texts, so that command lines written for Go's tools work. */
import { Result } from "effect"
import { distance } from "../../lib/distance.ts"
import { parseBool, type Parsed, parseFloat64, parseInt64, parseUint64 } from "../../lib/strconv.ts"
import { quoted } from "../../lib/visibleText.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { type Group, type Invocation, type Leaf, nameOf, type Node, type Tool } from "./command.ts"
import type { Shape } from "./flags.ts"

/** A flag as it was given: its name in full, its value in canonical form. */
export type Occurrence = readonly [name: string, value: string]

export interface CommandLine extends Invocation {
  /** From the tool's root to the command found. */
  readonly path: readonly [Group, ...ReadonlyArray<Node>]
  readonly isHelp: boolean
}

export const helpShape = (name: string): Shape => ({
  name: "help",
  short: "h",
  type: "bool",
  help: `Show help for ${name}`,
  otherwise: false
})

/** The command that shows help of others; cobra adds one to every tool. */
export const helpCommand: Leaf = {
  _tag: "Leaf",
  name: "help",
  summary: "Show help for any command",
  help: "Show what a command does, which flags it has and how it is used.",
  examples: [["the commands and the flags of all", "{tool} help"], ["the help of a command", "{tool} help version"]],
  args: "[command]...",
  shapes: [],
  completes: ["command"],
  program: { needs: "local", run: () => ({} as never) } // never run: main answers it
}

type Outcome<A> = Result.Result<A, UsageError>
const fail = (message: string): Result.Result<never, UsageError> => Result.fail(new UsageError({ message }))

/** The command named by `arguments_`, its flags and its positionals; or the error pflag and cobra would print. */
export const readCommandLine = (tool: Tool, args: ReadonlyArray<string>): Outcome<CommandLine> => {
  const found = findCommand(tool, args)
  const [root] = found.path
  const node: Node = found.path.at(-1) ?? root
  const stray = node === root ? firstPositional(found.rest, scopeOf(tool, root)) : undefined
  if (stray !== undefined) return fail(unknownCommand(tool, stray))
  return Result.flatMap(readFlags(scopeOf(tool, node), found.rest), ({ isHelp, occurrences, positionals }) => {
    const line: CommandLine = { path: found.path, occurrences, positionals, isHelp: isHelp || node._tag === "Group" }
    const problem = line.isHelp || node._tag === "Group"
      ? undefined
      : countProblem(node, positionals.length) ?? missingProblem(node.shapes, occurrences)
    return problem === undefined ? Result.succeed(line) : fail(problem)
  })
}

/** All commands below a group, `help` among those of a root. */
export const childrenOf = (tool: Tool, node: Group): ReadonlyArray<Node> =>
  node === tool.root ? [...node.children, helpCommand] : node.children

export const shapesOf = (node: Node): ReadonlyArray<Shape> => node._tag === "Leaf" ? node.shapes : []

/** Every flag a command accepts. */
export const scopeOf = (tool: Tool, node: Node): ReadonlyArray<Shape> => [
  ...shapesOf(node),
  ...tool.globals,
  helpShape(node.name)
]

interface Found {
  readonly path: CommandLine["path"]
  /** The arguments without the words that named commands. */
  readonly rest: ReadonlyArray<string>
}

/**
 * Walks command words wherever they stand between flags. Those of commands to come take a value, unless they do so in
 * none: `regbot --dry-run once` means what it looks like.
 */
export const findCommand = (tool: Tool, args: ReadonlyArray<string>): Found => {
  const descend = (path: CommandLine["path"], rest: ReadonlyArray<string>): Found => {
    const node: Node = path.at(-1) ?? path[0]
    if (node._tag === "Leaf") return { path, rest }
    const at = positionalAt(rest, [...scopeOf(tool, node), ...switchesBelow(node)])
    const word = at === undefined ? undefined : rest[at]
    const next = childrenOf(tool, node).find(({ aliases, name }) =>
      word !== undefined && (name === word || (aliases ?? []).includes(word))
    )
    return at === undefined || next === undefined
      ? { path, rest }
      : descend([...path, next], [...rest.slice(0, at), ...rest.slice(at + 1)])
  }
  return descend([tool.root], args)
}

/** Flags that take no value in any command of a group. */
const switchesBelow = (node: Group): ReadonlyArray<Shape> => {
  const shapes = leavesOf(node).flatMap((it) => it.shapes)
  const valued = new Set(shapes.filter((it) => !isBool(it)).flatMap(({ name, short = "" }) => [name, short]))
  return shapes.filter((it) => isBool(it) && !valued.has(it.name) && !valued.has(it.short ?? it.name))
}

const leavesOf = (node: Node): ReadonlyArray<Leaf> => node._tag === "Leaf" ? [node] : node.children.flatMap(leavesOf)

/** Where the first word stands that is no flag and no flag's value. */
const positionalAt = (args: ReadonlyArray<string>, scope: ReadonlyArray<Shape>): number | undefined => {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ""
    if (word === "--") return undefined
    if (word.startsWith("--")) {
      if (!word.includes("=") && !isBool(scope.find(({ name }) => name === word.slice(2)))) at++
    } else if (word.startsWith("-") && word.length > 1) {
      if (word.length === 2 && !isBool(scope.find(({ short }) => short === word[1]))) at++
    } else if (word !== "" && word !== "-") return at
  }
  return undefined
}

const firstPositional = (args: ReadonlyArray<string>, scope: ReadonlyArray<Shape>): string | undefined => {
  const at = positionalAt(args, scope)
  return at === undefined ? undefined : args[at]
}

const isBool = (shape: Shape | undefined): boolean => shape?.type === "bool"

export interface Flags extends Invocation {
  readonly isHelp: boolean
}

/** Flags and positionals in any order, up to `--`. */
export const readFlags = (scope: ReadonlyArray<Shape>, args: ReadonlyArray<string>): Outcome<Flags> => {
  const occurrences: Array<Occurrence> = []
  const positionals: Array<string> = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ""
    if (word === "--") {
      positionals.push(...args.slice(at + 1))
      break
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word)
      continue
    }
    const read = word.startsWith("--") ? readLong(scope, word, args[at + 1]) : readShorts(scope, word, args[at + 1])
    if (Result.isFailure(read)) return Result.fail(read.failure)
    occurrences.push(...read.success.occurrences)
    if (read.success.tookNext) at++
  }
  return Result.succeed({ occurrences, positionals, isHelp: occurrences.some(isHelpRequest) })
}

interface Read {
  readonly occurrences: ReadonlyArray<Occurrence>
  readonly tookNext: boolean
}

/** `--name value`, `--name=value`, `--bool`, `--bool=t`. */
const readLong = (scope: ReadonlyArray<Shape>, word: string, next: string | undefined): Outcome<Read> => {
  const equals = word.indexOf("=")
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
  if (name === "" || name.startsWith("-")) return fail(`bad flag syntax: ${word}`)
  const shape = scope.find((it) => it.name === name)
  if (shape === undefined) return fail(`unknown flag: --${name}`)
  const tookNext = equals < 0 && !isBool(shape)
  if (tookNext && next === undefined) return fail(`flag needs an argument: ${word}`)
  const value = equals >= 0 ? word.slice(equals + 1) : isBool(shape) ? "true" : next ?? ""
  return Result.map(occurrence(shape, value), (it) => ({ occurrences: [it], tookNext }))
}

/** `-p value`, `-pvalue`, `-p=value`, `-bp value` for a bool `b`. */
const readShorts = (scope: ReadonlyArray<Shape>, word: string, next: string | undefined): Outcome<Read> => {
  const occurrences: Array<Occurrence> = []
  let rest = word.slice(1)
  while (rest !== "") {
    const letter = rest[0] ?? ""
    const shape = scope.find(({ short }) => short === letter)
    if (shape === undefined) return fail(`unknown shorthand flag: '${letter}' in -${rest}`)
    const attached = rest.slice(1)
    const hasEquals = attached.length > 1 && attached.startsWith("=")
    const isLone = isBool(shape) && !hasEquals
    const tookNext = !isLone && attached === ""
    if (tookNext && next === undefined) return fail(`flag needs an argument: '${letter}' in -${rest}`)
    const value = isLone ? "true" : tookNext ? next ?? "" : hasEquals ? attached.slice(1) : attached
    const read = occurrence(shape, value)
    if (Result.isFailure(read)) return Result.fail(read.failure)
    occurrences.push(read.success)
    if (tookNext) return Result.succeed({ occurrences, tookNext })
    rest = isLone ? attached : ""
  }
  return Result.succeed({ occurrences, tookNext: false })
}

const isHelpRequest = ([name, value]: Occurrence): boolean => name === "help" && value === "true"

const readers: Readonly<Record<Shape["type"], (text: string) => Parsed<string | number | boolean>>> = {
  bool: parseBool,
  int: parseInt64,
  uint: parseUint64,
  float: parseFloat64,
  string: (value) => ({ value }),
  stringArray: (value) => ({ value })
}

const occurrence = ({ isRaw, name, short, type }: Shape, value: string): Outcome<Occurrence> => {
  if (isRaw === true) return Result.succeed([name, value])
  const read = readers[type](value)
  if ("value" in read) return Result.succeed([name, String(read.value)])
  const flag = short === undefined ? `--${name}` : `-${short}, --${name}`
  return fail(`invalid argument ${quoted(value)} for "${flag}" flag: ${read.problem}`)
}

/** How many positionals a usage such as `<a> <b> [c]` admits; `...` for any number. */
const countProblem = ({ args: usage, isRange = false }: Leaf, received: number): string | undefined => {
  const least = usage.match(/</g)?.length ?? 0
  const most = usage.endsWith("...") ? Number.POSITIVE_INFINITY : least + (usage.match(/\[/g)?.length ?? 0)
  if (received >= least && received <= most) return undefined
  if (least === most && !isRange) return `accepts ${least} arg(s), received ${received}`
  return most === Number.POSITIVE_INFINITY
    ? `requires at least ${least} arg(s), only received ${received}`
    : `accepts between ${least} and ${most} arg(s), received ${received}`
}

const missingProblem = (shapes: ReadonlyArray<Shape>, given: ReadonlyArray<Occurrence>): string | undefined => {
  const missing = shapes.filter(({ isRequired, name }) => isRequired === true && !given.some(([it]) => it === name))
  const names = missing.map(({ name }) => `"${name}"`).sort()
  return names.length === 0 ? undefined : `required flag(s) ${names.join(", ")} not set`
}

const unknownCommand = (tool: Tool, word: string): string => {
  const text = `unknown command ${quoted(word)} for "${nameOf(tool)}"`
  const near = tool.root.children.filter((it) => it.isHidden !== true && isNear(word.toLowerCase(), it.name))
  const names = near.map(({ name }) => name).sort()
  return names.length === 0 ? text : `${text}\n\nDid you mean this?\n${names.map((name) => `\t${name}\n`).join("")}`
}

const isNear = (typed: string, name: string): boolean => name.startsWith(typed) || distance(typed, name) <= 2
