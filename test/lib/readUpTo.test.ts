import { assert, describe, it } from "@effect/vitest"
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { codeOf } from "../../src/lib/files.ts"
import { readUpTo } from "../../src/lib/readUpTo.ts"

describe("readUpTo", () => {
  it("gives what a file or a pipe holds, up to the limit", async () => {
    const dir = mkdtempSync(join(tmpdir(), "upto-"))
    const [file, pipe] = [join(dir, "file"), join(dir, "pipe")]
    execFileSync("mkfifo", [pipe])
    writeFileSync(file, "hello")
    const writer = spawn("sh", ["-c", `printf hello > ${pipe}`])
    for (const path of [file, pipe]) assert.strictEqual(Buffer.from(await readUpTo(path, 5)).toString(), "hello")
    assert.strictEqual(await readUpTo(file, 4).then(() => "", codeOf), "TOO_LARGE")
    writer.kill()
    rmSync(dir, { recursive: true })
  })

  it("ends at the limit of what has no end, and when nobody wants it any more", async () => {
    assert.strictEqual(await readUpTo("/dev/zero", 1_000_000).then(() => "", codeOf), "TOO_LARGE")
    const controller = new AbortController()
    const reading = readUpTo("/dev/zero", 1e12, controller.signal).then(() => "", codeOf)
    controller.abort()
    assert.strictEqual(await reading, "ABORT_ERR")
  })
})
