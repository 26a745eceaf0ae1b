/** Values as text: Go's fmt verbs and flags, `%v` of lists, maps and structs. */
import { formatFloat } from "./float.ts"
import { goQuote, goQuoteRune } from "./quote.ts"
import { bytesOf, Float, isNil, Nil, noValue, Pointer, Struct, textOf, typeName } from "./value.ts"

interface Flags {
  readonly minus: boolean
  readonly plus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  /** `%+v`: fields with their names; the flag says nothing of signs then. */
  readonly names: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

const plain: Flags = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  names: false,
  width: undefined,
  precision: undefined
}

/** Go refuses wider fields too. */
const maxWidth = 1_000_000

/** `fmt.Sprint`: a space between two operands when neither is a string. */
export const sprint = (values: ReadonlyArray<unknown>): string =>
  values.map((value, at) => (at > 0 && !isText(value) && !isText(values[at - 1]) ? " " : "") + format(value)).join("")

/** `fmt.Sprintln`. */
export const sprintln = (values: ReadonlyArray<unknown>): string => `${values.map(format).join(" ")}\n`

const isText = (value: unknown): boolean =>
  typeof value === "string" || (value instanceof Struct && value.behaviour.text !== undefined)

const format = (value: unknown): string => formatArg(value, "v", plain)

/** What an action writes for its value: pointers are followed once. */
export const printed = (value: unknown): string => {
  if (value === noValue) return "<no value>"
  if (typeof value === "string") return value
  return value instanceof Struct ? formatValue(value, "v", plain, 0, false) : format(value)
}

const directive = /%([-+# 0]*)(\[[^\]]*\])?(\*|\d+)?(?:(\.)(\[[^\]]*\])?(\*|\d+)?)?(\[[^\]]*\])?(.)?/gsu

/** `fmt.Sprintf`. */
export const sprintf = (text: string, args: ReadonlyArray<unknown>): string => {
  let next = 0
  let isReordered = false
  const written = text.replace(
    directive,
    (_, flags: string, first, width, point, middle, precision, last, verb: string | undefined) => {
      let isGood = true
      const jump = (index: string | undefined) => {
        if (index === undefined) return
        isReordered = true
        const place = /^\[(\d+)\]$/.exec(index)?.[1]
        if (place === undefined || Number(place) < 1 || Number(place) > args.length) isGood = false
        else next = Number(place) - 1
      }
      let problem = ""
      const star = (given: string | undefined, name: string): number | undefined => {
        if (given !== "*") return given === undefined ? undefined : Number(given)
        const value = args[next++]
        if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= maxWidth) return value
        problem += `%!(BAD${name})`
        return undefined
      }
      jump(first)
      const wide = star(width, "WIDTH")
      jump(middle)
      const exact = point === undefined ? undefined : star(precision, "PREC") ?? 0
      jump(last)
      if (verb === undefined) return `${problem}%!(NOVERB)`
      if (verb === "%") return `${problem}%`
      if (!isGood) return `${problem}%!${verb}(BADINDEX)`
      if (next >= args.length) return `${problem}%!${verb}(MISSING)`
      const minus = flags.includes("-") || (wide !== undefined && wide < 0)
      return problem + formatArg(args[next++], verb, {
        minus,
        plus: flags.includes("+") && verb !== "v",
        names: flags.includes("+") && verb === "v",
        sharp: flags.includes("#"),
        space: flags.includes(" "),
        zero: flags.includes("0") && !minus,
        width: wide === undefined ? undefined : Math.min(Math.abs(wide), maxWidth),
        precision: exact === undefined || exact < 0 ? undefined : Math.min(exact, maxWidth)
      })
    }
  )
  if (isReordered || next >= args.length) return written
  const extra = args.slice(next).map((it) => isNil(it) ? "<nil>" : `${typeName(it)}=${format(it)}`)
  return `${written}%!(EXTRA ${extra.join(", ")})`
}

const pad = (text: string, { minus, width, zero }: Flags): string => {
  if (width === undefined) return text
  const missing = width - [...text].length
  if (missing <= 0) return text
  return minus ? text + " ".repeat(missing) : (zero ? "0" : " ").repeat(missing) + text
}

const formatArg = (value: unknown, verb: string, flags: Flags): string => {
  if (verb === "T") return pad(isUntyped(value) ? "<nil>" : typeName(value), flags)
  if (isUntyped(value)) return verb === "v" ? pad("<nil>", flags) : `%!${verb}(<nil>)`
  return formatValue(value, verb, flags, 0)
}

const isUntyped = (value: unknown): boolean => value === undefined || value === null || value === noValue

const badVerb = (value: unknown, verb: string): string =>
  isUntyped(value) ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${format(value)})`

const formatValue = (value: unknown, verb: string, flags: Flags, depth: number, marked = true): string => {
  switch (typeof value) {
    case "string":
      return formatText(value, verb, flags, value)
    case "boolean":
      return verb === "t" || verb === "v" ? pad(String(value), flags) : badVerb(value, verb)
    case "bigint":
      return formatInteger(value, verb, flags)
    case "number":
      return Number.isInteger(value) ? formatInteger(BigInt(value), verb, flags) : real(value, value, verb, flags)
    default:
      break
  }
  if (value instanceof Struct) return formatStruct(value, verb, flags, depth, marked)
  if (value instanceof Float) return real(value.value, value, verb, flags)
  if (value instanceof Pointer) return depth === 0 ? formatValue(value.value, verb, flags, 0) : "0xc000012345"
  if (value instanceof Uint8Array) {
    return "sxXq".includes(verb)
      ? formatText(textOf(value), verb, flags, value)
      : formatList([...value], verb, flags, depth)
  }
  if (Array.isArray(value)) return formatList(value, verb, flags, depth)
  if (value instanceof Map) {
    const entries = [...value].sort(([a], [b]) => a < b ? -1 : 1).map(([key, item]) =>
      `${formatValue(key, verb, flags, depth + 1)}:${formatValue(item, verb, flags, depth + 1)}`
    )
    return `map[${entries.join(" ")}]`
  }
  if (value instanceof Nil && value.kind === "slice")
    return verb === "s" || verb === "x"
      ? "[]"
      : formatList([], verb, flags, 0)
  if (value instanceof Nil && value.kind === "map") return "map[]"
  // Inside of others Go prints a nil that could name itself without padding.
  if (depth > 0 && "vsxXq".includes(verb)) return "<nil>"
  if (verb === "v") return pad("<nil>", flags)
  if ("dboxX".includes(verb)) return formatInteger(0n, verb, flags)
  return value instanceof Nil ? `%!${verb}(${value.type}=<nil>)` : `%!${verb}(<nil>)`
}

const formatStruct = (value: Struct, verb: string, flags: Flags, depth: number, marked: boolean): string => {
  const { behaviour } = value
  const text = behaviour.string?.() ?? behaviour.text
  if (text !== undefined && "vsxXq".includes(verb)) return formatText(text, verb, flags, value)
  if (behaviour.number !== undefined) return formatInteger(BigInt(behaviour.number), verb, flags)
  if (behaviour.isPointer === true && depth > 0) return "0xc000012345"
  const fields = Object.entries({ ...value.fields, ...behaviour.hidden }).map(([name, field]) =>
    (flags.names ? `${name}:` : "") + formatValue(field, verb, flags, depth + 1)
  )
  return `${behaviour.isPointer === true && marked ? "&" : ""}{${fields.join(" ")}}`
}

const formatList = (values: ReadonlyArray<unknown>, verb: string, flags: Flags, depth: number): string => {
  if (verb === "v" && flags.sharp) {
    return `[]${values.length === 0 ? "string" : typeName(values[0])}{${
      values.map((it) => formatValue(it, verb, flags, depth + 1)).join(", ")
    }}`
  }
  return `[${values.map((it) => formatValue(it, verb, flags, depth + 1)).join(" ")}]`
}

const formatText = (text: string, verb: string, flags: Flags, value: unknown): string => {
  const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join("")
  switch (verb) {
    case "v":
      return pad(flags.sharp ? goQuote(cut) : cut, flags)
    case "s":
      return pad(cut, flags)
    case "q":
      if (flags.sharp && !/[`\p{Cc}\ufeff]/u.test(cut.replaceAll("\t", ""))) return pad(`\`${cut}\``, flags)
      return pad(goQuote(cut, flags.plus), flags)
    case "x":
    case "X": {
      const bytes = bytesOf(text).subarray(0, flags.precision ?? Number.POSITIVE_INFINITY)
      const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
      const prefix = flags.sharp && digits.length > 0 ? "0x" : ""
      const hex = flags.space ? digits.map((it) => prefix + it).join(" ") : prefix + digits.join("")
      return pad(verb === "x" ? hex : hex.toUpperCase(), flags)
    }
    default:
      return badVerb(value, verb)
  }
}

const bases: Readonly<Record<string, readonly [radix: number, prefix: string]>> = {
  v: [10, ""],
  d: [10, ""],
  b: [2, "0b"],
  o: [8, "0"],
  O: [8, ""],
  x: [16, "0x"],
  X: [16, "0X"]
}

const formatInteger = (value: bigint, verb: string, flags: Flags): string => {
  const base = bases[verb]
  if (base === undefined) return formatRune(value, verb, flags)
  const isNegative = value < 0n
  let digits = (isNegative ? -value : value).toString(base[0])
  if (verb === "X") digits = digits.toUpperCase()
  const sign = isNegative ? "-" : flags.plus ? "+" : flags.space ? " " : ""
  const filled = flags.zero && flags.width !== undefined && flags.precision === undefined
  if (flags.precision === 0 && value === 0n) digits = ""
  digits = digits.padStart(filled ? (flags.width ?? 0) - sign.length : flags.precision ?? 0, "0")
  const prefix = verb === "O" ? "0o" : flags.sharp && !(verb === "o" && digits.startsWith("0")) ? base[1] : ""
  return pad(sign + prefix + digits, { ...flags, zero: false })
}

const formatRune = (value: bigint, verb: string, flags: Flags): string => {
  const code = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value < 0xe000n) ? Number(value) : 0xfffd
  const character = String.fromCodePoint(code)
  if (verb === "c") return pad(character, flags)
  if (verb === "q") return pad(goQuoteRune(character, flags.plus), flags)
  if (verb !== "U") return badVerb(value, verb)
  const digits = value.toString(16).toUpperCase().padStart(Math.max(4, flags.precision ?? 0), "0")
  const shown = flags.sharp && /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character) ? ` '${character}'` : ""
  return pad(`U+${digits}${shown}`, { ...flags, zero: false })
}

const real = (number: number, value: unknown, verb: string, flags: Flags): string => {
  const kind = verb === "v" ? "g" : verb === "F" ? "f" : verb
  if (!"eEfgG".includes(kind)) return badVerb(value, verb)
  const precision = flags.precision ?? (kind === "g" || kind === "G" ? undefined : 6)
  const digits = formatFloat(Math.abs(number), kind, precision)
  const isNegative = number < 0 || Object.is(number, -0)
  const sign = isNegative ? "-" : flags.plus ? "+" : flags.space ? " " : ""
  const isFinite = Number.isFinite(number)
  const shown = isFinite ? digits : Number.isNaN(number) ? "NaN" : sign === "" ? "+Inf" : "Inf"
  if (!flags.zero || flags.width === undefined || !isFinite) return pad(sign + shown, { ...flags, zero: false })
  return sign + shown.padStart(flags.width - sign.length, "0")
}
