/**
 * What one source of configuration says of a registry: a partial `Host` with a login, and how several are merged
 * (library description, sections 4.2 to 4.5).
 */
import { Effect, Redacted, Schema, SchemaIssue, SchemaTransformation } from "effect"
import { formatGoDuration, parseGoDuration } from "../lib/goDuration.ts"
import { defaultHost, type Host, type Tls } from "./Host.ts"

/** The mode in any case; `undefined` for another word. */
export const parseTls = (text: string): Tls | undefined => {
  const lower = text.toLowerCase()
  return lower === "enabled" || lower === "insecure" || lower === "disabled" ? lower : undefined
}

const refused = (message: string) => Effect.fail(new SchemaIssue.InvalidValue({ message }))

const TlsMode = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Literals(["enabled", "insecure", "disabled"]),
    SchemaTransformation.transformEffect({
      decode: (text: string) => {
        const mode = parseTls(text)
        return mode === undefined ? refused(`unknown TLS value ${JSON.stringify(text)}`) : Effect.succeed(mode)
      },
      encode: (mode) => Effect.succeed(mode)
    })
  )
)

/** A text such as `1h0m0s`, or nanoseconds; milliseconds inside. */
const Expiry = Schema.Union([Schema.String, Schema.Number]).pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transformEffect({
      decode: (given: string | number) => {
        // Nanoseconds are Go's whole numbers of 64 bits; what is beyond could not be written again.
        const isBeyond = typeof given === "number" && !(Math.abs(given) < 2 ** 63)
        const found = isBeyond ? undefined : typeof given === "number" ? given / 1e6 : parseGoDuration(given)
        return found === undefined || found < 0 ? refused("expected a duration such as 1h0m0s") : Effect.succeed(found)
      },
      encode: (milliseconds) => Effect.succeed(formatGoDuration(milliseconds))
    })
  )
)

const text = Schema.optionalKey(Schema.String)
const span = Schema.optionalKey(Expiry)
const secret = Schema.optionalKey(Schema.RedactedFromValue(Schema.String))
const count = Schema.optionalKey(
  Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0, { message: "expected a number of at least 0" })))
)

/** The keys of a host in a configuration file, in the order in which they are written. */
export const HostEntry = Schema.Struct({
  tls: Schema.optionalKey(TlsMode),
  regcert: text,
  clientCert: text,
  clientKey: secret,
  hostname: text,
  user: text,
  pass: secret,
  token: secret,
  credHelper: text,
  credExpire: Schema.optionalKey(Expiry),
  credHost: text,
  pathPrefix: text,
  mirrors: Schema.optionalKey(Schema.Array(Schema.String)),
  priority: count,
  repoAuth: Schema.optionalKey(Schema.Boolean),
  api: text,
  apiOpts: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  blobChunk: count,
  blobMax: Schema.optionalKey(
    Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(-1, { message: "expected a number of at least -1" })))
  ),
  reqPerSec: Schema.optionalKey(
    Schema.Finite.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0, { message: "expected a number of at least 0" })))
  ),
  reqConcurrent: count,
  scheme: text,
  trustedRealms: Schema.optionalKey(Schema.Array(Schema.String)),
  timeouts: Schema.optionalKey(Schema.Struct({ connect: span, headers: span, commit: span, stall: span }))
})
export type HostEntry = typeof HostEntry.Type

/** The names of all keys, in order. */
export const hostKeys: ReadonlyArray<string> = Object.keys(HostEntry.fields)

/** The keys whose values are shown to nobody. */
export const secretKeys: ReadonlySet<string> = new Set(["pass", "token", "clientKey"])

/** Nothing is said: absent, empty, zero or off. */
const isNothing = (value: unknown): boolean =>
  value === undefined || value === "" || value === 0 || value === false ||
  (Redacted.isRedacted(value) ? Redacted.value(value) === "" : typeof value === "object" && value !== null &&
    Object.keys(value).length === 0)

/** The entry without what says nothing. */
export const compact = (entry: HostEntry): HostEntry =>
  Object.fromEntries(Object.entries(entry).filter(([, value]) => !isNothing(value)))

const encode = Schema.encodeSync(HostEntry)

/** The entry as plain JSON data in the order of its keys, empty ones left out, on request without secrets. */
export const hostDocument = (entry: HostEntry, without: ReadonlySet<string> = new Set()): Record<string, unknown> => {
  const plain: Readonly<Record<string, unknown>> = encode(entry)
  return Object.fromEntries(
    hostKeys
      .filter((key) => !without.has(key) && !isNothing(plain[key]))
      .map((key) => [key, key === "apiOpts" ? sorted(plain[key]) : plain[key]])
  )
}

const sorted = (options: unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(Object(options)).sort(([a], [b]) => a < b ? -1 : 1))

/** The name a registry is configured under, and what its long form says of it. */
export interface Named {
  readonly name: string
  readonly entry: HostEntry
}

/** Docker Hub's key in docker's configuration; the only one with a path. */
const hubKey = "https://index.docker.io/v1/"

/** Reads `host[:port]`, optionally with a scheme and a last slash; `undefined` for anything with a path (section 4.3). */
export const namedHost = (given: string): Named | undefined => {
  if (given === hubKey) return { name: "docker.io", entry: {} }
  const parts = /^(?:(https?):\/\/)?([A-Za-z0-9._:[\]-]+)\/?$/.exec(given)
  if (parts === null) return undefined
  const { name } = defaultHost(parts[2] ?? "")
  if (name === "docker.io") return { name, entry: {} }
  return {
    name,
    entry: {
      ...(parts[1] === "http" ? { tls: "disabled" as const } : {}),
      ...(given === name ? {} : { credHost: given })
    }
  }
}

/** What `registry set` writes for a registry that has no entry yet. */
export const expandedEntry = ({ entry, name }: Named): HostEntry => {
  const { credHost, hostname } = defaultHost(name)
  return { tls: "enabled", hostname, ...(credHost === name ? {} : { credHost }), reqConcurrent: 3, ...entry }
}

/** Says no more of the host than is true of any. */
export const isDefaultEntry = (name: string, entry: HostEntry): boolean => {
  const { hostname, reqConcurrent, tls, ...rest } = compact(entry)
  const usual = expandedEntry({ name, entry: {} })
  return (tls ?? "enabled") === "enabled" && (reqConcurrent ?? 3) === 3 &&
    (hostname === undefined || hostname === name || hostname === usual.hostname) &&
    Object.keys(rest).every((key) => key === "credHost" && rest.credHost === usual.credHost)
}

/** A setting that had another value before: what to tell the user, secrets left out. */
export interface Change {
  readonly message: string
  readonly orig?: string
  readonly new?: string
}

/** How a setting is called when a later source changes it; others change silently or merge. */
const labels: ReadonlyArray<readonly [keyof HostEntry, string]> = [
  ["user", "login user"],
  ["pass", "login password"],
  ["token", "login token"],
  ["credHelper", "credential helper"],
  ["credExpire", "credential expiration"],
  ["credHost", "credential host"],
  ["tls", "TLS settings"],
  ["regcert", "certificate"],
  ["clientCert", "client certificate"],
  ["clientKey", "client key"],
  ["hostname", "hostname"],
  ["pathPrefix", "path prefix"],
  ["mirrors", "mirrors"],
  ["priority", "priority"],
  ["blobChunk", "blob chunk size"],
  ["blobMax", "blob max size"],
  ["reqPerSec", "requests per second"],
  ["reqConcurrent", "concurrent requests"],
  ["trustedRealms", "trusted realms"]
]

/** Values of these are long or secret; a change names the setting alone. */
const unshown: ReadonlySet<string> = new Set([...secretKeys, "regcert", "clientCert"])

const shown = (value: unknown): string => Array.isArray(value) ? `[${value.join(" ")}]` : String(value)

const bare = (value: unknown): string => Redacted.isRedacted(value) ? String(Redacted.value(value)) : shown(value)

/** Merges what a later source says over an earlier one (section 4.5). */
export const mergeEntry = (
  earlier: HostEntry,
  later: HostEntry
): { readonly entry: HostEntry; readonly changes: ReadonlyArray<Change> } => {
  const old = trimmed(compact(earlier))
  const given = trimmed(compact(later))
  const changes = labels.flatMap(([key, label]): ReadonlyArray<Change> => {
    const [before, after] = [old[key], given[key]]
    if (before === undefined || after === undefined || bare(before) === bare(after)) return []
    const message = `Changing ${label} for registry`
    return [unshown.has(key) ? { message } : { message, orig: shown(before), new: shown(after) }]
  })
  const hasLogin = given.user !== undefined || given.pass !== undefined || given.token !== undefined
  const dropped: ReadonlySet<string> = given.credHelper === undefined
    ? new Set(given.pass !== undefined || old.token !== undefined ? ["credHelper"] : [])
    : new Set(hasLogin ? [] : ["user", "pass", "token"])
  const kept = Object.fromEntries(Object.entries(old).filter(([key]) => !dropped.has(key)))
  const apiOpts = { ...old.apiOpts, ...given.apiOpts }
  const timeouts = { ...old.timeouts, ...given.timeouts }
  return { entry: compact({ ...kept, ...given, apiOpts, timeouts }), changes }
}

const trimmed = (entry: HostEntry): HostEntry =>
  entry.pathPrefix === undefined ? entry : { ...entry, pathPrefix: entry.pathPrefix.replaceAll(/^\/+|\/+$/g, "") }

/** The default that every written entry names: nobody's wish, so that the limiter's own numbers hold. */
const writtenConcurrent = 3

/** The settings of a registry with defaults for all that the entry does not say. */
export const toHost = (name: string, given: HostEntry, isConfigured: boolean): Host => {
  const usual = defaultHost(name)
  const entry = trimmed(compact(given))
  const hostname = entry.hostname ?? usual.hostname
  return {
    ...usual,
    hostname,
    tls: entry.tls ?? usual.tls,
    certificates: entry.regcert === undefined ? [] : [entry.regcert],
    ...(entry.clientCert === undefined ? {} : { clientCert: entry.clientCert }),
    ...(entry.clientKey === undefined ? {} : { clientKey: Redacted.value(entry.clientKey) }),
    pathPrefix: entry.pathPrefix ?? "",
    mirrors: (entry.mirrors ?? []).filter((mirror) => mirror !== ""),
    priority: entry.priority ?? 0,
    repoAuth: entry.repoAuth ?? false,
    apiOpts: entry.apiOpts ?? {},
    blobChunk: entry.blobChunk ?? usual.blobChunk,
    blobMax: entry.blobMax ?? usual.blobMax,
    reqPerSec: entry.reqPerSec ?? 0,
    ...(entry.reqConcurrent === undefined || entry.reqConcurrent === writtenConcurrent
      ? {}
      : { reqConcurrent: entry.reqConcurrent }),
    credHost: entry.credHost ?? (usual.credHost === usual.name ? hostname : usual.credHost),
    ...(entry.credHelper === undefined ? {} : { credHelper: entry.credHelper }),
    credExpire: entry.credExpire ?? usual.credExpire,
    trustedRealms: [...usual.trustedRealms, ...(entry.trustedRealms ?? [])],
    timeouts: { ...usual.timeouts, ...entry.timeouts },
    isConfigured
  }
}
