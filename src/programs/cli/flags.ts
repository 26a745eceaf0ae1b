/** Flags as data: how pflag reads one, what help says of it, and the type a program gets. */

export type FlagType = "bool" | "string" | "stringArray" | "int" | "uint" | "float"

/** What completes a word in a shell: something looked up, names of commands or files, nothing, or one of these words. */
export type Completes =
  | "reference"
  | "repository"
  | "registry"
  | "command"
  | "file"
  | "nothing"
  | ReadonlyArray<string>

/** By a flag such as `--platform` or a positional such as `image_ref`; for one command, `image create --media-type`. */
export type CompletionRules = Readonly<Record<string, Completes>>

/** What the dialect and the help need to know of a flag. */
export interface Shape {
  readonly name: string
  readonly short?: string
  readonly type: FlagType
  readonly help: string
  /** The value without the flag; absent for one that is left out of the input then. */
  readonly otherwise?: string | boolean | number | ReadonlyArray<string>
  /** What help prints as default in place of `otherwise`; empty for nothing. */
  readonly shown?: string
  readonly isHidden?: boolean
  /** Without it the command does not run. */
  readonly isRequired?: boolean
  /** The command reads the texts itself, each time the flag is given; the type is what help shows, and how values are given. */
  readonly isRaw?: boolean
  /** What completes its value; the tool's own rule for flags of this name otherwise. */
  readonly completes?: Completes
}

/** A shape, and the type of the value it gives. */
export interface Option<A, Optional extends boolean = false> {
  readonly shape: Shape
  /** Only for the compiler: nothing is ever there. */
  readonly value?: A
  readonly isOptional?: Optional
}

interface Extra<A> {
  readonly short?: string
  readonly otherwise?: A
  readonly shown?: string
  readonly isHidden?: boolean
  readonly isRequired?: boolean
  readonly completes?: Completes
}

const option = <A extends NonNullable<Shape["otherwise"]>>(
  type: FlagType,
  name: string,
  help: string,
  zero: A,
  extra: Extra<A> = {}
): Option<A> => ({ shape: { name, type, help, otherwise: zero, ...extra } })

export const text = (name: string, help: string, extra?: Extra<string>): Option<string> =>
  option("string", name, help, "", extra)

/** Repeatable: each occurrence adds one value, commas are part of it. */
export const texts = (
  name: string,
  help: string,
  extra?: Extra<ReadonlyArray<string>>
): Option<ReadonlyArray<string>> => option<ReadonlyArray<string>>("stringArray", name, help, [], extra)

export const toggle = (name: string, help: string, extra?: Extra<boolean>): Option<boolean> =>
  option("bool", name, help, false, extra)

export const integer = (name: string, help: string, extra?: Extra<number>): Option<number> =>
  option("int", name, help, 0, extra)

export const natural = (name: string, help: string, extra?: Extra<number>): Option<number> =>
  option("uint", name, help, 0, extra)

export const decimal = (name: string, help: string, extra?: Extra<number>): Option<number> =>
  option("float", name, help, 0, extra)

/** The same flag, left out of the input unless it was given. */
export const optional = <A>({ shape }: Option<A>): Option<A, true> => {
  const { otherwise: _, shown: __, ...rest } = shape
  return { shape: rest }
}

/** A flag whose order among others counts: its texts are not in the input but among its `occurrences`. */
export const raw = (
  name: string,
  type: FlagType,
  help: string,
  extra: Pick<Extra<never>, "isHidden"> = {}
): Option<never, true> => ({ shape: { name, type, help, isRaw: true, ...extra } })
