/** What a process does before its command: the version, and the place of compiled code. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"

const scratch = mkdtempSync(join(tmpdir(), "regclient-startup-"))
const tool = join(import.meta.dirname, "../../dist/regctl.js")

const run = (args: ReadonlyArray<string>, cache: string) => {
  const { signal, status, stderr, stdout } = spawnSync(process.execPath, [tool, ...args], {
    env: { HOME: scratch, XDG_CACHE_HOME: cache },
    encoding: "utf8",
    timeout: 60_000
  })
  return { signal, status, stdout, stderr }
}

afterAll(() => rmSync(scratch, { recursive: true }))

describe("start-up", () => {
  it("tells the version alone as with all its layers, and keeps code where only its user may", () => {
    const cache = join(scratch, "cache")
    const short = run(["version"], cache)
    expect(short).toMatchObject({ status: 0, stderr: "" })
    expect(short.stdout).toMatch(/^VCSTag: {5}v\S+\nVCSRef: {5}\S+\n(?:.+\n){5}GoCompiler: v8\n$/)
    expect(run(["version", "--verbosity", "warn"], cache)).toEqual(short)
    expect(run(["version", "--format", "{{printPretty .}}"], cache)).toEqual(short)
    expect(statSync(join(cache, "regclient")).mode & 0o777).toBe(0o700)
  })

  it.skipIf(!existsSync("/proc/self"))("starts where no directory can be made", () => {
    for (const cache of ["/proc/nowhere", "/dev/null/x"])
      expect(run(["version", "--format", "{{.GoCompiler}}"], cache)).toMatchObject({ status: 0, stdout: "v8" })
  })
})
