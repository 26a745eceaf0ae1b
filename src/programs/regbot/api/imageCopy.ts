/** `image.copy(source, target [, options])` and `image.copy{source, target, …}` (regbot description, 7.6). */
import { Effect } from "effect"
import { type HostFailure, isTable, type LuaTable, type LuaValue } from "../../../lib/lua/border.ts"
import { commonName, parseRef, type Ref } from "../../../schemas/Ref.ts"
import type { HostFunction } from "../../../services/LuaEngine.ts"
import type { Progress } from "../../../services/Progress.ts"
import type { RateLimiter } from "../../../services/RateLimiter.ts"
import type { Repositories } from "../../../services/Repositories.ts"
import type { SyncEvents } from "../../../services/SyncEvents.ts"
import { copy, type CopyOptions } from "../../copy/copy.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { refArgument, wrongArgument } from "./arguments.ts"
import { failed, nothing } from "./failures.ts"
import { infoOfWrite } from "./logged.ts"
import { type Options, optionsOf } from "./options.ts"
import { shown } from "./shown.ts"

/** Those of `regctl image copy`. */
const switches = {
  digestTags: "flag",
  fast: "flag",
  fastCheck: "flag",
  forceRecursive: "flag",
  includeExternal: "flag",
  platform: "text",
  platforms: "texts",
  referrers: "flag",
  referrersSrc: "ref",
  referrersTgt: "ref"
} as const

export const imageCopy: HostFunction<Progress | RateLimiter | Repositories | ScriptRun | SyncEvents> = {
  run: (...args) =>
    Effect.gen(function*() {
      const [source, target, options] = yield* requested(args)
      const { close, throttled } = yield* ScriptRun
      const ends = { source: commonName(source), target: commonName(target) }
      const { digestTags, forceRecursive, includeExternal } = options
      yield* infoOfWrite("Copy image", { ...ends, digestTags, forceRecursive, includeExternal })
      yield* throttled(
        copy(source, target, options).pipe(
          shown("copy", ends),
          Effect.mapError(failed(`Failed copying "${ends.source}" to "${ends.target}"`))
        )
      )
      yield* close(target.location)
      return nothing
    })
}

type Requested = readonly [source: Ref, target: Ref, options: CopyOptions]

const requested = (args: ReadonlyArray<LuaValue>): Effect.Effect<Requested, HostFailure> => {
  const [first] = args
  if (args.length === 1 && first !== undefined && isTable(first)) return ofTable(first)
  return Effect.gen(function*() {
    const source = yield* refArgument(args[0], 1)
    const target = yield* refArgument(args[1], 2)
    const given = args[2]
    // With any other number of arguments the options are not looked at.
    const table = args.length === 3 && given !== undefined && isTable(given) ? forgiven(given) : undefined
    return [source, target, yield* copyOptions(yield* optionsOf(switches, table, 3), 3)] as const
  })
}

const ofTable = Effect.fnUntraced(function*({ fields, list }: LuaTable) {
  const options = yield* optionsOf({ ...switches, source: "ref", target: "ref" }, { list: [], fields }, 1)
  const end = (name: "source" | "target", at: number) => {
    const value = fields.get(name) ?? list[at]
    return Effect.mapError(refArgument(value, 1), ({ message }) => wrongArgument(1, `${name}: ${message}`))
  }
  return [yield* end("source", 0), yield* end("target", 1), yield* copyOptions(options, 1)] as const
})

/** What scripts for the Go tool may pass, its options of another type and names nobody knows, counts for nothing. */
const forgiven = ({ fields }: LuaTable): LuaTable => ({
  list: [],
  fields: new Map([...fields].flatMap(([name, value]): ReadonlyArray<readonly [string, LuaValue]> => {
    if (!Object.hasOwn(switches, name)) return []
    const isSwitch = name === "digestTags" || name === "forceRecursive" || name === "includeExternal"
    if (isSwitch && typeof value !== "boolean") return []
    if (name !== "platforms") return [[name, value]]
    if (value === undefined || !isTable(value)) return []
    const texts = value.list.map((it) => typeof it === "string" ? it : "")
    return [[name, { list: texts, fields: new Map() }]]
  }))
})

const copyOptions = Effect.fnUntraced(function*(options: Options<typeof switches>, n: number) {
  const { fast, fastCheck, platform, referrers, referrersSrc, referrersTgt, ...rest } = options
  if (!referrers && (referrersSrc !== "" || referrersTgt !== "")) {
    return yield* Effect.fail(
      wrongArgument(n, "referrers must be enabled to specify an external referrers source or target")
    )
  }
  return {
    ...rest,
    fastCheck: fast || fastCheck,
    referrers,
    ...(platform === "" ? {} : { platform }),
    ...(referrersSrc === "" ? {} : { referrersSource: yield* named(referrersSrc) }),
    ...(referrersTgt === "" ? {} : { referrersTarget: yield* named(referrersTgt) })
  } satisfies CopyOptions
})

/** It was read before. */
const named = (name: string) => Effect.orDie(Effect.fromResult(parseRef(name)))
