/** `regctl cli-doc`: the commands as a list, or one of them as Markdown (regctl description, 4.3). */
import { Console, Effect } from "effect"
import { Nil, Struct } from "../../lib/gotemplate/value.ts"
import { quoted } from "../../lib/visibleText.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { nameOf, type Node, RunningTool, type Tool } from "../cli/command.ts"
import { childrenOf, type CommandLine, findCommand, helpShape, shapesOf } from "../cli/dialect.ts"
import { examples, flags, usageLine, usageText } from "../cli/help.ts"

interface Input {
  readonly format: string
  readonly hidden: boolean
  readonly list: boolean
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("cli-doc")(function*({ args, format, hidden, list }: Input) {
  const tool = yield* RunningTool
  if (list) return yield* Console.log(names(tool, [tool.root], hidden).join("\n"))
  const { path } = findCommand(tool, args)
  const [first] = args
  if (first !== undefined && path.length === 1) {
    return yield* new UsageError({ message: `unknown command ${quoted(first)} for "${nameOf(tool)}"` })
  }
  if (format === "") return yield* Console.log(markdown(tool, path))
  yield* (yield* Formatter).write(format, commandView(tool, path))
})

type Path = CommandLine["path"]

const lastOf = (path: Path): Node => path.at(-1) ?? path[0]
const wordsOf = (tool: Tool, [, ...below]: Path): string => [nameOf(tool), ...below.map(({ name }) => name)].join(" ")

const childPaths = (tool: Tool, path: Path): ReadonlyArray<Path> => {
  const node = lastOf(path)
  const children = node._tag === "Group" ? childrenOf(tool, node) : []
  return children.toSorted((a, b) => a.name < b.name ? -1 : 1).map((child) => [...path, child])
}

/** The words of a command and of all below it, depth first, by name. */
const names = (tool: Tool, path: Path, isAll: boolean): ReadonlyArray<string> => [
  wordsOf(tool, path),
  ...childPaths(tool, path)
    .filter((child) => isAll || lastOf(child).isHidden !== true)
    .flatMap((child) => names(tool, child, isAll))
]

const fenced = (text: string): string => `\`\`\`\n${text}\n\`\`\``

const markdown = (tool: Tool, path: Path): string => {
  const node = lastOf(path)
  const isRoot = path.length === 1
  const help = helpShape(node.name)
  const sections = [
    `## ${wordsOf(tool, path)}`,
    node.summary,
    node.help === undefined ? "" : `### Synopsis\n\n${node.help}`,
    node._tag === "Leaf" ? fenced(usageLine(wordsOf(tool, path), node)) : "",
    (node.examples ?? []).length === 0 ? "" : `### Examples\n\n${fenced(examples(tool, node))}`,
    `### Options\n\n${fenced(flags([...shapesOf(node), ...(isRoot ? tool.globals : []), help]))}`,
    isRoot || tool.globals.length === 0
      ? ""
      : `### Options inherited from parent commands\n\n${fenced(flags(tool.globals))}`
  ]
  return `${sections.filter((it) => it !== "").join("\n\n")}\n`
}

/** A command as templates see it: the fields and methods of cobra's that say what it is. */
const commandView = (tool: Tool, path: Path): Struct => {
  const node = lastOf(path)
  const args = node._tag === "Leaf" ? node.args : ""
  const words = wordsOf(tool, path)
  const hasParent = path.length > 1
  return new Struct("cobra.Command", {
    Use: args === "" ? node.name : `${node.name} ${args}`,
    Aliases: node.aliases ?? new Nil("slice", "[]string"),
    Short: node.summary,
    Long: node.help ?? "",
    Example: examples(tool, node),
    Hidden: node.isHidden === true
  }, {
    isPointer: true,
    methods: {
      Name: () => node.name,
      CommandPath: () => words,
      UseLine: () => node._tag === "Leaf" ? usageLine(words, node) : words,
      UsageString: () => usageText(tool, path),
      Runnable: () => node._tag === "Leaf",
      HasParent: () => hasParent,
      Parent: () =>
        hasParent ? commandView(tool, [path[0], ...path.slice(1, -1)]) : new Nil("pointer", "*cobra.Command"),
      HasSubCommands: () => node._tag === "Group",
      Commands: () => childPaths(tool, path).map((child) => commandView(tool, child))
    }
  })
}
