import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { failureOf, runScript } from "./scripts.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "lua-"))),
  (dir) => Effect.sync(() => rmSync(dir, { recursive: true }))
)

describe("commands of scripts", () => {
  it.live("run to their end", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        "os.setenv('X', 'y') local p = io.popen('echo $X; exit 3') say(p:read('*l'), p:close()) " +
          "say(os.execute('exit 2'), os.execute('true'))"
      )
      assert.strictEqual(failureOf(exit), "succeeded")
      assert.deepStrictEqual(said, [["y", 3], [1, 0]])
    }))

  it.live("end with the time of their script (S01)", () =>
    Effect.gen(function*() {
      for (const call of ["os.execute('sleep 100 & sleep 100')", "io.popen('sleep 100 | sleep 100')"]) {
        const { exit } = yield* runScript(`pcall(function() ${call} end)`, {}, { timeout: 300 })
        assert.strictEqual(
          failureOf(exit).replace(/<string>:\d+: /, ""),
          "ScriptTimeout: Context error: context deadline exceeded"
        )
      }
    }))

  it.live("find files that scripts leave open closed", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "left")
      const { exit } = yield* runScript(`io.open('${file}', 'w'):write('kept') error('x', 0)`)
      assert.strictEqual(failureOf(exit), "ScriptError: x")
      assert.strictEqual(readFileSync(file, "utf8"), "kept")
    }).pipe(Effect.scoped))
})
