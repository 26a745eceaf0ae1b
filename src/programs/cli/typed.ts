/** What was read on the command line, typed for a program by `effect/cli`: the only file that imports it. */
import { Context, Effect } from "effect"
import { Argument, type Command, Flag } from "effect/cli"
import { UsageError } from "../../schemas/UsageError.ts"
import type { Input, Invocation } from "./command.ts"
import type { Option, Shape } from "./flags.ts"

type Options = Readonly<Record<string, Option<unknown, boolean>>>

/** The input of a program whose flags are `options`, from flags the dialect has already found to be well formed. */
export const inputOf = <const O extends Options>(options: O, invocation: Invocation) =>
  Effect.gen(function*() {
    const parsed = { flags: valuesOf(options, invocation), arguments: invocation.positionals }
    const { occurrences } = invocation
    const input: Record<string, unknown> = { given: new Set(occurrences.map(([name]) => name)), occurrences }
    for (const [key, { shape }] of Object.entries(options)) {
      if (shape.isRaw === true) continue
      const [, value] = yield* flagOf(shape).parse(parsed)
      if (value !== undefined) input[key] = value
    }
    const [, args] = yield* positionals.parse(parsed)
    // Each value was made by the flag of its key, each missing one is optional: what `Input` says.
    return { ...input, args } as unknown as Input<O>
  }).pipe(
    Effect.mapError(({ message }) => new UsageError({ message })),
    Effect.provideContext(nothing)
  )

const positionals = Argument.String("args").pipe(Argument.atLeast(0))

const flagOf = (shape: Shape): Flag.Flag<unknown> => {
  const flag = plainFlag(shape)
  if (shape.type === "stringArray") return flag.pipe(Flag.atLeast(0))
  return shape.otherwise === undefined
    ? flag.pipe(Flag.atLeast(0), Flag.map((values) => values[0]))
    : flag.pipe(Flag.withDefault(shape.otherwise))
}

const plainFlag = ({ name, type }: Shape): Flag.Flag<unknown> => {
  switch (type) {
    case "bool":
      return Flag.Boolean(name).pipe(Flag.withoutNegation)
    case "int":
    case "uint":
      return Flag.Int(name)
    case "float":
      return Flag.Finite(name)
    case "string":
    case "stringArray":
      return Flag.String(name)
  }
}

/** What was given for each flag by its name: the last value of a flag that holds a single one. */
const valuesOf = (options: Options, { occurrences }: Invocation): Readonly<Record<string, ReadonlyArray<string>>> =>
  Object.fromEntries(
    Object.values(options).map(({ shape: { name, type } }) => {
      const values = occurrences.filter(([given]) => given === name).map(([, value]) => value)
      return [name, type === "stringArray" ? values : values.slice(-1)]
    })
  )

/** Parsing texts touches no file, terminal or process, though the parser's type asks for all of them. */
const nothing = Context.empty() as Context.Context<Command.Environment>
