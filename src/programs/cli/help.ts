/** Help in cobra's layout: sections in its order, aligned as its users and their scripts know it. */
import { type Leaf, nameOf, type Node, type Tool } from "./command.ts"
import type { CommandLine } from "./dialect.ts"
import { childrenOf, helpShape, shapesOf } from "./dialect.ts"
import type { Shape } from "./flags.ts"

type Path = CommandLine["path"]

/** The help of the last command of a path, without a last newline. */
export const helpText = (tool: Tool, path: Path): string => {
  const node = lastOf(path)
  return `${(node.help ?? node.summary).trimEnd()}\n\n${usageText(tool, path)}`
}

/** Help without its description: what an unknown help topic is answered with. */
export const usageText = (tool: Tool, path: Path): string => {
  const node = lastOf(path)
  const words = [nameOf(tool), ...path.slice(1).map(({ name }) => name)].join(" ")
  const isRoot = path.length === 1
  const help = helpShape(node.name)
  const sections = [
    `Usage:\n  ${node._tag === "Group" ? `${words} [command]` : usageLine(words, node)}`,
    (node.aliases ?? []).length === 0 ? "" : `Aliases:\n  ${[node.name, ...node.aliases ?? []].join(", ")}`,
    (node.examples ?? []).length === 0 ? "" : `Examples:\n\n${examples(tool, node)}`,
    node._tag === "Group" ? `Available Commands:\n${commands(childrenOf(tool, node))}` : "",
    `Flags:\n${flags([...shapesOf(node), ...(isRoot ? tool.globals : []), help])}`,
    isRoot || tool.globals.length === 0 ? "" : `Global Flags:\n${flags(tool.globals)}`,
    node._tag === "Group" ? `Use "${words} [command] --help" for more information about a command.` : ""
  ]
  return sections.filter((it) => it !== "").join("\n\n")
}

const lastOf = (path: Path): Node => path.at(-1) ?? path[0]

/** `tool tag ls <repository> [flags]`. */
export const usageLine = (words: string, { args }: Leaf): string => `${words} ${args}${args === "" ? "" : " "}[flags]`

/** Each with what it does, as a comment above it. */
export const examples = (tool: Tool, node: Node): string =>
  (node.examples ?? []).map(([what, line]) => `# ${what}\n${line.replaceAll("{tool}", nameOf(tool))}`).join("\n\n")

const byName = <A extends { readonly name: string }>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  [...items].sort((a, b) => a.name < b.name ? -1 : 1)

const commands = (children: ReadonlyArray<Node>): string => {
  const width = Math.max(11, ...children.map(({ name }) => name.length))
  return byName(children.filter(({ isHidden }) => isHidden !== true))
    .map(({ name, summary }) => `  ${name.padEnd(width)} ${summary}`).join("\n")
}

/** A row for each flag that is not hidden, by name, in columns. */
export const flags = (shapes: ReadonlyArray<Shape>): string => {
  const rows = byName(shapes.filter(({ isHidden }) => isHidden !== true)).map((shape) => [left(shape), shape] as const)
  const width = Math.max(...rows.map(([it]) => it.length))
  return rows.map(([it, shape]) => `${it.padEnd(width)}   ${shape.help}${shownDefault(shape)}`).join("\n")
}

const left = ({ name, short, type }: Shape): string =>
  `${short === undefined ? "      " : `  -${short}, `}--${name}${type === "bool" ? "" : ` ${type}`}`

/** What stands behind the help of a flag. */
export const shownDefault = ({ otherwise, shown }: Shape): string => {
  if (shown !== undefined) return shown === "" ? "" : ` (default ${shown})`
  if (typeof otherwise === "string" && otherwise !== "") return ` (default "${otherwise}")`
  return (typeof otherwise === "number" && otherwise !== 0) || otherwise === true ? ` (default ${otherwise})` : ""
}
