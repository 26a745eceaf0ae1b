import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { log } from "../../../../src/programs/regbot/api/log.ts"
import { ScriptRun } from "../../../../src/programs/regbot/ScriptRun.ts"
import { answer, raised, scriptRuns } from "../../../support/scriptRuns.ts"

describe("log", () => {
  it.effect("prints a text or a number, and returns nothing", () => {
    const runs = scriptRuns()
    return Effect.gen(function*() {
      assert.deepStrictEqual((yield* answer(log, "grüße")).values, [])
      yield* answer(log, 1000000)
      yield* answer(log, new Uint8Array([97, 255]))
      assert.deepStrictEqual(runs.log, [
        "INFO User script message script=s message=grüße",
        "INFO User script message script=s message=1000000",
        "INFO User script message script=s message=a\ufffd"
      ])
    }).pipe(Effect.provide(runs.layer))
  })

  it.effect("refuses anything else", () => {
    const runs = scriptRuns()
    return Effect.gen(function*() {
      const table = { list: [], fields: new Map() }
      assert.strictEqual(yield* raised(log, table), "bad argument #1: string expected, got table")
      assert.strictEqual(yield* raised(log, true), "bad argument #1: string expected, got boolean")
      assert.strictEqual(yield* raised(log), "bad argument #1: string expected, got nil")
      assert.deepStrictEqual(runs.log, [])
    }).pipe(Effect.provide(runs.layer))
  })

  it.effect("cuts what is long", () => {
    const runs = scriptRuns()
    return Effect.gen(function*() {
      yield* answer(log, "x".repeat(10_000_000))
      const [line = ""] = runs.log
      assert.isBelow(line.length, 10_100)
      assert.isAbove(line.length, 9_900)
    }).pipe(Effect.provide(runs.layer))
  })

  it.effect("says once that there were too many lines", () => {
    const runs = scriptRuns()
    const states: Array<"yes" | "last" | "no"> = ["yes", "last", "no", "no"]
    const few = Layer.effect(
      ScriptRun,
      Effect.map(ScriptRun, (run) => ScriptRun.of({ ...run, mayLog: () => states.shift() ?? "no" }))
    )
    return Effect.gen(function*() {
      for (const text of ["a", "b", "c", "d"]) yield* answer(log, text)
      assert.deepStrictEqual(runs.log, [
        "INFO User script message script=s message=a",
        "WARN Too many messages, further ones of this run are not printed script=s"
      ])
    }).pipe(Effect.provide(few.pipe(Layer.provideMerge(runs.layer))))
  })
})
