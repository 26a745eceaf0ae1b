/** regsync's configuration as YAML, with every key of the Go tool in its order (regsync description, section 7). */
import { Redacted } from "effect"
import { formatGoDuration } from "../../lib/goDuration.ts"
import { Plain, type Printable } from "../../lib/goYaml.ts"
import type { Creds } from "../../schemas/Creds.ts"
import type { Defaults, Hook, RegsyncConfig, Switch, SyncEntry, TagFilter } from "../../schemas/RegsyncConfig.ts"

type Entries = ReadonlyArray<readonly [key: string, value: Printable | undefined]>
type Options = Omit<Defaults, "parallel" | "blobLimit" | "cacheCount" | "cacheTime" | "skipDockerConfig" | "userAgent">

/** Without the keys that have no value: those of ours that are not set. */
const map = (entries: Entries): ReadonlyMap<string, Printable> =>
  new Map(entries.flatMap(([key, value]) => value === undefined ? [] : [[key, value] as const]))

const sorted = (texts: Readonly<Record<string, string>>): ReadonlyMap<string, Printable> =>
  new Map(Object.entries(texts).sort(([a], [b]) => a < b ? -1 : 1))

const duration = (milliseconds: number): Printable => new Plain(formatGoDuration(milliseconds))

/** As Go prints it: with a point, or an exponent of two digits. */
const decimal = (value: number): string => {
  const text = String(value).replace(/e([-+])(\d)$/, "e$10$2")
  return /[.e]/.test(text) ? text : `${text}.0`
}

const some = <A>(items: ReadonlyArray<A>, shown: (items: ReadonlyArray<A>) => Printable): Printable | undefined =>
  items.length === 0 ? undefined : shown(items)

/** The text of the document is made of this; with `isRedacted` secrets are censored. */
export const documentOf = (config: RegsyncConfig, isRedacted: boolean): ReadonlyMap<string, Printable> => {
  const { creds, defaults, server, sync, version } = config
  const secret = (value: string) => isRedacted && value !== "" ? "[censored]" : value
  return map([
    ["version", version],
    ["creds", creds.map((it) => credsOf(it, secret))],
    ["defaults", defaultsOf(defaults)],
    ["sync", sync.map(entryOf)],
    [
      "server",
      server.listen === "" && server.token === ""
        ? undefined
        : map([["listen", server.listen], ["token", secret(server.token)]])
    ]
  ])
}

const credsOf = ({ entry, registry }: Creds, secret: (value: string) => string): Printable => {
  const bare = (value: Redacted.Redacted<string> | undefined) =>
    value === undefined ? "" : secret(Redacted.value(value))
  const rate = entry.reqPerSec ?? 0
  return map([
    ["registry", registry === "" ? undefined : registry],
    ["tls", entry.tls ?? ""],
    ["regcert", entry.regcert ?? ""],
    ["clientCert", entry.clientCert ?? ""],
    ["clientKey", bare(entry.clientKey)],
    ["hostname", entry.hostname ?? ""],
    ["user", entry.user ?? ""],
    ["pass", bare(entry.pass)],
    ["token", bare(entry.token)],
    ["credHelper", entry.credHelper ?? ""],
    ["credExpire", Math.round((entry.credExpire ?? 0) * 1e6)],
    ["credHost", entry.credHost ?? ""],
    ["pathPrefix", entry.pathPrefix ?? ""],
    ["mirrors", entry.mirrors ?? []],
    ["priority", entry.priority ?? 0],
    ["repoAuth", entry.repoAuth ?? false],
    ["api", entry.api ?? ""],
    ["apiOpts", sorted(entry.apiOpts ?? {})],
    ["blobChunk", entry.blobChunk ?? 0],
    ["blobMax", entry.blobMax ?? 0],
    ["reqPerSec", new Plain(decimal(rate))],
    ["reqConcurrent", entry.reqConcurrent ?? 0],
    ["scheme", entry.scheme ?? ""],
    ["trustedRealms", some(entry.trustedRealms ?? [], (it) => it)],
    ["timeouts", some(Object.entries(entry.timeouts ?? {}), (its) => map(its.map(([key, it]) => [key, duration(it)])))]
  ])
}

const switchOf = ({ switches }: Options) => (key: Switch) => [key, switches[key] ?? null] as const

const limitOf = ({ ratelimit: { min, retry } }: Options): Printable => map([["min", min], ["retry", duration(retry)]])

const filtersOf = ({ referrerFilters = [] }: Options): Printable =>
  referrerFilters.map(({ annotations, artifactType }) =>
    map([["artifactType", artifactType], ["annotations", sorted(annotations)]])
  )

const hookOf = (hook: Hook | undefined): Printable =>
  hook === undefined ? null : map([["type", hook.type], ["params", hook.params]])

const hooksOf = ({ hooks: { post, pre, unchanged } }: Options): Printable =>
  map([["pre", hookOf(pre)], ["post", hookOf(post)], ["unchanged", hookOf(unchanged)]])

const defaultsOf = (defaults: Defaults): Printable => {
  const on = switchOf(defaults)
  return map([
    ["backup", defaults.backup],
    ["backupRequired", defaults.backupRequired],
    ["interval", duration(defaults.interval)],
    ["schedule", defaults.schedule],
    ["ratelimit", limitOf(defaults)],
    ["parallel", defaults.parallel],
    on("digestTags"),
    on("referrers"),
    ["referrerFilters", filtersOf(defaults)],
    ["referrerSource", defaults.referrerSource],
    ["referrerTarget", defaults.referrerTarget],
    on("referrerSlow"),
    on("fastCheck"),
    on("forceRecursive"),
    on("includeExternal"),
    ["mediaTypes", defaults.mediaTypes],
    ["hooks", hooksOf(defaults)],
    ["blobLimit", defaults.blobLimit],
    ["cacheCount", defaults.cacheCount],
    ["cacheTime", duration(defaults.cacheTime)],
    ["skipDockerConfig", defaults.skipDockerConfig],
    ["userAgent", defaults.userAgent]
  ])
}

const tagsOf = ({ allow, deny, semverRange }: TagFilter): Printable =>
  map([["allow", allow], ["deny", deny], ["semverRange", some(semverRange, (it) => it)]])

const entryOf = (entry: SyncEntry): Printable => {
  const on = switchOf(entry)
  return map([
    ["name", entry.name],
    ["source", entry.source],
    ["target", entry.target],
    ["type", entry.type],
    ["tags", tagsOf(entry.tags)],
    ["tagSets", entry.tagSets.map(tagsOf)],
    ["repos", map([["allow", entry.repos.allow], ["deny", entry.repos.deny]])],
    on("digestTags"),
    on("referrers"),
    ["referrerFilters", filtersOf(entry)],
    ["referrerSource", entry.referrerSource],
    ["referrerTarget", entry.referrerTarget],
    on("referrerSlow"),
    ["platform", entry.platform],
    ["platforms", entry.platforms],
    on("fastCheck"),
    on("forceRecursive"),
    on("includeExternal"),
    ["backup", entry.backup],
    ["backupRequired", entry.backupRequired],
    ["interval", duration(entry.interval)],
    ["schedule", entry.schedule],
    ["ratelimit", limitOf(entry)],
    ["mediaTypes", entry.mediaTypes],
    ["hooks", hooksOf(entry)]
  ])
}
