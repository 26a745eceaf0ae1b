/**
 * Manual pages of a tool, one for each command, of the tree that `--help` shows: man(7), for mandoc and groff alike.
 * Nothing of the text is read as a request or an escape.
 */
import { nameOf, type Node, type Tool } from "../src/programs/cli/command.ts"
import { childrenOf, helpCommand, helpShape, shapesOf } from "../src/programs/cli/dialect.ts"
import type { Shape } from "../src/programs/cli/flags.ts"
import { shownDefault } from "../src/programs/cli/help.ts"
import { completion } from "../src/programs/cli/standard.ts"

/** What every page of a build says of it. */
export interface Edition {
  readonly version: string
  /** `2026-11-24`. */
  readonly date: string
}

/** What only the page of the tool itself tells: titles with paragraphs or lists of words and what they are. */
export type Sections = Readonly<Record<string, ReadonlyArray<readonly [term: string, text: string]>>>

type Path = readonly [Node, ...Array<Node>]

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti"
}

/** Text as it is: no escape, no hyphen in place of a minus, no request at its start. */
export const literal = (text: string): string => {
  const escaped = text
    .replaceAll(/[\\'`^~-]/g, (it) => escapes[it] ?? it)
    .replaceAll(/[^\0-\x7f]/gu, (it) => `\\[u${(it.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`)
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}

const bold = (text: string): string => `\\fB${literal(text).replace(/^\\&/, "")}\\fR`
const quoted = (text: string): string => `"${literal(text).replaceAll("\"", "\\(dq")}"`

/** Lines that are indented stay as they are, others flow. */
const prose = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let isFixed = false
  for (const line of text.trim().split("\n")) {
    const isList = line.startsWith("  ")
    if (isList !== isFixed) lines.push(isList ? ".nf" : ".fi")
    isFixed = isList
    if (line === "") lines.push(".PP")
    else lines.push(literal(line))
  }
  return isFixed ? [...lines, ".fi"] : lines
}

const byName = <A extends { readonly name: string }>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items.toSorted((a, b) => a.name < b.name ? -1 : 1)

const terms = (rows: ReadonlyArray<readonly [term: string, text: string]>): ReadonlyArray<string> =>
  rows.flatMap(([term, text]) => [".TP", term, literal(text)])

const options = (shapes: ReadonlyArray<Shape>): ReadonlyArray<string> =>
  terms(
    byName(shapes.filter(({ isHidden }) => isHidden !== true)).map((shape) => {
      const { help, name, short, type } = shape
      const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`].map(bold).join(", ")
      return [`${names}${type === "bool" ? "" : ` \\fI${type}\\fR`}`, `${help}${shownDefault(shape)}`] as const
    })
  )

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [`.SH ${quoted(title)}`, ...lines]

const pageName = (path: Path): string => path.map(({ name }) => name).join("-")
const reference = (path: Path): string => `${bold(pageName(path))}(1)`

/** What every tool has, and `--help` says enough of. */
const hasPage = (node: Node): boolean => node !== helpCommand && node !== completion

const synopsis = (tool: Tool, path: Path, node: Node): ReadonlyArray<string> => {
  const words = [nameOf(tool), ...path.slice(1).map(({ name }) => name)].join(" ")
  const rest = node._tag === "Group" ? "command" : node.args
  return [`${bold(words)}${rest === "" ? "" : ` \\fI${literal(rest)}\\fR`} [\\fIflags\\fR]`]
}

const examplesOf = (tool: Tool, node: Node): ReadonlyArray<string> =>
  (node.examples ?? []).flatMap(([what, line]) => [
    ".PP",
    `${literal(`${what[0]?.toUpperCase() ?? ""}${what.slice(1)}`)}:`,
    ".PP",
    ".nf",
    ".RS 4",
    ...line.replaceAll("{tool}", nameOf(tool)).split("\n").map(literal),
    ".RE",
    ".fi"
  ])

/** One page: the command at the end of a path. */
const page = (tool: Tool, path: Path, edition: Edition, more: Sections): string => {
  const node = path.at(-1) ?? path[0]
  const isRoot = path.length === 1
  const children = shownChildren(tool, node)
  const siblings = isRoot ? [] : [path.slice(0, -1)]
  const summary = isRoot ? `${node.summary[0]?.toLowerCase() ?? ""}${node.summary.slice(1)}` : node.summary
  const lines = [
    `.TH ${quoted(pageName(path).toUpperCase())} 1 ${edition.date} ${
      quoted(`regclient ${edition.version}`)
    } "regclient"`,
    // Words of a command line are not divided.
    ".nh",
    ...section("NAME", [`${literal(pageName(path))} \\- ${literal(summary)}`]),
    ...section("SYNOPSIS", synopsis(tool, path, node)),
    ...section("DESCRIPTION", prose(node.help ?? node.summary)),
    ...((node.aliases ?? []).length === 0
      ? []
      : [".PP", `Other names of the command: ${(node.aliases ?? []).map(bold).join(", ")}.`]),
    ...section(
      "COMMANDS",
      terms(children.map((it) => {
        const name = hasPage(it) ? reference([...path, it]) : bold(`${nameOf(tool)} ${it.name}`)
        return [name, it.summary] as const
      }))
    ),
    ...section("OPTIONS", options([...shapesOf(node), ...(isRoot ? tool.globals : []), helpShape(node.name)])),
    ...section("GLOBAL OPTIONS", isRoot ? [] : options(tool.globals)),
    ...(isRoot
      ? Object.entries(more).flatMap(([title, rows]) =>
        section(title, terms(rows.map(([term, text]) => [bold(term), text])))
      )
      : []),
    ...section("EXAMPLES", examplesOf(tool, node).slice(1)),
    ...section(
      "SEE ALSO",
      siblings.flatMap(([first, ...rest]) => first === undefined ? [] : [reference([first, ...rest])])
    )
  ]
  return `${lines.join("\n")}\n`
}

const shownChildren = (tool: Tool, node: Node): ReadonlyArray<Node> =>
  node._tag === "Group" ? byName(childrenOf(tool, node).filter(({ isHidden }) => isHidden !== true)) : []

/** The pages of a tool by the names of their files. */
export const manual = (tool: Tool, edition: Edition, more: Sections): ReadonlyMap<string, string> => {
  const pages = new Map<string, string>()
  const add = (path: Path) => {
    pages.set(`${pageName(path)}.1`, page(tool, path, edition, more))
    for (const child of shownChildren(tool, path.at(-1) ?? path[0]).filter(hasPage)) add([...path, child])
  }
  add([tool.root])
  return pages
}
