/** Runs a parsed template over a view and writes text as it goes, within limits of output, time and depth. */
import type { Branch, Chain, Command, Field, Node, Operand, Pipe, Place, Variable } from "./ast.ts"
import { show } from "./ast.ts"
import { builtins, type Func, type Funcs, isTrue, type ParamType } from "./builtins.ts"
import type { Template } from "./parser.ts"
import { printed } from "./printf.ts"
import { ArgumentFailure, isNil, Nil, noValue, Pointer, Struct, TemplateFailure, typeName, wrongType } from "./value.ts"

export interface Limits {
  /** Bytes written by loops and templates; each element of an outermost range over data allows 4 KiB more. */
  readonly output: number
  /** Milliseconds. */
  readonly time: number
  /** How deep templates may call each other. */
  readonly depth: number
}

export interface Source {
  readonly text: string
  readonly templates: ReadonlyMap<string, Template>
  readonly functions: Funcs
}

const perElement = 4_096

/** Writes `name` of the source over `view`. Throws a `TemplateFailure` with position and context. */
export const evaluate = (
  source: Source,
  name: string,
  view: unknown,
  write: (text: string) => void,
  limits: Limits
): void => {
  const template = source.templates.get(name)
  if (template === undefined) throw new TemplateFailure(`template: ${name}: not defined`)
  new Run(source, write, limits, view).template(template, view)
}

/** How a list of nodes ended. */
type Outcome = "break" | "continue" | undefined

interface Entry {
  readonly name: string
  value: unknown
}

class Run {
  readonly source: Source
  readonly write: (text: string) => void
  readonly limits: Limits
  readonly root: string
  readonly deadline: number
  entries: Array<Entry> = []
  current = ""
  node: Place | undefined
  depth = 0
  loops = 0
  written = 0
  allowed: number
  steps = 0

  constructor(source: Source, write: (text: string) => void, limits: Limits, view: unknown) {
    this.source = source
    this.write = write
    this.limits = limits
    this.allowed = limits.output
    this.deadline = now() + limits.time
    this.root = [...source.templates.keys()].at(-1) ?? ""
    this.entries = [{ name: "$", value: view }]
  }

  fail(text: string): never {
    if (this.node === undefined) throw new TemplateFailure(`template: ${this.current}: ${text}`)
    const before = this.source.text.slice(0, this.node.at)
    const line = before.lastIndexOf("\n") + 1
    const place = `${before.split("\n").length}:${Buffer.byteLength(before.slice(line))}`
    throw new TemplateFailure(
      `template: ${this.root}:${place}: executing ${JSON.stringify(this.current)} at <${show(this.node)}>: ${text}`
    )
  }

  template({ name, nodes }: Template, dot: unknown): void {
    const [entries, current, loops] = [this.entries, this.current, this.loops]
    this.entries = [{ name: "$", value: dot }]
    this.current = name
    this.nodes(dot, nodes)
    this.entries = entries
    this.current = current
    this.loops = loops
  }

  nodes(dot: unknown, nodes: ReadonlyArray<Node>): Outcome {
    for (const node of nodes) {
      const outcome = this.walk(dot, node)
      if (outcome !== undefined) return outcome
    }
    return undefined
  }

  walk(dot: unknown, node: Node): Outcome {
    this.node = node
    this.tick()
    switch (node.kind) {
      case "text":
        this.put(node.text)
        return undefined
      case "action": {
        const value = this.pipe(dot, node.pipe)
        if (node.pipe.variables.length > 0) return undefined
        this.node = node
        this.put(printed(value))
        return undefined
      }
      case "break":
      case "continue":
        return node.kind
      case "template":
        this.call(dot, node)
        return undefined
      case "range":
        return this.scoped(() => this.range(dot, node))
      default:
        return this.scoped(() => {
          const value = this.pipe(dot, node.pipe)
          if (isTrue(value)) return this.nodes(node.kind === "with" ? value : dot, node.body)
          return node.otherwise === undefined ? undefined : this.nodes(dot, node.otherwise)
        })
    }
  }

  /** Looks at the clock now and then. */
  tick(): void {
    if ((++this.steps & 63) === 0 && now() > this.deadline) {
      this.fail(`took longer than ${this.limits.time / 1000}s`)
    }
  }

  put(text: string): void {
    if (text === "") return
    if (this.loops + this.depth > 0) {
      this.written += text.length
      if (this.written > this.allowed) this.fail(`output is larger than ${this.limits.output} bytes`)
    }
    this.write(text)
  }

  scoped<A>(run: () => A): A {
    const mark = this.entries.length
    const result = run()
    this.entries.length = mark
    return result
  }

  call(dot: unknown, node: Node & { readonly kind: "template" }): void {
    const template = this.source.templates.get(node.name)
    if (template === undefined) return this.fail(`template ${JSON.stringify(node.name)} not defined`)
    if (this.depth >= this.limits.depth) this.fail(`exceeded maximum template depth (${this.limits.depth})`)
    const value = node.pipe === undefined ? noValue : this.pipe(dot, node.pipe)
    this.depth++
    this.template(template, value)
    this.depth--
  }

  range(dot: unknown, node: Branch): Outcome {
    const value = this.pipe(dot, node.pipe)
    const { isAssign, variables } = node.pipe
    let count = 0
    this.loops++
    for (const [key, element] of this.elements(value, variables.length)) {
      count++
      this.tick()
      if (this.loops === 1 && this.depth === 0 && typeof value === "object") this.allowed += perElement
      const names = variables.length === 2
        ? [[variables[0], key], [variables[1], element]] as const
        : [[variables[0], element]] as const
      const outcome = this.scoped(() => {
        for (const [name, item] of names) {
          if (name === undefined) continue
          if (isAssign) this.assign(name, item)
          else this.entries.push({ name, value: item })
        }
        return this.nodes(element, node.body)
      })
      if (outcome === "break") break
    }
    this.loops--
    return count === 0 && node.otherwise !== undefined ? this.nodes(dot, node.otherwise) : undefined
  }

  *elements(given: unknown, variables: number): Iterable<readonly [unknown, unknown]> {
    const value = given instanceof Pointer ? given.value : given
    if (
      value === noValue || value === undefined || value === null || (value instanceof Nil && value.kind !== "pointer")
    ) return
    if (Array.isArray(value) || value instanceof Uint8Array) return yield* value.entries()
    if (value instanceof Map) return yield* [...value].sort(([a], [b]) => a < b ? -1 : 1)
    if ((typeof value === "number" && Number.isInteger(value)) || typeof value === "bigint") {
      if (variables > 1) this.fail(`can't use ${value} to iterate over more than one variable`)
      for (let at = 0; at < value; at++) yield [at, at]
      return
    }
    this.fail(`range can't iterate over ${printed(value)}`)
  }

  assign(name: string, value: unknown): void {
    const entry = this.entries.findLast((it) => it.name === name)
    if (entry === undefined) return this.fail(`undefined variable: ${name}`)
    entry.value = value
  }

  /** The value of a pipeline; its variables are set, those of a range excepted. */
  pipe(dot: unknown, pipe: Pipe): unknown {
    this.node = pipe
    let value: unknown = missing
    for (const command of pipe.commands) value = this.command(dot, command, value)
    if (pipe.variables.length === 0) return value
    for (const name of pipe.variables) {
      if (pipe.isAssign) this.assign(name, value)
      else this.entries.push({ name, value })
    }
    return value
  }

  command(dot: unknown, command: Command, final: unknown): unknown {
    const { args } = command
    const first = args[0]
    if (first === undefined) return this.fail("empty command")
    switch (first.kind) {
      case "field":
        return this.field(dot, first, args, final)
      case "chain":
        return this.chain(dot, first, args, final)
      case "variable":
        return this.variable(dot, first, args, final)
      case "identifier":
        this.node = first
        return this.function(dot, first.name, command, args, final)
      case "pipe":
        this.plain(args, final)
        return this.pipe(dot, first)
      default:
        this.node = first
        this.plain(args, final)
        return first.kind === "nil" ? this.fail("nil is not a command") : this.value(dot, first)
    }
  }

  /** A value takes no arguments. */
  plain(args: ReadonlyArray<Operand>, final: unknown): void {
    if (args.length > 1 || final !== missing) {
      this.fail(`can't give argument to non-function ${args[0] === undefined ? "" : show(args[0])}`)
    }
  }

  field(dot: unknown, node: Field, args: ReadonlyArray<Operand>, final: unknown): unknown {
    this.node = node
    return this.path(dot, dot, node.names, node, args, final)
  }

  chain(dot: unknown, node: Chain, args: ReadonlyArray<Operand>, final: unknown): unknown {
    this.node = node
    if (node.of.kind === "nil") this.fail(`indirection through explicit nil in ${show(node)}`)
    return this.path(dot, this.operand(dot, node.of), node.names, node, args, final)
  }

  variable(dot: unknown, node: Variable, args: ReadonlyArray<Operand>, final: unknown): unknown {
    this.node = node
    const [name = "", ...names] = node.names
    const entry = this.entries.findLast((it) => it.name === name)
    if (entry === undefined) return this.fail(`undefined variable: ${name}`)
    if (names.length > 0) return this.path(dot, entry.value, names, node, args, final)
    this.plain(args, final)
    return entry.value
  }

  /** Follows names; the arguments go to the last. */
  path(
    dot: unknown,
    from: unknown,
    names: ReadonlyArray<string>,
    node: Place,
    args: ReadonlyArray<Operand>,
    final: unknown
  ): unknown {
    let value = from
    for (const [at, name] of names.entries()) {
      const isLast = at === names.length - 1
      value = this.member(dot, value, name, node, isLast ? args : [], isLast ? final : missing)
    }
    return value
  }

  member(
    dot: unknown,
    receiver: unknown,
    name: string,
    node: Place,
    args: ReadonlyArray<Operand>,
    final: unknown
  ): unknown {
    const hasArgs = args.length > 1 || final !== missing
    if (receiver === noValue) return noValue
    if (receiver === undefined || receiver === null) return this.fail(`nil pointer evaluating interface {}.${name}`)
    if (receiver instanceof Struct) {
      const { methods } = receiver.behaviour
      const method = methods !== undefined && Object.hasOwn(methods, name) ? methods[name] : undefined
      if (method !== undefined) {
        const params: ReadonlyArray<ParamType> = Array.from({ length: method.length }, () => "any")
        return this.invoke(dot, { params, call: method }, name, node, args, final)
      }
      const { promoted } = receiver.behaviour
      const owner = Object.hasOwn(receiver.fields, name) || promoted === undefined ? receiver.fields : promoted
      if (Object.hasOwn(owner, name)) {
        if (hasArgs) this.fail(`${name} has arguments but cannot be invoked as function`)
        return owner[name]
      }
    }
    if (receiver instanceof Map || (receiver instanceof Nil && receiver.kind === "map")) {
      if (hasArgs) this.fail(`${name} is not a method but has arguments`)
      return receiver instanceof Map && receiver.has(name) ? receiver.get(name) : noValue
    }
    if (receiver instanceof Nil && receiver.kind === "pointer") {
      this.fail(`nil pointer evaluating ${receiver.type}.${name}`)
    }
    return this.fail(`can't evaluate field ${name} in type ${typeName(receiver)}`)
  }

  function(dot: unknown, name: string, node: Place, args: ReadonlyArray<Operand>, final: unknown): unknown {
    const own = Object.hasOwn(this.source.functions, name) ? this.source.functions[name] : undefined
    const found = own ?? (Object.hasOwn(builtins, name) ? builtins[name] : undefined)
    if (found === undefined) return this.fail(`${JSON.stringify(name)} is not a defined function`)
    return this.invoke(dot, found, name, node, args, final, own === undefined)
  }

  /** Calls a function or method with the arguments that follow its name, and the value piped in as the last. */
  invoke(
    dot: unknown,
    { call, params, rest }: Func,
    name: string,
    node: Place,
    args: ReadonlyArray<Operand>,
    final: unknown,
    isBuiltin = false
  ): unknown {
    const given = args.slice(1)
    const count = given.length + (final === missing ? 0 : 1)
    if (rest === undefined ? count !== params.length : count < params.length) {
      const shown = rest === undefined
        ? `${params.length} got ${count}`
        : `at least ${params.length} got ${given.length}`
      this.fail(`wrong number of args for ${name}: want ${shown}`)
    }
    if (isBuiltin && (name === "and" || name === "or")) return this.shortCircuit(dot, name === "or", given, final)
    const typeAt = (at: number): ParamType => params[at] ?? rest ?? "any"
    const values = given.map((arg, at) => this.typed(this.argument(dot, arg, typeAt(at)), typeAt(at)))
    if (final !== missing) values.push(this.typed(final, typeAt(given.length)))
    if (isBuiltin && name === "call") {
      this.node = node
      const shown = given[0] === undefined ? "argument" : show(given[0])
      const problem = isNil(values[0]) || values[0] === noValue
        ? "call of nil"
        : `non-function ${shown} of type ${typeName(values[0])}`
      this.fail(`error calling call: ${problem}`)
    }
    try {
      return call(...values)
    } catch (error) {
      if (error instanceof ArgumentFailure) return this.fail(error.message)
      this.node = node
      return this.fail(`error calling ${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  shortCircuit(dot: unknown, stopsAt: boolean, args: ReadonlyArray<Operand>, final: unknown): unknown {
    let value: unknown
    for (const arg of args) {
      value = this.argument(dot, arg, "any")
      if (isTrue(value) === stopsAt) return value
    }
    return final === missing ? value : final
  }

  argument(dot: unknown, arg: Operand, type: ParamType): unknown {
    this.node = arg
    if (arg.kind === "nil") return type === "string" ? this.fail("cannot assign nil to string") : undefined
    if (type === "string" && (arg.kind === "number" || arg.kind === "bool")) {
      this.fail(`expected string; found ${show(arg)}`)
    }
    return this.operand(dot, arg)
  }

  operand(dot: unknown, arg: Operand): unknown {
    switch (arg.kind) {
      case "field":
        return this.field(dot, arg, [arg], missing)
      case "variable":
        return this.variable(dot, arg, [arg], missing)
      case "chain":
        return this.chain(dot, arg, [arg], missing)
      case "identifier":
        this.node = arg
        return this.function(dot, arg.name, arg, [arg], missing)
      case "pipe":
        return this.pipe(dot, arg)
      default:
        this.node = arg
        return this.value(dot, arg)
    }
  }

  value(dot: unknown, arg: Operand): unknown {
    if (arg.kind === "number" && typeof arg.value === "bigint" && arg.value >= 1n << 63n) {
      this.fail(`${arg.text} overflows int`)
    }
    return arg.kind === "dot" ? dot : "value" in arg ? arg.value : undefined
  }

  typed(given: unknown, type: ParamType): unknown {
    const value = given instanceof Pointer && type === "string" ? given.value : given
    if (type === "string" && typeof value !== "string") return this.fail(wrongType("string", value))
    if (type === "[]string") {
      if (value instanceof Nil && value.kind === "slice") return []
      if (!Array.isArray(value) || !value.every((it) => typeof it === "string")) this.fail(wrongType("[]string", value))
    }
    return value
  }
}

/** No value was piped in. */
const missing = Symbol("missing")

/** Milliseconds of a clock that only goes forward; Node's `performance` would load a module for it. */
const now = (): number => {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
