/** Words of a command line in what is told of them (faults, text from outside). */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Console, Effect } from "effect"
import { report } from "../../../src/programs/cli/report.ts"
import { UsageError } from "../../../src/schemas/UsageError.ts"

const told = (message: string) => {
  const lines: Array<string> = []
  const console = {
    ...globalThis.console,
    error: (...words: ReadonlyArray<unknown>) => void lines.push(words.join(" "))
  }
  return report(Cause.fail(new UsageError({ message })), false).pipe(
    Effect.provideService(Console.Console, console),
    Effect.as(lines)
  )
}

describe("a usage error", () => {
  it.effect("keeps its own lines and tabs", () =>
    Effect.gen(function*() {
      const text = "unknown command \"lss\" for \"regctl tag\"\n\nDid you mean this?\n\tls\n"
      assert.deepStrictEqual(yield* told(text), [text])
    }))

  it.effect("shows control characters, and forges no record of the log", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* told("invalid platform \u001b[2J\r\u202ex\ntime=2026-01-01T00:00:00Z level=ERROR msg=forged"),
        ["invalid platform \\x1b[2J\\r\\u202ex\n\ttime=2026-01-01T00:00:00Z level=ERROR msg=forged"]
      )
    }))
})
