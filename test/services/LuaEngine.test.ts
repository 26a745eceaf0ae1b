import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { failing, plain, type Ran, runScript } from "./scripts.ts"

/** Tag and first line of what a script failed with. */
const failureOf = ({ exit }: Ran): string => {
  if (Exit.isSuccess(exit)) return "succeeded"
  const failed = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (failed?._tag === "ScriptExit") return `exit ${failed.status}`
  return failed === undefined ? "defect" : `${failed.reason._tag}: ${failed.message.split("\n")[0]}`
}

describe("a script's host functions", () => {
  it.live("get plain values and give plain values back", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local a, b = pair("ü", 2, { 1, 2, x = { true } }, nil) say(a, b.y[1], #b.y, "\\255")`,
        {
          functions: {
            pair: plain((
              ...args
            ) => [args.length, { list: [], fields: new Map([["y", { list: ["z"], fields: new Map() }]]) }])
          }
        }
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(said, [[4, "z", 1, Uint8Array.of(255)]])
    }))

  it.live("raise texts with the place in front", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `say(pcall(function() t.f() end))\nsay(pcall(t.f))\nsay(pcall(t.g, 1))`,
        { libraries: { t: { functions: { f: failing("no"), g: failing("text expected", 1) } } } }
      )
      assert.deepStrictEqual(said, [
        [false, "<string>:1: no"],
        [false, "<string>:2: no"],
        [false, "<string>:3: bad argument #1 to g (text expected)"]
      ])
    }))

  it.live("end the script with what they failed with", () =>
    Effect.gen(function*() {
      const ran = yield* runScript("\nt()", { functions: { t: failing("no") } })
      assert.strictEqual(failureOf(ran), "ScriptError: <string>:2: no")
    }))
})

describe("a script without end", () => {
  it.live("is ended when its time is over", () =>
    Effect.gen(function*() {
      const ran = yield* runScript("\nwhile true do end", {}, { timeout: 50 })
      assert.strictEqual(failureOf(ran), "ScriptTimeout: Context error: context deadline exceeded")
    }))
})
