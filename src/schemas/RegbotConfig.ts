/** `regbot.yml` as data: creds, defaults and scripts (regbot description, section 3). */
import type { YamlNode } from "../lib/yaml.ts"
import { type Creds, readCreds } from "./Creds.ts"
import { readServer, type ServerSettings } from "./ServerSettings.ts"
import type { SettingsReader } from "./settings.ts"

export interface ScriptDefaults {
  /** Milliseconds; 0 for none. */
  readonly interval: number
  readonly schedule: string
  readonly timeout: number
  readonly parallel: number
  /** Bytes. */
  readonly blobLimit: number
  readonly skipDockerConfig: boolean
  readonly userAgent: string
  /** Ours: whether scripts are shut off from files, processes and the environment. */
  readonly sandbox: boolean
}

export interface ScriptEntry {
  /** For the log; may be empty, and others may have it too. */
  readonly name: string
  /** Source text, as it stands in the file. */
  readonly script: string
  /** Ours: where the source is instead, relative to the file's own folder; empty for nowhere. */
  readonly file: string
  /** Milliseconds; 0 for none. */
  readonly interval: number
  readonly schedule: string
  readonly timeout: number
  /** `undefined` where nothing is said. */
  readonly sandbox: boolean | undefined
  /** Where it stands in the file, and where the name of its own file does. */
  readonly line: number
  readonly column: number
  readonly fileAt: { readonly line: number; readonly column: number }
}

export interface RegbotConfig {
  readonly version: number
  readonly creds: ReadonlyArray<Creds>
  readonly defaults: ScriptDefaults
  readonly scripts: ReadonlyArray<ScriptEntry>
  /** Ours: settings of the daemon, absent in files of the Go tool. */
  readonly server: ServerSettings
}

/** Reads the whole file; problems are with the reader. */
export const readRegbotConfig = (reader: SettingsReader, node: YamlNode | undefined): RegbotConfig => {
  const { at, path } = reader.members(node, "", ["version", "creds", "defaults", "scripts", "server"])
  const version = reader.count(at("version"), path("version"))
  return {
    version: version === 0 ? 1 : version,
    creds: reader.list(at("creds"), path("creds"), readCreds(reader)) ?? [],
    defaults: readDefaults(reader, at("defaults"), path("defaults")),
    scripts: reader.list(at("scripts"), path("scripts"), (it, where) => readScript(reader, it, where)) ?? [],
    server: readServer(reader, at("server"), path("server"))
  }
}

const defaultKeys = [
  "interval",
  "schedule",
  "timeout",
  "parallel",
  "blobLimit",
  "skipDockerConfig",
  "userAgent",
  "sandbox"
]

const readDefaults = (reader: SettingsReader, node: YamlNode | undefined, where: string): ScriptDefaults => {
  const { at, path } = reader.members(node, where, defaultKeys)
  return {
    interval: reader.duration(at("interval"), path("interval")),
    schedule: reader.text(at("schedule"), path("schedule")),
    timeout: reader.duration(at("timeout"), path("timeout")),
    parallel: reader.integer(at("parallel"), path("parallel")),
    blobLimit: reader.count(at("blobLimit"), path("blobLimit")),
    skipDockerConfig: reader.boolean(at("skipDockerConfig"), path("skipDockerConfig")) ?? false,
    userAgent: reader.text(at("userAgent"), path("userAgent")),
    sandbox: reader.boolean(at("sandbox"), path("sandbox")) ?? false
  }
}

const scriptKeys = ["name", "script", "file", "interval", "schedule", "timeout", "sandbox"]

const readScript = (reader: SettingsReader, node: YamlNode, where: string): ScriptEntry => {
  const { at, path } = reader.members(node, where, scriptKeys)
  const script = reader.text(at("script"), path("script"))
  const file = reader.text(at("file"), path("file"))
  const fileAt = at("file") ?? node
  if (script !== "" && file !== "") {
    reader.refuse(fileAt, path("file"), "a script is given as text already, it is one of both")
  }
  return {
    name: reader.text(at("name"), path("name")),
    script,
    file,
    interval: reader.duration(at("interval"), path("interval")),
    // A schedule that is none is told of when its script is to be scheduled: the others go on (section 4.2).
    schedule: reader.text(at("schedule"), path("schedule")),
    timeout: reader.duration(at("timeout"), path("timeout")),
    sandbox: reader.boolean(at("sandbox"), path("sandbox")),
    line: node.line,
    column: node.column,
    fileAt: { line: fileAt.line, column: fileAt.column }
  }
}

/** The entry with what it leaves to the defaults (section 3). */
export const withScriptDefaults = (entry: ScriptEntry, defaults: ScriptDefaults): ScriptEntry => {
  const isTimed = entry.schedule !== "" || entry.interval !== 0
  return {
    ...entry,
    schedule: isTimed ? entry.schedule : defaults.schedule,
    interval: isTimed || defaults.schedule !== "" ? entry.interval : defaults.interval,
    timeout: entry.timeout === 0 ? defaults.timeout : entry.timeout,
    sandbox: entry.sandbox ?? defaults.sandbox
  }
}
