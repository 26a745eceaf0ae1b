/** Waiting for a registry's pull limit (regbot description, 7.6). */
import { Clock, Effect } from "effect"
import { formatGoDuration, goDurationProblem, parseGoDuration } from "../../../lib/goDuration.ts"
import type { HostFailure, LuaValue } from "../../../lib/lua/border.ts"
import { noQuota } from "../../../schemas/Quota.ts"
import { commonName } from "../../../schemas/Ref.ts"
import type { HostFunction } from "../../../services/LuaEngine.ts"
import type { ScriptRun } from "../ScriptRun.ts"
import { numberArgument, optionalText, refArgument } from "./arguments.ts"
import { failed } from "./failures.ts"
import { headManifest } from "./fetch.ts"
import { info } from "./logged.ts"

/** Milliseconds between two requests at least: a script that polls without a pause must not press a registry. */
const shortest = 100

/** Milliseconds of a text, or the default. */
const durationOf = (text: string | undefined, otherwise: number, what: string): Effect.Effect<number, HostFailure> => {
  if (text === undefined) return Effect.succeed(otherwise)
  const read = parseGoDuration(text)
  return read === undefined
    ? Effect.fail({ message: `Failed parsing ${what} ${text}: ${goDurationProblem(text)}` })
    : Effect.succeed(read)
}

/**
 * `(REF, limit [, poll [, timeout]])`, for an object as well as for what names one: asks for the head until at least
 * `limit` pulls remain, or no limit is told. False when the timeout, or the time of the script, ends while it sleeps.
 */
export const ratelimitWait: HostFunction<ScriptRun> = {
  run: Effect.fnUntraced(function*(...args: ReadonlyArray<LuaValue>) {
    const ref = yield* refArgument(args[0], 1)
    const target = Math.trunc(yield* numberArgument(args[1], 2)) || 0 // not a number is none
    const [pollText, timeoutText] = [yield* optionalText(args, 3), yield* optionalText(args, 4)]
    const poll = yield* durationOf(pollText, 5 * 60_000, "rate limit frequency")
    const timeout = yield* durationOf(timeoutText, 6 * 60 * 60_000, "timeout")
    const image = commonName(ref)
    const end = (yield* Clock.currentTimeMillis) + timeout
    while (true) {
      const { quota = noQuota } = yield* Effect.mapError(
        headManifest(ref),
        failed(`Failed checking "${image}" manifest`)
      )
      if (!quota.isSet || quota.remaining >= target) return { values: [true] }
      yield* info("Delaying for ratelimit", { image, current: quota.remaining, target, delay: formatGoDuration(poll) })
      const pause = Math.max(poll, shortest)
      const left = end - (yield* Clock.currentTimeMillis)
      if (left > 0) yield* Effect.sleep(Math.min(pause, left))
      if (left <= pause) return { values: [false] }
    }
  }),
  late: { values: [false] }
}
