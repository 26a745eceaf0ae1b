/** Platform prefixes such as `[linux/amd64,linux/arm64]`: which images an option means. */
import { Effect } from "effect"
import type { Platform } from "../../schemas/Descriptor.ts"
import { configPlatform, type ImageConfig } from "../../schemas/ImageConfig.ts"
import { isPlatformMatch } from "../../schemas/Platform.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { platformOf } from "../graph/select.ts"
import type { Change, Scoped } from "./draft.ts"

/** Splits a prefix off a text. `[*]`, also among platforms, means everything. A bracket left open is text. */
const splitScope = (text: string): readonly [platforms: ReadonlyArray<string> | undefined, rest: string] => {
  const parts = /^\[([^\]]*)\](.*)$/s.exec(text)
  return parts === null ? [undefined, text] : [(parts[1] ?? "").split(",").map((it) => it.trim()), parts[2] ?? ""]
}

/**
 * A change from a value that may have a prefix. A platform that cannot be read fails when the change is prepared, as
 * `failed to mod <what>: …` (regctl description, 4.6).
 */
export const scopedChange = (
  what: string,
  text: string,
  make: (rest: string, scope: Scoped) => Change
): Effect.Effect<Change> => {
  const [platforms, rest] = splitScope(text)
  if (platforms === undefined) return Effect.succeed(make(rest, undefined))
  if (platforms.includes("*")) return Effect.succeed(make(rest, "all"))
  return Effect.forEach(platforms, (it) => scopePlatform(what, it)).pipe(
    Effect.match({ onFailure: refused, onSuccess: (scope) => make(rest, scope) })
  )
}

const scopePlatform = (what: string, text: string): Effect.Effect<Platform, UsageError> =>
  Effect.mapError(
    platformOf(text),
    ({ message }) => new UsageError({ message: `failed to mod ${what}: failed to parse platform ${text}: ${message}` })
  )

/** A change that cannot be: found only once the image is there. */
export const refused = (error: UsageError): Change => ({ prepare: () => Effect.fail(error) })

/** Whether an image's configuration is one of those meant; one without prefix means all. */
export const isInScope = (scope: Scoped, document: ImageConfig | undefined): boolean => {
  if (scope === undefined || scope === "all") return true
  const platform = document === undefined ? undefined : configPlatform(document)
  return platform !== undefined && scope.some((it) => isPlatformMatch(it, platform))
}
