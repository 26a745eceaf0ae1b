/**
 * The YAML file of a tool: read within limits, every problem in it told with its place, templates of its logins expanded
 * (faults K01 to K12; regsync description, sections 3, 6 and 8).
 */
import { Effect, FileSystem, Redacted } from "effect"
import { noValue } from "../lib/gotemplate/value.ts"
import { readUpTo } from "../lib/readUpTo.ts"
import { quoted } from "../lib/visibleText.ts"
import { parseYaml, type YamlNode } from "../lib/yaml.ts"
import { shownLine } from "../lib/yamlLine.ts"
import { ConfigError, type ConfigReason } from "../schemas/ConfigError.ts"
import type { Creds } from "../schemas/Creds.ts"
import { compact, type HostEntry, mergeEntry, namedHost } from "../schemas/HostEntry.ts"
import type { OddKey, SettingProblem, SettingsReader } from "../schemas/settings.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import { Formatter, TemplateError } from "../services/Formatter.ts"
import { fsError, platformError } from "../services/fsError.ts"
import { readStdin } from "./stdin.ts"

export interface SettingsFile {
  /** Its name for messages. */
  readonly name: string
  readonly lines: ReadonlyArray<string>
  /** Absent for a file without content. */
  readonly node: YamlNode | undefined
}

const maxSize = 4 * 1024 * 1024

/** Problems, and warnings of one kind, that are told; of the others only how many there are. */
const mostTold = 20

const failure = (file: string, _tag: ConfigReason["_tag"], detail: string): ConfigError =>
  new ConfigError({ file, reason: { _tag, detail } })

const unreadable = (file: string) => (error: StoreError): ConfigError => {
  const { _tag, detail } = error.reason
  if (_tag === "SizeLimit") return failure(file, "YamlLimit", `more than ${maxSize} bytes`)
  return failure(file, _tag === "FsPermission" || _tag === "FsNoSpace" ? _tag : "FsIo", detail)
}

const decoded = (name: string, bytes: Uint8Array) =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => failure(name, "ConfigSyntax", "not UTF-8 text")
  })

/** The bytes of a file, 4 MiB at most; what comes through a pipe has no size and cannot be read in parts. */
export const readBounded = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fs.stat(file), platformError("open", file))
  const isPipe = type === "FIFO" || type === "Socket"
  if (type === "CharacterDevice" && file === "/dev/null") return new Uint8Array()
  if (type !== "File" && !isPipe)
    return yield* storeError("", "FsIo", `is ${type === "Directory" ? "a directory" : "a device"}`)
  return yield* Effect.tryPromise({
    try: (signal) => readUpTo(file, maxSize, signal),
    catch: fsError(file, "open")
  }).pipe(
    Effect.catchReason(
      "StoreError",
      "SizeLimit",
      () => storeError("", "SizeLimit", `size limit exceeded: more than ${maxSize} bytes`)
    )
  )
})

/** Reads a file, or standard input for `-`: its first document as a tree. */
export const readSettings = Effect.fn("settings.read")(function*(file: string) {
  const name = file === "-" ? "stdin" : file
  const failed = Effect.mapError(unreadable(name))
  const bytes = file === "-" ? yield* failed(readStdin(maxSize)) : yield* failed(readBounded(file))
  const text = yield* decoded(name, bytes)
  const lines = text.split(/\r?\n/)
  const found = parseYaml(text)
  if ("node" in found) return { name, lines, node: found.node } satisfies SettingsFile
  const detail = told(lines, { ...found, path: "", detail: found.problem })
  const tag = found.isLimit === true ? "YamlLimit" : found.isForbidden === true ? "ConfigInvalid" : "ConfigSyntax"
  return yield* failure(name, tag, detail)
})

/** `[3:7] sync[0].tags: what is wrong`, and the line below it. */
const told = (lines: ReadonlyArray<string>, { column, detail, line, path }: SettingProblem): string => {
  const { isSecret, text } = shownLine(lines, line)
  const what = path === "" && isSecret ? "this is no YAML; a text with special characters needs quotes" : detail
  return `[${line}:${column}] ${path === "" ? "" : `${path}: `}${what}\n    ${line} | ${text}`
}

interface Placed {
  readonly line: number
  readonly column: number
}

/** What an alias repeats is told once, all in the order of the file. */
const inOrder = <A extends Placed>(items: ReadonlyArray<A>, what: (item: A) => string): ReadonlyArray<A> =>
  [...new Map(items.toReversed().map((it) => [`${it.line}:${it.column}:${what(it)}`, it])).values()]
    .sort((a, b) => a.line - b.line || a.column - b.column)

const refusal = ({ isRepeated, near, ...place }: OddKey): SettingProblem => ({
  ...place,
  detail: isRepeated ? "this key is given twice" : `unknown key${near === undefined ? "" : `, is ${near} meant?`}`
})

/** Fails with all that the reader found wrong; unknown keys that look like a known one are warned of. */
export const settle = Effect.fnUntraced(function*(
  { lines, name }: SettingsFile,
  { oddKeys, problems }: SettingsReader,
  isStrict: boolean
) {
  const wrong = inOrder([...problems, ...(isStrict ? oddKeys.map(refusal) : [])], ({ detail }) => detail)
  if (wrong.length > 0) {
    const shown = wrong.slice(0, mostTold).map((it) => told(lines, it))
    const more = wrong.length > mostTold ? [`and ${wrong.length - mostTold} more`] : []
    const head = wrong.length === 1 ? [] : [`${wrong.length} problems`]
    return yield* failure(name, "ConfigInvalid", [...head, ...shown, ...more].join("\n"))
  }
  const close = inOrder(oddKeys.filter(({ near }) => near !== undefined), () => "")
  yield* warnEach(
    close.map((
      { line, near, path }
    ) => ["Unknown key in configuration is ignored", { file: name, line, key: path, near }])
  )
})

type Warning = readonly [message: string, values: Readonly<Record<string, unknown>>]

/** Logs warnings of one kind, and of the rest their count. */
export const warnEach = Effect.fnUntraced(function*(warnings: ReadonlyArray<Warning>) {
  for (const [message, values] of warnings.slice(0, mostTold)) {
    yield* Effect.annotateLogs(Effect.logWarning(message), values)
  }
  const left = warnings.length - mostTold
  if (left > 0) yield* Effect.annotateLogs(Effect.logWarning("More warnings of this kind are left out"), { left })
})

/** Fails for a file of a later time (faults K06). */
export const supported = ({ name }: SettingsFile, version: number): Effect.Effect<void, ConfigError> =>
  version > 1 ? Effect.fail(failure(name, "ConfigVersion", "unsupported config version")) : Effect.void

/** Expands a text of the file that stands at `path`; a failure says where. */
export const expandAt = Effect.fnUntraced(function*(
  { name }: SettingsFile,
  { column, line }: Placed,
  path: string,
  text: string,
  view: unknown
) {
  if (!text.includes("{{")) return text
  const { expand } = yield* Formatter
  return yield* Effect.mapError(
    expand(text, view),
    ({ message }) => new TemplateError({ message: `${name}: [${line}:${column}] ${path}: ${message}` })
  )
})

const texts = ["user", "regcert", "clientCert"] as const
const secrets = ["pass", "clientKey"] as const

/** An entry of `creds` with its templates expanded, which see no data. */
export const expandCreds = Effect.fnUntraced(function*(file: SettingsFile, creds: Creds, path: string) {
  const expand = (key: string, text: string) => expandAt(file, creds, `${path}.${key}`, text, noValue)
  const registry = yield* expand("registry", creds.registry)
  const changed: Record<string, unknown> = {}
  for (const key of texts) changed[key] = yield* expand(key, creds.entry[key] ?? "")
  for (const key of secrets) {
    const value = creds.entry[key]
    changed[key] = Redacted.make(yield* expand(key, value === undefined ? "" : Redacted.value(value)))
  }
  return { ...creds, registry, entry: compact({ ...creds.entry, ...changed }) }
})

/** The registries that `creds` names, what is said of one in several entries merged in their order. */
export const hostsOf = Effect.fnUntraced(function*({ name: file }: SettingsFile, creds: ReadonlyArray<Creds>) {
  const hosts = new Map<string, HostEntry>()
  for (const { entry, line, registry } of creds) {
    const named = registry === "" ? undefined : namedHost(registry)
    if (named === undefined) {
      const values = { file, line, ...(registry === "" ? {} : { registry: quoted(registry) }) }
      yield* Effect.annotateLogs(Effect.logWarning("Ignoring registry config without a name"), values)
      continue
    }
    if (entry.scheme !== undefined) {
      yield* Effect.annotateLogs(Effect.logWarning("Scheme is deprecated, for http set TLS to disabled"), {
        name: named.name
      })
    }
    const { changes, entry: merged } = mergeEntry(hosts.get(named.name) ?? {}, { ...named.entry, ...entry })
    for (const { message, ...values } of changes) {
      yield* Effect.annotateLogs(Effect.logWarning(message), { ...values, host: named.name })
    }
    hosts.set(named.name, merged)
  }
  return hosts
})
