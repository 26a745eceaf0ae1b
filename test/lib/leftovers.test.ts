import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { directoryPrefix, removeLeftovers, temporaryName } from "../../src/lib/leftovers.ts"
import { temporary } from "../support/registries.ts"

describe("leftovers", () => {
  it("L12: go when their owner has ended, or after an hour when nobody can tell", async () => {
    const dir = temporary("leftovers")
    const { pid } = spawnSync("true")
    const [own, ownDirectory] = [temporaryName(), `${directoryPrefix()}abc123`]
    const [, host = ""] = /^\.regclient-([0-9a-f]{12})-/.exec(own) ?? []
    const unique = "0".repeat(32)
    const names = {
      dead: `.regclient-${host}-${pid}-0-${unique}.tmp`,
      // The number is this process's by now; the process is another.
      reused: `.regclient-${host}-${process.pid}-1-${unique}.tmp`,
      elsewhere: `.regclient-${"f".repeat(12)}-${pid}-0-${unique}.tmp`,
      elsewhereOld: `.regclient-${"e".repeat(12)}-${pid}-0-${unique}.tmp`,
      strange: `.regclient-${host}-${pid}-0-mine.tmp`
    }
    for (const it of [own, ...Object.values(names)]) writeFileSync(join(dir.path, it), "")
    const deadDirectory = `regclient-${host}-${pid}-0-abc123`
    for (const it of [ownDirectory, deadDirectory]) mkdirSync(join(dir.path, it))
    writeFileSync(join(dir.path, "kept"), "")
    symlinkSync(join(dir.path, "kept"), join(dir.path, deadDirectory, "link"))
    // A link is no directory of ours.
    const link = `regclient-${host}-${pid}-0-link00`
    symlinkSync(dir.path, join(dir.path, link))
    const now = Date.now()
    utimesSync(join(dir.path, names.elsewhereOld), now / 1000 - 3700, now / 1000 - 3700)
    await removeLeftovers(dir.path, now)
    assert.deepStrictEqual(
      readdirSync(dir.path).toSorted(),
      [own, ownDirectory, names.elsewhere, names.strange, "kept", link].toSorted()
    )
    dir.remove()
  })
})
