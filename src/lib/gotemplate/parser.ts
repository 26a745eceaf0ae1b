/** Tokens to trees, one for each named template; mistakes are told in Go's words, with the line they are on. */
import type { Branch, Command, Field, Node, Operand, Pipe } from "./ast.ts"
import { show } from "./ast.ts"
import { lex, type Token } from "./lexer.ts"
import { numberOf, unquote } from "./literal.ts"
import { TemplateFailure } from "./value.ts"

export interface Template {
  readonly name: string
  readonly nodes: ReadonlyArray<Node>
}

/** Go's own limit is higher, but so is its stack. */
const maxNesting = 1_000

/** Parses the text of the template `name`; `functions` are the names that may be called. */
export const parse = (
  name: string,
  text: string,
  functions: { readonly has: (name: string) => boolean }
): ReadonlyMap<string, Template> => new Parser(name, text, functions).run()

type End = { readonly kind: "end" | "else" }

const operandStarts: ReadonlySet<string> = new Set([
  "bool",
  "charConstant",
  "complex",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "rawString",
  "string",
  "variable",
  "leftParen"
])

class Parser {
  readonly templates = new Map<string, Template>()
  readonly tokens: ReadonlyArray<Token>
  readonly name: string
  readonly functions: { readonly has: (name: string) => boolean }
  at = 0
  seen = 0
  actionLine = 0
  ranges = 0
  nesting = 0
  variables: Array<string> = ["$"]

  constructor(name: string, text: string, functions: { readonly has: (name: string) => boolean }) {
    this.name = name
    this.tokens = lex(text)
    this.functions = functions
  }

  run(): ReadonlyMap<string, Template> {
    const nodes: Array<Node> = []
    while (this.peek().type !== "eof") {
      if (this.peek().type === "leftDelim") {
        const mark = this.at
        this.next()
        if (this.isKeyword(this.nextNonSpace(), "define")) {
          this.define()
          continue
        }
        this.at = mark
      }
      const node = this.textOrAction()
      if (isEnd(node)) this.fail(`unexpected {{${node.kind}}}`)
      nodes.push(node)
    }
    this.add(this.name, nodes)
    return this.templates
  }

  add(name: string, nodes: ReadonlyArray<Node>): void {
    const known = this.templates.get(name)
    const isEmpty = (list: ReadonlyArray<Node>) => list.every((it) => it.kind === "text" && it.text.trim() === "")
    if (known !== undefined && !isEmpty(known.nodes)) {
      if (isEmpty(nodes)) return
      this.fail(`template: multiple definition of template ${JSON.stringify(name)}`)
    }
    this.templates.set(name, { name, nodes })
  }

  fail(text: string): never {
    throw new TemplateFailure(`template: ${this.name}:${this.tokens[this.seen]?.line ?? 1}: ${text}`)
  }

  peek(): Token {
    this.seen = Math.max(this.seen, Math.min(this.at, this.tokens.length - 1))
    return this.tokens[this.at] ?? { type: "eof", at: 0, line: 1, text: "" }
  }

  next(): Token {
    const token = this.peek()
    if (this.at < this.tokens.length) this.at++
    return token
  }

  nextNonSpace(): Token {
    let token = this.next()
    while (token.type === "space") token = this.next()
    return token
  }

  peekNonSpace(): Token {
    while (this.peek().type === "space") this.at++
    return this.peek()
  }

  isKeyword(token: Token, text: string): boolean {
    return token.type === "keyword" && token.text === text
  }

  expect(types: ReadonlyArray<string>, context: string): Token {
    const token = this.nextNonSpace()
    return types.includes(token.type) ? token : this.unexpected(token, context)
  }

  unexpected(token: Token, context: string): never {
    if (token.type !== "error") return this.fail(`unexpected ${quoted(token)} in ${context}`)
    const isElsewhere = this.actionLine !== 0 && this.actionLine !== token.line
    const where = isElsewhere ? ` in action started at ${this.name}:${this.actionLine}` : ""
    return this.fail(token.text + (token.text.endsWith(" action") ? where.replace(" in action", "") : where))
  }

  define(): void {
    const context = "define clause"
    const name = this.string(this.expect(["string", "rawString"], context))
    this.expect(["rightDelim"], context)
    this.body(name, context)
  }

  /** The body of a named template, which knows no variables but its own `$`. */
  body(name: string, context: string): void {
    const [variables, ranges] = [this.variables, this.ranges]
    this.variables = ["$"]
    this.ranges = 0
    const { end, nodes } = this.list()
    if (end.kind !== "end") this.fail(`unexpected {{${end.kind}}} in ${context}`)
    this.variables = variables
    this.ranges = ranges
    this.add(name, nodes)
  }

  list(): { readonly nodes: ReadonlyArray<Node>; readonly end: End } {
    if (++this.nesting > maxNesting) this.fail("actions are nested too deeply")
    const nodes: Array<Node> = []
    while (this.peekNonSpace().type !== "eof") {
      const node = this.textOrAction()
      if (isEnd(node)) {
        this.nesting--
        return { nodes, end: node }
      }
      nodes.push(node)
    }
    return this.fail("unexpected EOF")
  }

  textOrAction(): Node | End {
    const token = this.nextNonSpace()
    if (token.type === "text") return { kind: "text", at: token.at, text: token.text }
    if (token.type !== "leftDelim") return this.unexpected(token, "input")
    this.actionLine = token.line
    const node = this.action()
    this.actionLine = 0
    return node
  }

  action(): Node | End {
    const token = this.nextNonSpace()
    switch (token.type === "keyword" ? token.text : "") {
      case "if":
      case "with":
      case "range":
        return this.branch(token.text as "if", token.at) // one of the three by the cases
      case "break":
      case "continue":
        return this.leave(token.text as "break", token.at) // one of the two by the cases
      case "template":
        return this.template()
      case "block":
        return this.block()
      case "end":
        this.expect(["rightDelim"], "end")
        return { kind: "end" }
      case "else": {
        const next = this.peekNonSpace()
        if (!this.isKeyword(next, "if") && !this.isKeyword(next, "with")) this.expect(["rightDelim"], "else")
        return { kind: "else" }
      }
      default: {
        this.at--
        const { at } = this.peek()
        return { kind: "action", at, pipe: this.pipeline("command", "rightDelim") }
      }
    }
  }

  leave(kind: "break" | "continue", at: number): Node {
    const token = this.nextNonSpace()
    if (token.type !== "rightDelim") this.unexpected(token, `{{${kind}}}`)
    if (this.ranges === 0) this.fail(`{{${kind}}} outside {{range}}`)
    return { kind, at }
  }

  branch(kind: Branch["kind"], at: number): Branch {
    const known = this.variables.length
    const pipe = this.pipeline(kind, "rightDelim")
    if (kind === "range") this.ranges++
    const { end, nodes } = this.list()
    if (kind === "range") this.ranges--
    const otherwise = end.kind === "else" ? this.otherwise(kind) : undefined
    this.variables.length = known
    return { kind, at, pipe, body: nodes, otherwise }
  }

  otherwise(kind: Branch["kind"]): ReadonlyArray<Node> {
    const token = this.peek()
    if (kind !== "range" && this.isKeyword(token, kind)) {
      this.next()
      if (++this.nesting > maxNesting) this.fail("actions are nested too deeply")
      const nested = this.branch(kind, token.at)
      this.nesting--
      return [nested]
    }
    const { end, nodes } = this.list()
    if (end.kind !== "end") this.fail(`expected end; found {{${end.kind}}}`)
    return nodes
  }

  template(): Node {
    const token = this.nextNonSpace()
    const name = this.templateName(token, "template clause")
    if (this.nextNonSpace().type === "rightDelim") return { kind: "template", at: token.at, name, pipe: undefined }
    this.at--
    return { kind: "template", at: token.at, name, pipe: this.pipeline("template clause", "rightDelim") }
  }

  block(): Node {
    const token = this.nextNonSpace()
    const name = this.templateName(token, "block clause")
    const pipe = this.pipeline("block clause", "rightDelim")
    this.body(name, "block clause")
    return { kind: "template", at: token.at, name, pipe }
  }

  templateName(token: Token, context: string): string {
    return token.type === "string" || token.type === "rawString" ? this.string(token) : this.unexpected(token, context)
  }

  string({ text }: Token): string {
    return unquote(text) ?? this.fail("invalid syntax")
  }

  pipeline(context: string, end: "rightDelim" | "rightParen"): Pipe {
    const { at } = this.peekNonSpace()
    const { isAssign, variables } = this.declarations(context)
    const commands: Array<Command> = []
    for (;;) {
      const token = this.nextNonSpace()
      if (token.type === end) break
      if (!operandStarts.has(token.type)) this.unexpected(token, context)
      this.at--
      commands.push(this.command())
    }
    if (commands.length === 0) this.fail(`missing value for ${context}`)
    for (const [stage, { args }] of commands.entries()) {
      if (stage > 0 && ["bool", "dot", "nil", "number", "string"].includes(args[0]?.kind ?? "")) {
        this.fail(`non executable command in pipeline stage ${stage + 1}`)
      }
    }
    return { kind: "pipe", at, variables, isAssign, commands }
  }

  /** `$x :=`, `$x =`, and for a range `$i, $x :=`. */
  declarations(context: string): { readonly isAssign: boolean; readonly variables: ReadonlyArray<string> } {
    const variables: Array<string> = []
    for (;;) {
      const mark = this.at
      const variable = this.peekNonSpace()
      if (variable.type !== "variable") return { isAssign: false, variables }
      this.next()
      const next = this.peekNonSpace()
      const isList = next.type === "char" && next.text === ","
      if (!isList && next.type !== "assign" && next.type !== "declare") {
        this.at = mark
        return { isAssign: false, variables }
      }
      this.nextNonSpace()
      variables.push(variable.text)
      this.variables.push(variable.text)
      if (!isList) return { isAssign: next.type === "assign", variables }
      if (context !== "range" || variables.length > 1) this.fail(`too many declarations in ${context}`)
      if (!["variable", "rightDelim", "rightParen"].includes(this.peekNonSpace().type)) {
        this.fail("range can only initialize variables")
      }
    }
  }

  command(): Command {
    const { at } = this.peekNonSpace()
    const args: Array<Operand> = []
    for (;;) {
      this.peekNonSpace()
      const operand = this.operand()
      if (operand !== undefined) args.push(operand)
      const token = this.next()
      if (token.type === "space") continue
      if (token.type === "rightDelim" || token.type === "rightParen") this.at--
      else if (token.type !== "pipe") this.unexpected(token, "operand")
      break
    }
    if (args.length === 0) this.fail("empty command")
    return { kind: "command", at, args }
  }

  operand(): Operand | undefined {
    const node = this.term()
    const { at, type } = this.peek()
    if (node === undefined || type !== "field") return node
    const names: Array<string> = []
    while (this.peek().type === "field") names.push(this.next().text.slice(1))
    switch (node.kind) {
      case "field":
      case "variable":
        return { ...node, at, names: [...node.names, ...names] }
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        return this.fail(`unexpected . after term ${JSON.stringify(show(node))}`)
      default:
        return { kind: "chain", at, of: node, names }
    }
  }

  term(): Operand | undefined {
    const { at, text, type } = this.nextNonSpace()
    switch (type) {
      case "identifier":
        if (!this.functions.has(text)) this.fail(`function ${JSON.stringify(text)} not defined`)
        return { kind: "identifier", at, name: text }
      case "dot":
      case "nil":
        return { kind: type, at }
      case "bool":
        return { kind: "bool", at, value: text === "true" }
      case "variable":
        if (!this.variables.includes(text)) this.fail(`undefined variable ${JSON.stringify(text)}`)
        return { kind: "variable", at, names: [text] }
      case "field":
        return { kind: "field", at, names: [text.slice(1)] } satisfies Field
      case "charConstant":
      case "complex":
      case "number": {
        const number = numberOf(text, type)
        return "problem" in number ? this.fail(number.problem) : { kind: "number", at, value: number.value, text }
      }
      case "leftParen": {
        if (++this.nesting > maxNesting) this.fail("max expression depth exceeded")
        const pipe = this.pipeline("parenthesized pipeline", "rightParen")
        this.nesting--
        return pipe
      }
      case "string":
      case "rawString":
        return { kind: "string", at, value: this.string({ at, text, type, line: 0 }), text }
      default:
        this.at--
        return undefined
    }
  }
}

const isEnd = (node: Node | End): node is End => node.kind === "end" || node.kind === "else"

/** How a token is told in an error. */
const quoted = ({ text, type }: Token): string => {
  if (type === "eof") return "EOF"
  if (type === "keyword" || type === "dot" || type === "nil") return `<${text}>`
  const shown = [...text]
  return shown.length > 10 ? `${JSON.stringify(shown.slice(0, 10).join(""))}...` : JSON.stringify(text)
}
