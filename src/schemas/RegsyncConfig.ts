/** `regsync.yml` as data: creds, defaults and entries (regsync description, sections 3 to 5). */
import { parseTimetable } from "../lib/timetable.ts"
import type { YamlNode } from "../lib/yaml.ts"
import { type Creds, readCreds } from "./Creds.ts"
import type { Annotations } from "./Descriptor.ts"
import { readNames, readTags } from "./filters.ts"
import { mediaTypes } from "./MediaType.ts"
import { readServer, type ServerSettings } from "./ServerSettings.ts"
import type { Members, SettingsReader } from "./settings.ts"

/** Which names of a list count; patterns are RE2, bound to both ends (section 9.4). */
export interface NameFilter {
  readonly allow: ReadonlyArray<string>
  readonly deny: ReadonlyArray<string>
}

export interface TagFilter extends NameFilter {
  readonly semverRange: ReadonlyArray<string>
}

export interface RateLimit {
  /** Pulls that must be left at the source; 0 for no matter how many. */
  readonly min: number
  /** Milliseconds between two looks, at least five minutes. */
  readonly retry: number
}

/** Read, handed down and shown, never run. */
export interface Hook {
  readonly type: string
  readonly params: ReadonlyArray<string>
}

export interface Hooks {
  readonly pre?: Hook
  readonly post?: Hook
  readonly unchanged?: Hook
}

export interface FilteredReferrers {
  readonly artifactType: string
  readonly annotations: Annotations
}

const switches = [
  "digestTags",
  "referrers",
  "referrerSlow",
  "fastCheck",
  "forceRecursive",
  "includeExternal"
] as const
export type Switch = typeof switches[number]

/** What an entry can say itself, or leave to the defaults. Absent is unset; texts and lists are unset when empty. */
interface Options {
  readonly backup: string
  /** Milliseconds; 0 for none. */
  readonly interval: number
  readonly schedule: string
  readonly ratelimit: RateLimit
  readonly switches: Readonly<Partial<Record<Switch, boolean>>>
  readonly referrerFilters: ReadonlyArray<FilteredReferrers> | undefined
  readonly referrerSource: string
  readonly referrerTarget: string
  readonly mediaTypes: ReadonlyArray<string>
  readonly hooks: Hooks
  /** Not to be had from the Go tool: whether a backup that fails stops the step; unset means that it does. */
  readonly backupRequired: boolean | undefined
}

export interface Defaults extends Options {
  readonly parallel: number
  /** Bytes. */
  readonly blobLimit: number
  readonly cacheCount: number
  /** Milliseconds. */
  readonly cacheTime: number
  readonly skipDockerConfig: boolean
  readonly userAgent: string
}

export interface SyncEntry extends Options {
  readonly source: string
  readonly target: string
  /** `registry`, `repository` or `image`. */
  readonly type: string
  readonly tags: TagFilter
  readonly tagSets: ReadonlyArray<TagFilter>
  readonly repos: NameFilter
  readonly platform: string
  readonly platforms: ReadonlyArray<string>
  /** Ours: what status pages and requests call it. */
  readonly name?: string
  /** Where it stands in the file. */
  readonly line: number
  readonly column: number
}

export interface RegsyncConfig {
  readonly version: number
  readonly creds: ReadonlyArray<Creds>
  readonly defaults: Defaults
  readonly sync: ReadonlyArray<SyncEntry>
  /** Ours: settings of the daemon, absent in files of the Go tool. */
  readonly server: ServerSettings
}

const entryTypes: ReadonlySet<string> = new Set(["registry", "repository", "image"])

const optionKeys = [
  "backup",
  "backupRequired",
  "interval",
  "schedule",
  "ratelimit",
  ...switches,
  "fastCopy",
  "referrerFilters",
  "referrerSource",
  "referrerTarget",
  "mediaTypes",
  "hooks"
]

/** What the upstream tool copies when nothing is said (section 4.4). */
const usualTypes = [
  mediaTypes.dockerManifest,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex
]

/** Milliseconds that lie between two looks at a pull limit at least. */
const leastRetry = 5 * 60_000

/** Reads the whole file; problems are with the reader. */
export const readRegsyncConfig = (reader: SettingsReader, node: YamlNode | undefined): RegsyncConfig => {
  const { at, path } = reader.members(node, "", ["version", "creds", "defaults", "sync", "server"])
  const version = reader.count(at("version"), path("version"))
  return {
    version: version === 0 ? 1 : version,
    creds: reader.list(at("creds"), path("creds"), readCreds(reader)) ?? [],
    defaults: readDefaults(reader, at("defaults"), path("defaults")),
    sync: reader.list(at("sync"), path("sync"), (it, where) => readEntry(reader, it, where)) ?? [],
    server: readServer(reader, at("server"), path("server"))
  }
}

const readDefaults = (reader: SettingsReader, node: YamlNode | undefined, where: string): Defaults => {
  const keys = ["parallel", "blobLimit", "cacheCount", "cacheTime", "skipDockerConfig", "userAgent"]
  const members = reader.members(node, where, [...optionKeys, ...keys])
  const { at, path } = members
  const options = readOptions(reader, members)
  return {
    ...options,
    ratelimit: { ...options.ratelimit, retry: Math.max(leastRetry, options.ratelimit.retry) },
    parallel: reader.integer(at("parallel"), path("parallel")),
    blobLimit: reader.count(at("blobLimit"), path("blobLimit")),
    cacheCount: reader.count(at("cacheCount"), path("cacheCount")),
    cacheTime: reader.duration(at("cacheTime"), path("cacheTime")),
    skipDockerConfig: reader.boolean(at("skipDockerConfig"), path("skipDockerConfig")) ?? false,
    userAgent: reader.text(at("userAgent"), path("userAgent"))
  }
}

const readEntry = (reader: SettingsReader, node: YamlNode, where: string): SyncEntry => {
  const keys = ["name", "source", "target", "type", "tags", "tagSets", "repos", "platform", "platforms"]
  const members = reader.members(node, where, [...optionKeys, ...keys])
  const { at, path } = members
  const text = (key: string) => reader.text(at(key), path(key))
  const name = text("name")
  const type = text("type")
  if (!entryTypes.has(type)) {
    reader.refuse(
      at("type") ?? node,
      path("type"),
      "Type not recognized, must be one of: registry, repository, or image: invalid input"
    )
  }
  return {
    ...readOptions(reader, members),
    ...(name === "" ? {} : { name }),
    source: text("source"),
    target: text("target"),
    type,
    tags: readTags(reader, at("tags"), path("tags")),
    tagSets: reader.list(at("tagSets"), path("tagSets"), (it, its) => readTags(reader, it, its)) ?? [],
    repos: readNames(reader, at("repos"), path("repos")),
    platform: text("platform"),
    platforms: reader.texts(at("platforms"), path("platforms")),
    line: node.line,
    column: node.column
  }
}

const readSchedule = (reader: SettingsReader, node: YamlNode | undefined, where: string): string => {
  const schedule = reader.text(node, where)
  if (schedule === "" || node === undefined) return schedule
  const found = parseTimetable(schedule)
  if ("problem" in found) reader.refuse(node, where, found.problem)
  return schedule
}

const readOptions = (reader: SettingsReader, { at, path }: Members): Options => {
  const text = (key: string) => reader.text(at(key), path(key))
  const limit = reader.members(at("ratelimit"), path("ratelimit"), ["min", "retry"])
  const set = switches.flatMap((key) => {
    // The documentation of the Go tool calls it otherwise than its code does.
    const name = key === "fastCheck" && !reader.isSaid(at(key)) ? "fastCopy" : key
    const value = reader.boolean(at(name), path(name))
    return value === undefined ? [] : [[key, value] as const]
  })
  return {
    backup: text("backup"),
    backupRequired: reader.boolean(at("backupRequired"), path("backupRequired")),
    interval: reader.duration(at("interval"), path("interval")),
    schedule: readSchedule(reader, at("schedule"), path("schedule")),
    ratelimit: {
      min: reader.count(limit.at("min"), limit.path("min")),
      retry: reader.duration(limit.at("retry"), limit.path("retry"))
    },
    switches: Object.fromEntries(set),
    referrerFilters: reader.list(at("referrerFilters"), path("referrerFilters"), (node, where) => {
      const filter = reader.members(node, where, ["artifactType", "annotations"])
      return {
        artifactType: reader.text(filter.at("artifactType"), filter.path("artifactType")),
        annotations: reader.textMap(filter.at("annotations"), filter.path("annotations"))
      }
    }),
    referrerSource: text("referrerSource"),
    referrerTarget: text("referrerTarget"),
    mediaTypes: reader.texts(at("mediaTypes"), path("mediaTypes")),
    hooks: readHooks(reader, at("hooks"), path("hooks"))
  }
}

const readHooks = (reader: SettingsReader, node: YamlNode | undefined, where: string): Hooks => {
  const names = ["pre", "post", "unchanged"] as const
  const { at, path } = reader.members(node, where, names)
  return Object.fromEntries(names.flatMap((name) => {
    if (!reader.isSaid(at(name))) return []
    const hook = reader.members(at(name), path(name), ["type", "params"])
    const type = reader.text(hook.at("type"), hook.path("type"))
    return [[name, { type, params: reader.texts(hook.at("params"), hook.path("params")) }]]
  }))
}

/** The entry with what it leaves to the defaults, every switch set (section 5). */
export const withDefaults = (entry: SyncEntry, defaults: Defaults): SyncEntry => {
  const isTimed = entry.schedule !== "" || entry.interval !== 0
  const { retry } = entry.ratelimit
  return {
    ...entry,
    backup: entry.backup || defaults.backup,
    backupRequired: entry.backupRequired ?? defaults.backupRequired,
    schedule: isTimed ? entry.schedule : defaults.schedule,
    interval: isTimed || defaults.schedule !== "" ? entry.interval : defaults.interval,
    ratelimit: {
      min: entry.ratelimit.min || defaults.ratelimit.min,
      retry: retry === 0 ? defaults.ratelimit.retry : Math.max(leastRetry, retry)
    },
    switches: Object.fromEntries(
      switches.map((key) => [key, entry.switches[key] ?? defaults.switches[key] ?? false])
    ),
    referrerFilters: entry.referrerFilters ?? defaults.referrerFilters,
    referrerSource: entry.referrerSource || defaults.referrerSource,
    referrerTarget: entry.referrerTarget || defaults.referrerTarget,
    mediaTypes: entry.mediaTypes.length > 0
      ? entry.mediaTypes
      : defaults.mediaTypes.length > 0
      ? defaults.mediaTypes
      : usualTypes,
    hooks: { ...defaults.hooks, ...entry.hooks }
  }
}
