/** The tree of a parsed template, and how its nodes are told in error texts. */

export type Operand =
  | { readonly kind: "dot" | "nil"; readonly at: number }
  | { readonly kind: "bool"; readonly at: number; readonly value: boolean }
  | { readonly kind: "number"; readonly at: number; readonly value: unknown; readonly text: string }
  | { readonly kind: "string"; readonly at: number; readonly value: string; readonly text: string }
  | { readonly kind: "identifier"; readonly at: number; readonly name: string }
  | Field
  | Variable
  | Chain
  | Pipe

export interface Field {
  readonly kind: "field"
  readonly at: number
  readonly names: ReadonlyArray<string>
}

/** `names` begins with the variable itself, its `$` included. */
export interface Variable {
  readonly kind: "variable"
  readonly at: number
  readonly names: ReadonlyArray<string>
}

export interface Chain {
  readonly kind: "chain"
  readonly at: number
  readonly of: Operand
  readonly names: ReadonlyArray<string>
}

export interface Command {
  readonly kind: "command"
  readonly at: number
  readonly args: ReadonlyArray<Operand>
}

export interface Pipe {
  readonly kind: "pipe"
  readonly at: number
  readonly variables: ReadonlyArray<string>
  readonly isAssign: boolean
  readonly commands: ReadonlyArray<Command>
}

export interface Branch {
  readonly kind: "if" | "with" | "range"
  readonly at: number
  readonly pipe: Pipe
  readonly body: ReadonlyArray<Node>
  readonly otherwise: ReadonlyArray<Node> | undefined
}

export type Node =
  | { readonly kind: "text"; readonly at: number; readonly text: string }
  | { readonly kind: "action"; readonly at: number; readonly pipe: Pipe }
  | { readonly kind: "break" | "continue"; readonly at: number }
  | { readonly kind: "template"; readonly at: number; readonly name: string; readonly pipe: Pipe | undefined }
  | Branch

/** What an error can point at. */
export type Place = Node | Operand | Command

export const show = (node: Place): string => {
  switch (node.kind) {
    case "dot":
      return "."
    case "nil":
      return "nil"
    case "bool":
      return String(node.value)
    case "number":
    case "string":
      return node.text
    case "identifier":
      return node.name
    case "field":
      return `.${node.names.join(".")}`
    case "variable":
      return node.names.join(".")
    case "chain":
      return [node.of.kind === "pipe" ? `(${show(node.of)})` : show(node.of), ...node.names].join(".")
    case "command":
      return node.args.map((it) => it.kind === "pipe" ? `(${show(it)})` : show(it)).join(" ")
    case "pipe":
      return (node.variables.length === 0 ? "" : `${node.variables.join(", ")} ${node.isAssign ? "=" : ":="} `) +
        node.commands.map(show).join(" | ")
    case "text":
      return node.text
    case "action":
      return `{{${show(node.pipe)}}}`
    case "break":
    case "continue":
      return `{{${node.kind}}}`
    case "template":
      return `{{template ${JSON.stringify(node.name)}${node.pipe === undefined ? "" : ` ${show(node.pipe)}`}}}`
    default:
      return `{{${node.kind} ${show(node.pipe)}}}${node.body.map(show).join("")}${
        node.otherwise === undefined ? "" : `{{else}}${node.otherwise.map(show).join("")}`
      }{{end}}`
  }
}
