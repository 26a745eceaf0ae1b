/**
 * What it takes to start: `regctl version` and `regctl tag ls` against a registry on this machine, from the package and
 * from the single executable, as ratios to a bare `node -e 0` of the same Node. Interleaved runs, medians; beside wall
 * time user and system CPU, which other load on the machine moves less. `node bench/startup.ts [runs]`, after
 * `npm run build` and `npm run build:sea`.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"

const runs = Number(process.argv[2] ?? 30)
const root = join(import.meta.dirname, "..")
const node = join(root, "node_modules/node/bin/node")
const packaged = join(root, "dist/regctl.js")
const single = join(root, "dist-sea/regctl")
const scratch = mkdtempSync(join(tmpdir(), "regctl-startup-"))
const env = { ...process.env, REGCTL_CONFIG: join(scratch, "config.json"), DOCKER_CONFIG: scratch }

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const quietly = (args: ReadonlyArray<string>, input = ""): string => {
  const { status, stderr, stdout } = spawnSync(node, [packaged, ...args], { env, input, encoding: "utf8" })
  if (status !== 0) throw new Error(`regctl ${args.join(" ")}: ${stderr}`)
  return stdout.trim()
}

/** Milliseconds of one run. */
const wall = (command: ReadonlyArray<string>): number => {
  const start = performance.now()
  const { status } = spawnSync(command[0] ?? "", command.slice(1), { env, stdio: "ignore" })
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}`)
  return performance.now() - start
}

/** Milliseconds of user and system time of one run, as the shell counts its children. */
const cpu = (command: ReadonlyArray<string>): number => {
  const { stdout } = spawnSync("bash", ["-c", `"$0" "$@" >/dev/null; times`, ...command], { env, encoding: "utf8" })
  return [...(stdout.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)]
    .reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000, 0)
}

const server = spawn(node, [packaged, "-v", "info", "serve", "--addr", "127.0.0.1:0"], {
  env,
  stdio: ["ignore", "ignore", "pipe"]
})
const host = await new Promise<string>((resolve, reject) => {
  let log = ""
  server.stderr.on("data", (text) => {
    log += String(text)
    const found = /listening on http:\/\/([^\s"]+)/.exec(log)?.[1]
    if (found !== undefined) resolve(found)
  })
  server.once("exit", () => reject(new Error(log)))
})

try {
  quietly(["registry", "set", "--tls", "disabled", "--skip-check", host])
  const text = "{}"
  const digest = quietly(["blob", "put", `${host}/bench`], text)
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: text.length }
  const mediaType = "application/vnd.oci.image.manifest.v1+json"
  quietly(["manifest", "put", `${host}/bench:v1`], JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }))

  const bare = { name: "node -e 0", command: [node, "-e", "0"], limit: 1 }
  const list = ["tag", "ls", `${host}/bench`]
  const rows = [
    bare,
    { name: "regctl version, package", command: [node, packaged, "version"], limit: 2.6 },
    { name: "regctl tag ls, package", command: [node, packaged, ...list], limit: 3.2 },
    ...(existsSync(single)
      ? [
        { name: "regctl version, executable", command: [single, "version"], limit: 1.9 },
        { name: "regctl tag ls, executable", command: [single, ...list], limit: 2.6 }
      ]
      : [])
  ].map((row) => ({ ...row, walls: new Array<number>(), cpus: new Array<number>() }))

  for (let run = -2; run < runs; run++) {
    for (const { command, cpus, walls } of rows) {
      const [one, other] = [wall(command), cpu(command)]
      if (run < 0) continue
      walls.push(one)
      cpus.push(other)
    }
  }

  const [base] = rows
  const ratio = (of: "walls" | "cpus", row: (typeof rows)[number]) =>
    (median(row[of]) / median(base?.[of] ?? [])).toFixed(2)
  process.stdout.write(
    `| | median ms | ratio | at most | CPU ms | ratio of CPU |\n| --- | --- | --- | --- | --- | --- |\n`
  )
  for (const row of rows) {
    const shown = [row.name, median(row.walls).toFixed(1), ratio("walls", row), row.limit, median(row.cpus).toFixed(0)]
    process.stdout.write(`| ${[...shown, ratio("cpus", row)].join(" | ")} |\n`)
  }
} finally {
  server.kill("SIGTERM")
  rmSync(scratch, { recursive: true })
}
