/** Bundles the tools once before the tests that run them, unless the bundle is newer than all it is made of. */
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { root, tool } from "../support/programs.ts"

const changed = (dir: string): number =>
  Math.max(...readdirSync(dir, { recursive: true, encoding: "utf8" }).map((it) => statSync(join(dir, it)).mtimeMs))

/** Called by vitest before the first test. */
export const setup = (): void => {
  const sources = Math.max(changed(join(root, "src")), statSync(join(root, "rolldown.config.ts")).mtimeMs)
  if (existsSync(tool("regctl")) && statSync(tool("regctl")).mtimeMs > sources) return
  execFileSync(join(root, "node_modules/.bin/rolldown"), ["-c", "rolldown.config.ts"], { cwd: root, stdio: "pipe" })
}
