/**
 * What could follow on a command line, read from the tree of commands as cobra reads it from its own (regctl
 * description, sections 3 and 4.3). Pure: what has to be looked up is named, not asked for.
 */
import { Result } from "effect"
import type { Node, Tool } from "./command.ts"
import {
  childrenOf,
  findCommand,
  type Flags,
  helpShape,
  type Occurrence,
  readFlags,
  scopeOf,
  shapesOf
} from "./dialect.ts"
import type { Completes, CompletionRules, Shape } from "./flags.ts"

/** What a shell shall do with the candidates, in cobra's numbers; a sum of them is possible. */
export const directives = { files: 0, noSpace: 2, noFiles: 4 } as const

export interface Candidate {
  readonly value: string
  readonly about?: string
}

export interface Known {
  readonly _tag: "Known"
  readonly candidates: ReadonlyArray<Candidate>
  readonly directive: number
}

/** What is typed of a word that has to be looked up. */
export interface Question {
  readonly _tag: "Question"
  readonly source: "reference" | "repository" | "registry"
  readonly typed: string
  /** The flags before it. */
  readonly occurrences: ReadonlyArray<Occurrence>
}

/** The candidates for the last word of a command line without the tool's name, or what to ask for them. */
export const complete = (tool: Tool, rules: CompletionRules, words: ReadonlyArray<string>): Known | Question => {
  const typed = words.at(-1) ?? ""
  const { path, rest } = findCommand(tool, words.slice(0, -1))
  const node: Node = path.at(-1) ?? path[0]
  const scope = scopeOf(tool, node)
  const pending = unfinished(scope, rest)
  const read = readFlags(scope, pending === undefined ? rest : rest.slice(0, -1))
  if (Result.isFailure(read)) return known([], directives.files)
  const line = { tool, rules, node, command: path.slice(1).map(({ name }) => name).join(" "), before: read.success }
  if (pending !== undefined) return valueOf(line, pending, typed)
  if (read.success.isHelp) return known([])
  if (!typed.startsWith("-") || rest.includes("--")) return positional(line, typed)
  const [flag = "", value] = typed.split(/=(.*)/s)
  if (value === undefined) return known(flags(line, typed))
  const shape = scope.find(({ name }) => `--${name}` === flag)
  return shape === undefined ? known([]) : valueOf(line, shape, value)
}

interface Line {
  readonly tool: Tool
  readonly rules: CompletionRules
  readonly node: Node
  /** The words of the command, without the tool's name. */
  readonly command: string
  readonly before: Flags
}

/** Candidates that are whole words, and nothing else to complete, unless told otherwise. */
export const known = (candidates: ReadonlyArray<Candidate>, directive: number = directives.noFiles): Known => ({
  _tag: "Known",
  candidates,
  directive
})

/** The flag the last word names, when its value is all that is missing. */
const unfinished = (scope: ReadonlyArray<Shape>, rest: ReadonlyArray<string>): Shape | undefined => {
  const read = readFlags(scope, rest)
  if (Result.isSuccess(read) || !read.failure.message.startsWith("flag needs an argument: ")) return
  const last = rest.at(-1) ?? ""
  return scope.find(({ name, short }) => last.startsWith("--") ? `--${name}` === last : short === last.at(-1))
}

/** A rule for one command comes before that for all. */
const ruleFor = ({ command, rules }: Line, name: string): Completes =>
  rules[`${command} ${name}`] ?? rules[name] ?? "nothing"

const valueOf = (line: Line, shape: Shape, typed: string): Known | Question =>
  answer(line, shape.completes ?? ruleFor(line, `--${shape.name}`), typed)

const positional = (line: Line, typed: string): Known | Question => {
  const { before: { positionals }, node, tool } = line
  if (node._tag === "Group") {
    return positionals.length > 0 ? known([], directives.files) : known(commands(tool, node, typed))
  }
  const names = [...node.args.matchAll(/[<[]([^\]>]+)[\]>]/g)].map(([, name = ""]) => name)
  const at = Math.min(positionals.length, node.args.endsWith("...") ? names.length - 1 : positionals.length)
  const name = names[at]
  return name === undefined ? known([]) : answer(line, node.completes?.[at] ?? ruleFor(line, name), typed)
}

const answer = (
  { before: { occurrences, positionals }, tool }: Line,
  how: Completes,
  typed: string
): Known | Question => {
  switch (how) {
    case "reference":
    case "repository":
    case "registry":
      return { _tag: "Question", source: how, typed, occurrences }
    case "command":
      return topics(tool, positionals, typed)
    case "file":
      return known([], directives.files)
    case "nothing":
      return known([])
    default:
      return known(how.filter((value) => value.startsWith(typed)).map((value) => ({ value })))
  }
}

/** Words that name a command, one below the other. */
const topics = (tool: Tool, words: ReadonlyArray<string>, typed: string): Known => {
  const { path, rest } = findCommand(tool, words)
  const node: Node = path.at(-1) ?? path[0]
  return known(rest.length === 0 && node._tag === "Group" ? commands(tool, node, typed) : [])
}

const commands = (tool: Tool, node: Node, typed: string): ReadonlyArray<Candidate> =>
  node._tag === "Leaf" ? [] : sorted(
    childrenOf(tool, node).filter(({ isHidden, name }) => isHidden !== true && name.startsWith(typed))
  ).map(({ name, summary }) => ({ value: name, about: summary }))

/** Flags that can still be given: those of the tool, then those of the command. */
const flags = ({ before, node, tool }: Line, typed: string): ReadonlyArray<Candidate> => {
  const given = new Set(before.occurrences.map(([name]) => name))
  const own = [...shapesOf(node), helpShape(node.name)]
  const shapes = node === tool.root ? sorted([...tool.globals, ...own]) : [...sorted(tool.globals), ...sorted(own)]
  return shapes
    .filter(({ isHidden, name, type }) => isHidden !== true && (type === "stringArray" || !given.has(name)))
    .flatMap(({ help, name, short }) => [
      { value: `--${name}`, about: help },
      ...(short === undefined ? [] : [{ value: `-${short}`, about: help }])
    ])
    .filter(({ value }) => value.startsWith(typed))
}

const sorted = <A extends { readonly name: string }>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  [...items].sort((a, b) => a.name < b.name ? -1 : 1)
