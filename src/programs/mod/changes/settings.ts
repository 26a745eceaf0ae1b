/** Options that change the settings of configurations: how the image runs, and what it says of itself. */
import { Effect, Equal } from "effect"
import { strictJson } from "../../../lib/strictJson.ts"
import type { ImageConfig } from "../../../schemas/ImageConfig.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import { platformOf } from "../../graph/select.ts"
import type { Change, Scoped } from "../draft.ts"
import { isInScope, scopedChange } from "../scope.ts"
import { nameAndValue } from "./annotations.ts"
import { withMember, withName } from "./members.ts"

type Settings = NonNullable<ImageConfig["config"]>

/** A change of the settings of the images meant; the document stays the same one when it says so already. */
const settingsChange = (change: (settings: Settings) => Settings, scope?: Scoped): Change => ({
  config: (document) => {
    if (!isInScope(scope, document)) return Effect.succeed(document)
    const settings = document.config ?? {}
    const changed = change(settings)
    return Effect.succeed(Equal.equals(changed, settings) ? document : { ...document, config: changed })
  }
})

/** `--env [P]name=value`: in its place, or behind the others; no value deletes. */
export const env = (text: string): Effect.Effect<Change> =>
  scopedChange("env", text, (rest, scope) => {
    const [name, value] = nameAndValue(rest)
    const isNamed = (entry: string) => entry === name || entry.startsWith(`${name}=`)
    return settingsChange((settings) => {
      const entries = settings.Env ?? []
      const at = entries.findIndex(isNamed)
      const Env = value === undefined
        ? entries.filter((it) => !isNamed(it))
        : at < 0
        ? [...entries, `${name}=${value}`]
        : entries.with(at, `${name}=${value}`)
      return at < 0 && value === undefined ? settings : { ...settings, Env }
    }, scope)
  })

/** `--label [P]name=value`; no value deletes. */
export const label = (text: string): Effect.Effect<Change> =>
  scopedChange("label", text, (rest, scope) => {
    const [name, value] = nameAndValue(rest)
    return settingsChange((settings) => {
      const known = settings.Labels ?? {}
      const Labels = withMember(known, name, value)
      return Labels === known ? settings : { ...settings, Labels }
    }, scope)
  })

const textSetting = (what: string, key: "User" | "WorkingDir") => (text: string): Effect.Effect<Change> =>
  scopedChange(
    what,
    text,
    (rest, scope) =>
      settingsChange((settings) => (settings[key] ?? "") === rest ? settings : { ...settings, [key]: rest }, scope)
  )

/** `--user [P]user[:group]`. */
export const user = textSetting("user", "User")
/** `--workdir [P]path`. */
export const workdir = textSetting("workdir", "WorkingDir")

const command = (key: "Cmd" | "Entrypoint") => (text: string): Change => {
  const words = commandWords(text)
  return settingsChange((settings) =>
    Equal.equals(settings[key] ?? [], words) ? settings : { ...settings, [key]: words }
  )
}

/** `--config-cmd`: a JSON array, or a line for the shell; an empty one deletes. */
export const configCmd = command("Cmd")
/** `--config-entrypoint`: the same. */
export const configEntrypoint = command("Entrypoint")

const commandWords = (text: string): ReadonlyArray<string> => {
  if (text === "") return []
  const json = strictJson(new TextEncoder().encode(text), { depth: 2, unique: new Set() })
  if ("value" in json && json.value === null) return []
  const isWords = "value" in json && Array.isArray(json.value) && json.value.every((it) => typeof it === "string")
  return isWords ? json.value : ["/bin/sh", "-c", text]
}

const nameSetting = (key: "ExposedPorts" | "Volumes", isThere: boolean) => (text: string): Change =>
  settingsChange((settings) => {
    const known = settings[key] ?? {}
    const names = withName(known, text, isThere)
    return names === known ? settings : { ...settings, [key]: names }
  })

export const exposeAdd = nameSetting("ExposedPorts", true)
export const exposeRemove = nameSetting("ExposedPorts", false)
export const volumeAdd = nameSetting("Volumes", true)
export const volumeRemove = nameSetting("Volumes", false)

/** `--author`: an empty one deletes. */
export const author = (text: string): Change => ({
  config: (document) => Effect.succeed((document.author ?? "") === text ? document : { ...document, author: text })
})

/** `--config-platform`: what every configuration says it runs on. */
export const configPlatform = (text: string): Effect.Effect<Change, UsageError> =>
  Effect.map(
    Effect.mapError(platformOf(text), ({ message }) => new UsageError({ message })),
    (platform): Change => ({
      config: (document) => {
        const { "os.features": _features, "os.version": _version, variant: _variant, ...rest } = document
        const changed = { ...rest, ...platform }
        return Effect.succeed(Equal.equals(changed, document) ? document : changed)
      }
    })
  )
