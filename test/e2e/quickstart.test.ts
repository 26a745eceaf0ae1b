/** The README's first command does what it says, and cleans up. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root, run } from "../support/programs.ts"

describe("the quick start", () => {
  it("shows one digest in three places and leaves nothing behind", async () => {
    const temporary = mkdtempSync(join(tmpdir(), "regclient-quickstart-"))
    const { code, err, out } = await run(process.execPath, [join(root, "examples/quickstart.ts")], {
      env: { TMPDIR: temporary }
    })
    assert.strictEqual(code, 0, out + err)
    assert.strictEqual(err, "")
    assert.include(out, "One digest in three places.")
    assert.deepStrictEqual(readdirSync(temporary).filter((it) => !it.startsWith("node-compile-cache")), [])
    rmSync(temporary, { recursive: true })
  })
})
