/** `image.mod(source, options)`: what `regctl image mod` does, its result as a reference. */
import { Effect, type FileSystem, type Path } from "effect"
import { type HostFailure, isTable, type LuaValue, typeOf } from "../../../lib/lua/border.ts"
import { quoted } from "../../../lib/visibleText.ts"
import { commonName, parseRef } from "../../../schemas/Ref.ts"
import type { HostFunction } from "../../../services/LuaEngine.ts"
import type { Progress } from "../../../services/Progress.ts"
import type { RateLimiter } from "../../../services/RateLimiter.ts"
import type { Repositories } from "../../../services/Repositories.ts"
import type { SyncEvents } from "../../../services/SyncEvents.ts"
import type { Occurrence } from "../../cli/dialect.ts"
import { targetOf } from "../../image/mod.ts"
import { kindOf, parseChanges } from "../../mod/parse.ts"
import { rewrite } from "../../mod/rewrite.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { refArgument, textArgument, wrongArgument } from "./arguments.ts"
import { failed, mayUseFiles } from "./failures.ts"
import { infoOfWrite } from "./logged.ts"
import { objectOf } from "./objects.ts"
import { optionsOf } from "./options.ts"
import { shown } from "./shown.ts"

type Needs = FileSystem.FileSystem | Path.Path | Progress | RateLimiter | Repositories | ScriptRun | SyncEvents

export const imageMod: HostFunction<Needs> = {
  run: (...args) =>
    Effect.gen(function*() {
      const source = yield* refArgument(args[0], 1)
      const { create, occurrences, replace } = yield* requested(args[1])
      if (occurrences.some(([name]) => name === "layer-add")) yield* mayUseFiles("image.mod with layerAdd")
      const { close, throttled } = yield* ScriptRun
      const modFailed = failed(`Failed to mod "${commonName(source)}"`)
      const target = yield* Effect.mapError(targetOf(source, { create, replace }), modFailed)
      const ends = { source: commonName(source), target: commonName(target) }
      yield* infoOfWrite("Mod image", ends)
      const name = yield* throttled(
        Effect.flatMap(parseChanges(occurrences, source), (changes) => rewrite(source, target, changes)).pipe(
          shown("mod", ends),
          Effect.mapError(modFailed)
        )
      )
      yield* close(target.location)
      const ref = yield* Effect.mapError(Effect.fromResult(parseRef(name)), modFailed)
      return { values: [objectOf("reference", { ref })] }
    })
}

const places = { create: "text", replace: "flag" } as const

/** Named options act in the order of their names, then those of the list, `{ name, value }`, in theirs. */
const requested = Effect.fnUntraced(function*(value: LuaValue) {
  if (!isTable(value)) return yield* Effect.fail(wrongArgument(2, `table expected, got ${typeOf(value)}`))
  const isPlace = (name: string) => Object.hasOwn(places, name)
  const own = [...value.fields].filter(([name]) => isPlace(name))
  const where = yield* optionsOf(places, { list: [], fields: new Map(own) }, 2)
  const named = [...value.fields.keys()].filter((name) => !isPlace(name)).toSorted()
  const changes = [
    ...yield* Effect.forEach(named, (name) => occurrencesOf(name, value.fields.get(name))),
    ...yield* Effect.forEach(value.list, listed)
  ]
  return { ...where, occurrences: changes.flat() }
})

const listed = (entry: LuaValue): Effect.Effect<ReadonlyArray<Occurrence>, HostFailure> => {
  const [name, value = true] = isTable(entry) ? entry.list : []
  return typeof name === "string"
    ? occurrencesOf(name, value)
    : Effect.fail(wrongArgument(2, "a list entry has to be { name, value }"))
}

/** An option as a command line would have it, once for each value of a list. */
const occurrencesOf = (name: string, value: LuaValue): Effect.Effect<ReadonlyArray<Occurrence>, HostFailure> => {
  const flag = name.replace(/[A-Z]/g, (it) => `-${it.toLowerCase()}`)
  const refuse = (message: string) => Effect.fail(wrongArgument(2, message))
  const wrong = (what: string) => refuse(`option ${quoted(name)}: ${what} expected, got ${typeOf(value)}`)
  switch (kindOf(flag)) {
    case undefined:
      return refuse(`unknown option ${quoted(name)}`)
    case "switch":
      return typeof value === "boolean" ? Effect.succeed([[flag, String(value)]]) : wrong("boolean")
    case "value":
      return Effect.forEach(isTable(value) ? value.list : [value], (it) =>
        Effect.mapBoth(textArgument(it, 2), {
          onFailure: ({ message }) => wrongArgument(2, `option ${quoted(name)}: ${message}`),
          onSuccess: (text): Occurrence => [flag, text]
        }))
  }
}
