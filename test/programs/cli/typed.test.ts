import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decimal, integer, optional, raw, text, texts, toggle } from "../../../src/programs/cli/flags.ts"
import { inputOf } from "../../../src/programs/cli/typed.ts"

const options = {
  format: text("format", "", { otherwise: "{{.}}" }),
  dir: optional(text("dir", "")),
  exclude: texts("exclude", ""),
  blobMax: integer("blob-max", "", { otherwise: 5 }),
  rate: decimal("rate", ""),
  fast: toggle("fast", "")
}

describe("the input of a program", () => {
  it.effect("has the default of each flag that was not given, and none of an optional one", () =>
    Effect.gen(function*() {
      const input = yield* inputOf(options, { occurrences: [], positionals: [] })
      assert.deepStrictEqual(input, {
        format: "{{.}}",
        exclude: [],
        blobMax: 5,
        rate: 0,
        fast: false,
        args: [],
        given: new Set<string>(),
        occurrences: []
      })
    }))

  it.effect("has what was given, typed: the last of a single value, all of a list", () =>
    Effect.gen(function*() {
      const occurrences = [
        ["exclude", "a,b"],
        ["format", "x"],
        ["exclude", ""],
        ["format", ""],
        ["blob-max", "-1"],
        ["rate", "1.5"],
        ["fast", "true"],
        ["dir", "-d"]
      ] as const
      const input = yield* inputOf(options, { occurrences, positionals: ["--x", "", "r"] })
      assert.deepStrictEqual(input, {
        format: "",
        dir: "-d",
        exclude: ["a,b", ""],
        blobMax: -1,
        rate: 1.5,
        fast: true,
        args: ["--x", "", "r"],
        given: new Set(["exclude", "format", "blob-max", "rate", "fast", "dir"]),
        occurrences
      })
    }))

  it.effect("has raw flags only among the occurrences, in the order given", () =>
    Effect.gen(function*() {
      const occurrences = [["b", "maybe"], ["a", "1"], ["b", ""]] as const
      const input = yield* inputOf({ a: raw("a", "int", ""), b: raw("b", "bool", "") }, {
        occurrences,
        positionals: []
      })
      assert.deepStrictEqual(input, { args: [], given: new Set(["b", "a"]), occurrences })
    }))
})
