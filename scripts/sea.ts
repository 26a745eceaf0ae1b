/**
 * Builds `dist-sea/regctl`, `regsync` and `regbot`: executables that hold Node, the tool, and a snapshot of it started.
 * They run on machines of this system and processor that have no Node; nothing else is needed beside them.
 */
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const out = join(root, "dist-sea")
const work = join(out, "build")
const base = join(work, "node")

const run = (command: string, ...args: ReadonlyArray<string>) =>
  execFileSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] })

rmSync(out, { recursive: true, force: true })
mkdirSync(work, { recursive: true })
run(process.execPath, join(root, "node_modules/rolldown/bin/cli.mjs"), "-c", "rolldown.sea.config.ts")

copyFileSync(process.execPath, base)
try {
  // Names of functions for debuggers, a quarter of the file.
  run("strip", base)
} catch {
  process.stderr.write("strip is not there: the executables stay larger\n")
  copyFileSync(process.execPath, base)
}

for (const tool of ["regctl", "regsync", "regbot"]) {
  const settings = join(work, `${tool}.json`)
  writeFileSync(
    settings,
    JSON.stringify({
      main: join(work, `${tool}.cjs`),
      executable: base,
      output: join(out, tool),
      // Threads of scripts cannot start from a snapshot: their Node would set up twice what the snapshot holds.
      useSnapshot: tool !== "regbot",
      useCodeCache: tool === "regbot",
      disableExperimentalSEAWarning: true,
      // Options of Node are none of the tool's.
      execArgvExtension: "none",
      // A heap that begins small is swept twice before the first request is made.
      execArgv: ["--min-semi-space-size=16"],
      assets: tool === "regbot" ? { "luaThread.cjs": join(work, "luaThread.cjs") } : {}
    })
  )
  run(base, "--build-sea", settings)
  chmodSync(join(out, tool), 0o755)
}
rmSync(work, { recursive: true })
