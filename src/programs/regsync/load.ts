/** regsync's file made ready to run: read, checked as a whole, defaults and templates applied (regsync description, 3 to 8). */
import { Effect, Result } from "effect"
import { noValue } from "../../lib/gotemplate/value.ts"
import { commonName, parseRef } from "../../schemas/Ref.ts"
import { readRegsyncConfig, type RegsyncConfig, type SyncEntry, withDefaults } from "../../schemas/RegsyncConfig.ts"
import { SettingsReader } from "../../schemas/settings.ts"
import type { Job } from "../../schemas/Sync.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { ClientSettings } from "../../services/Clients.ts"
import {
  expandAt,
  expandCreds,
  hostsOf,
  readSettings,
  type SettingsFile,
  settle,
  supported,
  warnEach
} from "../settingsFile.ts"
import { entryView } from "../views/sync.ts"

export interface Loaded {
  /** With defaults and templates applied; backup templates are left for each image. */
  readonly config: RegsyncConfig
  /** The entries in the order of the file, each under a name of its own. */
  readonly jobs: ReadonlyArray<Job>
  readonly client: ClientSettings
  /** Images at once; 0 or less for one after the other. */
  readonly parallel: number
}

/**
 * Loads a file, or standard input for `-`. Nothing of it runs before all of it is sound: fails with `ConfigError`, which
 * lists every problem, `TemplateError`, or `UsageError` for an empty name.
 */
export const load = Effect.fn("regsync.load")(function*(file: string, { strict }: { readonly strict: boolean }) {
  if (file === "") return yield* new UsageError({ message: "required input missing" })
  const source = yield* readSettings(file)
  const read = yield* readWhole(source, strict)
  const creds = yield* Effect.forEach(read.creds, (it, at) => expandCreds(source, it, `creds[${at}]`))
  const sync = yield* Effect.forEach(
    read.sync,
    (it, at) => expandEntry(source, withDefaults(it, read.defaults), `sync[${at}]`)
  )
  const token = yield* expandAt(source, { line: 1, column: 1 }, "server.token", read.server.token, noValue)
  const config: RegsyncConfig = { ...read, creds, sync, server: { ...read.server, token } }
  yield* warnOfHooks(source, config)
  yield* warnEach(sharedTargets(source, sync))
  const { blobLimit, cacheCount, cacheTime, parallel, skipDockerConfig, userAgent } = config.defaults
  const client: ClientSettings = {
    source: source.name,
    hosts: yield* hostsOf(source, creds),
    skipDocker: skipDockerConfig,
    ...(cacheCount > 0 && cacheTime > 0 ? { cache: { count: cacheCount, time: cacheTime } } : {}),
    blobLimit,
    userAgent
  }
  return { config, jobs: jobsOf(sync), client, parallel } satisfies Loaded
})

const readWhole = Effect.fnUntraced(function*(source: SettingsFile, strict: boolean) {
  const reader = new SettingsReader()
  const config = readRegsyncConfig(reader, source.node)
  yield* supported(source, config.version)
  const names = new Set<string>()
  for (const [at, { column, line, name }] of config.sync.entries()) {
    if (name !== undefined && names.has(name)) {
      reader.refuse({ line, column }, `sync[${at}].name`, `another entry is named ${JSON.stringify(name)} already`)
    }
    if (name !== undefined) names.add(name)
  }
  yield* settle(source, reader, strict)
  return config
})

/** Each field sees those before it expanded (section 6). */
const expandEntry = Effect.fnUntraced(function*(source: SettingsFile, given: SyncEntry, path: string) {
  const expand = (key: typeof expanded[number]) => (entry: SyncEntry) => {
    const text = entry[key]
    if (!text.includes("{{")) return Effect.succeed(entry)
    const found = expandAt(source, entry, `${path}.${key}`, text, entryView(entry))
    return Effect.map(found, (it): SyncEntry => ({ ...entry, [key]: it }))
  }
  const [first, second, third, fourth] = expanded
  return yield* expand(first)(given).pipe(
    Effect.flatMap(expand(second)),
    Effect.flatMap(expand(third)),
    Effect.flatMap(expand(fourth))
  )
})

const expanded = ["source", "referrerSource", "target", "referrerTarget"] as const

const warnOfHooks = ({ name }: SettingsFile, { defaults, sync }: RegsyncConfig): Effect.Effect<void> => {
  const isHooked = [defaults, ...sync].some(({ hooks }) => Object.keys(hooks).length > 0)
  const warning = Effect.annotateLogs(Effect.logWarning("Hooks are configured, but never run"), { file: name })
  return isHooked ? warning : Effect.void
}

/** Entries that write to one place: whose content stays there depends on their order (faults K05). */
const sharedTargets = ({ name }: SettingsFile, sync: ReadonlyArray<SyncEntry>) => {
  const lines = new Map<string, Array<number>>()
  for (const { line, target, type } of sync) {
    if (target === "") continue
    const place = `${type} ${
      type === "image" ? Result.match(parseRef(target), { onSuccess: commonName, onFailure: () => target }) : target
    }`
    const found = lines.get(place)
    if (found === undefined) lines.set(place, [line])
    else found.push(line)
  }
  return [...lines].filter(([, its]) => its.length > 1).map(([place, its]) =>
    [
      "Several entries have one target",
      { file: name, target: place.slice(place.indexOf(" ") + 1), lines: its.slice(0, 10).join(",") }
    ] as const
  )
}

/** An entry's own name, or its source and target; the second of a name is numbered. */
const jobsOf = (sync: ReadonlyArray<SyncEntry>): ReadonlyArray<Job> => {
  const names = new Set(sync.flatMap(({ name }) => name === undefined ? [] : [name]))
  return sync.map((entry) => {
    if (entry.name !== undefined) return { name: entry.name, entry }
    const base = `${entry.source} -> ${entry.target}`
    let name = base
    for (let count = 2; names.has(name); count++) name = `${base} (${count})`
    names.add(name)
    return { name, entry }
  })
}
