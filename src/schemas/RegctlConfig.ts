/** regctl's own configuration file: hosts, their defaults, and what is taken from docker (library description, 4.2). */
import { Result, Schema, SchemaIssue } from "effect"
import { type Place, positionedJson } from "../lib/positionedJson.ts"
import type { ConfigReason } from "./ConfigError.ts"
import { hostDocument, HostEntry, hostKeys } from "./HostEntry.ts"

export interface RegctlConfig {
  /** 0 when the file does not say. */
  readonly version: number
  readonly hosts: ReadonlyMap<string, HostEntry>
  /** Where every host entry of regctl starts from. */
  readonly hostDefault?: HostEntry
  /** Bytes; 0 when the file does not say. */
  readonly blobLimit: number
  readonly incDockerCert?: boolean
  readonly incDockerCred?: boolean
}

export const emptyConfig: RegctlConfig = { version: 0, hosts: new Map(), blobLimit: 0 }

const Count = Schema.Int.pipe(
  Schema.check(Schema.isGreaterThanOrEqualTo(0, { message: "expected a number of at least 0" }))
)

const Document = Schema.Struct({
  version: Schema.optionalKey(Schema.Int),
  hosts: Schema.optionalKey(Schema.Record(Schema.String, HostEntry)),
  hostDefault: Schema.optionalKey(HostEntry),
  blobLimit: Schema.optionalKey(Count),
  incDockerCert: Schema.optionalKey(Schema.Boolean),
  incDockerCred: Schema.optionalKey(Schema.Boolean)
})

const decode = Schema.decodeUnknownResult(Document)
const problems = SchemaIssue.makeFormatterStandardSchemaV1()

/** The newest `version` that is understood. */
const maxVersion = 1

/** Docker Hub as other names wrote it. */
const hubKeys: ReadonlySet<string> = new Set(["registry-1.docker.io", "https://index.docker.io/v1/"])

/**
 * Reads the text of the file. Empty is an empty configuration; unknown keys are dropped, keys are found in any case as
 * the Go tool finds them; every wrong value is listed with its place (faults K01, K03, K06, K09).
 */
export const decodeRegctlConfig = (text: string): Result.Result<RegctlConfig, ConfigReason> => {
  const source = text.replace(/^\uFEFF/, "")
  if (source.trim() === "") return Result.succeed(emptyConfig)
  const parsed = positionedJson(source)
  if ("problem" in parsed) {
    const { column, line, text: shown } = parsed.place
    return Result.fail({ _tag: "ConfigSyntax", detail: `[${line}:${column}] ${parsed.problem}: ${shown}` })
  }
  const document = tidyDocument(parsed.value)
  if (isRecord(document) && typeof document["version"] === "number" && document["version"] > maxVersion) {
    return Result.fail({ _tag: "ConfigVersion", detail: "unsupported config version" })
  }
  return Result.match(decode(document, { errors: "all" }), {
    onSuccess: (it) => Result.succeed(fromDocument(it)),
    onFailure: ({ issue }) =>
      Result.fail({
        _tag: "ConfigInvalid" as const,
        detail: listed(problems(issue).issues, parsed.at)
      })
  })
}

/** One line for all problems, in the order of the file. */
const listed = (
  issues: ReturnType<typeof problems>["issues"],
  at: (path: ReadonlyArray<PropertyKey>) => Place
): string =>
  issues
    .map(({ message, path = [] }) => {
      const keys = path.map((part) => typeof part === "object" ? part.key : part)
      return { message, name: keys.map(String).join(".") || "document", place: at(keys) }
    })
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ message, name, place }) => `[${place.line}:${place.column}] ${name}: ${message}`)
    .join("; ")

const fromDocument = ({ hosts = {}, hostDefault, ...document }: typeof Document.Type): RegctlConfig => ({
  version: 0,
  blobLimit: 0,
  ...document,
  hosts: new Map(Object.entries(hosts).map(([name, entry]) => [hubKeys.has(name) ? "docker.io" : name, entry])),
  ...(hostDefault === undefined ? {} : { hostDefault })
})

/** The configuration as plain JSON data in the file's order, empty parts left out, on request without secrets. */
export const configDocument = (
  config: RegctlConfig,
  without: ReadonlySet<string> = new Set()
): Record<string, unknown> => {
  const hosts = [...config.hosts].sort(([a], [b]) => a < b ? -1 : 1)
  return {
    ...(config.version === 0 ? {} : { version: config.version }),
    ...(hosts.length === 0
      ? {}
      : { hosts: Object.fromEntries(hosts.map(([name, entry]) => [name, hostDocument(entry, without)])) }),
    ...(config.hostDefault === undefined ? {} : { hostDefault: hostDocument(config.hostDefault, without) }),
    ...(config.blobLimit === 0 ? {} : { blobLimit: config.blobLimit }),
    ...(config.incDockerCert === undefined ? {} : { incDockerCert: config.incDockerCert }),
    ...(config.incDockerCred === undefined ? {} : { incDockerCred: config.incDockerCred })
  }
}

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029"
}

/** The text of the file, with the escapes of the Go tool, so that both tools leave a file of the other unchanged. */
export const encodeRegctlConfig = (config: RegctlConfig): string =>
  JSON.stringify(configDocument(config), null, 2).replaceAll(/[<>&\u2028\u2029]/g, (it) => escapes[it] ?? it)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const documentKeys = Object.keys(Document.fields)

const tidyDocument = (value: unknown): unknown => {
  const document = tidy(value, documentKeys)
  if (!isRecord(document)) return document
  const { hostDefault, hosts, ...rest } = document
  return {
    ...rest,
    ...(isRecord(hosts)
      ? { hosts: Object.fromEntries(Object.entries(hosts).map(([name, it]) => [name, tidy(it ?? {}, hostKeys)])) }
      : hosts === undefined
      ? {}
      : { hosts }),
    ...(hostDefault === undefined ? {} : { hostDefault: tidy(hostDefault, hostKeys) })
  }
}

/** Known keys under their own names; `null` and empty texts left out. */
const tidy = (value: unknown, keys: ReadonlyArray<string>): unknown => {
  if (value === null) return {}
  if (!isRecord(value)) return value
  const known = new Map(keys.map((key) => [key.toLowerCase(), key]))
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, it]) => {
      const name = known.get(key.toLowerCase())
      return name === undefined || it === null || it === "" ? [] : [[name, it]]
    })
  )
}
