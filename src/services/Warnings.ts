/** What registries warn of in `Warning: 299` headers: each text once, all of them within a budget (faults N41). */
import { Context, Effect, Layer } from "effect"
import { cut, visible } from "../lib/visibleText.ts"
import { Secrets } from "./Secrets.ts"

/** Characters of a header that are looked at: the search for texts may go through them once for each comma. */
const longest = 8_192

/** Characters of one text, and of all texts of a command. */
const [limit, budget] = [2_000, 4_096]

export class Warnings extends Context.Service<Warnings, {
  /** Logs the texts of these headers that were not seen before. */
  readonly observe: (headers: ReadonlyArray<string>) => Effect.Effect<void>
}>()("regclient/services/Warnings") {
  static readonly layer = Layer.sync(Warnings, () => {
    const seen = new Set<string>()
    let left = budget
    const isNew = (text: string): boolean => {
      if (seen.has(text) || text.length > left) return false
      seen.add(text)
      left -= text.length
      return true
    }
    return Warnings.of({
      observe: (headers) => {
        if (headers.length === 0) return Effect.void
        return Effect.flatMap(Secrets, (secrets) =>
          Effect.forEach(
            headers.flatMap(warningTexts).map((text) => cut(visible(secrets.censored(text)), limit)),
            (warning) =>
              Effect.suspend(() =>
                isNew(warning)
                  ? Effect.annotateLogs(Effect.logWarning("Registry warning message"), { warning })
                  : Effect.void
              ),
            { discard: true }
          ))
      }
    })
  })
}

/** The texts of `299 agent "text"` in a header, which may hold several; other codes are not for the user. */
const warningTexts = (header: string): ReadonlyArray<string> =>
  [...header.slice(0, longest).matchAll(/(?:^|,)\s*(\d{3}) [^\s"]+ "((?:[^"\\]|\\.)*)"/g)]
    .filter(([, code]) => code === "299")
    .map(([, , text = ""]) => text.replace(/\\(.)/gs, "$1"))
