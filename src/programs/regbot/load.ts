/** regbot's file made ready to run: read, checked as a whole, scripts fetched from their files (regbot description, 3). */
import { Effect, Path } from "effect"
import { noValue } from "../../lib/gotemplate/value.ts"
import { visible } from "../../lib/visibleText.ts"
import {
  readRegbotConfig,
  type RegbotConfig,
  type ScriptEntry,
  withScriptDefaults
} from "../../schemas/RegbotConfig.ts"
import { SettingsReader } from "../../schemas/settings.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { ClientSettings } from "../../services/Clients.ts"
import {
  expandAt,
  expandCreds,
  hostsOf,
  readBounded,
  readSettings,
  type SettingsFile,
  settle,
  supported
} from "../settingsFile.ts"

/** A script ready to run. */
export interface ScriptJob {
  /** A name of its own among all, by which status pages and requests call it. */
  readonly name: string
  /** With defaults applied. */
  readonly entry: ScriptEntry
  readonly source: Uint8Array
}

export interface Loaded {
  readonly config: RegbotConfig
  /** In the order of the file. */
  readonly jobs: ReadonlyArray<ScriptJob>
  readonly client: ClientSettings
  /** Copies at once; scripts run at once when it is above 0. */
  readonly parallel: number
}

export interface LoadOptions {
  readonly strict: boolean
  /** All scripts are shut off, whatever the file says. */
  readonly sandbox: boolean
}

/**
 * Loads a file, or standard input for `-`. Nothing of it runs before all of it is sound, Lua aside, which is read when
 * a script runs: fails with `ConfigError`, which lists every problem, `TemplateError`, or `UsageError` for an empty name.
 */
export const load = Effect.fn("regbot.load")(function*(file: string, { sandbox, strict }: LoadOptions) {
  if (file === "") return yield* new UsageError({ message: "required input missing" })
  const source = yield* readSettings(file)
  const { config: read, sources } = yield* readWhole(source, file, strict)
  const creds = yield* Effect.forEach(read.creds, (it, at) => expandCreds(source, it, `creds[${at}]`))
  const token = yield* expandAt(source, { line: 1, column: 1 }, "server.token", read.server.token, noValue)
  const scripts = read.scripts.map((it) => withScriptDefaults(sandbox ? { ...it, sandbox } : it, read.defaults))
  const config: RegbotConfig = { ...read, creds, scripts, server: { ...read.server, token } }
  const { blobLimit, parallel, skipDockerConfig, userAgent } = config.defaults
  const client: ClientSettings = {
    source: source.name,
    hosts: yield* hostsOf(source, creds),
    skipDocker: skipDockerConfig,
    blobLimit,
    userAgent
  }
  return { config, jobs: jobsOf(scripts, sources), client, parallel } satisfies Loaded
})

const readWhole = Effect.fnUntraced(function*(source: SettingsFile, file: string, strict: boolean) {
  const reader = new SettingsReader()
  const config = readRegbotConfig(reader, source.node)
  yield* supported(source, config.version)
  const path = yield* Path.Path
  const folder = file === "-" ? "." : path.dirname(file)
  const sources = yield* Effect.forEach(
    config.scripts,
    (it, at) =>
      Effect.catch(sourceOf(it, folder), ({ message }) => {
        reader.refuse(it.fileAt, `scripts[${at}].file`, visible(message))
        return Effect.succeed(new Uint8Array())
      })
  )
  yield* settle(source, reader, strict)
  return { config, sources }
})

/** The bytes of the script, wherever they are. */
const sourceOf = Effect.fnUntraced(function*({ file, script }: ScriptEntry, folder: string) {
  if (file === "" || script !== "") return new TextEncoder().encode(script)
  const path = yield* Path.Path
  return yield* readBounded(path.resolve(folder, file))
})

/** A script's own name, or its place among the others; the second of a name is numbered. */
const jobsOf = (
  scripts: ReadonlyArray<ScriptEntry>,
  sources: ReadonlyArray<Uint8Array>
): ReadonlyArray<ScriptJob> => {
  const names = new Set<string>()
  return scripts.map((entry, at) => {
    const base = entry.name === "" ? `script ${at + 1}` : entry.name
    let name = base
    for (let count = 2; names.has(name); count++) name = `${base} (${count})`
    names.add(name)
    return { name, entry, source: sources[at] ?? new Uint8Array() }
  })
}

/** The text of an error where there is more than one script: each names its place as one of `<string>`. */
export const named = ({ name }: ScriptJob, message: string): string => `${name}: ${message}`
