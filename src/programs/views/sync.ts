/** An entry of regsync's file as its templates see it, under the names of the Go tool (regsync description, section 6). */
import { Nil, Pointer, Struct } from "../../lib/gotemplate/value.ts"
import { durationView } from "../../lib/goTimeView.ts"
import { jsonObject, marshal } from "../../lib/json.ts"
import type { Hook, Hooks, NameFilter, RateLimit, SyncEntry, TagFilter } from "../../schemas/RegsyncConfig.ts"

/** Fields in the order of Go, with the keys of the file for JSON. */
const structOf = (type: string, fields: ReadonlyArray<readonly [name: string, key: string, value: unknown]>): Struct =>
  new Struct(type, Object.fromEntries(fields.map(([name, , value]) => [name, value])), {
    json: () => jsonObject(fields.map(([, key, value]) => [key, marshal(value)]))
  })

const texts = (items: ReadonlyArray<string>): unknown => items.length === 0 ? new Nil("slice", "[]string") : items

const duration = (milliseconds: number): Struct => durationView(BigInt(Math.round(milliseconds * 1e6)))

const namesView = ({ allow, deny }: NameFilter): Struct =>
  structOf("main.RepoAllowDeny", [["Allow", "allow", texts(allow)], ["Deny", "deny", texts(deny)]])

const tagsView = ({ allow, deny, semverRange }: TagFilter): Struct => {
  const fields = { Allow: texts(allow), Deny: texts(deny), SemverRange: texts(semverRange) }
  return new Struct("main.TagAllowDeny", fields, {
    json: () =>
      jsonObject([
        ["allow", marshal(fields.Allow)],
        ["deny", marshal(fields.Deny)],
        ...(semverRange.length === 0 ? [] : [["semverRange", marshal(fields.SemverRange)] as const])
      ])
  })
}

const limitView = ({ min, retry }: RateLimit): Struct =>
  structOf("main.ConfigRateLimit", [["Min", "min", min], ["Retry", "retry", duration(retry)]])

const hookView = (hook: Hook | undefined): unknown => {
  if (hook === undefined) return new Nil("pointer", "*main.ConfigHook")
  const fields = { Type: hook.type, Params: texts(hook.params) }
  return new Struct("main.ConfigHook", fields, {
    isPointer: true,
    json: () => jsonObject([["type", marshal(fields.Type)], ["params", marshal(fields.Params)]])
  })
}

const hooksView = ({ post, pre, unchanged }: Hooks): Struct =>
  structOf("main.ConfigHooks", [
    ["Pre", "pre", hookView(pre)],
    ["Post", "post", hookView(post)],
    ["Unchanged", "unchanged", hookView(unchanged)]
  ])

const list = (type: string, items: ReadonlyArray<Struct>): unknown =>
  items.length === 0 ? new Nil("slice", `[]${type}`) : items

/** An entry as it stands: what is not expanded yet shows its template. */
export const syncView = (entry: SyncEntry): Struct => {
  const on = (key: keyof SyncEntry["switches"]) => new Pointer(entry.switches[key] ?? false)
  const filters = (entry.referrerFilters ?? []).map(({ annotations, artifactType }) =>
    structOf("main.ConfigReferrerFilter", [
      ["ArtifactType", "artifactType", artifactType],
      ["Annotations", "annotations", new Map(Object.entries(annotations).sort(([a], [b]) => a < b ? -1 : 1))]
    ])
  )
  return structOf("main.ConfigSync", [
    ["Source", "source", entry.source],
    ["Target", "target", entry.target],
    ["Type", "type", entry.type],
    ["Tags", "tags", tagsView(entry.tags)],
    ["TagSets", "tagSets", list("main.TagAllowDeny", entry.tagSets.map(tagsView))],
    ["Repos", "repos", namesView(entry.repos)],
    ["DigestTags", "digestTags", on("digestTags")],
    ["Referrers", "referrers", on("referrers")],
    ["ReferrerFilters", "referrerFilters", list("main.ConfigReferrerFilter", filters)],
    ["ReferrerSrc", "referrerSource", entry.referrerSource],
    ["ReferrerTgt", "referrerTarget", entry.referrerTarget],
    ["ReferrerSlow", "referrerSlow", on("referrerSlow")],
    ["Platform", "platform", entry.platform],
    ["Platforms", "platforms", texts(entry.platforms)],
    ["FastCheck", "fastCheck", on("fastCheck")],
    ["ForceRecursive", "forceRecursive", on("forceRecursive")],
    ["IncludeExternal", "includeExternal", on("includeExternal")],
    ["Backup", "backup", entry.backup],
    ["Interval", "interval", duration(entry.interval)],
    ["Schedule", "schedule", entry.schedule],
    ["RateLimit", "ratelimit", limitView(entry.ratelimit)],
    ["MediaTypes", "mediaTypes", texts(entry.mediaTypes)],
    ["Hooks", "hooks", hooksView(entry.hooks)]
  ])
}

/** What the templates of an entry are expanded with. */
export const entryView = (entry: SyncEntry): Struct =>
  new Struct("struct { Sync main.ConfigSync }", { Sync: syncView(entry) })
